"""Adapters of other packages are found by their entry point."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scrm.app import providers
from scrm.errors import ConfigError


def install(folder: Path, name: str, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution as pip leaves it: a module and its metadata."""
    (folder / f"{name}.py").write_text(body)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[scrm.adapters]\n{name} = {name}:PROVIDER\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_package_brings_a_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "from scrm.channel import Provider, Sentence\n"
        "PROVIDER = Provider('pigeon', Sentence('信鸽', 'Pigeon'), (), lambda config, context: None)\n"
    )
    install(tmp_path, "scrm_pigeon", body, monkeypatch)
    assert {"wecom", "douyin", "pigeon"} <= set(providers())


def test_what_is_no_provider_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "scrm_brick", "PROVIDER = 'a brick'\n", monkeypatch)
    with pytest.raises(ConfigError, match="scrm_brick"):
        providers()
