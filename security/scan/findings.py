"""What one scan has found and spent so far: the report that every reader writes to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Protocol

from security.errors import Malformed, TooLarge
from security.scan.claims import Beside
from security.scan.dryrun import Booth, Outcome
from security.scan.source import Source
from security.scan.values import Limits, Report, Threat
from security.sniff import Format

MAX_THREATS = 200  # of one file; the first ones say enough
MAX_WHAT = 300  # characters of one line
KEPT = 8 << 20  # bytes of one unpacked member that stay in memory
MEGABYTE = 1 << 20
STARTED, ENDED = 0.01, 3.0  # CPU seconds that a dry run counts, and one that had to be ended

Judge = Callable[[Source, "Findings"], None]


class Unpacking(Report, Protocol):
    """A report that also takes what a container holds in packed form.

    `members` are the sizes of all members by their names in lower case, where it knows them.
    """

    members: Mapping[str, int]

    def unpacked(self, name: str, packed: int, chunks: Iterable[bytes]) -> None:
        """Scan what these chunks join to, `packed` bytes before. Raises TooLarge."""


@dataclass(slots=True)
class Spent:
    """What one file has cost so far, everything inside it included."""

    members: int = 0
    unpacked: int = 0
    seconds: float = 0.0
    threats: list[Threat] = field(default_factory=list)


class Findings:
    """The report on one source; those on what lies inside share what was spent."""

    def __init__(
        self, source: Source, limits: Limits, judge: Judge, booth: Booth, spent: Spent, depth: int
    ) -> None:
        self._source = source
        self._limits = limits
        self._judge = judge
        self._booth = booth
        self._spent = spent
        self._depth = depth
        self.first = Format.UNKNOWN  # what the file shows itself to be
        self.members: Mapping[str, int] = {}
        self.beside: Beside | None = None  # the archive it is a member of

    @property
    def limits(self) -> Limits:
        """The bounds to keep."""
        return self._limits

    def tried(self, source: Source) -> Outcome:
        """Return what a dry run saw. Raises TooLarge where the file has had enough of them."""
        spent = self._spent
        if spent.seconds > self._limits.seconds:
            raise TooLarge(f"{source.name}: dry runs take too long altogether", HINT)
        outcome = self._booth.run(source, self._limits)
        spent.seconds += STARTED + outcome.seconds
        return outcome

    def ended(self) -> None:
        """Count a pickle that asked for too much: after a few of them the file gets no more."""
        self._spent.seconds += ENDED

    @property
    def found(self) -> bool:
        """Whether anything was found so far, wherever inside the file."""
        return bool(self._spent.threats)

    def threat(self, rule: str, what: str, offset: int = -1) -> None:
        """Note what would harm."""
        self._note(Threat(rule, self._source.name, offset, printable(what)))

    def doubt(self, rule: str, what: str, offset: int = -1) -> None:
        """Note what could not be decided."""
        self._note(Threat(rule, self._source.name, offset, printable(what), certain=False))

    def inner(self, source: Source) -> None:
        """Scan a file inside this one."""
        self._spent.members += 1
        if self._depth >= self._limits.depth:
            self.doubt("limit", f"holds more than {self._limits.depth} containers in each other")
        elif self._spent.members > self._limits.members:
            raise TooLarge(f"{source.name}: too many members", "publish fewer files")
        else:
            self._judge(source, self._inside(source))

    def unpacked(self, name: str, packed: int, chunks: Iterable[bytes]) -> None:
        """Unpack within the limits, into a file without a name, and scan it. Raises TooLarge."""
        size = 0
        with tempfile.SpooledTemporaryFile(KEPT) as file:
            for chunk in chunks:
                size += len(chunk)
                self._spent.unpacked += len(chunk)
                self._bound(name, size, packed)
                file.write(chunk)
            self.inner(Source(name, size, _reader(file)))

    def pickles(self, source: Source) -> None:
        """Judge every pickle of a stream."""
        from security.scan import pickles

        pickles.judge(source, self._inside(source), certain=True)

    def _inside(self, source: Source) -> Findings:
        inside = Findings(
            source, self._limits, self._judge, self._booth, self._spent, self._depth + 1
        )
        if self.members:
            name = source.name.removeprefix(f"{self._source.name}!/")
            inside.beside = Beside(self.members, name)
        return inside

    def _bound(self, name: str, size: int, packed: int) -> None:
        if self._spent.unpacked > self._limits.unpacked:
            raise TooLarge(f"{name}: unpacks to more than {self._limits.unpacked:,} bytes", HINT)
        if size > MEGABYTE and size > packed * self._limits.ratio:
            raise TooLarge(f"{name}: unpacks to more than {self._limits.ratio:,} times", HINT)

    def _note(self, threat: Threat) -> None:
        threats = self._spent.threats
        if threat in threats[-50:]:
            return
        if len(threats) < MAX_THREATS:
            threats.append(threat)
        elif threat.certain and all(not known.certain for known in threats):
            threats[-1] = threat  # a list full of doubts must not hide it


HINT = "publish the files themselves, as safetensors"


def printable(text: str) -> str:
    """Return text as one line that shows what it holds and moves no cursor."""
    if len(text) > MAX_WHAT:
        text = text[: MAX_WHAT - 3] + "..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def refuse(report: Report, error: Malformed) -> None:
    """Note an error of reading as the doubt it is."""
    report.doubt("limit" if isinstance(error, TooLarge) else "broken", error.message)


def _reader(file: IO[bytes]) -> Callable[[int, int], bytes]:
    def read(at: int, count: int) -> bytes:
        file.seek(at)
        return file.read(max(0, count))

    return read
