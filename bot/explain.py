"""Errors as people read them: one line that says what, one that says what to do, an exit code."""

from __future__ import annotations

from bot.errors import BotError
from bot.quoting import plain, printable


def explain(error: Exception) -> tuple[str, int]:
    """Return one error as text for a person and the exit code it stands for."""
    from lab.errors import LabError
    from registry.errors import RegistryError
    from security.errors import SecurityError

    if isinstance(error, BotError | RegistryError | SecurityError):
        return f"modelwarden: {_safe(error.message)}\n  {_safe(error.hint)}", error.exit_code
    if isinstance(error, LabError):
        return f"modelwarden: {_safe(error.message)}\n  {_safe(error.hint)}", 3
    if isinstance(error, OSError):
        place = f"{plain(error.filename)}: " if error.filename else ""
        remedy = "check that the path is there, may be used, and has space left"
        return f"modelwarden: {place}{error.strerror or error}\n  {remedy}", 2
    what = f"{type(error).__name__}: {error}".split("\n", 1)[0][:300]
    return f"modelwarden: unexpected error ({what})\n  please report it with this line", 3


def _safe(text: str) -> str:
    """Lines without control characters: names and keys in them may be a stranger's."""
    return "\n".join(map(printable, text.split("\n")))
