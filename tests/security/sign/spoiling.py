"""What the makers of tests/vectors/oms share: a good release, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from security.manifest import Manifest
from security.sign.keys import KeySigner
from tests.security.sign import authority

Statement = dict[str, Any]
Spoil = Callable[[Any], object]


@dataclass(frozen=True)
class World:
    model: Path
    manifest: Manifest
    statement: Statement
    key: KeySigner
    other: KeySigner
    edwards: KeySigner
    quantum: KeySigner
    root: authority.Issued


@dataclass(frozen=True)
class Vector:
    name: str
    error: str  # "" for a good one
    reason: str
    data: bytes


def files(statement: Any) -> Any:
    return statement["predicate"]["resources"]


def one(statement: Any) -> Any:
    return files(statement)[0]


def made(statement: Any) -> Any:
    return statement["predicate"]["serialization"]


def whole(bundle: Any) -> Any:
    return bundle


def envelope(bundle: Any) -> Any:
    return bundle["dsseEnvelope"]


def first(bundle: Any) -> Any:
    return bundle["dsseEnvelope"]["signatures"][0]


def material(bundle: Any) -> Any:
    return bundle["verificationMaterial"]


def put(find: Callable[[Any], Any], **values: object) -> Spoil:
    return lambda found: find(found).update(values)


def drop(find: Callable[[Any], Any], key: str) -> Spoil:
    return lambda found: find(found).pop(key)
