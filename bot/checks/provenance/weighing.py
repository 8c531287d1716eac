"""May something that was taken be published with the project: a verdict with its clause."""

from __future__ import annotations

from dataclasses import dataclass

from bot.checks.provenance.evidence import Evidence
from registry.bom.values import Tie
from registry.licenses.terms.judging import judge
from registry.licenses.terms.values import Answer, Reason, What


@dataclass(frozen=True, slots=True)
class Weighed:
    """A verdict; `limited` where only commercial use is forbidden."""

    answer: Answer
    license: str
    outbound: str
    reasons: tuple[Reason, ...] = ()
    limited: bool = False


def weigh(license: str, outbound: str, tie: Tie, *, commercial: bool | None) -> Weighed:
    """Judge a licence for one tie; where nobody says if money is earned, both are judged.

    Raises BadFacts where the reviewed facts cannot be read.
    """
    what: What = "code" if tie in ("vendors", "embeds") else "weights"
    gives = tie != "evaluates_on"
    asked = (True, False) if commercial is None else (commercial,)
    found = [
        judge(tie, license, outbound, commercial=c, what=what, distributes=gives) for c in asked
    ]
    strict, mild = found[0], found[-1]
    if strict.answer == "forbidden" and mild.answer in ("allowed", "conditions"):
        limits = tuple(r for r in strict.reasons if r not in mild.reasons)
        return Weighed("conditions", license, outbound, (*limits, *mild.reasons), limited=True)
    return Weighed(mild.answer, license, outbound, mild.reasons)


def published(evidence: Evidence, tie: Tie) -> str:
    """Return what a thing that is tied so is published under."""
    return evidence.outbound if tie in ("vendors", "embeds") else evidence.weights
