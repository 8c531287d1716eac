"""The generated part of NOTICE: who is owed a name for what, in the words their licences give.

Pure and the same in every run. What people wrote outside of the two marks stays as it is.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from registry.bom.values import Tie
from registry.borrowed.duties import Duties, duties
from registry.borrowed.values import Entry
from registry.documents import DocumentError
from registry.licenses.terms.reading import terms

START = "--- What follows is written by `modelwarden release notice`; edit its sources instead ---"
END = "--- End of what `modelwarden release notice` writes ---"
LIMIT = 5_000_000  # bytes of NOTICE
_WIDTH = 100
_TAKEN: dict[Tie, str] = {
    "vendors": "taken from", "embeds": "taken from", "trains_on": "trained on, from",
    "finetunes": "fine-tuned from", "distils_from": "distilled from", "merges": "merged from",
    "quantises": "quantised from", "evaluates_on": "evaluated on, from",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Credit:
    """A model or data set that the project uses by name, and how."""

    name: str
    tie: Tie
    license: str


def generated(entries: Sequence[Entry], credits: Sequence[Credit] = ()) -> str:
    """Return what belongs between the marks, "" where nothing is owed to anybody.

    Raises BadFacts where the reviewed facts cannot be read.
    """
    parts = [_entry(one) for one in sorted(entries, key=lambda e: e.path)]
    owed = ((one, duties(one.license, one.tie)) for one in sorted(set(credits), key=_order))
    parts += [_credit(one, found) for one, found in owed if found.clauses]
    return "\n\n".join(parts) + "\n" if parts else ""


def _order(one: Credit) -> tuple[str, str, str]:
    return one.name.lower(), one.tie, one.license


def _entry(one: Entry) -> str:
    found = duties(one.license, one.tie)
    lines = [f"{one.path}: {_TAKEN.get(one.tie, 'from')} {one.source}"]
    lines[0] += f", {one.revision}" if one.revision else ""
    lines[0] += ", and modified" if one.modified else ""
    lines += [one.note] if one.note else []
    lines += [_copyright(name) for name in one.holders]
    lines.append(f"Licence: {one.license}" + (f", its text in {one.text}" if one.text else ""))
    return _shown([*lines, *found.said])


def _copyright(name: str) -> str:
    return name if name.lower().startswith(("copyright", "©", "(c)")) else f"Copyright {name}"


def _credit(one: Credit, found: Duties) -> str:
    lines = [f"{one.name}: {_TAKEN.get(one.tie, 'used')} the model hub", f"Licence: {one.license}"]
    if found.said:
        return _shown([*lines, *found.said])
    asked = dict.fromkeys(clause.quote for name, clause in found.clauses if _is_special(name))
    return _shown([*lines, *(f"It asks: {quote}" for quote in asked)])


def _is_special(license: str) -> bool:
    """Whether a licence is one of a publisher of models, whose duties no reader knows by name."""
    facts = terms(license)
    return facts is not None and facts.nature == "model"


def _shown(lines: list[str]) -> str:
    return "\n".join(
        part
        for number, line in enumerate(lines)
        for part in textwrap.wrap(
            line, _WIDTH, break_long_words=False, break_on_hyphens=False,
            initial_indent="  " if number else "", subsequent_indent="    " if number else "  ",
        )
    )  # fmt: skip


def part(text: str) -> str | None:
    """Return what stands between the marks, None where there are none. Raises DocumentError."""
    lines = text.splitlines()
    starts = [n for n, line in enumerate(lines) if line.strip() == START]
    ends = [n for n, line in enumerate(lines) if line.strip() == END]
    if not starts and not ends:
        return None
    if len(starts) != 1 or len(ends) != 1 or ends[0] < starts[0]:
        line = (starts or ends)[-1] + 1
        raise DocumentError("the marks of the generated part are not one pair", line)
    inside = "\n".join(lines[starts[0] + 1 : ends[0]]).strip("\n")
    return inside + "\n" if inside else ""


def replaced(text: str, inside: str) -> str:
    """Return NOTICE with this generated part, at its end where it had none. Raises DocumentError.

    An empty part is taken out together with its marks.
    """
    old = part(text)
    marked = f"{START}\n\n{inside}\n{END}\n" if inside else ""
    if old is None:
        rest = text.rstrip("\n")
        return f"{rest}\n\n{marked}" if marked and rest else marked or text
    lines = text.splitlines(keepends=True)
    first = next(n for n, line in enumerate(lines) if line.strip() == START)
    last = next(n for n, line in enumerate(lines) if line.strip() == END)
    before, after = "".join(lines[:first]), "".join(lines[last + 1 :])
    return before.rstrip("\n") + "\n" + after if not marked and before else before + marked + after
