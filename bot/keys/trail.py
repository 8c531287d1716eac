"""What these commands did with private keys, in the audit log; refusals are entries too."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import BotError, UsageError
from lab.errors import LabError
from registry.errors import RegistryError
from security import auditlog
from security.errors import SecurityError, WriteFailed
from security.identity import Signer

LOG_HINT = "name a place for the audit log: --log FILE, or MODELWARDEN_AUDIT_LOG"
MEMORY_HINT = "name another place: --memory FILE, or do without: --no-memory"
_KNOWN = (SecurityError, RegistryError, LabError, BotError)
WHOLE = 12  # keys by their whole hints: an entry has room for 16 details


@dataclass(slots=True)
class Entry:
    """What an entry will say beyond who did what to which artifact."""

    details: dict[str, str] = field(default_factory=dict)


class Trail:
    """The audit log of this user, or the one that was named."""

    def __init__(self, path: Path | None) -> None:
        self.path = path or default_path()

    @contextmanager
    def doing(self, action: str, artifact: str) -> Iterator[Entry]:
        """Add an entry when the block ends: done, or refused with the reason.

        What could not be logged is not begun: raises WriteFailed, Tampered, Unreadable first.
        """
        made(self.path.parent, LOG_HINT)
        auditlog.ready(self.path)
        entry = Entry()
        try:
            yield entry
        except (*_KNOWN, OSError, KeyboardInterrupt) as error:
            reason = {**entry.details, "reason": _reason(error)}
            self._add(action, artifact, reason, refused=True)
            raise
        self._add(action, artifact, entry.details)

    def _add(
        self, action: str, artifact: str, details: dict[str, str], *, refused: bool = False
    ) -> None:
        auditlog.append(
            self.path,
            actor=_user(),
            action=action,
            artifact=artifact,
            outcome="refused" if refused else "done",
            details=details,
        )


def named(signers: Sequence[Signer]) -> dict[str, str]:
    """Return the hints of keys as details of an audit entry: of many, the last ones shortened."""
    hints = [signer.public.hint for signer in signers]
    found = {f"key{n}": hint for n, hint in enumerate(hints[:WHOLE], 1)}
    rest = ", ".join(hint[:16] for hint in hints[WHOLE:])
    return found | ({"more": rest} if rest else {})


def default_path() -> Path:
    """Return where this user's audit log lies."""
    return _state() / "audit.jsonl"


def seen_path() -> Path:
    """Return where the newest versions that this user saw are remembered."""
    return _state() / "seen.json"


def _state() -> Path:
    import platformdirs

    try:
        return platformdirs.user_state_path("modelwarden")
    except RuntimeError:  # a user that the system does not know, without HOME
        hint = "set HOME or XDG_STATE_HOME, or name the files: --log, --memory"
        raise UsageError("this user has no home folder", hint) from None


def made(folder: Path, hint: str) -> None:
    """Make a folder for state of this user's, with its parents. Raises WriteFailed."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WriteFailed(f"{folder}: cannot be made ({error.strerror})", hint) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, _KNOWN):
        return error.message
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "interrupted"


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
