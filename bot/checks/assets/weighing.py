"""One use weighed: what its licences allow, with and without money, and what the policy adds."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from bot.checks.assets.evidence import Placed, Source
from bot.checks.assets.licensing import CURATED, MAKING, POLICY, TABLE, TAG
from bot.checks.assets.settings import Settings, Weight
from registry.bom.values import Tie
from registry.licenses.expressions import LicenseError, normalise
from registry.licenses.metadata import narrow
from registry.licenses.terms.judging import judge
from registry.licenses.terms.values import Answer, Judgement, Reason, Tag
from registry.licenses.terms.wording import UNSTATED

# Clauses that ask for more than to keep names and notices beside what is published.
HEAVY: frozenset[Tag] = frozenset((
    "noncommercial", "research_only", "output_training", "mau_threshold", "revenue_threshold",
    "naming", "share_alike", "network_share_alike", "use_restrictions", "territory",
    "no_derivatives", "no_distribution", "pass_on_terms", "registration", "personal_only",
    "field_of_use",
))  # fmt: skip
_ORDER: tuple[Answer, ...] = ("allowed", "conditions", "unknown", "forbidden")
_NOWHERE = "no source at hand says what licence it is under"
_FIRST = (POLICY, CURATED, TABLE, TAG)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a use comes to. `limited` says that only commercial use is forbidden.

    `dispute` are two sources that contradict each other; both licences then bind.
    """

    answer: Answer
    license: str
    source: str
    reasons: tuple[Reason, ...] = ()
    limited: bool = False
    dispute: tuple[Source, ...] = ()
    weight: Weight | Literal[""] = ""


def weigh(placed: Placed, settings: Settings) -> Weighed | None:
    """Weigh a use; None for the project's own work, which has no licence of its own."""
    asset, name = placed.asset, placed.use.name
    if _listed(name, settings.deny):
        reason = Reason("", "deny", "", "the policy does not allow it: `assets.deny`")
        return Weighed("forbidden", "", "policy", (reason,))
    if _listed(name, settings.allow):
        return Weighed("allowed", "", "the policy allows it: `assets.allow`")
    if asset.path and not asset.sources:
        return None
    chosen, dispute = _chosen(asset.sources)
    found = _judged(placed, placed.use.tie, chosen.license, settings)
    if asset.generators and placed.use.tie == "trains_on" and chosen.kind != POLICY:
        found = _worst(found, _generated(placed, settings))
    judgement, limited = found
    source = chosen.kind
    if judgement.answer == "unknown" and not chosen.license:
        # What stands first here says more than that no licence is stated.
        said = f"{chosen.kind}: {chosen.reason}" if chosen.reason else _NOWHERE
        kept = tuple(r for r in judgement.reasons if r.says != UNSTATED)
        judgement = _with(judgement, (Reason("", "", "", said), *kept))
    weighed = Weighed(judgement.answer, chosen.license, source, judgement.reasons, limited, dispute)
    return _by_policy(weighed, placed.use.tie, settings)


def _listed(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _chosen(sources: tuple[Source, ...]) -> tuple[Source, tuple[Source, ...]]:
    """Return what holds: the policy's word, else what all sources say together."""
    ordered = sorted(sources, key=lambda s: _FIRST.index(s.kind) if s.kind in _FIRST else 0)
    if not ordered:
        return Source("", ""), ()
    if ordered[0].kind == POLICY:
        return ordered[0], ()
    named = [source for source in ordered if source.license]
    if not named:
        return ordered[0], ()
    for other in named[1:]:
        if not _agree(named[0].license, other.license):
            both = f"({named[0].license}) AND ({other.license})"
            return Source(named[0].kind, _tidy(both)), (named[0], other)
    unclear = next((source for source in ordered if source.reason and not source.license), None)
    if ordered[0].kind == CURATED and (unclear is ordered[0] or _is_part(ordered[0])):
        # Something of it is under terms nobody found: what is known of the rest is not enough.
        known = named[0].license if named[0].kind == CURATED else ""
        license = _tidy(f"({known}) AND NOASSERTION") if known else ""
        return Source(CURATED, license, ordered[0].reason), ()
    return named[0], ()


def _is_part(source: Source) -> bool:
    return source.reason.endswith("is stated")


def _agree(one: str, other: str) -> bool:
    try:
        return bool(narrow(one, other))
    except LicenseError:
        return False


def _tidy(text: str) -> str:
    try:
        return normalise(text)
    except LicenseError:
        return text


def _judged(placed: Placed, tie: Tie, inbound: str, settings: Settings) -> tuple[Judgement, bool]:
    outbound = placed.outbound
    given = tie in MAKING or placed.use.firm
    found = []
    for commercial in (True, False) if settings.commercial is None else (settings.commercial,):
        found.append(
            judge(
                tie,
                inbound,
                outbound.license,
                commercial=commercial,
                what=outbound.what,
                distributes=given and tie != "evaluates_on",
            )
        )
    if len(found) == 2 and found[0].answer == "forbidden" != found[1].answer:
        milder = found[1]
        answer: Answer = milder.answer if milder.answer == "unknown" else "conditions"
        limits = tuple(r for r in found[0].reasons if r not in milder.reasons)
        return _with(milder, (*limits, *milder.reasons), answer), True
    return found[0], False


def _generated(placed: Placed, settings: Settings) -> tuple[Judgement, bool]:
    """Judge the data as what its generators wrote: their terms bind who trains on it."""
    found = None
    for name, license in placed.asset.generators:
        if not license:
            said = Reason("", "", "", f"written by {name}, whose terms nobody has put down here")
            one = (Judgement("unknown", "distils_from", "", "", False, (said,)), False)
            found = one if found is None else _worst(found, one)
            continue
        judgement, limited = _judged(placed, "distils_from", license, settings)
        says = [
            Reason(r.license, r.tag, r.quote, f"written by {name}: {r.says}")
            for r in judgement.reasons
        ]
        one = (_with(judgement, tuple(says)), limited)
        found = one if found is None else _worst(found, one)
    assert found is not None
    return found


def _worst(one: tuple[Judgement, bool], other: tuple[Judgement, bool]) -> tuple[Judgement, bool]:
    strict, mild = sorted((one, other), key=lambda f: -_ORDER.index(f[0].answer))
    reasons = dict.fromkeys((*strict[0].reasons, *mild[0].reasons))
    return _with(strict[0], tuple(reasons)), one[1] or other[1]


def _with(
    judgement: Judgement, reasons: tuple[Reason, ...], answer: Answer | None = None
) -> Judgement:
    j = judgement
    return Judgement(answer or j.answer, j.tie, j.inbound, j.outbound, j.commercial, reasons)


def _by_policy(weighed: Weighed, tie: Tie, settings: Settings) -> Weighed:
    """Return what the policy makes of the clauses: it may raise or lower each."""
    if not settings.rules or not weighed.reasons:
        return weighed
    weights = {r: _rule(tie, r.tag, settings) for r in weighed.reasons}
    kept = tuple(r for r in weighed.reasons if weights[r] != "off")
    given = [weights[r] for r in kept]
    worst: Weight | Literal[""] = next((w for w in ("fail", "review") if w in given), "")
    answer = weighed.answer
    if answer in ("forbidden", "conditions") and not worst:
        if not kept:
            answer = "allowed"
        elif all(weight == "note" for weight in given):
            answer, worst = "conditions", "note"
    return Weighed(
        answer, weighed.license, weighed.source, kept, weighed.limited, weighed.dispute, worst
    )


def _rule(tie: Tie, tag: str, settings: Settings) -> Weight | Literal[""]:
    for pattern, weight in settings.rules.items():
        if tag and fnmatchcase(f"{tie}.{tag}", pattern):
            return weight
    return ""
