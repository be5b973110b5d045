"""The pinned requirements hold all that is asked for: a clone that only runs, one that builds and one that tests get the same parts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"^([A-Za-z0-9._-]+)", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package, version in PIN.findall((ROOT / name).read_text(encoding="utf-8")):
        found.setdefault(canonical(package), set()).add(version)
    return found


def asked_for(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {canonical(NAME.match(line)[1]) for line in lines if line and not line.startswith(("#", "-r"))}  # type: ignore[index]


def test_every_set_is_complete() -> None:
    run, build, dev = (pinned(f"requirements{kind}.txt") for kind in ("", "-build", "-dev"))

    assert asked_for("requirements.in") <= run.keys()
    assert run.keys() | asked_for("requirements-build.in") <= build.keys()
    assert run.keys() | asked_for("requirements-dev.in") <= dev.keys()


def test_all_sets_agree_on_the_versions() -> None:
    run, build, dev = (pinned(f"requirements{kind}.txt") for kind in ("", "-build", "-dev"))

    for package, versions in run.items():
        assert build[package] == versions, package
        assert dev[package] == versions, package


def test_the_package_asks_for_what_the_service_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert {canonical(NAME.match(one)[1]) for one in project["dependencies"]} == asked_for("requirements.in")  # type: ignore[index]
