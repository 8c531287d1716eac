"""The scan of a file or a folder: every reading the bytes allow, each by its own reader.

Nothing of a file is imported, rendered or run, and no verdict depends on installed packages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from security.errors import Malformed, Unreadable
from security.scan import folder, readers
from security.scan.dryrun import Booth
from security.scan.findings import Findings, Spent, printable, refuse
from security.scan.readings import readings
from security.scan.source import Source
from security.scan.values import Limits, Scanned
from security.sniff import Format, is_model_name

__all__ = ["scan_file", "scan_tree"]
DEFAULTS = Limits()
# Formats of which a file cannot be two without somebody having wanted it.
_STRONG = frozenset({Format.ZIP, Format.TAR, Format.HDF5})


def scan_file(source: Source, limits: Limits = DEFAULTS, booth: Booth | None = None) -> Scanned:
    """Judge one file. `booth` lets several scans share the process that tries pickles."""
    if booth is None:
        with Booth() as own:
            return scan_file(source, limits, own)
    spent = Spent()
    found: tuple[Format, ...] = (Format.UNKNOWN,)
    report = Findings(source, limits, judge, booth, spent, 0)
    reason = ""
    try:
        found = readings(source)
        reason = _judge(source, report, found)
    except Unreadable as error:
        report.doubt("unreadable", error.message)
    return Scanned(source.name, str(found[0]), source.size, tuple(spent.threats), reason)


def scan_tree(
    root: Path, *, jobs: int = 0, progress: Callable[[Scanned], None] | None = None
) -> Iterator[Scanned]:
    """Judge every file of a folder, in the order of their paths.

    `jobs` files at a time, one per core at 0. `progress` hears of each as it is given.
    """
    for scanned in folder.scan(root, jobs, scan_file):
        if progress:
            progress(scanned)
        yield scanned


def judge(source: Source, report: Findings) -> None:
    """Judge a file inside another one."""
    _judge(source, report, readings(source))


def _judge(source: Source, report: Findings, found: tuple[Format, ...]) -> str:
    """Have each reading judged; return why nothing was to be read, or ""."""
    report.first = found[0]
    extra = [form for form in found[1:] if form in _STRONG]
    if extra:
        names = ", ".join([str(found[0]), *map(str, extra)])
        report.doubt("polyglot", f"can be read as {names}")
    first = found[0]
    if first is Format.EXECUTABLE:
        report.threat("executable", "is a program, not weights", 0)
    elif first is Format.UNKNOWN and is_model_name(source.base):
        report.doubt("unknown", "has the name of a model and a format that no reader here knows")
    decided = [_read(source, report, form) for form in found]
    if any(decided) or report.found:
        return ""
    return readers.SKIPPED.get(first, "no format of models")


def _read(source: Source, report: Findings, form: Format) -> bool:
    """Let the reader of one format judge; return whether there is one."""
    if form not in readers.MODULES:
        return False
    try:
        readers.reader(form)(source, report)
    except Malformed as error:
        refuse(report, error)
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - a reader that failed has decided nothing: doubt
        report.doubt("broken", printable(f"{form} reader failed: {type(error).__name__}: {error}"))
    return True
