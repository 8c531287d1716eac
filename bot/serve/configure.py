"""Where the settings come from: options over environment over one file; then what must be there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import EnvSettingsSource

from bot.errors import UsageError
from bot.quoting import plain
from bot.serve.settings import PREFIX, Settings, known_variables, unknown_variables
from bot.wording import nearest
from registry.documents import DocumentError, load_yaml

LIMIT = 100_000  # bytes of a settings file, and of a file with a secret
PAGE = "the settings are in docs/serving.md"
_SECRET = ("private_key", "webhook_secrets", "status_token", "database")
_OTHERS = stat.S_IROTH | stat.S_IWOTH


class SettingsError(UsageError):
    """The server cannot start with these settings."""


def load(path: Path | None = None, **options: Any) -> Settings:
    """Return the settings of `path`, of the environment and of `options` that are not None.

    Raises SettingsError, which names the setting and never its value where it is a secret.
    """
    values, place = _file(path)
    variables = _environment()
    given = {name: value for name, value in options.items() if value is not None}
    places = dict.fromkeys(values, place)
    places |= {name: PREFIX + name.upper() for name in variables}
    places |= {name: "--" + name.replace("_", "-") for name in given}
    return complete(_built(values | variables | given, places))


def _file(path: Path | None) -> tuple[dict[str, Any], str]:
    named = os.environ.get(PREFIX + "CONFIG")
    chosen = path or (Path(named) if named else None)
    if chosen is None:
        return {}, ""
    place = plain(chosen)
    data, mode = _read(chosen, "correct --config FILE" if path else f"correct {PREFIX}CONFIG")
    try:
        value = load_yaml(data, limit=LIMIT).value
    except DocumentError as error:
        # The library's words may quote the line, which may be the key itself.
        line = f":{error.line}" if error.line else ""
        raise SettingsError(f"{place}{line}: not the YAML we read", PAGE) from None
    if value is None:
        return {}, place
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise SettingsError(f"{place}: must hold keys with values", PAGE)
    held = [name for name in _SECRET if value.get(name)]
    if held and mode & _OTHERS:
        raise SettingsError(
            f"{place}: holds {', '.join(held)} and others may read or change it",
            f"chmod 600 {place}",
        )
    return _relative(value, chosen.parent), place


def _relative(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Read paths of a settings file from where it lies."""
    for name in ("private_key_file", "webhook_secrets_file", "folder"):
        if isinstance(values.get(name), str):
            values[name] = folder.absolute() / Path(values[name]).expanduser()
    return values


def _environment() -> dict[str, Any]:
    for name in unknown_variables():
        if near := nearest(name, known_variables()):
            raise SettingsError(f"unknown variable {plain(name)}{near}", PAGE)
    return dict(EnvSettingsSource(Settings, env_ignore_empty=True)())


def _built(values: Mapping[str, Any], places: Mapping[str, str]) -> Settings:
    """Return the settings; `places` are where each value was given, by its name."""
    try:
        return Settings(**values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
    # An unknown key explains the missing one beside it, so it is said first.
    first = min(found, key=lambda e: e["type"] != "extra_forbidden")
    name = plain(first["loc"][0] if first["loc"] else "settings")
    place = places.get(name, "settings")
    if first["type"] == "extra_forbidden":
        near = nearest(name, Settings.model_fields)
        raise SettingsError(f"{place}: unknown setting '{name}'{near}", PAGE)
    if first["type"] == "missing":
        raise SettingsError(f"no {name}", f"{_give(name)}; {PAGE}")
    said = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    raise SettingsError(f"{place}: {name} {said.partition(', unable')[0]}", PAGE)


def _give(name: str) -> str:
    return f"set {name} in the settings file (--config FILE), or {PREFIX}{name.upper()}"


def complete(settings: Settings) -> Settings:
    """Return the settings with the contents of the files they name. Raises SettingsError."""
    key, secrets = settings.private_key, settings.webhook_secrets
    if settings.private_key_file:
        if key.get_secret_value():
            raise SettingsError("private_key and private_key_file are both set", "keep one")
        key = SecretStr(_secret(settings.private_key_file, "private_key_file"))
    if settings.webhook_secrets_file:
        text = _secret(settings.webhook_secrets_file, "webhook_secrets_file")
        secrets = (*secrets, *(SecretStr(s.strip()) for s in text.splitlines() if s.strip()))
    if not key.get_secret_value():
        raise SettingsError(
            "no private key of the App",
            f"name its file: private_key_file in the settings, or {PREFIX}PRIVATE_KEY_FILE",
        )
    if not secrets and settings.worker != "gpu":
        raise SettingsError(
            "no webhook secret: anybody could send deliveries",
            f"{_give('webhook_secrets')}; the same as on the App's settings page",
        )
    values = settings.model_dump(exclude={"private_key_file", "webhook_secrets_file"})
    return _built(values | {"private_key": key, "webhook_secrets": secrets}, {})


def _secret(path: Path, name: str) -> str:
    data, mode = _read(path, f"correct {name}")
    if mode & _OTHERS:
        raise SettingsError(
            f"{name}: others may read or change {plain(path)}",
            f"chmod 600 {plain(path)} (in Kubernetes, defaultMode: 0400 of the secret's volume)",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {plain(path)} is no text", f"correct {name}") from None


def _read(path: Path, hint: str) -> tuple[bytes, int]:
    """Return a file's bytes and its mode, of one and the same open file."""
    try:
        with path.expanduser().open("rb") as file:
            facts = os.fstat(file.fileno())
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise SettingsError(f"{plain(path)}: {error.strerror or 'cannot be read'}", hint) from None
    if not stat.S_ISREG(facts.st_mode) or len(data) > LIMIT:
        raise SettingsError(f"{plain(path)}: no plain file of at most {LIMIT:,} bytes", hint)
    return data, facts.st_mode
