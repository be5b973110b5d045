"""Compiles the stand-in library with the machine's C compiler, or with the one in the ``ziglang`` package."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("sdk.c")
OPTIONS = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC")


class NoCompiler(Exception):
    """There is no C compiler on this machine."""


def library(folder: Path | None = None) -> Path:
    """The path of the compiled library, made when this source was not compiled before. Raises :class:`NoCompiler`.

    ``folder``: where it is kept; without one, a folder of this user for temporary files.
    """
    name = hashlib.sha256(SOURCE.read_bytes() + " ".join(OPTIONS).encode()).hexdigest()[:16]
    place = folder or Path(tempfile.gettempdir()) / f"scrm-finance-{os.getuid()}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.stat().st_uid != os.getuid():
        raise PermissionError(f"{place} belongs to somebody else")
    target = place / f"libWeWorkFinanceSdk_C-{name}.so"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=place) as made_in:
            made = Path(made_in) / "made.so"
            subprocess.run([*_compiler(), *OPTIONS, "-o", str(made), str(SOURCE)], check=True)  # noqa: S603 - our own source, by a compiler of the machine
            # Whoever is first or last: the same file.
            made.replace(target)
    return target


def _compiler() -> list[str]:
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found is not None:
            return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise NoCompiler("Install a C compiler (cc), or the Python package ziglang.")
