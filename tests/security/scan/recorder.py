"""A report that keeps what it is told, for tests of readers."""

from __future__ import annotations

from dataclasses import dataclass, field

from security.scan.source import Source, of_bytes
from security.scan.values import Limits, Reader, Threat


@dataclass
class Recorder:
    """The report on one source."""

    name: str = "file"
    limits: Limits = field(default_factory=Limits)
    threats: list[Threat] = field(default_factory=list)
    inside: list[Source] = field(default_factory=list)
    streams: list[Source] = field(default_factory=list)

    def threat(self, rule: str, what: str, offset: int = -1) -> None:
        self.threats.append(Threat(rule, self.name, offset, what))

    def doubt(self, rule: str, what: str, offset: int = -1) -> None:
        self.threats.append(Threat(rule, self.name, offset, what, certain=False))

    def inner(self, source: Source) -> None:
        self.inside.append(source)

    def pickles(self, source: Source) -> None:
        self.streams.append(source)


def scan(reader: Reader, data: bytes, name: str = "file") -> list[Threat]:
    """Run a reader over bytes and return what it found."""
    report = Recorder(name)
    reader(of_bytes(name, data), report)
    return report.threats


def told(found: list[Threat]) -> list[tuple[str, bool]]:
    """Return the rules of what was found, with whether each is certain, once and sorted."""
    return sorted({(threat.rule, threat.certain) for threat in found})
