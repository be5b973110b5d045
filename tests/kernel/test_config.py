"""Settings: file, environment, and refusals that name the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from scrm.config import load_settings
from scrm.errors import ConfigError
from scrm.vault import Vault


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_no_file() -> None:
    assert load_settings(None).server.port == 8700


def test_environment_beats_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "[server]\nport = 9000\nhost = '::1'\n")
    monkeypatch.setenv("SCRM_SERVER__PORT", "9001")
    settings = load_settings(path)
    assert (settings.server.port, settings.server.host) == (9001, "::1")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 1\n", "server.prot"),
        ("sever = 1\n", "sever"),
        ("[server]\nport = 'x'\n", "server.port"),
        ("[database]\nurl = 'mysql://x'\n", "database.url"),
        ("[redis]\nurl = 'localhost'\n", "redis.url"),
        ("[worker]\nbatch = 0\n", "worker.batch"),
        ("[server]\npublic_url = 'example.com'\n", "server.public_url"),
        ("= broken", "TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named.replace(".", r"\.")):
        load_settings(write(tmp_path, text))


def test_unknown_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRM_SERVRE__PORT", "1")
    with pytest.raises(ConfigError, match="SCRM_SERVRE__PORT"):
        load_settings(None)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        load_settings(tmp_path / "nowhere.toml")


def test_secrets_do_not_show(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "[database]\nurl = 'postgresql://u:hunter2@h/d'\n"))
    assert "hunter2" not in repr(settings)


def test_own_database_needs_own_key(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, "[database]\nurl = 'postgresql://u:p@h/d'\n"))
    with pytest.raises(ConfigError, match=r"secrets\.key"):
        Vault.open(settings)


def test_a_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    settings = load_settings(None, data_dir=tmp_path)
    sealed = Vault.open(settings).seal({"a": 1}, purpose="x")
    assert Vault.open(settings).unseal(sealed, purpose="x") == {"a": 1}
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_sealed_for_one_purpose_only_and_readable_with_old_keys() -> None:
    old, new = Vault(b"o" * 32), Vault(b"n" * 32, (b"o" * 32,))
    sealed = old.seal("secret", purpose="connection.secrets")
    assert new.unseal(sealed, purpose="connection.secrets") == "secret"
    assert b"secret" not in sealed
    with pytest.raises(ConfigError):
        new.unseal(sealed, purpose="connection.state")
    with pytest.raises(ConfigError):
        Vault(b"x" * 32).unseal(sealed, purpose="connection.secrets")
