"""What one commit says about people, read from its message and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.change import Commit
from bot.checks.contributors import remediation, said
from bot.checks.contributors.person import NOBODY, Person, person
from bot.checks.contributors.remediation import Mode, Remediation, Stated
from bot.checks.contributors.said import Said
from bot.checks.contributors.trailers import parse
from bot.finding import Location


@dataclass(frozen=True, slots=True)
class Statement:
    """What one commit says about people. A co-author that cannot be read has no address.

    `parents` are counted once each; `joined` are the ids of a merge's parents.
    """

    commit: str
    parents: int
    author: Person
    signed: tuple[Person, ...]
    co_authors: tuple[Person, ...]
    fixup: bool
    oversize: int = 0
    joined: tuple[str, ...] = ()
    remediations: tuple[Remediation, ...] = ()
    committer: Person = NOBODY
    said: tuple[Said, ...] = ()

    @property
    def name(self) -> str:
        """What messages call it; a commit about to be made has no id yet."""
        return f"commit {self.commit[:12]}" if self.commit else "the commit"

    @property
    def place(self) -> Location:
        """Where a finding about it is."""
        return Location(commit=self.commit)

    @property
    def signers(self) -> frozenset[str]:
        """The usable addresses of its sign-offs, as keys."""
        return frozenset(p.key for p in self.signed if p.usable)

    @property
    def signed_by_author(self) -> bool:
        """Whether the author's own address signed the commit off in the commit itself."""
        return self.author.usable and self.author.key in self.signers


def read(commit: Commit) -> Statement:
    """Return what a commit says about people."""
    author = Person(commit.author_name, commit.author_email)
    parents = tuple(dict.fromkeys(commit.parents))
    joined = parents if len(parents) > 1 else ()
    stated = _stated(commit.id, len(parents), commit.message, author, commit.oversize, joined)
    return replace(stated, committer=Person(commit.committer_name, commit.committer_email))


def of_message(message: str, author: Person) -> Statement:
    """Return what the message of a commit about to be made says."""
    return _stated("", 1, message, author, 0, ())


def _stated(
    commit: str, parents: int, message: str, author: Person, oversize: int, joined: tuple[str, ...]
) -> Statement:
    signed: dict[Person, None] = {}  # in order, each once
    others: dict[Person, None] = {}
    for trailer in parse(message):
        key = trailer.key.lower()
        if key == "signed-off-by":
            signed[person(trailer.value)] = None
        elif key == "co-authored-by":
            others[person(trailer.value)] = None
    fixup = message.lstrip().startswith(("fixup! ", "squash! ", "amend! "))
    late = remediation.parse(message)
    return Statement(
        commit, parents, author, tuple(signed), tuple(others), fixup, oversize, joined, late,
        said=said.read(message),
    )  # fmt: skip


def due(statements: tuple[Statement, ...], merges: bool) -> tuple[Statement, ...]:
    """Return the commits that bring work: without `merges`, not those that only join others."""
    # A merge joins commits of the change; one that joins none brings work of its own.
    ids = {s.commit for s in statements}
    return tuple(s for s in statements if merges or ids.isdisjoint(s.joined))


def start_of(statements: tuple[Statement, ...], base: str) -> str:
    """Return where `git rebase` starts to rewrite the change: a commit, or `--root`."""
    rooted = any(s.parents == 0 and not s.oversize for s in statements)
    return "--root" if rooted else base[:12]


def signers(statements: tuple[Statement, ...], mode: Mode) -> Mapping[str, frozenset[str]]:
    """Return the addresses (as keys) that signed each commit off, in it or in a later one."""
    stated = (Stated(s.author, s.signed_by_author, s.remediations) for s in statements)
    late = remediation.signers(tuple(s for s in stated if s.remediations), mode)
    return {s.commit: s.signers | late.get(s.commit, frozenset()) for s in statements}
