"""``config.example.toml`` has every setting, no other one, and says the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from scrm.config import Settings, load_settings

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.toml"
FREE_TABLES = {"blobs.options", "evidence.anchor_options"}
"""Settings whose keys are not ours."""


def with_optional_lines(source: str) -> str:
    """The file with the settings that are off switched on."""
    return re.sub(r"^#(?=[a-z_]+ = )", "", source, flags=re.MULTILINE)


def keys_of(table: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in table.items():
        path = f"{prefix}{name}"
        found |= keys_of(value, f"{path}.") if isinstance(value, dict) and path not in FREE_TABLES else {path}
    return found


def keys_of_settings(model: type[BaseModel], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found |= keys_of_settings(section, f"{prefix}{name}.")
        else:
            found.add(f"{prefix}{name}")
    return found


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [one for one in os.environ if one.startswith("SCRM_")]:
        monkeypatch.delenv(name)


def test_every_setting_is_explained_and_no_other() -> None:
    written = tomllib.loads(with_optional_lines(EXAMPLE.read_text(encoding="utf-8")))

    assert keys_of(written) == keys_of_settings(Settings)


def test_what_is_written_is_the_default() -> None:
    assert load_settings(EXAMPLE) == load_settings(None)


def test_it_also_loads_with_everything_switched_on(tmp_path: Path) -> None:
    everything = tmp_path / "config.toml"
    everything.write_text(with_optional_lines(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")

    settings = load_settings(everything)

    assert settings.database.url is not None
    assert settings.cookie_secure is True


def test_every_setting_has_a_sentence() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#?[a-z_]+ = ", line):
            above = [one for one in lines[max(number - 6, 0) : number] if re.match(r"# \S", one)]
            assert above, f"line {number + 1} has no explanation: {line}"
