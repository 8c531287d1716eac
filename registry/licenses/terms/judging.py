"""May a thing be published that is tied to another: a verdict with the clauses it rests on.

Of the other's licence, OR leaves the choice and AND binds all; an exception (WITH) only adds
permission. Of what is published under, OR lets anybody choose, so each must do; under AND each
part is under one of them, so it is enough that one is what the other licence asks for, while
each may refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from registry.bom.values import Tie
from registry.licenses.expressions import LicenseError, fold, is_unstated, leaves, normalise
from registry.licenses.names import FAMILIES
from registry.licenses.terms.compatibility import (
    CARRYING,
    COPYLEFT,
    ORDER,
    Case,
    Verdict,
    demand,
    mildest,
    reason,
    refusal,
    strictest,
    unknown,
)
from registry.licenses.terms.reading import terms
from registry.licenses.terms.values import Answer, Judgement, Tag, Term, Terms, What
from registry.licenses.terms.wording import (
    FAMILY,
    NO_FACTS,
    NO_TERM,
    PUBLIC_DOMAIN,
    SAYS,
    SPARED,
    UNPUBLISHED,
    UNSETTLED,
    UNSTATED,
)

MOST = 20  # licences of one expression
# What the name of a family may stand for. BSD-4-Clause is not open source by OSI's list, which is
# what package indexes mean; the families of CC and GFDL have nothing in common.
MEMBERS: dict[str, tuple[str, ...]] = {
    "agpl": ("AGPL-3.0-only",),
    "apache": ("Apache-1.1", "Apache-2.0"),
    "bsd": ("BSD-2-Clause", "BSD-3-Clause"),
    "c-uda": ("C-UDA-1.0",),
    "epl": ("EPL-1.0", "EPL-2.0"),
    "gpl": ("GPL-2.0-only", "GPL-3.0-only"),
    "lgpl": ("LGPL-2.1-only", "LGPL-3.0-only"),
    "mpl": ("MPL-1.1", "MPL-2.0"),
    "odbl": ("ODbL-1.0",),
    "odc-by": ("ODC-By-1.0",),
    "pddl": ("PDDL-1.0",),
    "psf": ("PSF-2.0", "Python-2.0"),
    "zpl": ("ZPL-2.0", "ZPL-2.1"),
}
# Duties of who gives the thing, or what is made from it, to others.
_ON_SHARING: frozenset[Tag] = frozenset((
    "attribution", "naming", "no_derivatives", "no_distribution", "no_further_restrictions",
    "notice", "pass_on_terms", "reverse_engineering", "share_alike", "source_disclosure",
    "state_changes",
))  # fmt: skip
# Sentences that every licence has and nobody has to do anything about.
_SILENT: frozenset[Tag] = frozenset(
    ("warranty", "termination", "patent", "no_further_restrictions")
)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A verdict, and the part of the expression that was chosen for it."""

    inbound: str
    verdict: Verdict


def judge(
    tie: Tie,
    inbound: str,
    outbound: str,
    *,
    commercial: bool,
    what: What = "weights",
    distributes: bool = True,
) -> Judgement:
    """Judge a thing published under `outbound` that has this tie to one under `inbound`.

    Both are licence expressions. What cannot be told is `unknown`, with what to do. Raises
    BadFacts where the reviewed facts themselves cannot be read.
    """
    # Data made of data holds it, which a model that learnt from it does not.
    held: Tie = "merges" if tie == "trains_on" and what == "data" else tie
    case = Case(held, what, commercial, distributes)
    bad = _unreadable(inbound) or (_unreadable(outbound) if outbound or distributes else None)
    if bad:
        return Judgement("unknown", tie, inbound, outbound, commercial, bad.reasons)
    published = normalise(outbound) if outbound else ""
    leaf = partial(_leaf, outbound=published, case=case)
    chosen = fold(normalise(inbound), leaf, _every, _some)
    found = chosen.verdict
    return Judgement(found.answer, tie, chosen.inbound, published, commercial, found.reasons)


def _unreadable(expression: str) -> Verdict | None:
    if not expression.strip():
        return unknown("", UNSTATED)
    try:
        named = leaves(expression)
    except LicenseError as error:
        return unknown(f"{expression:.80}", f"{error}: state an SPDX expression")
    if len(named) > MOST:
        return unknown(f"{expression:.80}", f"{len(named)} licences, more than {MOST}: split it up")
    return None


def _every(choices: tuple[_Choice, ...]) -> _Choice:
    named = " AND ".join(dict.fromkeys(choice.inbound for choice in choices))
    return _Choice(named, strictest(choice.verdict for choice in choices))


def _some(choices: tuple[_Choice, ...]) -> _Choice:
    return min(choices, key=lambda choice: ORDER.index(choice.verdict.answer))


def _leaf(inbound: str, *, outbound: str, case: Case) -> _Choice:
    if inbound in FAMILIES:
        members = MEMBERS.get(inbound, ())
        found = [_one(member, outbound, case) for member in members]
        return _Choice(inbound, _agreed(inbound, found))
    return _Choice(inbound, _one(inbound, outbound, case))


def _agreed(family: str, verdicts: list[Verdict]) -> Verdict:
    """Return what holds whichever licence is meant; unknown where some block and some do not."""
    blocked = {v.answer in ("forbidden", "unknown") for v in verdicts}
    return strictest(verdicts) if len(blocked) == 1 else unknown(family, FAMILY)


def _one(inbound: str, outbound: str, case: Case) -> Verdict:
    base, _, exception = inbound.partition(" WITH ")
    verdict = _plain(base, outbound, case)
    granted = terms(exception) if exception else None
    if granted is None or not any(term.tie == case.tie for term in granted.terms):
        return verdict
    return mildest((_plain(exception, outbound, case), verdict))


def _plain(id: str, outbound: str, case: Case) -> Verdict:
    if is_unstated(id) or id == "LicenseRef-Public-Domain":
        return unknown(id, UNSTATED if is_unstated(id) else PUBLIC_DOMAIN)
    facts = terms(id)
    if facts is None:
        return unknown(id, NO_FACTS)
    term = next((term for term in facts.terms if term.tie == case.tie), None)
    if term is None or term.answer == "unknown":
        return unknown(id, NO_TERM)
    own = _own(facts, term, case)
    if term.spares_own and outbound and fold(outbound, partial(_same, facts), any, all):
        own = _spared(facts, term)
    if not term.clauses or not outbound or not case.distributes:
        return own  # there is nothing in it that another licence could bear on
    asked = partial(demand, facts, term, case=case)
    refused = partial(refusal, facts, term, case=case)
    met = fold(outbound, partial(_published, asked), mildest, strictest)
    taken = fold(outbound, partial(_published, refused), strictest, strictest)
    return strictest((taken, met, own))  # of two reasons alike the more telling first


def _published(ask: partial[Verdict], outbound: str) -> Verdict:
    if outbound in FAMILIES:
        return _agreed(outbound, [ask(member) for member in MEMBERS.get(outbound, ())])
    return ask(outbound)


def _own(facts: Terms, term: Term, case: Case) -> Verdict:
    """Judge what the licence says by itself, whatever the other one is."""
    if term.answer == "forbidden":
        return _forbidden(facts, term, case)
    if term.answer == "allowed":
        return Verdict()
    found = [_effect(facts, tag, case) for tag in term.clauses]
    return strictest(verdict for verdict in found if verdict.answer != "allowed")


def _forbidden(facts: Terms, term: Term, case: Case) -> Verdict:
    bound_to_sharing = set(term.clauses) <= _ON_SHARING
    if case.distributes or not bound_to_sharing:
        return Verdict("forbidden", tuple(reason(facts, tag) for tag in term.clauses))
    says = [(tag, UNPUBLISHED.format(says=SAYS[tag])) for tag in term.clauses]
    return Verdict("conditions", tuple(reason(facts, tag, text) for tag, text in says))


def _same(facts: Terms, outbound: str) -> bool:
    theirs = terms(outbound)
    return theirs is not None and theirs.id == facts.id


def _spared(facts: Terms, term: Term) -> Verdict:
    says = [(tag, SPARED.format(says=SAYS[tag])) for tag in term.clauses]
    return Verdict("conditions", tuple(reason(facts, tag, text) for tag, text in says))


def _effect(facts: Terms, tag: Tag, case: Case) -> Verdict:
    if tag in _SILENT or (tag in _ON_SHARING and not case.distributes):
        return Verdict()
    says = ""
    if case.learns and (tag in COPYLEFT or tag == "no_derivatives") and facts.nature != "model":
        says = UNSETTLED.format(says=SAYS[tag])
    return Verdict(_weight(tag, case), (reason(facts, tag, says),))


def _weight(tag: Tag, case: Case) -> Answer:
    if tag == "noncommercial":
        # A test set is not passed on, and whether a test is a commercial use is not settled.
        return "forbidden" if case.commercial and case.tie != "evaluates_on" else "conditions"
    if tag == "research_only":
        return "forbidden" if case.commercial else "conditions"
    if tag == "personal_only":
        return "forbidden" if case.commercial or case.distributes else "conditions"
    if tag == "no_distribution":
        return "forbidden" if case.tie in CARRYING else "conditions"
    return "conditions"
