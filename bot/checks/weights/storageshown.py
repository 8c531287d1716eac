"""The files behind changed pointers as tables: totals of every output, then file by file."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.weights.storage import Storage, Tracked
from bot.exhibit import Table
from bot.quoting import plain
from bot.wording import plural
from registry.pointerdiff import UNKNOWN, Changed, What

OUTPUTS = ("tracked", "bytes", "files", "what happened", "new bytes", "note")
FILES = ("file", "what", "bytes before", "bytes after")
_ORDER = (What.ADDED, What.REMOVED, What.CHANGED, What.RENAMED)


def tables(found: Storage, rows: int) -> tuple[Table, ...]:
    """Return no table, or two: outputs and, where listings are known, files; of `rows` each."""
    if not found.outputs:
        return ()
    shown = [_output(one) for one in found.outputs[:rows]]
    left = found.more + len(found.outputs) - len(shown)
    outputs = Table(headline(found), OUTPUTS, _cut(shown, left))
    files = found.files
    if all(one.kind != "dvc-folder" for one in found.outputs):
        return (outputs,)  # file by file is what it shows
    lines = [_file(one) for one in files.files[:rows]]
    left = files.more + len(files.files) - len(lines)
    if not lines:
        return (outputs,)
    title = f"Files behind pointers: {_counts(files.counts)}; {files.same:,} as before"
    return (outputs, Table(title, FILES, _cut(lines, left)))


def headline(found: Storage) -> str:
    """Return what changed and what it adds to storage, in one line."""
    count = len(found.outputs) + found.more
    told = _counts(found.files.counts)
    unknown = sum(bool(one.doubt) for one in found.outputs)
    parts = [plural(count, "tracked output") + " changed", *((told,) if told else ())]
    if unknown:
        parts.append(f"per-file change not known of {unknown:,}")
    parts.append(f"new to storage: {_bytes(found.new, found.most, found.exact)}")
    return "Storage: " + "; ".join(parts)


def _counts(counts: tuple[tuple[str, int], ...]) -> str:
    known = dict(counts)
    return ", ".join(f"{known[what]:,} {what}" for what in _ORDER if known.get(what))


def _bytes(least: int, most: int, exact: bool) -> str:
    if exact or least == most:
        return f"{least:,} bytes"
    bounds = ([f"at least {least:,}"] if least else []) + (
        [f"at most {most:,}"] if most > 0 else []
    )
    return " and ".join(bounds) + " bytes" if bounds else "not known"


def _output(one: Tracked) -> tuple[str, ...]:
    return (
        plain(one.path),
        _moved(one.before, one.after),
        _moved(one.files_before, one.files_after),
        _happened(one),
        _bytes(one.new, one.most, one.exact).removesuffix(" bytes"),
        "; ".join(_notes(one)),
    )


def _moved(before: int, after: int) -> str:
    if before == after and after != UNKNOWN:
        return f"{after:,}"
    return f"{_number(before)} -> {_number(after)}"


def _number(value: int) -> str:
    return "?" if value == UNKNOWN else f"{value:,}"


def _happened(one: Tracked) -> str:
    if not one.files_after and not one.after:
        return "removed"
    whole = "new, " if not one.files_before and not one.before else ""
    return (whole + _counts(one.changes)) or "changed"


def _notes(one: Tracked) -> Iterator[str]:
    yield f"{one.kind}, {plain(one.source)}"
    if one.origin is not None:
        at = f" at {plain(one.origin.revision[:12])}" if one.origin.revision else ""
        kept = ", kept there" if one.origin.repository else ""
        frozen = ", frozen" if one.origin.frozen else ""
        yield f"imported from {plain(one.origin.url)}{at}{kept}{frozen}"
    if one.doubt:
        yield f"per-file change not known: {plain(one.doubt)}"


def _file(one: Changed) -> tuple[str, ...]:
    what = f"renamed from {plain(one.was)}" if one.what is What.RENAMED else one.what.value
    before = "" if one.what is What.ADDED else _number(one.before)
    after = "" if one.what is What.REMOVED else _number(one.after)
    return (plain(one.path), what, before, after)


def _cut(lines: list[tuple[str, ...]], left: int) -> tuple[tuple[str, ...], ...]:
    if left <= 0:
        return tuple(lines)
    return (*lines, (f"and {left:,} more", *("",) * (len(lines[0]) - 1)))
