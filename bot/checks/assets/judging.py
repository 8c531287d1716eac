"""Findings about the models and data of a change: one for each use, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.checks.assets import rules
from bot.checks.assets.evidence import Dispute, Evidence, Placed, Unread
from bot.checks.assets.licensing import MAKING
from bot.checks.assets.settings import Settings
from bot.checks.assets.weighing import HEAVY, Weighed, weigh
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location
from registry.assets.reading import kind_of
from registry.bom.naming import plain
from registry.errors import BadFacts
from registry.licenses.terms.values import Reason

QUOTED = 200  # characters of a clause in a message
MOST = 300  # findings about uses; the table shows the rest
FEW = 5  # vague uses of one file that are told one by one
TOLD = 3  # clauses in one message

_TIES = {
    "links": "linked",
    "vendors": "copied in",
    "trains_on": "trained on",
    "finetunes": "built upon",
    "distils_from": "distilled from",
    "merges": "merged",
    "quantises": "quantised",
    "embeds": "used",
    "evaluates_on": "used for evaluation",
}


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Find uses that are forbidden, bound to conditions, or of unknown licence."""
    found = [*_unread(evidence.unread), *_disputes(evidence.disputes)]
    if evidence.excess:
        message = f"not all of the models and data were judged: {evidence.excess}"
        found.append(rules.UNREADABLE.at(message, remedy="Split the change."))
    uses: list[Finding] = []
    vague: dict[str, list[Placed]] = {}
    for placed in evidence.placed:
        for finding in _use(placed, settings):
            if finding.rule == rules.UNKNOWN.id and finding.severity is Level.WARNING:
                vague.setdefault(placed.path, []).append(placed)
            uses.append(finding)
    uses = list(_gathered(uses, vague))
    order = (Level.UNKNOWN, Level.FAILURE, Level.WARNING, Level.NOTE)
    uses.sort(key=lambda f: order.index(f.severity))
    blocking = sum(f.counts for f in uses)
    return (*found, *uses[: max(MOST, blocking)])


def _gathered(uses: list[Finding], vague: dict[str, list[Placed]]) -> Iterator[Finding]:
    """Yield each finding once; many vague ones of one file are one, on the first line."""
    said: set[tuple[str, ...]] = set()
    many = {path for path, placed in vague.items() if len(placed) > FEW}
    for finding in uses:
        path = finding.location.path
        if finding.rule == rules.UNKNOWN.id and finding.severity is Level.WARNING and path in many:
            if ("", "", path) not in said:
                said.add(("", "", path))
                yield _vague(path, vague[path])
            continue
        # The same words about one asset are said where it stands first, unless they block.
        at = path if finding.severity is Level.FAILURE else ""
        key = (finding.rule, finding.severity, finding.message, at)
        if key not in said:
            said.add(key)
            yield finding


def _vague(path: str, placed: list[Placed]) -> Finding:
    names = list(dict.fromkeys(p.use.name for p in placed))
    told = ", ".join(shown(name) for name in names[:FEW])
    more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    message = f"what may be done with {told}{more} is not known: the table says of each why"
    line = min(p.use.line for p in placed)
    return rules.UNKNOWN.at(message, Location(path, line), level=Level.WARNING)


def _unread(files: tuple[Unread, ...]) -> Iterator[Finding]:
    for file in files:
        level = None if file.must else Level.NOTE
        message = f"{file.path} cannot be read: {shown(file.why)}"
        yield rules.UNREADABLE.at(message, Location(file.path, file.line), level=level)


def _disputes(disputes: tuple[Dispute, ...]) -> Iterator[Finding]:
    for one in disputes:
        message = f"{one.path} says {shown(one.said)}, {one.text_path} is {one.text}"
        level = Level.NOTE if one.old else None
        yield rules.DISAGREE.at(message, Location(one.path, one.line), level=level)


def _use(placed: Placed, settings: Settings) -> Iterator[Finding]:
    try:
        weighed = weigh(placed, settings)
    except BadFacts as error:
        place = Location(placed.path, placed.use.line)
        yield rules.UNREADABLE.at(error.message, place, remedy=error.hint)
        return
    if weighed is None:
        return
    if weighed.dispute and not placed.demo:
        yield _disagreement(placed, weighed)
    finding = _verdict(placed, weighed, _way_out(placed, weighed, settings))
    if finding is not None:
        yield finding


def _disagreement(placed: Placed, weighed: Weighed) -> Finding:
    one, other = weighed.dispute
    message = (
        f"{shown(placed.use.name)}: {shown(one.kind)} says {shown(one.license)},"
        f" {shown(other.kind)} says {shown(other.license)}"
    )
    level = None if _published(placed) else Level.WARNING
    return rules.DISAGREE.at(message, _place(placed), level=level)


def _way_out(placed: Placed, weighed: Weighed, settings: Settings) -> str:
    """Say that it could be published under the licence of what it is made from, where it could."""
    if weighed.answer != "forbidden" or weighed.weight or not weighed.license:
        return ""
    own = replace(placed, outbound=replace(placed.outbound, license=weighed.license))
    under = weigh(own, settings)
    if under is None or under.answer not in ("allowed", "conditions") or under.limited:
        return ""
    return rules.UNDER.format(shown(weighed.license))


def _verdict(placed: Placed, weighed: Weighed, way_out: str) -> Finding | None:
    heavy = any(r.tag in HEAVY for r in weighed.reasons)
    if weighed.weight in ("fail", "review"):
        rule = rules.FORBIDDEN if weighed.weight == "fail" else rules.REVIEW
        return rule.at(_message(placed, weighed), _place(placed))
    if weighed.answer == "forbidden":
        return rules.FORBIDDEN.at(
            _message(placed, weighed), _place(placed), remedy=way_out, level=_level(placed)
        )
    if weighed.answer == "unknown":
        if placed.demo:
            return None
        level = None if _published(placed) else Level.WARNING
        # The licence of the asset is known where only that of what is published is missing.
        ours = bool(weighed.license) and not placed.outbound.license
        remedy = rules.PUBLISH if ours else ""
        return rules.UNKNOWN.at(
            _message(placed, weighed), _place(placed), remedy=remedy, level=level
        )
    if weighed.answer == "conditions" and not placed.demo:
        if not heavy and not placed.use.firm:
            return None
        low = weighed.weight == "note" or not heavy or not _published(placed)
        level = Level.NOTE if low or placed.use.tie == "evaluates_on" else None
        return rules.CONDITIONS.at(_message(placed, weighed), _place(placed), level=level)
    return None


def _level(placed: Placed) -> Level | None:
    if placed.demo:
        return Level.NOTE
    return None if _published(placed) else Level.WARNING


def _published(placed: Placed) -> bool:
    """Whether what is published rests on this use.

    A card and what lies beside weights say so. A script or configuration of training does where
    somebody stated what the weights are under: without that nobody says that any are published.
    """
    use = placed.use
    if placed.demo or use.tie == "evaluates_on":
        return False
    kind = kind_of(placed.path)
    if kind == "dataset_info":
        return False  # a list of what may be trained on
    beside = use.firm and kind in ("card", "adapter", "config")
    return beside or (use.tie in MAKING and placed.outbound.stated)


def _place(placed: Placed) -> Location:
    return Location(placed.path, placed.use.line)


def _message(placed: Placed, weighed: Weighed) -> str:
    name, tie = shown(placed.use.name), _TIES[placed.use.tie]
    if placed.use.tie == "evaluates_on" and not placed.use.firm:
        tie = "used"  # code loads it, and nobody knows what for
    license = f" ({shown(weighed.license)}, {shown(weighed.source)})" if weighed.license else ""
    out = placed.outbound
    target = f"{out.what} under {shown(out.license)}" if out.license else out.what
    told = "; ".join(_told(_weightiest(weighed)))
    if weighed.answer == "forbidden":
        head = f"{name}{license} may not be {tie} for {target}"
    elif weighed.answer == "unknown":
        head = f"whether {name}{license} may be {tie} for {target} is not known"
        if not out.license and placed.use.tie in MAKING:
            silent = f"{out.where} does not say" if out.where else "nothing says"
            head += f", and {silent} what {out.what} are under"
    elif weighed.limited:
        head = f"{name}{license} may be {tie} for {target}, but not commercially"
    else:
        head = f"{name}{license} may be {tie} for {target} on conditions"
    return f"{head}: {told}" if told else head


def _weightiest(weighed: Weighed) -> tuple[Reason, ...]:
    if weighed.answer == "unknown":
        # What is not known has no sentence; the clauses that are known can wait for it.
        return tuple(r for r in weighed.reasons if not r.quote)[:TOLD]
    if weighed.answer == "forbidden":
        first, *others = weighed.reasons
        return (first, *(r for r in others if r.tag in HEAVY or r.says.startswith("written")))[
            :TOLD
        ]
    heavy = [r for r in weighed.reasons if r.tag in HEAVY]
    return tuple([*heavy, *(r for r in weighed.reasons if r.tag not in HEAVY)][: TOLD + 1])


def _told(reasons: tuple[Reason, ...]) -> Iterator[str]:
    named: dict[str, list[str]] = {}
    for one in reasons:
        quote = plain(" ".join(one.quote.split()), QUOTED)
        said = plain(" ".join(one.says.split()), QUOTED)
        named.setdefault(f"{said} (“{quote}”)" if quote else said, []).append(one.license)
    several = len({license for licenses in named.values() for license in licenses}) > 1
    for said, licenses in named.items():
        whose = ", ".join(shown(license) for license in dict.fromkeys(licenses) if license)
        yield f"{whose}: {said}" if several and whose else said
