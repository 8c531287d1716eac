"""A history as a stream of commits with what each added and removed. Memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot import git
from bot.change import Commit
from bot.checks.contributors.person import Person
from bot.checks.contributors.signatures import kind
from bot.checks.contributors.statements import Statement, read
from bot.errors import RepositoryError, TooLarge
from bot.gitformat import parse_commit
from bot.repository import GitWorld
from bot.world import COMMIT_LIMIT

_LATEST = 253_402_300_799  # the last second of the year 9999
# Whatever the user's configuration says of `git log`, this is what it counts. By topology, since
# a late sign-off has to be seen before the commit it is about, and dates can be any.
_LOG = (
    "log", "--topo-order", "--encoding=UTF-8", "--root", "--no-relative", "--no-renames",
    "--no-ext-diff", "--no-textconv",
)  # fmt: skip
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit: what it says, its signature's kind, the date it states, lines it changed."""

    statement: Statement
    signature: str
    date: str
    added: int
    removed: int


def count(world: GitWorld, base: str, head: str) -> int:
    """Return how many commits are in head but not in base ("" for all)."""
    words = ("rev-list", "--count", *_scope(base, head))
    status, output, error = git.run(world.place, *words)
    if status:
        raise RepositoryError(f"the commits cannot be counted: {error}", "run: git fsck")
    return int(output)


def entries(
    world: GitWorld, base: str, head: str, *, lines: bool, tell: Tell, total: int
) -> Generator[Entry, None, None]:
    """Yield each commit, no parent before its children. Raises CouldNotTell, RepositoryError."""
    shown = "--numstat" if lines else "--no-patch"
    found = git.lines(world.place, *_LOG, shown, "--format=%H %at", *_scope(base, head))
    commit, added, removed, done = b"", 0, 0, 0
    for line in found:
        if b"\t" in line:  # git quotes a tab in a name; a commit's line has none
            more, less, _ = line.split(b"\t", 2)
            added, removed = added + _number(more), removed + _number(less)
        elif line.strip():
            if commit:
                yield _entry(world, commit, added, removed)
                tell(done := done + 1, total)
            commit, added, removed = line, 0, 0
    if commit:
        yield _entry(world, commit, added, removed)


def _scope(base: str, head: str) -> tuple[str, ...]:
    return (head, *((f"^{base}",) if base else ()), "--")


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0  # "-" for a binary file


def _entry(world: GitWorld, line: bytes, added: int, removed: int) -> Entry:
    commit, _, seconds = line.decode("ascii", "replace").strip().partition(" ")
    try:
        parsed = parse_commit(commit, world.read(commit, COMMIT_LIMIT))
    except TooLarge:
        parsed = Commit(commit, (), "", "", "", "", "", oversize=world.size(commit))
    return Entry(read(parsed), kind(parsed.signature), _date(seconds), added, removed)


def _date(seconds: str) -> str:
    """Return the day, "" where a commit states none that a calendar has."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        return ""
    number = int(seconds)
    return datetime.fromtimestamp(number, UTC).date().isoformat() if number <= _LATEST else ""


def seen_before(world: GitWorld, base: str, keys: frozenset[str]) -> frozenset[str]:
    """Return which of these addresses (as keys) are an author's in the history of `base`."""
    left = set(keys)
    found = git.lines(world.place, *_LOG, "--no-patch", "--format=%ae", *_scope("", base))
    for line in found if left else ():
        left.discard(Person("", line.decode("utf-8", "replace").strip()).key)
        if not left:
            break
    found.close()
    return keys - left
