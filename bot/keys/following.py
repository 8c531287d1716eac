"""The trust file that was used last: a newer one counts if the people of that one signed it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from bot.keys.trail import MEMORY_HINT, made
from bot.keys.trusting import content, read, signatures_of
from security import storing
from security.errors import Unreadable, Untrusted
from security.sign import reading
from security.trust import envelopes, rotation
from security.trust.trustfile import TrustFile


def follow(memory: Path, path: Path, new: TrustFile) -> None:
    """Keep this trust file as the one that was used last, beside the memory.

    Raises Untrusted for a newer one that does not rightfully follow it; of older ones, and of
    another one of the same version, the memory itself knows.
    """
    data = content(path)
    if hashlib.sha256(data).hexdigest() != new.digest:
        raise Untrusted(f"{path} was changed while it was used", "try again")
    place = _place(memory, new)
    if place.exists():
        old = read(place)
        if new.version <= old.version:
            return
        try:
            signatures = reading.read(signatures_of(path), envelopes.LIMIT)
        except Unreadable as error:
            what = f"{path}: version {new.version}, which nobody of version {old.version} signed"
            name = signatures_of(path).name
            hint = f"get {name} too; to start anew, after asking the project, remove {place}"
            raise Untrusted(f"{what} ({error.message})", hint) from error
        rotation.succeed(old, data, signatures, datetime.now(UTC))
    made(place.parent, MEMORY_HINT)
    storing.write(place, data, mode=0o600)


def _place(memory: Path, trust: TrustFile) -> Path:
    name = hashlib.sha256(trust.project.encode()).hexdigest()[:32]
    return memory.with_name(f"{memory.name}.trust") / f"{name}.toml"
