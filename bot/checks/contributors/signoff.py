"""Developer Certificate of Origin: what each commit says, and who has not signed it off."""

from __future__ import annotations

from dataclasses import dataclass

from bot.change import Commit
from bot.checks.contributors.trailers import parse
from bot.finding import Finding, Level, Location, Rule
from bot.quoting import plain

MAX_LISTED = 20  # co-authors of one commit that get a finding each
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

SIGN_OFF = Rule(
    "contributors/sign-off",
    Level.FAILURE,
    "A commit is not signed off by its author's own address.",
    "The sign-off is the author's word that the work may be given under the project's licence.",
    "Run `git commit --amend --no-edit --signoff` for the last commit.",
)
CO_AUTHOR = Rule(
    "contributors/co-author",
    Level.FAILURE,
    "A co-author of a commit has not signed it off.",
    "Each person whose work is in a commit has to say that it may be given.",
    "Add a Signed-off-by line of the co-author, with the co-author's consent.",
)
FIXUP = Rule(
    "contributors/fixup",
    Level.WARNING,
    "A commit is marked fixup!, squash! or amend!.",
    "Such a commit is part of another one; left apart it makes the history hard to read.",
    "Squash it with `git rebase -i --autosquash`.",
)
UNREADABLE = Rule(
    "contributors/unreadable",
    Level.UNKNOWN,
    "A commit is too large to read.",
    "A message of this size is no message; what it hides cannot be judged.",
    "Shorten the commit message and push again.",
)
RULES = (SIGN_OFF, CO_AUTHOR, FIXUP, UNREADABLE)


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address, as a commit states them; nothing proves them."""

    name: str
    address: str

    @property
    def usable(self) -> bool:
        """Whether both are there and the address is one."""
        local, _, domain = self.address.rpartition("@")
        clean = self.address.isprintable() and not set(self.address) & set(" <>\ufffd")
        return bool(self.name.strip() and local and domain and clean)

    @property
    def key(self) -> str:
        """The address for comparison: only ASCII case is folded, nothing is dropped."""
        return self.address.translate(_LOWER)

    @property
    def line(self) -> str:
        """The exact trailer line of this person."""
        return f"Signed-off-by: {plain(self.name)} <{plain(self.address)}>"


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


def person(text: str) -> Person:
    """Read `Name <address>`; what is not of this form has no address."""
    name, bracket, rest = text.partition("<")
    address, end, after = rest.partition(">")
    if not bracket or not end or after.strip():
        return Person(text.strip(), "")
    return Person(name.strip(), address.strip())


def read(commit: Commit) -> Statement:
    """Return what a commit says about people."""
    stated = _stated(commit.message, Person(commit.author_name, commit.author_email))
    parents = tuple(dict.fromkeys(commit.parents))
    joined = parents if len(parents) > 1 else ()
    return Statement(commit.id, len(parents), *stated, oversize=commit.oversize, joined=joined)


def judge_message(
    message: str, author_name: str, author_email: str, *, co_authors: bool = True
) -> tuple[Finding, ...]:
    """Judge the message of a commit about to be made, for the commit-msg hook."""
    statement = Statement("", 1, *_stated(message, Person(author_name, author_email)))
    return judge((statement,), start="", co_authors=co_authors)


def start_of(statements: tuple[Statement, ...], base: str) -> str:
    """Return where `git rebase` starts to rewrite the change: a commit, or `--root`."""
    rooted = any(s.parents == 0 and not s.oversize for s in statements)
    return "--root" if rooted else base[:12]


def judge(
    statements: tuple[Statement, ...], *, start: str, co_authors: bool, merges: bool = False
) -> tuple[Finding, ...]:
    """Find what is not signed off, oldest commit first; `start` is what `git rebase` needs."""
    due = _due(statements, merges)
    history = _history(statements, due, start)
    found: list[Finding] = []
    for statement in due:
        if statement.oversize:
            message = f"commit {statement.commit[:12]} has {statement.oversize:,} bytes"
            found.append(UNREADABLE.at(message + " and was not read", _place(statement)))
            continue
        if not signed_by_author(statement):
            found.append(_author(statement, history))
        if co_authors:
            found.extend(_co_authors(statement, history))
        if statement.fixup:
            found.append(_fixup(statement, start))
    return tuple(found)


def _due(statements: tuple[Statement, ...], merges: bool) -> tuple[Statement, ...]:
    # A merge joins commits of the change; one that joins none brings work of its own.
    ids = {s.commit for s in statements}
    return tuple(s for s in statements if merges or ids.isdisjoint(s.joined))


@dataclass(frozen=True, slots=True)
class _History:
    """What a remedy has to know of the whole change."""

    start: str
    tip: str
    only_tip: bool  # nothing but the last commit lacks its sign-off
    one_author: bool
    merges: bool


def _history(statements: tuple[Statement, ...], due: tuple[Statement, ...], start: str) -> _History:
    missing = [s.commit for s in due if not s.oversize and not signed_by_author(s)]
    tip = statements[-1].commit if statements else ""
    return _History(
        start,
        tip,
        only_tip=missing == [tip],
        one_author=len({s.author.key for s in statements}) == 1,
        merges=any(s.parents > 1 for s in statements),
    )


def told(statements: tuple[Statement, ...]) -> str:
    """Say how many are signed off by their authors; merges of the change's own commits aside."""
    due = _due(statements, merges=False)
    signed = sum(map(signed_by_author, due))
    if signed == len(due):
        return "all signed off"
    return f"{signed:,} of {len(due):,} signed off" if signed else "none signed off"


def signed_by_author(statement: Statement) -> bool:
    """Whether the author's own address signed the commit off."""
    return statement.author.usable and statement.author.key in _signed(statement)


def _signed(statement: Statement) -> frozenset[str]:
    return frozenset(p.key for p in statement.signed if p.usable)


def _stated(
    message: str, author: Person
) -> tuple[Person, tuple[Person, ...], tuple[Person, ...], bool]:
    signed: dict[Person, None] = {}  # in order, each once
    others: dict[Person, None] = {}
    for trailer in parse(message):
        key = trailer.key.lower()
        if key == "signed-off-by":
            signed[person(trailer.value)] = None
        elif key == "co-authored-by":
            others[person(trailer.value)] = None
    fixup = message.lstrip().startswith(("fixup! ", "squash! ", "amend! "))
    return author, tuple(signed), tuple(others), fixup


def _author(statement: Statement, history: _History) -> Finding:
    author = statement.author
    if not author.usable:
        shown = plain(f"{author.name} <{author.address}>")
        remedy = (
            "Set `git config user.name` and `git config user.email`, then run "
            "`git commit --amend --no-edit --reset-author --signoff`."
        )
        message = f"{_name(statement)} has no usable author: {shown}"
        return SIGN_OFF.at(message, _place(statement), remedy=remedy)
    by = ", ".join(plain(p.address) or plain(p.name) for p in statement.signed[:3])
    message = f"{_name(statement)} is not signed off by its author {plain(author.address)}"
    message += f", only by {by}" if by else ""
    remedy = _author_remedy(statement, history)
    return SIGN_OFF.at(message, _place(statement), remedy=remedy)


def _author_remedy(statement: Statement, history: _History) -> str:
    line = statement.author.line
    if not history.start:
        return f"Run `git commit --signoff`, or end the message with the line: {line}"
    push = "then `git push --force-with-lease`."
    if history.only_tip:
        command = "git commit --amend --no-edit --signoff"
        return f"Run `{command}`, which adds the line: {line} - {push}"
    if history.one_author:
        # --signoff signs by whoever runs it: right only where that is everybody's author.
        keep = " --rebase-merges" if history.merges else ""
        command = f"git rebase{keep} --signoff {history.start}"
        return f"Run `{command}`, which adds the line: {line} - {push}"
    return f"As its author, {_reword(statement, history)} the line: {line} - {push}"


def _reword(statement: Statement, history: _History) -> str:
    if not history.start or statement.commit == history.tip:
        return "run `git commit --amend` and end the message with"
    short = statement.commit[:12]
    return f"run `git rebase -i {history.start}`, mark {short} as `reword` and end its message with"


def _co_authors(statement: Statement, history: _History) -> list[Finding]:
    signed = _signed(statement)
    missing = [p for p in statement.co_authors if not p.usable or p.key not in signed]
    found = [_co_author(statement, who, history) for who in missing[:MAX_LISTED]]
    if len(missing) > MAX_LISTED:
        message = f"{_name(statement)} is not signed off by {len(missing):,} co-authors in all"
        found.append(CO_AUTHOR.at(message, _place(statement)))
    return found


def _co_author(statement: Statement, who: Person, history: _History) -> Finding:
    if who.usable:
        message = f"{_name(statement)} is not signed off by co-author {plain(who.address)}"
        how = _reword(statement, history)
        remedy = f"With the co-author's consent, {how} the line: {who.line}"
    else:
        message = f"{_name(statement)} names a co-author without a usable address: "
        message += plain(f"{who.name} <{who.address}>")
        remedy = "Write the line as `Co-authored-by: Name <address>`, and sign off likewise."
    return CO_AUTHOR.at(message, _place(statement), remedy=remedy)


def _fixup(statement: Statement, start: str) -> Finding:
    command = f"git rebase -i --autosquash {start}".strip()
    remedy = f"Before it is merged, run `{command}`, then `git push --force-with-lease`."
    message = f"{_name(statement)} is meant to be squashed into another commit"
    return FIXUP.at(message, _place(statement), remedy=remedy)


def _name(statement: Statement) -> str:
    return f"commit {statement.commit[:12]}" if statement.commit else "the commit"


def _place(statement: Statement) -> Location:
    return Location(commit=statement.commit)
