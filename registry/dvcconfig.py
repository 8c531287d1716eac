"""DVC configuration files: only remotes and the cache folder are read, the rest is dropped."""

from __future__ import annotations

import configparser
import os
import re
from dataclasses import dataclass
from pathlib import Path

from registry import documents
from registry.errors import PointerError

LIMIT = 200_000
# The keys whose value DVC takes as a path relative to the configuration file.
PATH_KEYS = (
    "url",
    "credentialpath",
    "configpath",
    "keyfile",
    "cert_path",
    "key_path",
    "gdrive_user_credentials_file",
    "gdrive_service_account_json_file_path",
)
_REMOTE = re.compile(r'\'?remote "([^"\']+)"\'?')
_ELSEWHERE = re.compile(r"\w+://|/|~")


@dataclass(frozen=True, slots=True)
class Remote:
    """A named remote and its options, as (key, value) pairs sorted by key."""

    name: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DvcConfig:
    """What is used of a configuration: the default remote, the remotes, the cache folder."""

    default: str = ""
    remotes: tuple[Remote, ...] = ()
    cache: str = ""


def read_config(data: bytes, folder: Path) -> DvcConfig:
    """Read a `.dvc/config`; relative paths in it are made absolute from `folder`."""
    parser = configparser.RawConfigParser(delimiters=("=",), default_section="\0", strict=True)
    try:
        text = documents.text_of(data, limit=LIMIT)
        parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    except (documents.DocumentError, configparser.Error) as error:
        reason = str(error).split("\n", 1)[0]
        raise _bad(f".dvc/config cannot be read: {reason}") from error
    remotes = []
    for section in parser.sections():
        name = _REMOTE.fullmatch(section)
        if name:
            options = {key: _value(parser.get(section, key)) for key in parser.options(section)}
            for key in options.keys() & set(PATH_KEYS):
                options[key] = _absolute(options[key], folder)
            remotes.append(Remote(name[1].lower(), tuple(sorted(options.items()))))
    cache = _value(parser.get("cache", "dir", fallback=""))
    return DvcConfig(
        _value(parser.get("core", "remote", fallback="")).lower(),
        tuple(sorted(remotes, key=lambda r: r.name)),
        _absolute(cache, folder) if cache else "",
    )


def merge(under: DvcConfig, over: DvcConfig) -> DvcConfig:
    """Lay one configuration over another, option by option."""
    options = {r.name: dict(r.options) for r in under.remotes}
    for remote in over.remotes:
        options.setdefault(remote.name, {}).update(remote.options)
    remotes = tuple(Remote(n, tuple(sorted(o.items()))) for n, o in sorted(options.items()))
    return DvcConfig(over.default or under.default, remotes, over.cache or under.cache)


def chosen(config: DvcConfig, name: str = "") -> str:
    """Return the remote that is meant: by name, else the default, else the only one.

    Raises PointerError where there is none of the name, or none is meant.
    """
    found = tuple(remote.name for remote in config.remotes)
    wanted = name.lower() or config.default or (found[0] if len(found) == 1 else "")
    if wanted in found:
        return wanted
    if wanted:
        raise _bad(f".dvc/config has no remote {wanted!r:.80}")
    raise _bad(f".dvc/config names {len(found)} remotes and no default")


def options(config: DvcConfig) -> dict[str, dict[str, dict[str, str]]]:
    """Return the remotes as DVC's own configuration has them."""
    return {"remote": {remote.name: dict(remote.options) for remote in config.remotes}}


def _value(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return re.split(r"\s#", text, maxsplit=1)[0].strip()


def _absolute(value: str, folder: Path) -> str:
    return value if _ELSEWHERE.match(value) else os.path.normpath(folder / value)


def _bad(message: str) -> PointerError:
    return PointerError(message, "correct .dvc/config at the base commit")
