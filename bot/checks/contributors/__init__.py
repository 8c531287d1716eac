"""People: sign-offs, agreements, signatures, headers of new files, owners of sensitive paths."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.change import Change, Commit
from bot.checks.contributors import (
    assistance,
    cla,
    headers,
    identity,
    newcomers,
    ownership,
    parties,
    past,
    shown,
    signatures,
    signoff,
)
from bot.checks.contributors.accounts import bot_commits, excused
from bot.checks.contributors.advice import history
from bot.checks.contributors.cla import Agreement
from bot.checks.contributors.headers import NewFile
from bot.checks.contributors.ownership import Ownership
from bot.checks.contributors.past import History
from bot.checks.contributors.remediation import Mode
from bot.checks.contributors.settings import Settings as Settings
from bot.checks.contributors.signatures import Signature, Signatures
from bot.checks.contributors.statements import Statement, read, start_of
from bot.checks.contributors.tools import Tools, tools
from bot.errors import CouldNotTell
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Rule
from bot.people import People
from bot.wording import plural
from bot.world import World

NAME = "contributors"
VERSION = 1
SIGNERS_LIMIT = 1_000_000  # bytes of an allowed signers file

TOO_MANY = Rule(
    "contributors/too-many-commits",
    Level.UNKNOWN,
    "The change has more commits than are judged.",
    "A commit nobody looked at cannot be said to be signed off.",
    "Split the change or squash its commits; `contributors.max_commits` sets the bound.",
)
RULES: tuple[Rule, ...] = (
    TOO_MANY,
    *signoff.RULES,
    *assistance.RULES,
    *identity.RULES,
    *newcomers.RULES,
    *cla.RULES,
    *signatures.RULES,
    *headers.RULES,
    *ownership.RULES,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What commits and files of the change say. `total` counts commits beyond the bound too."""

    base: str
    total: int
    statements: tuple[Statement, ...]
    signatures: Signatures
    new_files: tuple[NewFile, ...]
    ownership: Ownership
    people: People | None = None
    agreement: Agreement = field(default_factory=Agreement)
    remediation: Mode = "off"
    tools: Tools | None = field(default_factory=Tools)
    history: History = field(default_factory=History)


def applies(change: Change, settings: Settings) -> str:
    """Every change is made by people."""
    return ""


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read the commits, the headers of new files and CODEOWNERS."""
    maker = f"{NAME}/{VERSION}"
    commits = world.commits(change.base, change.head)
    judged = commits[: settings.max_commits]
    statements, people = tuple(read(c) for c in judged), world.people
    return Evidence(
        change.merge_base,
        len(commits),
        statements,
        _signatures(change, world, settings, judged),
        headers.collect(change, world, settings.headers, maker),
        ownership.collect(change, world, settings.sensitive, maker),
        replace(people, signatures=()) if people else None,  # those that matter are below
        cla.collect(change, world, settings.cla, parties.accounts(statements, people)),
        settings.remediation,
        None if settings.ai_signoff == "off" else _tools(settings, people),
        _history(change, world, settings, statements, maker),
    )


def _tools(settings: Settings, people: People | None) -> Tools:
    return tools(settings.ai_accounts, bot_commits(people))


def _history(
    change: Change,
    world: World,
    settings: Settings,
    statements: tuple[Statement, ...],
    maker: str,
) -> History:
    guarded = (*settings.sensitive, *settings.guarded)
    if settings.newcomers == "off" or not statements:
        guarded = ()
    asked = statements if guarded or settings.identities != "off" else ()
    return past.collect(change, world, asked, guarded, maker)


def _signatures(
    change: Change, world: World, settings: Settings, commits: tuple[Commit, ...]
) -> Signatures:
    kinds = tuple(Signature(c.id, signatures.kind(c.signature)) for c in commits)
    path = settings.allowed_signers
    edited = path if path and any(f.path == path for f in change.files) else ""
    if settings.signatures == "report" or not commits:
        return Signatures(kinds, edited=edited)
    try:
        entry = world.entry(change.base, path) if path else None
        if entry is None or not entry.is_file:
            where = f"{path} is not at the base commit" if path else "no file is named"
            return Signatures(kinds, f"allowed signers: {where}", edited)
        allowed = world.read(entry.blob, SIGNERS_LIMIT)
    except CouldNotTell as error:
        return Signatures(kinds, f"{path}: {error.message}", edited)
    proven = tuple(
        Signature(s.commit, s.kind, world.signer(s.commit, allowed) if s.kind == "ssh" else "")
        for s in kinds
    )
    return Signatures(proven, edited=edited)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Find what is not signed off, signed, headed or owned as the policy asks."""
    found: list[Finding] = []
    judged = len(evidence.statements)
    start = start_of(evidence.statements, evidence.base)
    required = settings.signatures == "required"
    asked = required or settings.dco == "required" or settings.cla.required
    if evidence.total > judged and (asked or settings.ai_trailer):
        found.append(TOO_MANY.at(f"{evidence.total:,} commits, {judged:,} of them judged"))
    found.extend(_words(evidence, settings, start))
    found.extend(cla.judge(evidence.agreement, settings.cla, _parties(evidence, settings)))
    found.extend(signatures.judge(evidence.signatures, start=start, required=required))
    found.extend(headers.judge(evidence.new_files, settings.headers))
    found.extend(ownership.judge(evidence.ownership))
    return tuple(found)


def _words(evidence: Evidence, settings: Settings, start: str) -> list[Finding]:
    """Judge what commits say of the people and tools behind them."""
    found: list[Finding] = []
    statements, known = evidence.statements, _tools(settings, evidence.people)
    without = excused(evidence.people, settings.bots)
    if settings.dco == "required":
        found.extend(
            signoff.judge(
                statements,
                start=start,
                co_authors=settings.co_authors,
                merges=settings.merge_commits,
                mode=settings.remediation,
                excused=without,
                tools=known,
                weight=settings.ai_signoff,
            )
        )
    elif settings.ai_trailer:
        found.extend(signoff.unreadable(s) for s in statements if s.oversize)
    about = history(statements, (), start, "off")
    own = tuple(s for s in statements if s.commit not in without.whole)
    trailer, weight = settings.ai_trailer, settings.ai_undeclared
    found.extend(assistance.judge(own, trailer, weight, known, about))
    found.extend(identity.judge(evidence.history, own, known, settings.identities))
    found.extend(newcomers.judge(evidence.history, own, known, settings.newcomers))
    return found


def _parties(evidence: Evidence, settings: Settings) -> parties.Parties:
    return parties.of_change(
        evidence.statements,
        evidence.people,
        settings.cla.exempt,
        co_authors=settings.co_authors,
        tools=_tools(settings, evidence.people),
        signers={s.commit: s.signer for s in evidence.signatures.each},
    )


def summary(evidence: Evidence) -> str:
    """Say how many commits by how many people, how many are signed off and how many signed."""
    if not evidence.total:
        return "no commits"
    people = plural(len({s.author.key for s in evidence.statements}), "person", "people")
    offs = signoff.told(evidence.statements, evidence.remediation, evidence.tools)
    signed = signatures.told(evidence.signatures)
    return f"{plural(evidence.total, 'commit')} by {people}, {offs}, {signed}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show who signed what."""
    if not evidence.statements:
        return ()
    without = excused(evidence.people, settings.bots)
    commits = shown.commits(
        evidence.statements, evidence.signatures, settings.remediation, without, evidence.tools
    )
    if not settings.cla.document:
        return (commits,)
    return (
        commits,
        *shown.agreement(evidence.agreement, settings.cla, _parties(evidence, settings)),
    )
