"""The log of a ledger as bytes: read with its chain proven, and what is to be appended. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from registry.errors import Blocked, RegistryError, ReleaseError
from registry.release.details import details
from registry.release.folding import State
from registry.release.ledger import APPROVE, Issued, Ledger, New, Pointing, Tag
from security import auditentry
from security.auditentry import BEGIN, DONE, FIRST, LINE_LIMIT, TEXT_LIMIT, Entry, Head
from security.errors import Refused

LIMIT = 100_000_000  # bytes of a log
MOST = 100_000  # entries
SKEW = timedelta(days=1)  # how far two clocks may be apart
_SELF = "modelwarden"
_HINT = "compare it with another clone, and ask who may write to the branch of releases"


def read_log(data: bytes) -> Ledger:
    """Read a log, b"" where there is none yet: each entry follows, by the chain and by the rules.

    Raises ReleaseError, which names the line.
    """
    state, entries = State(), []
    for entry in _entries(data):
        try:
            state.follow(entry)
        except RegistryError as error:
            raise _bad(entry.sequence + 1, error.message) from error
        entries.append(entry)
    aliases = sorted(state.aliases.items())
    return Ledger(
        tuple(entries),
        tuple(state.issued.values()),
        tuple(state.claims.values()),
        tuple(found for _, found in aliases),
    )


def written(ledger: Ledger, news: Sequence[New], now: datetime, nonce: str = "") -> bytes:
    """Return the lines to append, the beginning of a new log included (`nonce`: its random name).

    An entry is never older than the one before it, whatever the clock says. Raises Lost, Blocked
    or ReleaseError where an entry may not follow, or where the clock is behind by more than SKEW.
    """
    state, entries = _state(ledger.entries), list(ledger.entries)
    head = ledger.head or Head(-1, FIRST)
    time, lines = auditentry.stamp(now), []
    if entries and entries[-1].time > time:
        _refuse_skew(entries[-1], now)
        time = entries[-1].time
    opening = () if entries else (_opening(time, nonce or secrets.token_hex(16)),)
    for one in (*opening, *(_entry(new, time) for new in news)):
        entry = replace(one, sequence=head.sequence + 1, previous=head.hash)
        state.follow(entry)
        line, head = auditentry.written(entry)
        lines.append(line)
    size = len(ledger.entries) + len(news) + len(opening)
    if size > MOST:
        raise Blocked(f"a ledger of more than {MOST:,} entries", "begin one on another branch")
    return b"".join(lines)


def at(ledger: Ledger, artifact: str, alias: str, when: datetime) -> Pointing | None:
    """Return what an alias pointed at then, since when and by whom; None for nothing."""
    limit = auditentry.stamp(when)
    state = _state(entry for entry in ledger.entries if entry.time <= limit)
    found = state.aliases.get((artifact, alias))
    return found if found and found.version else None


def approvals(ledger: Ledger, artifact: str, version: str) -> tuple[Entry, ...]:
    """Return who said yes to a version, in the order they did."""
    return tuple(
        entry
        for entry in ledger.entries
        if entry.action == APPROVE
        and entry.artifact == artifact
        and dict(entry.details)["version"] == version
    )


def back(ledger: Ledger, artifact: str, alias: str) -> str:
    """Return the version that a rollback of an alias goes to, "" where there is none."""
    return _state(ledger.entries).back(artifact, alias)


def tags(ledger: Ledger) -> tuple[Tag, ...]:
    """Return every tag there has to be: one of each version, one of each move of an alias."""
    return (*(tag_of(one) for one in ledger.issued), *_state(ledger.entries).stages)


def tag_of(issued: Issued) -> Tag:
    """Return the tag of a version."""
    return Tag(issued.tag, issued.commit, f"{issued.artifact} {issued.version}")


def moves(before: Ledger, after: Ledger) -> tuple[Tag, ...]:
    """Return the tags of those moves of aliases that came after `before`."""
    state = _state(after.entries[: len(before.entries)])
    known = len(state.stages)
    for entry in after.entries[len(before.entries) :]:
        state.follow(entry)
    return tuple(state.stages[known:])


def said(entry: Entry) -> Mapping[str, str]:
    """Return the details of an entry. Raises ReleaseError for one of no ledger."""
    return details(entry)


def _entries(data: bytes) -> Iterator[Entry]:
    """Yield entries as long as the chain holds (docs/formats/audit.md)."""
    if len(data) > LIMIT:
        raise ReleaseError(f"the ledger has {len(data):,} bytes, more than {LIMIT:,}", _HINT)
    before, start, number, last = FIRST, 0, 0, ""
    while start < len(data):
        number += 1
        end = data.find(b"\n", start, start + LINE_LIMIT)
        if end < 0 or number > MOST:
            raise _bad(number, "it has no end, or is longer than an entry can be, or one too many")
        try:
            entry = auditentry.read(data[start:end])
        except auditentry.EntryError as error:
            raise _bad(number, f"it {error}") from error
        if entry.sequence != number - 1 or entry.previous != before:
            raise _bad(number, "it does not follow the line before it: one of them was changed")
        if (entry.action == BEGIN) != (number == 1) or (entry.action == BEGIN and entry.artifact):
            raise _bad(number, "it is not where a ledger begins, or does not begin it")
        if entry.outcome != DONE:
            raise _bad(number, "a ledger holds what was done, not what was refused")
        if entry.time < last:
            raise _bad(number, f"it is of {entry.time}, before the line before it")
        yield entry
        before, start, last = entry.hash, end + 1, entry.time


def _bad(number: int, why: str) -> ReleaseError:
    return ReleaseError(f"the ledger, line {number}: {why}", _HINT)


def _state(entries: Iterable[Entry]) -> State:
    state = State()
    for entry in entries:
        state.follow(entry)
    return state


def _opening(time: str, nonce: str) -> Entry:
    return Entry(0, time, _SELF, BEGIN, "", DONE, (("nonce", nonce),), FIRST)


def _entry(new: New, time: str) -> Entry:
    texts = (new.actor, new.artifact, *new.details.values())
    if any(len(text) > TEXT_LIMIT for text in texts):  # an audit log would cut them
        what = f"{new.action}: a text of more than {TEXT_LIMIT} characters"
        raise ReleaseError(what, "say it more shortly")
    try:
        for text in texts:
            auditentry.safe(text)
        pairs = auditentry.pairs(new.details)
    except Refused as error:
        raise Blocked(error.message, error.hint) from error
    return Entry(0, time, new.actor, new.action, new.artifact, DONE, pairs, FIRST)


def _refuse_skew(last: Entry, now: datetime) -> None:
    ahead = datetime.fromisoformat(last.time) - now.astimezone(UTC)
    if ahead > SKEW:
        what = f"the last entry of the ledger is of {last.time}, by {last.actor}"
        hint = "one of the two clocks is wrong: set this machine's, or ask them about theirs"
        raise ReleaseError(f"{what}, but it is {auditentry.stamp(now)} here", hint)
