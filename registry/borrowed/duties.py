"""What the licence of a used thing asks us to say: its clauses, and the words it prescribes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.bom.values import Tie
from registry.licenses.expressions import LicenseError, leaves
from registry.licenses.terms.reading import terms
from registry.licenses.terms.values import Clause, Tag

SAYING: tuple[Tag, ...] = ("attribution", "notice", "naming")
_MOST = 20  # licences of one expression
# Words that are to be said: in curly quotes, or in straight ones after a colon.
_SAID = re.compile(r"“([^”\[\]]{12,400})”|: \"([^\"\[\]]{12,400})\"")
_SHOWN = re.compile(r"\bdisplay(?: the (?:words|phrase|statement))? “([^”\[\]]{6,100})”")


@dataclass(frozen=True, slots=True)
class Duties:
    """`clauses` that ask for a name or notice, each (licence, clause); `said` the words they give.

    `unknown` are licences without reviewed facts.
    """

    clauses: tuple[tuple[str, Clause], ...] = ()
    said: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def duties(license: str, tie: Tie) -> Duties:
    """Return what a licence asks to be said of a thing that has this tie to us.

    Of a choice (OR) every licence counts: saying more harms nobody. Raises BadFacts.
    """
    try:
        named = dict.fromkeys(leaf.partition(" WITH ")[0] for leaf in leaves(license))
    except LicenseError:
        return Duties(unknown=(license,))
    clauses: list[tuple[str, Clause]] = []
    unknown: list[str] = []
    for name in list(named)[:_MOST]:
        facts = terms(name)
        if facts is None:
            unknown.append(name)
            continue
        asked = {tag for term in facts.terms if term.tie == tie for tag in term.clauses}
        clauses += ((name, c) for c in facts.clauses if c.tag in SAYING and c.tag in asked)
    said = dict.fromkeys(text for _, clause in clauses for text in _prescribed(clause))
    return Duties(tuple(clauses), tuple(said), tuple(unknown))


def _prescribed(clause: Clause) -> list[str]:
    pattern = _SHOWN if clause.tag == "naming" else _SAID
    found = ("".join(filter(None, one.groups())) for one in pattern.finditer(clause.quote))
    return [" ".join(text.split()) for text in found][:1]
