"""The audit ledger as a table, JSON or CSV. Names in commits are a stranger's text."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict

from bot.audit import Audit, Contributor
from bot.cladoc import SHOWN
from bot.report.bars import table
from bot.report.neutral import scrub
from bot.wording import plural

# A spreadsheet takes a cell that begins so for a formula, also where it splits at another sign.
_FORMULA = re.compile(r"(^|[;|\t])([\s\"']*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
FORMAT = 1  # version of the JSON and of the CSV columns
SHARES = (
    "Shares are of all commits without merges, and of all lines they added and removed, whether "
    "or not these are still there."
)
STATED = "Names, addresses and dates are as the commits state them; .mailmap is not read."


def render(audit: Audit, format_: str, width: int = 120) -> str:
    """Return the ledger as text; `format_` is table, json or csv."""
    safe = scrub(audit)
    if format_ == "json":
        return json.dumps({"version": FORMAT} | asdict(safe), indent=2, ensure_ascii=False) + "\n"
    return _csv(safe) if format_ == "csv" else _table(safe, width)


def inert(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1\2'", text)


def _csv(audit: Audit) -> str:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(
        (
            "name", "address", "account", "login", "account_proven", "commits", "commit_share",
            "merges", "co_authored", "lines_added", "lines_removed", "line_share", "signed_off",
            "signatures", "verified", "cla", "cla_counts", "first_commit", "newcomer",
        )
    )  # fmt: skip
    for one in audit.people:
        writer.writerow([_cell(value) for value in _values(one, lines=audit.lines)])
    return file.getvalue()


def _values(one: Contributor, *, lines: bool) -> tuple[object, ...]:
    counted = (one.added, one.removed, f"{one.line_share:.6f}") if lines else (None, None, None)
    return (
        one.name, one.address, one.account or None, one.login, one.proven, one.commits,
        f"{one.commit_share:.6f}", one.merges, one.co_authored, *counted, one.signed_off,
        " ".join(f"{kind}:{count}" for kind, count in one.signatures), one.verified,
        " ".join(one.cla), one.cla_counts, one.first, one.newcomer,
    )  # fmt: skip


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return inert(str(value))


def _table(audit: Audit, width: int) -> str:
    heads = ["who", "commits", "share", "signed off", "signatures", "first"]
    if audit.lines:
        heads[3:3] = ["lines", "share"]
    if audit.document:
        heads[-1:-1] = ["agreement"]
    rows = tuple(_row(one, audit) for one in audit.people)
    body = table(tuple(heads), rows, width, most=len(rows))
    return "\n".join([*_head(audit), "", *body, "", *_notes(audit)]) + "\n"


def _head(audit: Audit) -> list[str]:
    span = f"{audit.base[:12]}..{audit.head[:12]}" if audit.base else audit.head[:12]
    parts = [plural(len(audit.people), "person", "people"), plural(audit.commits, "commit")]
    parts += [plural(audit.merges, "merge")] if audit.merges else []
    parts += [f"{audit.added:,} lines added, {audit.removed:,} removed"] if audit.lines else []
    new = sum(1 for one in audit.people if one.newcomer)
    parts += [f"{plural(new, 'first-timer')}"] if audit.base else []
    return [f"Contributors of {span}: {', '.join(parts)}"]


def _notes(audit: Audit) -> list[str]:
    lines = [SHARES, STATED]
    if audit.document:
        lines.append(f"Agreement of today: version {audit.document[:SHOWN]}.")
    if audit.unread:
        lines.append(f"Not counted: {plural(audit.unread, 'commit')} too large to read.")
    return lines


def _row(one: Contributor, audit: Audit) -> tuple[str, ...]:
    cells = [f"{one.name} <{one.address}>", f"{one.commits:,}", _share(one.commit_share)]
    if audit.lines:
        cells += [f"+{one.added:,} -{one.removed:,}", _share(one.line_share)]
    cells += [_signed_off(one), _signatures(one)]
    if audit.document:
        cells.append(_agreement(one))
    cells.append(one.first + (" (new)" if one.newcomer else ""))
    return tuple(cells)


def _share(part: float) -> str:
    return f"{part:.1%}"


def _signed_off(one: Contributor) -> str:
    if not one.commits:
        return f"co-author of {one.co_authored:,}" if one.co_authored else "-"
    return "all" if one.signed_off == one.commits else f"{one.signed_off:,} of {one.commits:,}"


def _signatures(one: Contributor) -> str:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in one.signatures) or "none"
    return kinds if one.verified is None else f"{kinds}; {one.verified:,} verified"


def _agreement(one: Contributor) -> str:
    if not one.account:
        return "no known account"
    if not one.cla:
        return "not signed"
    shown = one.cla[-1][:SHOWN]
    typed = "" if one.proven else ", account only stated"
    return f"{shown}{typed}" if one.cla_counts else f"{shown}, does not count"
