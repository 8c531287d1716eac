"""Tables of what leaks and what comes twice."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.data.evidence import Evidence
from bot.checks.dependencies.shown import shown
from bot.exhibit import Table


def tables(evidence: Evidence) -> tuple[Table, ...]:
    """Return the tables that have something to show."""
    found = (_sets(evidence), _copies(evidence), _examples(evidence))
    return tuple(table for table in found if table.rows)


def _sets(evidence: Evidence) -> Table:
    def row(name: str, items: int) -> tuple[str, ...]:
        mine = [one for one in evidence.leaks if one.leak.source == name]
        leaked = {one.leak.id: max(one.leak.share, 0.0) for one in mine}
        whole = sum(share >= 1 for share in leaked.values())
        share = f"{len(leaked) / items:.1%}" if items else ""
        return shown(name), f"{items:,}", f"{len(leaked):,}", f"{whole:,}", share

    rows = tuple(row(name, items) for name, items in evidence.sets)
    return Table(
        "Evaluation items in training data",
        ("set", "items", "found", "found whole", "share"),
        rows if evidence.leaks else (),
    )


def _copies(evidence: Evidence) -> Table:
    rows = tuple(
        (
            shown(one.path),
            f"{one.added:,}",
            f"{one.same:,}",
            f"{one.near:,}",
            f"{(one.same + one.near) / one.added:.1%}",
        )
        for one in evidence.copies
        if one.added and one.same + one.near
    )
    columns = ("file", "added records", "same words", "nearly the same", "share")
    return Table("Duplicates among added records", columns, rows)


def _examples(evidence: Evidence) -> Table:
    def rows() -> Iterator[tuple[str, ...]]:
        for one in evidence.copies:
            for line, path, other, likeness in one.examples:
                yield f"{shown(one.path)}:{line}", f"{shown(path)}:{other}", f"{likeness:.3f}"

    columns = ("record", "says what this does", "likeness")
    return Table("The likest duplicates", columns, tuple(rows())[:50])
