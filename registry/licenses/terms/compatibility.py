"""What one licence asks of the licence of a work that takes the thing in, and what that refuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.bom.values import Tie
from registry.licenses.expressions import is_unstated
from registry.licenses.terms.reading import terms
from registry.licenses.terms.values import Answer, Reason, Tag, Term, Terms, What
from registry.licenses.terms.wording import (
    CONFLICT,
    LATER,
    NO_FACTS,
    OTHER_TERMS,
    SAYS,
    UNREAD,
    UNSTATED,
    WIDER,
)

ORDER: tuple[Answer, ...] = ("allowed", "conditions", "unknown", "forbidden")
# Ties by which the thing itself, changed or not, is in what is published.
CARRYING: frozenset[Tie] = frozenset(
    ("vendors", "finetunes", "merges", "quantises", "embeds"),
)
# Ties by which only something learnt from it is.
LEARNING: frozenset[Tie] = frozenset(("trains_on", "distils_from"))
ANY = "any"  # in `into`: the text lets what is made from the thing be under terms of one's choice
COPYLEFT: frozenset[Tag] = frozenset(("share_alike", "network_share_alike"))
# Limits of use that the licence of what is published may not lift: it must have one of these.
_LIMITS: dict[Tag, frozenset[Tag]] = {
    "noncommercial": frozenset(("noncommercial", "research_only", "personal_only")),
    "research_only": frozenset(("research_only", "personal_only")),
    "personal_only": frozenset(("personal_only",)),
    "field_of_use": frozenset(),
    # The uses that two licences rule out are not the same ones: `into` says where they are.
    "use_restrictions": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer and its reasons, the weightiest first."""

    answer: Answer = "allowed"
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """How the thing is used: the tie, what is published, for money or not, to others or not."""

    tie: Tie
    what: What
    commercial: bool
    distributes: bool

    @property
    def learns(self) -> bool:
        """Whether only a model's knowledge of the thing, or what it says, is published."""
        return self.tie in LEARNING and self.what in ("weights", "output")


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return all as one: the strictest answer, and of each clause its weightiest reason."""
    ordered = sorted(verdicts, key=lambda v: ORDER.index(v.answer), reverse=True)
    kept: dict[tuple[str, str], Reason] = {}
    for each in (reason for verdict in ordered for reason in verdict.reasons):
        kept.setdefault((each.license, each.tag), each)
    return Verdict(ordered[0].answer if ordered else "allowed", tuple(kept.values()))


def mildest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict that allows most, the first of several."""
    return min(verdicts, key=lambda v: ORDER.index(v.answer))


def unknown(license: str, says: str) -> Verdict:
    """Return "could not tell", with what to do."""
    return Verdict("unknown", (Reason(license, "", "", says),))


def reason(facts: Terms, tag: Tag, says: str = "") -> Reason:
    """Return the reason that a clause gives, with its sentence."""
    quote = next((clause.quote for clause in facts.clauses if clause.tag == tag), "")
    return Reason(facts.id, tag, quote, says or SAYS[tag])


def demand(facts: Terms, term: Term, outbound: str, case: Case) -> Verdict:
    """Judge whether `outbound` (one licence) is one that the thing's licence asks for."""
    missing = {tag for tag in term.clauses if _asked(tag, case)}
    if not missing:
        return Verdict()
    base = outbound.partition(" WITH ")[0]
    if is_unstated(base):
        return unknown(outbound, UNSTATED)
    theirs = terms(base)
    id = theirs.id if theirs else base
    if id == facts.id or id in facts.into or ANY in facts.into:
        return Verdict()
    if theirs is not None:
        held = {clause.tag for clause in theirs.clauses}
        missing -= {tag for tag in missing if _LIMITS.get(tag, frozenset()) & held}
    if not missing:
        return Verdict()
    tags = [tag for tag in term.clauses if tag in missing]
    if theirs is None and not COPYLEFT & missing:
        unread = UNREAD.format(outbound=outbound)
        return Verdict("unknown", tuple(reason(facts, tag, unread) for tag in tags))
    return Verdict("forbidden", tuple(reason(facts, t, _says(t, outbound)) for t in tags))


def refusal(facts: Terms, term: Term, outbound: str, case: Case) -> Verdict:
    """Judge whether `outbound` (one licence) refuses what the thing's licence asks."""
    if case.learns or case.tie == "evaluates_on" or not case.distributes:
        return Verdict()
    base = outbound.partition(" WITH ")[0]
    if is_unstated(base):
        return unknown(outbound, UNSTATED)
    theirs = terms(base)
    if theirs is None:
        return unknown(outbound, NO_FACTS)
    if theirs.id == facts.id:
        return Verdict()
    if case.tie == "links" and not _binds_links(theirs):
        return Verdict()
    refused = _refused(facts, term, theirs)
    if refused:
        return Verdict("forbidden", refused)
    older = terms(theirs.id.replace("-or-later", "-only"))
    if older is None or older.id == theirs.id or older.id == facts.id:
        return Verdict()
    found = _refused(facts, term, older)
    if not found:
        return Verdict()
    first = found[0]
    says = LATER.format(older=older.id)
    return Verdict("conditions", (Reason(first.license, first.tag, first.quote, says),))


def _binds_links(theirs: Terms) -> bool:
    """Whether a work under it makes one whole with what it links: the LGPL says it does not."""
    links = next((term for term in theirs.terms if term.tie == "links"), None)
    return links is None or bool(COPYLEFT & set(links.clauses))


def _refused(facts: Terms, term: Term, theirs: Terms) -> tuple[Reason, ...]:
    tags = [tag for tag in term.clauses if tag in theirs.refuses]
    if facts.id not in theirs.refuses and not tags:
        return ()
    says = CONFLICT.format(outbound=theirs.id, says="it asks for more than that one lets add")
    own = [reason(facts, tag, says) for tag in tags or _telling(facts, term)]
    return (*own, reason(theirs, "no_further_restrictions"))


def _telling(facts: Terms, term: Term) -> list[Tag]:
    """Return the tags of the term that best tell why the whole licence is refused."""
    return list(term.clauses[:1]) or [clause.tag for clause in facts.clauses[:1]]


def _asked(tag: Tag, case: Case) -> bool:
    if not case.distributes:
        return False
    if tag == "pass_on_terms":
        return True
    if tag in COPYLEFT:
        return not case.learns
    return tag in _LIMITS and case.tie in CARRYING


def _says(tag: Tag, outbound: str) -> str:
    if tag in _LIMITS:
        return WIDER.format(outbound=outbound, says=SAYS[tag])
    return OTHER_TERMS.format(outbound=outbound)
