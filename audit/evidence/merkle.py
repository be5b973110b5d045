"""The tree over the leaves of a block, as RFC 6962 builds it: leaves and inner nodes are hashed with different first bytes."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def leaf_line(kind: str, ref_id: int, digest: bytes) -> bytes:
    """What a leaf is the hash of: its kind and number too, so that it stands for one thing only, also when that is gone."""
    return f"{kind} {ref_id} {digest.hex()}\n".encode()


def leaf_hash(kind: str, ref_id: int, digest: bytes) -> bytes:
    return sha256(b"\x00" + leaf_line(kind, ref_id, digest)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """From the leaves to the root. A last one without a neighbour goes up as it is: the same tree as the RFC's."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        below = found[-1]
        above = [node(below[n], below[n + 1]) for n in range(0, len(below) - 1, 2)]
        if len(below) % 2:
            above.append(below[-1])
        found.append(above)
    return found


def root(leaves: Sequence[bytes]) -> bytes:
    return levels(leaves)[-1][0] if leaves else sha256(b"").digest()


def proof(tree: Sequence[Sequence[bytes]], position: int) -> list[bytes]:
    """The neighbours on the way up, the lowest first; where there is none, nothing."""
    found: list[bytes] = []
    for level in tree[:-1]:
        beside = position ^ 1
        if beside < len(level):
            found.append(level[beside])
        position //= 2
    return found
