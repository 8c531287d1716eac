"""What becomes of a request: which answer is which error, what is asked again and what is not.

A GET or PATCH may be asked again. A POST is never repeated blindly: after a lost answer `once`
looks whether it took effect. Limits are not slept away in a thread (`Limited` parks the job),
unless only seconds are left.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar

import stamina

from bot.github.errors import (
    Denied,
    GitHubError,
    Limited,
    NotFound,
    Refused,
    Unavailable,
)
from bot.report.neutral import redact, visible

T = TypeVar("T")

MAX_PAGES = 100  # of 100 entries: more is a flood, and half a list is no answer
SAID = 300  # characters of GitHub's own words that an error repeats
BRIEF = 5.0  # seconds of a limit that a thread may wait
STEADY = 300.0  # seconds of a limit that one waits who does nothing else
BLIND = 60.0  # seconds to wait where a limit does not say how long, doubled each time
LONGEST = 3_900.0  # seconds: the hour of a primary limit, and a little
ATTEMPTS, PATIENCE = 4, 45.0  # how often, and for how many seconds, something is asked again

LATER = "it is tried again by itself; see githubstatus.com where it stays"
RIGHTS = "run `modelwarden serve --check`; it names the permission or key that is not right"
GONE = "see whether it was deleted or renamed, and whether the App is installed on the repository"
WRONG = "this is a fault of Modelwarden or a limit of GitHub: report it with this message"


class Expired(Denied):
    """The token or key was not accepted (401): a new one may be. `date` is GitHub's time."""

    date: float | None = None


class Moved(NotFound):
    """It is at `location` now: a repository was renamed or transferred."""

    location: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of 2xx (or 304): names of headers are lower case, the text is not parsed yet."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def more(self) -> str:
        """The address of the next page, "" for the last."""
        for part in self.headers.get("link", "").split(","):
            address, _, relation = part.partition(";")
            if relation.strip() == 'rel="next"':
                return address.strip().strip("<>")
        return ""


Query = Mapping[str, str | int] | None
Body = Mapping[str, object] | None


class Wire(Protocol):
    """One request, one answer. Raises the leaf of GitHubError that says what to do next."""

    def ask(self, verb: str, path: str, query: Query = None, body: Body = None) -> Reply:
        """Ask once. Only an answer that says yes comes back."""


def patiently(act: Callable[[], T]) -> T:
    """Do what may be done twice: again after an outage, and after a limit that is nearly over."""
    return _retried(act, BRIEF, PATIENCE)


def steadily(act: Callable[[], T]) -> T:
    """Do what may be done twice and may take hours, where nobody else waits for the thread."""
    return _retried(act, STEADY, None)


def _retried(act: Callable[[], T], limit: float, timeout: float | None) -> T:
    def again(error: Exception) -> bool | float:
        if isinstance(error, Limited):
            left = error.until - time.time()
            return max(left, 0.0) if left <= limit else False
        return isinstance(error, Unavailable)

    for attempt in stamina.retry_context(
        on=again, attempts=ATTEMPTS, timeout=timeout, wait_initial=0.5, wait_max=5.0
    ):
        with attempt:
            return act()
    raise AssertionError("stamina tries at least once")


def once(look: Callable[[], T | None], write: Callable[[], T]) -> T:
    """Return what is there already, else write it; after a lost answer look before writing."""

    def act() -> T:
        found = look()
        return write() if found is None else found

    return patiently(act)


def get(wire: Wire, path: str, query: Query = None) -> Reply:
    """Read, again after an outage."""
    return patiently(lambda: wire.ask("GET", path, query))


def pages(wire: Wire, path: str, query: Query = None, most: int = MAX_PAGES) -> Iterator[Reply]:
    """Yield every page of a list. Raises GitHubError where there are more than `most`."""
    for page in range(1, most + 1):
        reply = get(wire, path, {"per_page": 100, **(query or {}), "page": page})
        yield reply
        if not reply.more:
            return
    raise GitHubError(f"more than {most} pages of {path}", "half a list is no answer; tidy it up")


def failure(
    status: int, headers: Mapping[str, str], text: str, about: str, now: float, strikes: int = 0
) -> GitHubError:
    """Return the error that an answer of 300 and above is; `about` names the request.

    `now` is our time, `strikes` how many limits in a row said nothing of their length.
    """
    words = message(text)
    said = f"GitHub answers {status} to {about}" + (f": {words}" if words else "")
    if status == 429 or (status == 403 and _limited(headers, words)):
        return Limited(said, "it goes on by itself", until(headers, now, strikes))
    if status == 401:
        expired = Expired(said, RIGHTS)
        expired.date = moment(headers)
        return expired
    if status in (403, 407, 451):
        return Denied(said, RIGHTS)
    if status in (301, 302, 307, 308):
        moved = Moved(said, GONE)
        moved.location = headers.get("location", "")
        return moved
    if status in (404, 410):
        return NotFound(said, GONE)
    if status >= 500 or status == 408:
        return Unavailable(said, LATER)
    return Refused(said, WRONG)


def message(text: str) -> str:
    """Return what an error's body says, without secrets, on one line and bounded."""
    try:
        said = json.loads(text[:100_000])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return ""
    errors = said.get("errors")
    more = f" {json.dumps(errors)[:1_000]}" if isinstance(errors, list) and errors else ""
    line = visible(" ".join(redact(said["message"][:1_000] + more).split()))
    return line if len(line) <= SAID else line[: SAID - 1] + "…"


def _limited(headers: Mapping[str, str], words: str) -> bool:
    return (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in words.lower()
        or "abuse detection" in words.lower()
    )


def until(headers: Mapping[str, str], now: float, strikes: int = 0) -> float:
    """Return when a limit ends, in seconds of our clock since the epoch, never more than hours.

    GitHub's own clock reads its reset times: the Date header says how far it is from ours.
    """
    after = _number(headers.get("retry-after", ""))
    reset = _number(headers.get("x-ratelimit-reset", ""))
    if after is not None:
        wait = after
    elif headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        wait = reset - (moment(headers) or now) + 1
    else:
        wait = BLIND * 2.0 ** min(strikes, 10) * random.uniform(1.0, 1.25)  # noqa: S311 - jitter
    return now + min(max(wait, 1.0), LONGEST)


def moment(headers: Mapping[str, str]) -> float | None:
    """Return the Date header in seconds since the epoch, None where there is none."""
    try:
        found = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, IndexError, OverflowError):
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 13 else None
