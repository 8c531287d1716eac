"""What is remembered of a data file: its leaks, and the sketches of its records."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.checks.data.settings import Settings
from bot.checks.data.sources import Source, opened
from bot.errors import TooLarge
from bot.world import World
from lab.data.kept import Part, divided, joined
from lab.data.leaks import Leak, search
from lab.data.records import Record, kind_of, read
from lab.data.sketch import documents, shingles, sketch
from lab.errors import DataError, NoReader, TooMuchData

if TYPE_CHECKING:
    from lab.data.grams import Index
    from lab.data.sketch import Shingles, Sketch

MAX_LEAKS = 1_000  # of a file that are kept, those of the largest share first


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a file was not read, or not all of it; `rule` is one of this check's."""

    rule: str
    path: str
    reason: str
    line: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Leaks:
    """What a search found: all of `count`, or those of the largest share."""

    found: tuple[Leak, ...] = ()
    count: int = 0
    records: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class _Sketched:
    part: Part
    trouble: Trouble | None = None


@dataclass(slots=True)
class Reading:
    """The records of a file that can be read, and why others cannot: known at the end."""

    world: World
    source: Source
    settings: Settings
    count: int = 0
    trouble: Trouble | None = None

    def __iter__(self) -> Iterator[Record]:
        settings, bad = self.settings, 0
        try:
            with opened(self.world, self.source, settings.max_bytes) as stream:
                for record in read(self.source.path, stream, settings.fields, settings.limits):
                    self.count += 1
                    if not record.trouble:
                        yield record
                        continue
                    bad += 1
                    if bad == 1:
                        self._note("data/unreadable", record.trouble, record.line)
        except (TooLarge, TooMuchData) as error:
            self._note("data/too-large", error.message, 0, error.hint)
        except NoReader:
            raise  # no fault of the file: nothing to remember with it
        except DataError as error:
            self._note("data/unreadable", error.message, error.line, error.hint)
        if bad > 1 and self.trouble is not None:
            reason = f"{self.trouble.reason}, and {bad - 1:,} more such records"
            self.trouble = replace(self.trouble, reason=reason)

    def _note(self, rule: str, reason: str, line: int, hint: str = "") -> None:
        if self.trouble is None:
            self.trouble = Trouble(rule, self.source.place, reason, line, hint)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads files under one policy, remembering by their bytes.

    Raises NoReader, Missing or RegistryError where a file cannot be had at all.
    """

    world: World
    settings: Settings
    maker: str

    def leaks(self, source: Source, index: Index) -> Leaks:
        """Search a file for evaluation items."""

        def make() -> Leaks:
            reading = Reading(self.world, source, self.settings)
            found = search(index, reading)
            largest = sorted(found, key=lambda leak: -leak.share)[:MAX_LEAKS]
            ordered = sorted(largest, key=lambda leak: (leak.line, leak.source, leak.id))
            return Leaks(tuple(ordered), len(found), reading.count, reading.trouble)

        maker = f"{self.maker}/leaks/{index.digest}/{self._how(source)}"
        found = self.world.facts(maker, source.key, Leaks, make)
        return replace(found, trouble=_placed(found.trouble, source))

    def _how(self, source: Source) -> str:
        packed = source.path.lower().endswith(".gz")
        limits = self.settings.max_bytes, self.settings.max_records
        return repr((kind_of(source.path), packed, self.settings.fields, limits))

    def sketch(self, source: Source) -> tuple[Sketch, Trouble | None]:
        """Return the sketch of a file, remembered in parts."""

        @functools.cache
        def parts() -> tuple[_Sketched, ...]:
            reading = Reading(self.world, source, self.settings)
            whole = sketch(reading, self.settings.duplicates)
            return tuple(_Sketched(part, reading.trouble) for part in divided(whole))

        maker = f"{self.maker}/sketch/{self.settings.duplicates}/{self._how(source)}"

        def part(number: int) -> _Sketched:
            key = f"{maker}/{number}"
            return self.world.facts(key, source.key, _Sketched, lambda: parts()[number])

        first = part(0)
        rest = [part(number).part for number in range(1, first.part.parts)]
        return joined([first.part, *rest]), _placed(first.trouble, source)

    def shingles(self, source: Source, rows: frozenset[int]) -> dict[int, Shingles]:
        """Return the shingles of some records of a file, read again."""
        reading = Reading(self.world, source, self.settings)
        numbered = enumerate(documents(reading, rows))
        found = {row: some for row, (_, some) in numbered if row in rows}
        return dict(zip(found, shingles(list(found.values())), strict=True))


def _placed(trouble: Trouble | None, source: Source) -> Trouble | None:
    """Return the trouble at this file: another of the same bytes may have been read first."""
    return None if trouble is None else replace(trouble, path=source.place)
