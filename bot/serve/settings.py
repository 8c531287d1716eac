"""The settings of the server: one YAML file, environment variables above it, options above both.

`Settings` is a plain value; only `load` asks the world. Secrets are `SecretStr`: neither a
`repr`, nor an error, nor what `--check` prints shows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "MODELWARDEN_"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SHORTEST = 16  # characters of a secret that somebody could guess

Worker = Literal["all", "web", "gpu"]
Words = Annotated[tuple[str, ...], NoDecode]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode]


def _folder() -> Path:
    return Path(platformdirs.user_data_dir("modelwarden"))


class Settings(BaseSettings):
    """What an operator decides. Lists of words are separated by blanks in the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    app_id: int = Field(ge=1, description="The App's number, on its settings page.")
    private_key: SecretStr = Field(
        default=SecretStr(""), description="The App's private key, PEM text."
    )
    private_key_file: Path | None = Field(
        default=None, description="A file with the key instead; others may not read it."
    )
    webhook_secrets: Secrets = Field(
        default=(), description="Secrets of the webhook; several while one is replaced."
    )
    webhook_secrets_file: Path | None = Field(
        default=None, description="A file with secrets, one a line; others may not read it."
    )
    github_url: str = Field(default="https://api.github.com", description="GitHub's API.")
    folder: Path = Field(default_factory=_folder, description="Where mirrors and SQLite live.")
    database: SecretStr = Field(
        default=SecretStr(""),
        description="sqlite:///FILE or postgresql://...; default: a SQLite file in `folder`.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen at.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen at.")
    public_url: str = Field(default="", description="How people and GitHub reach this server.")
    trusted_proxy: str = Field(
        default="", description="Address whose X-Forwarded-* headers are believed."
    )
    status_token: SecretStr = Field(
        default=SecretStr(""), description="Opens the pages, as Bearer token or as password."
    )
    public_repositories: Words = Field(
        default=(), description="owner/name whose pages need no token; * for all."
    )
    mirror_gb: float = Field(default=20.0, gt=0, description="Room for mirrors, in GB.")
    dry_run: bool = Field(default=False, description="Publish nothing: log and pages only.")
    plugins: Words = Field(default=(), description="Installed plugins to switch on.")
    remote_variables: Words = Field(
        default=(),
        description="Environment variables for fetching weights, such as AWS_ACCESS_KEY_ID.",
    )
    worker: Worker = Field(default="all", description="What this process does.")
    gpu_per_worker: int = Field(default=1, ge=0, description="GPU jobs at once in a process.")
    gpu_per_author: int = Field(default=1, ge=1, description="GPU jobs at once for an author.")
    gpu_per_repository: int = Field(
        default=2, ge=1, description="GPU jobs at once for a repository."
    )
    gpu_minutes_author: float = Field(
        default=240.0, ge=0, description="GPU minutes a day for an author."
    )
    gpu_minutes_repository: float = Field(
        default=960.0, ge=0, description="GPU minutes a day for a repository."
    )
    approval_hours: float = Field(
        default=72.0, gt=0, le=24 * 30, description="How long leave to run weights holds."
    )
    retention_days: float = Field(
        default=400.0, ge=1, description="Days a line of the audit trail is kept."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: PydanticBaseSettingsSource,
        **more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Build from what is given alone: `load` reads the environment."""
        return (init_settings,)

    @field_validator(
        "webhook_secrets", "plugins", "public_repositories", "remote_variables", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("remote_variables")
    @classmethod
    def _not_ours(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Keep the App's own secrets from where a change is read."""
        if any(name.startswith((PREFIX, "GIT", "PG")) or not name.isidentifier() for name in value):
            raise ValueError("names variables that a process which reads changes may not have")
        return value

    @field_validator("private_key")
    @classmethod
    def _pem(cls, value: SecretStr) -> SecretStr:
        """Accept the key on one line, as some ways to set a variable force it to be."""
        key = value.get_secret_value().replace("\\n", "\n").strip()
        if key and not (key.startswith("-----BEGIN ") and "PRIVATE KEY-----" in key):
            raise ValueError("is no private key: a PEM file begins with -----BEGIN")
        return SecretStr(key + "\n" if key else "")

    @field_validator("webhook_secrets")
    @classmethod
    def _long(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(s) < SHORTEST for s in value):
            raise ValueError(
                f"has a secret of fewer than {SHORTEST} characters: openssl rand -hex 32"
            )
        return value

    @field_validator("status_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value) < SHORTEST:
            raise ValueError(f"has fewer than {SHORTEST} characters: openssl rand -hex 32")
        return value

    @field_validator("github_url", "public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must be an address that begins with https://")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must be an address alone: no password, no ?, no #")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must begin with https:// (http only for this machine)")
        return value.rstrip("/")

    @field_validator("database")
    @classmethod
    def _engine(cls, value: SecretStr) -> SecretStr:
        scheme = value.get_secret_value().partition(":")[0].partition("+")[0]
        if scheme not in ("", "sqlite", "postgresql", "postgres"):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def database_url(self) -> str:
        """The database's address, with its password: not for people."""
        given = self.database.get_secret_value()
        if given.startswith("postgres:"):
            return given.replace("postgres:", "postgresql:", 1)
        return given or f"sqlite:///{self.folder / 'modelwarden.db'}"

    @property
    def database_shown(self) -> str:
        """The database's address without its password."""
        parts = urlsplit(self.database_url)
        if parts.scheme.startswith("sqlite"):
            return self.database_url
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The webhook's secrets, for the one place that compares signatures."""
        return tuple(s.get_secret_value() for s in self.webhook_secrets)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the pages, as far as the settings tell."""
        public = urlsplit(self.public_url).hostname
        return self.host in LOOPBACK and (public is None or public in LOOPBACK)


def fields() -> Mapping[str, str]:
    """Return what each setting means, by name."""
    return {name: field.description or "" for name, field in Settings.model_fields.items()}


def known_variables() -> frozenset[str]:
    """Return every environment variable that means something to us."""
    own = {PREFIX + name.upper() for name in Settings.model_fields}
    return frozenset(own | {PREFIX + "CONFIG", PREFIX + "INDEX"})


def unknown_variables(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the variables with our prefix that nothing of ours reads."""
    names = os.environ if environment is None else environment
    return tuple(sorted(n for n in names if n.startswith(PREFIX) and n not in known_variables()))
