"""Where leaves stand in their blocks, for a package: a few trees are kept, since what belongs together was mostly sealed together."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from audit.evidence import merkle
from scrm.db import Tx

KEPT = 16
OF_BLOCK = "select kind, ref_id, sha256 from evidence_leaf where block = $1 order by position"


class Prover:
    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._trees: OrderedDict[int, list[list[bytes]]] = OrderedDict()
        self.blocks: set[int] = set()

    async def line(self, kind: str, ref_id: int, digest: bytes, block: int, position: int, state: str) -> bytes:
        """``message 12 <sha256> <block> <position> <neighbours> <state>``."""
        tree = self._trees.get(block)
        if tree is None:
            leaves = await self._tx.fetch(OF_BLOCK, block)
            tree = await asyncio.to_thread(lambda: merkle.levels([merkle.leaf_hash(*one) for one in leaves]))
            self._trees[block] = tree
            if len(self._trees) > KEPT:
                self._trees.popitem(last=False)
        self._trees.move_to_end(block)
        self.blocks.add(block)
        path = ",".join(one.hex() for one in merkle.proof(tree, position)) or "-"
        return f"{kind} {ref_id} {digest.hex()} {block} {position} {path} {state}\n".encode()
