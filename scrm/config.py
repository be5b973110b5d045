"""Settings: ``config.toml`` first, then ``SCRM_SECTION__KEY`` environment variables, typed. An unknown or wrong key stops the
start with a sentence that names it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from scrm.errors import ConfigError

PREFIX = "SCRM_"
NOT_SETTINGS = {"SKIP_PAGE", "CONFIG_FILE"}
"""Variables of the build and the command line."""


def _default_data_dir() -> Path:
    """Root keeps its data where every user may pass through, everybody else in their home."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/scrm")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "scrm"


def _http_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("write a full address that starts with http:// or https://")
    return value.rstrip("/")


def _postgres_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("write an address like postgresql://user:password@host:5432/scrm")
    return value


def _redis_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("write an address like redis://host:6379/0")
    return value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8700
    public_url: Annotated[str, AfterValidator(_http_url)] = ""
    trusted_proxies: tuple[str, ...] = ()
    max_webhook_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    max_upload_bytes: Annotated[int, Field(ge=1024)] = 20_971_520
    page_dir: Path | None = None


class DatabaseSettings(Section):
    url: Annotated[SecretStr | None, AfterValidator(_postgres_url)] = None
    pool_size: Annotated[int, Field(ge=2, le=200)] = 12


class RedisSettings(Section):
    url: Annotated[SecretStr | None, AfterValidator(_redis_url)] = None


class BlobSettings(Section):
    url: str = ""
    """Empty: a folder in ``data_dir``. Else an address that obstore understands, ``s3://bucket/prefix``."""
    options: dict[str, SecretStr] = Field(default_factory=dict)


class SecretSettings(Section):
    key: SecretStr | None = None
    """32 bytes, base64. With the service's own database it is made and kept in ``data_dir`` when absent."""
    old_keys: tuple[SecretStr, ...] = ()


class SessionSettings(Section):
    days: Annotated[float, Field(gt=0)] = 14
    cookie_secure: bool | None = None
    """None: secure when ``server.public_url`` is https."""
    attempts_per_minute: Annotated[int, Field(ge=1)] = 10


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class MetricsSettings(Section):
    token: SecretStr | None = None


class WorkerSettings(Section):
    batch: Annotated[int, Field(ge=1, le=5000)] = 500
    senders: Annotated[int, Field(ge=1, le=200)] = 16
    pullers: Annotated[int, Field(ge=1, le=64)] = 4
    job_runners: Annotated[int, Field(ge=1, le=64)] = 4
    reconcile_seconds: Annotated[float, Field(gt=0)] = 300
    lease_seconds: Annotated[float, Field(gt=0)] = 60
    keep_events_days: Annotated[int, Field(ge=1)] = 90


class ArchiveSettings(Section):
    library: str = ""
    """The vendor's native library. Only the operator names it: whoever chooses it chooses code that runs here."""
    proxy: str = ""
    proxy_password: SecretStr | None = None


class EvidenceSettings(Section):
    anchor: str = ""
    """A folder or a store elsewhere, to which the head of the chain is written."""
    anchor_options: dict[str, SecretStr] = Field(default_factory=dict)


class Settings(BaseSettings):
    """Everything that can be configured; ``config.example.toml`` explains each key."""

    model_config = SettingsConfigDict(extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", frozen=True)

    data_dir: Path = Field(default_factory=_default_data_dir)
    company: str = "我的公司"
    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    blobs: BlobSettings = BlobSettings()
    secrets: SecretSettings = SecretSettings()
    sessions: SessionSettings = SessionSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    worker: WorkerSettings = WorkerSettings()
    archive: ArchiveSettings = ArchiveSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    demo: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The environment wins over the file, whose values arrive as init arguments.
        return env_settings, init_settings

    @property
    def cookie_secure(self) -> bool:
        if self.sessions.cookie_secure is not None:
            return self.sessions.cookie_secure
        return self.server.public_url.startswith("https://")


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """The settings of ``path`` (none: defaults) and the environment. Raises :class:`ConfigError` naming what is wrong."""
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(
                f"There is no configuration file {path}. Copy config.example.toml and edit the copy."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
    _refuse_unknown_environment()
    try:
        return Settings(**{**values, **overrides})
    except ValidationError as error:
        raise ConfigError(_sentences(error)) from error


def _refuse_unknown_environment() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith(PREFIX):
            section = name.removeprefix(PREFIX).split("__")[0].upper()
            if section not in known and section not in NOT_SETTINGS:
                raise ConfigError(f"The environment variable {name} belongs to no setting. See config.example.toml.")


def _sentences(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the configuration"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: there is no such setting. See config.example.toml for all of them.")
        else:
            lines.append(f"{key}: {problem['msg']}")
    return "The configuration cannot be used.\n" + "\n".join(f"  {line}" for line in lines)
