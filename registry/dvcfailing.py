"""What an error of a remote's library comes to, in the child that talks to the remote."""

from __future__ import annotations

import errno

from security.errors import SecurityError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


class Corrupt(Exception):
    """Bytes that are not what their name says."""


class Large(Exception):
    """A folder's listing of more bytes than anybody reads."""


def kind(error: BaseException) -> str:
    """Return what is to be done about it: corrupt, large, missing, denied, full or away."""
    seen: BaseException | None = error
    while seen is not None:  # a library's own error often wraps the system's
        if isinstance(seen, Corrupt):
            return "corrupt"
        if isinstance(seen, Large):
            return "large"
        if isinstance(seen, FileNotFoundError) and is_absent(seen):
            return "missing"
        if isinstance(seen, PermissionError) or getattr(seen, "errno", 0) in _DENIED:
            return "denied"
        if isinstance(seen, OSError) and seen.errno in _FULL:
            return "full"
        seen = seen.__cause__ or seen.__context__
    return "away"


def is_absent(error: FileNotFoundError) -> bool:
    """Whether it says that the object is not there; fsspec says so of any failure over HTTP."""
    seen: BaseException | None = error
    while seen is not None:
        answer = getattr(seen, "response", None)
        told = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
        status = getattr(seen, "status", told.get("HTTPStatusCode", 404))
        if status != 404 or (isinstance(seen, OSError) and not isinstance(seen, FileNotFoundError)):
            return False
        seen = seen.__cause__
    return True


def text(error: BaseException) -> str:
    """Return why, in one line."""
    cause = error.__cause__
    if isinstance(error, SecurityError | FileNotFoundError) and isinstance(cause, OSError):
        error = cause  # which says why
    why = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return " ".join((why or type(error).__name__).split())[:500]
