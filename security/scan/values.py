"""What a scan finds, and what readers of formats get to say it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from security.scan.source import Source


class Judgement(StrEnum):
    """Of one file. UNDECIDED blocks as FLAG does; SKIP says why nothing was to be read."""

    CLEAN = "clean"
    SKIP = "skip"
    UNDECIDED = "undecided"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Threat:
    """Something that would harm whoever loads the file or, where not `certain`, may do so.

    `rule` is one of security.scan.rules; `place` the file, members after "!/"; `offset` counts
    bytes in it, -1 where none can be named; `what` is one line, such as "calls os.system".
    """

    rule: str
    place: str
    offset: int
    what: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Scanned:
    """The judgement on one file, in the order of what was found. `reason` is that of a skip."""

    path: str
    format: str
    size: int
    threats: tuple[Threat, ...] = ()
    reason: str = ""

    @property
    def judgement(self) -> Judgement:
        """The worst of what was found."""
        if any(threat.certain for threat in self.threats):
            return Judgement.FLAG
        if self.threats:
            return Judgement.UNDECIDED
        return Judgement.SKIP if self.reason else Judgement.CLEAN


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one file, everything inside it included."""

    depth: int = 4  # containers in containers
    members: int = 100_000
    unpacked: int = 2 << 30  # bytes, all compressed members together
    ratio: int = 1_000  # unpacked over packed, of one member beyond a megabyte
    text: int = 32 << 20  # bytes of one configuration, template, or header
    seconds: float = 30.0  # CPU of all dry runs of one file
    memory: int = 512 << 20  # bytes of one dry run


class Report(Protocol):
    """What a reader of one format says about its file, and asks for what lies inside."""

    @property
    def limits(self) -> Limits:
        """The bounds to keep; going beyond one is a doubt."""

    def threat(self, rule: str, what: str, offset: int = -1) -> None:
        """This would harm."""

    def doubt(self, rule: str, what: str, offset: int = -1) -> None:
        """This could not be decided."""

    def inner(self, source: Source) -> None:
        """Scan a file inside this one, by its content; depth, number and bytes are bounded."""

    def pickles(self, source: Source) -> None:
        """Judge every pickle of a stream by a dry run, and what follows the last."""


# Reads one file of its format and reports. Raises Malformed, which becomes a doubt.
Reader = Callable[[Source, Report], None]
