"""Who made a history: a fold over its commits, and the rows it ends in. Pure; nothing is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.checks.contributors import remediation
from bot.checks.contributors.person import Person
from bot.checks.contributors.remediation import Mode, Stated
from bot.checks.contributors.statements import Statement
from bot.errors import TooLarge
from bot.history import Entry
from bot.people import ClaSignature, CommitAccount

MAX_PEOPLE = 200_000
MAX_LATE = 1_000_000  # sign-offs that wait for their commit


@dataclass(frozen=True, slots=True)
class Contributor:
    """One address and what its commits hold; merges count apart, and for no share.

    `account` is 0 where none is known; `proven` is whether the platform said it, else it is
    only typed in the address. `verified` is None where the platform said nothing.
    `commit_share` and `line_share` are parts of the whole range, from 0 to 1. `first` is the
    earliest day that a commit states. `newcomer` is None where there is no base.
    """

    name: str
    address: str
    account: int
    login: str
    proven: bool
    commits: int
    merges: int
    co_authored: int
    added: int
    removed: int
    commit_share: float
    line_share: float
    signed_off: int
    signatures: tuple[tuple[str, int], ...]
    verified: int | None
    cla: tuple[str, ...]
    cla_counts: bool | None
    first: str
    newcomer: bool | None


@dataclass(frozen=True, slots=True)
class Audit:
    """The ledger of a range, most commits first. `document` is the version of the agreement."""

    base: str
    head: str
    commits: int
    merges: int
    unread: int
    added: int
    removed: int
    lines: bool
    document: str
    people: tuple[Contributor, ...]


@dataclass(frozen=True, slots=True)
class Agreements:
    """Versions that count, the one of today first, and who signed what."""

    counting: tuple[str, ...] = ()
    signatures: tuple[ClaSignature, ...] = ()

    def by_account(self) -> Mapping[int, tuple[str, ...]]:
        """Return the versions each account signed, each once."""
        found: dict[int, dict[str, None]] = {}
        for signature in self.signatures:
            found.setdefault(signature.account, {})[signature.document] = None
        return {account: tuple(versions) for account, versions in found.items()}


@dataclass(slots=True)
class _Tally:
    """What is known of one address so far."""

    name: str
    address: str
    account: int
    login: str = ""
    proven: bool = False
    commits: int = 0
    merges: int = 0
    co_authored: int = 0
    added: int = 0
    removed: int = 0
    signed_off: int = 0
    told: int = 0
    verified: int = 0
    first: str = ""
    signatures: Counter[str] = field(default_factory=Counter)


class Book:
    """Takes commits one by one, no parent before its children; memory follows the people."""

    def __init__(self, accounts: Mapping[str, CommitAccount], mode: Mode) -> None:
        self._accounts, self._mode = accounts, mode
        self._people: dict[str, _Tally] = {}
        self._late: dict[str, frozenset[str]] = {}  # sign-offs given before their commit is seen
        self.commits = self.merges = self.unread = self.added = self.removed = 0

    def add(self, entry: Entry) -> None:
        """Count one commit. Raises TooLarge."""
        statement = entry.statement
        late = self._late.pop(statement.commit, frozenset())
        if statement.oversize:
            self.unread += 1
            return
        self._remember(statement)
        row = self._row(statement.author)
        self._identify(row, statement)
        row.first = min(filter(None, (row.first, entry.date)), default="")
        for who in {p.key: p for p in statement.co_authors if p.usable}.values():
            self._row(who).co_authored += 1
        if statement.parents > 1:
            row.merges += 1
            self.merges += 1
            return
        self._count(row, entry, signed=row_key(statement.author) in statement.signers | late)

    def _count(self, row: _Tally, entry: Entry, *, signed: bool) -> None:
        row.commits += 1
        row.added += entry.added
        row.removed += entry.removed
        row.signed_off += signed and entry.statement.author.usable
        self.commits += 1
        self.added += entry.added
        self.removed += entry.removed
        if entry.signature:
            row.signatures[entry.signature] += 1

    def _remember(self, statement: Statement) -> None:
        if not statement.remediations:
            return
        stated = Stated(statement.author, statement.signed_by_author, statement.remediations)
        for commit, keys in remediation.signers((stated,), self._mode).items():
            if len(self._late) >= MAX_LATE:
                raise TooLarge(
                    "more late sign-offs than are kept", "pass --base for a shorter range"
                )
            self._late[commit] = self._late.get(commit, frozenset()) | keys

    def _row(self, who: Person) -> _Tally:
        key = row_key(who)
        row = self._people.get(key)
        if row is None:
            if len(self._people) >= MAX_PEOPLE:
                raise TooLarge(
                    f"more than {MAX_PEOPLE:,} people", "pass --base for a shorter range"
                )
            row = self._people[key] = _Tally(who.name, who.address, who.account)
        return row

    def _identify(self, row: _Tally, statement: Statement) -> None:
        told = self._accounts.get(statement.commit)
        if told is None:
            return
        row.told += 1
        row.verified += told.verified
        if told.author is not None:
            row.account, row.login, row.proven = told.author.id, told.author.login, True

    def keys(self) -> frozenset[str]:
        """Return the addresses of everybody who is the author of a commit."""
        return frozenset(k for k, row in self._people.items() if row.commits or row.merges)

    def close(
        self, base: str, head: str, *, lines: bool, before: frozenset[str] | None, cla: Agreements
    ) -> Audit:
        """Return the ledger; `before` are the addresses that had commits before the range."""
        signed = cla.by_account()
        rows = [
            self._contributor(row, signed.get(row.account, ()) if row.account else (), cla)
            for row in self._people.values()
        ]
        ordered = sorted(
            zip(rows, self._people, strict=True),
            key=lambda pair: (-pair[0].commits, -pair[0].added - pair[0].removed, pair[1]),
        )
        authors = self.keys()
        people = tuple(_dated(row, key, authors, before) for row, key in ordered)
        document = cla.counting[0] if cla.counting else ""
        return Audit(
            base, head, self.commits, self.merges, self.unread, self.added, self.removed,
            lines, document, people,
        )  # fmt: skip

    def _contributor(self, row: _Tally, versions: tuple[str, ...], cla: Agreements) -> Contributor:
        lines = self.added + self.removed
        return Contributor(
            name=row.name,
            address=row.address,
            account=row.account,
            login=row.login,
            proven=row.proven,
            commits=row.commits,
            merges=row.merges,
            co_authored=row.co_authored,
            added=row.added,
            removed=row.removed,
            commit_share=row.commits / self.commits if self.commits else 0.0,
            line_share=(row.added + row.removed) / lines if lines else 0.0,
            signed_off=row.signed_off,
            signatures=tuple(sorted(row.signatures.items())),
            verified=row.verified if row.told else None,
            cla=versions,
            cla_counts=bool(set(versions) & set(cla.counting)) if cla.counting else None,
            first=row.first,
            newcomer=None,
        )


def _dated(
    row: Contributor, key: str, authors: frozenset[str], before: frozenset[str] | None
) -> Contributor:
    return row if before is None or key not in authors else replace(row, newcomer=key not in before)


def row_key(who: Person) -> str:
    """Return what tells people apart: the address, or the name where there is none."""
    return who.key if who.usable else f"{who.name} <{who.key}>"


def accounts(commits: Iterable[CommitAccount]) -> Mapping[str, CommitAccount]:
    """Return what the platform said, by commit."""
    return {c.commit: c for c in commits}
