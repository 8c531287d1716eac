"""What a step of a job says of itself, so that it says the same when the job is taken up again.

A step's outcome is kept as JSON. An error is kept by the name of its class and its two texts;
what is raised is always built from that, so a flow meets the same error the second time.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator

from bot.errors import BotError
from bot.github.errors import Limited, Unavailable
from bot.serve.contract import Plain, T
from bot.serve.errors import StepFailed, StoreError

LONGEST = 3900.0  # seconds of one rate limit that we believe: GitHub's windows are an hour
FIRST, SLOWEST = 5.0, 600.0  # seconds before the second attempt, and at most between two
PATIENCE = 12 * 3600.0  # seconds of pauses after which what was not there is an error
HINT = "see the log of the server at that time; re-run the check when it is mended"

log = logging.getLogger("modelwarden.jobs")


def pauses() -> Iterator[float]:
    """Yield the pauses between attempts, in seconds, until patience ends."""
    pause, total = FIRST, 0.0
    while total < PATIENCE:
        yield pause
        total += pause
        pause = min(pause * 2, SLOWEST)


def attempt(name: str, act: Callable[[], T], pause: float | None) -> Plain:
    """Run a step once. Returns {"value"}, {"until"} when to try again, or {"error"}.

    `pause` is how long to wait for what is not there, None where it was waited for long enough.
    """
    try:
        return {"value": act()}
    except Limited as limit:
        log.info("%s: parked by a rate limit", name)
        if pause is None:
            return {"error": packed(limit)}
        return {"until": min(max(limit.until, time.time() + 1), time.time() + LONGEST)}
    except (Unavailable, StoreError) as away:
        log.warning("%s: %s", name, away.message)
        if pause is None:
            return {"error": packed(away)}
        return {"until": time.time() + pause}
    except BotError as error:
        return {"error": packed(error)}
    except Exception as error:  # noqa: BLE001 - one broken step ends its job, never the worker
        return {"error": packed(broken(name, error))}


def broken(name: str, error: Exception) -> StepFailed:
    """Log where something broke, and return what may be said of it: its text may hold anything."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s broke with %s at\n%s", name, type(error).__name__, frames)
    return StepFailed(f"{name!r} broke with {type(error).__name__}", HINT)


def packed(error: BotError) -> Plain:
    """Return an error as JSON."""
    kind = type(error)
    return [f"{kind.__module__}.{kind.__qualname__}", error.message, error.hint]


def unpacked(data: Plain) -> BotError:
    """Return the error that was packed, of its own class where that still exists."""
    assert isinstance(data, list)
    name, message, hint = (str(part) for part in data)
    kind = next((k for k in _kinds(BotError) if f"{k.__module__}.{k.__qualname__}" == name), None)
    if kind is None:
        return StepFailed(message, hint)
    error = kind.__new__(kind, message)  # a subclass may ask for more than we kept
    error.message, error.hint = message, hint
    return error


def _kinds(kind: type[BotError]) -> Iterator[type[BotError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
