#!/usr/bin/env python3
"""Verifies an evidence package. Needs Python 3.8 or newer and nothing else.

    python3 verify.py                       in the unpacked folder
    python3 verify.py evidence.zip          without unpacking
    python3 verify.py --fingerprint HEX     also that it was signed by the key of this fingerprint

It says what does not fit, by name, and ends with 1 then. 中文：逐项核验，任何不符之处都会指名列出，退出码为 1。
"""

# It stands alone, also on old machines.
# mypy: ignore-errors
# ruff: noqa
import base64
import hashlib
import json
import os
import sys
import zipfile

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p = add(p, p)
        n >>= 1
    return q


def point(data):
    """RFC 8032, 5.1.3; None when it is no point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point(bytes([88]) + bytes([102]) * 31)


def signed(public, signature, message):
    """Ed25519, RFC 8032, 5.1.7."""
    if len(signature) != 64 or len(public) != 32:
        return False
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(s, BASE), add(r, times(k, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


class Package:
    """A folder or a zip."""

    def __init__(self, where):
        self.zip = None if isinstance(where, str) and os.path.isdir(where) else zipfile.ZipFile(where)
        self.where = where

    def names(self):
        if self.zip:
            return [one.filename for one in self.zip.infolist() if not one.is_dir()]
        found = []
        for folder, _, files in os.walk(self.where):
            found += [os.path.relpath(os.path.join(folder, one), self.where).replace(os.sep, "/") for one in files]
        return found

    def open(self, name):
        return self.zip.open(name) if self.zip else open(os.path.join(self.where, *name.split("/")), "rb")

    def read(self, name):
        with self.open(name) as file:
            return file.read()

    def lines(self, name):
        with self.open(name) as file:
            for line in file:
                yield line.rstrip(b"\n")

    def sha256(self, name):
        digest = hashlib.sha256()
        with self.open(name) as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
        return digest.hexdigest()


def pairs(name, file):
    """Lines of both; None where one has ended."""
    a, b = iter(name), iter(file)
    while True:
        x, y = next(a, None), next(b, None)
        if x is None and y is None:
            return
        yield x, y


class Verifier:
    def __init__(self, package):
        self.package, self.problems, self.keys = package, [], {}
        self.leaves = self.files = self.blocks = self.removed = self.withheld = 0
        self.roots, self.hashes, self.media = {}, {}, {}

    def wrong(self, text):
        if text not in self.problems:
            self.problems.append(text)

    def run(self, fingerprint=""):
        try:
            self.read_keys()
            self.check_files()
            self.check_blocks()
            self.check_leaves()
        except Exception as error:
            self.wrong("the package cannot be read to its end: %s: %s" % (type(error).__name__, error))
        if fingerprint and fingerprint.lower().replace(":", "") not in self.keys:
            self.wrong("signed by another key than %s" % fingerprint)
        return self.problems

    def read_keys(self):
        for name in self.package.names():
            if name.startswith("keys/") and name.endswith(".pem"):
                text = self.package.read(name).decode("ascii", "replace")
                try:
                    der = base64.b64decode("".join(one for one in text.split("\n") if one and not one.startswith("-")))
                except ValueError:
                    der = b""
                if len(der) == 44:
                    self.keys[hashlib.sha256(der).hexdigest()] = der[12:]
                else:
                    self.wrong("changed: %s is no Ed25519 key" % name)

    def check_files(self):
        """Every file as it was packed; the list of them is signed."""
        listed = {}
        sums = self.package.read("SHA256SUMS")
        signature = self.package.read("SHA256SUMS.sig")
        if not any(signed(key, signature, sums) for key in self.keys.values()):
            self.wrong("changed: SHA256SUMS or its signature")
        for line in sums.decode("utf-8", "replace").split("\n"):
            if line:
                digest, _, name = line.partition("  ")
                listed[name] = digest
        there = self.package.names()
        self.media = {one.split("/")[1].split(".")[0]: one for one in there if one.startswith("media/")}
        for name in sorted({one for one in there if there.count(one) > 1} if len(there) != len(set(there)) else ()):
            self.wrong("inserted: %s is there twice" % name)
        for name in there:
            if name not in listed and name not in ("SHA256SUMS", "SHA256SUMS.sig"):
                self.wrong("inserted: %s" % name)
        for name in listed:
            if name not in there:
                self.wrong("removed: %s" % name)
            else:
                self.files += 1
                if self.package.sha256(name) != listed[name]:
                    self.wrong("changed: %s" % name)

    def check_blocks(self):
        """Headers from the first one that is needed to the head, each holding on to the one before."""
        text = self.package.read("chain/headers.txt").decode("ascii", "replace")
        parts = [one + "\n" for one in text.split("\n\n") if one.strip()]
        before, last = None, None
        signatures = []
        for part in parts:
            lines = part.rstrip("\n").split("\n")
            header = "".join(one + "\n" for one in lines[:-1])
            facts = dict(one.partition(" ")[::2] for one in lines[1:])
            number = int(facts["number"])
            if before is not None and facts["previous"] != before:
                self.wrong("broken: block %d does not hold on to the one before" % number)
            if last is not None and number != last + 1:
                self.wrong("%s: blocks between %d and %d" % ("removed" if number > last else "reordered", last, number))
            before, last = hashlib.sha256(header.encode()).hexdigest(), number
            self.roots[number] = (bytes.fromhex(facts["root"]), int(facts["leaves"]))
            self.hashes[number] = before
            signatures.append((number, facts["key"], bytes.fromhex(facts["signature"]), header.encode()))
            self.blocks += 1
        # One signature of the head covers all before it; of very many the last ones are checked one by one.
        for number, key, signature, header in signatures[-300:]:
            if key not in self.keys or not signed(self.keys[key], signature, header):
                self.wrong("unsigned: block %d" % number)

    def check_leaves(self):
        manifest = json.loads(self.package.read("manifest.json").decode())
        if manifest["head"]["number"] is not None and manifest["head"]["hash"] != self.hashes.get(
            manifest["head"]["number"]
        ):
            self.wrong("broken: the head of the chain is not the one of the manifest")
        for chat in manifest["conversations"]:
            base = "conversations/%d/" % chat["id"]
            expected = self.package.lines(base + "index.txt")
            lines = pairs(self.package.lines(base + "leaves.txt"), self.package.lines(base + "statements.txt"))
            names, said = [], []
            for leaf, statement in lines:
                said.append(self.check_leaf(base, leaf, statement))
            names = [one for one in said if one]
            self.compare(list(expected), names)

    def compare(self, expected, found):
        if expected == found:
            return
        wanted, there = set(expected), set(found)
        for one in expected:
            if one not in there:
                self.wrong("removed: %s" % one.decode())
        seen = set()
        for one in found:
            if one not in wanted or one in seen:
                self.wrong("inserted: %s" % one.decode())
            seen.add(one)
        kept = [one for one in expected if one in there]
        for a, b in zip(kept, [one for one in dict.fromkeys(found) if one in wanted]):
            if a != b:
                self.wrong("reordered: %s" % b.decode())

    def check_leaf(self, base, leaf, statement):
        """``message 12 <sha256> <block> <position> <neighbours> <what>``; returns ``message 12``."""
        if leaf is None:
            self.wrong(
                "inserted: a statement without a leaf in %s: %s" % (base, statement[:60].decode("utf-8", "replace"))
            )
            return b""
        parts = leaf.decode("utf-8", "replace").split(" ")
        if len(parts) != 7:
            self.wrong("changed: a line of %sleaves.txt: %s" % (base, leaf[:60].decode("utf-8", "replace")))
            return b""
        kind, number, digest, block, position, path, what = parts
        name = "%s %s" % (kind, number)
        self.leaves += 1
        if what == "there":
            if statement is None:
                self.wrong("removed: the statement of %s" % name)
            elif hashlib.sha256(statement).hexdigest() != digest:
                self.wrong("changed: %s" % name)
            else:
                self.check_file(base, name, statement)
        elif what == "removed":
            self.removed += 1
        elif what == "withheld":
            self.withheld += 1
        else:
            self.wrong("changed: %s" % name)
        try:
            good = self.proven("%s %s\n" % (name, digest), int(block), int(position), path)
        except ValueError:
            good = False
        if not good:
            self.wrong("changed: %s is not in block %s" % (name, block))
        return name.encode()

    def check_file(self, base, name, statement):
        """Files named in a statement: pictures and the like, and archived records as they were opened."""
        fact = json.loads(statement.decode())
        if "%s %s" % (fact["leaf"], fact["id"]) != name:
            self.wrong("changed: %s says it is %s %s" % (name, fact["leaf"], fact["id"]))
        if fact["leaf"] == "opened":
            file = "%srecords/%d.json" % (base, fact["id"])
        elif fact["leaf"] == "media":
            file = self.media.get(fact["sha256"], "media/%s" % fact["sha256"])
        else:
            return
        try:
            digest = self.package.sha256(file)
        except (KeyError, OSError):
            self.wrong("removed: %s, the file of %s" % (file, name))
            return
        if digest != fact["sha256"]:
            self.wrong("changed: %s, the file of %s" % (file, name))

    def proven(self, line, block, position, path):
        if block not in self.roots:
            return False
        root, size = self.roots[block]
        if not 0 <= position < size:
            return False
        digest = hashlib.sha256(b"\x00" + line.encode()).digest()
        beside = [bytes.fromhex(one) for one in path.split(",")] if path != "-" else []
        while size > 1:
            if position ^ 1 < size:
                if not beside:
                    return False
                other = beside.pop(0)
                both = other + digest if position & 1 else digest + other
                digest = hashlib.sha256(b"\x01" + both).digest()
            position //= 2
            size = (size + 1) // 2
        return not beside and digest == root


def main(arguments):
    fingerprint = ""
    if "--fingerprint" in arguments:
        at = arguments.index("--fingerprint")
        fingerprint = arguments[at + 1]
        del arguments[at : at + 2]
    where = arguments[0] if arguments else os.path.dirname(os.path.abspath(__file__))
    try:
        verifier = Verifier(Package(where))
    except (OSError, zipfile.BadZipFile) as error:
        print("NOT VERIFIED 核验不通过: %s" % error)
        return 1
    problems = verifier.run(fingerprint)
    print("%d files, %d leaves, %d blocks" % (verifier.files, verifier.leaves, verifier.blocks))
    if verifier.removed:
        print("%d removed by retention or on request: their hashes are in the chain" % verifier.removed)
    if verifier.withheld:
        print("%d withheld from who asked: their hashes are in the chain" % verifier.withheld)
    for key in sorted(verifier.keys):
        print("key %s" % key)
    for one in problems:
        print("WRONG 不符  %s" % one)
    print("NOT VERIFIED 核验不通过" if problems else "VERIFIED 核验通过")
    return 1 if problems else 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(main(sys.argv[1:]))
