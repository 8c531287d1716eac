"""What a file says of models and data: which it uses, how, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass

from registry.bom.values import Kind, Tie


@dataclass(frozen=True, slots=True)
class Use:
    """A model or data set that a file names on a 1-based line.

    `name` is as the hub writes it (`org/name`) or a path. `key` is what names it: a key of the
    file, or a call. `firm` says that what is published is made with it; else code loads it when
    it runs. `sure` is False where a bare or path-like name may be a folder of the machine.
    """

    tie: Tie
    kind: Kind
    name: str
    line: int
    key: str
    firm: bool = True
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Stated:
    """A licence that a card states of its own folder; `license` is "" where `reason` says why."""

    license: str
    line: int
    reason: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """All that one file says. `makes` is what it describes or makes, "" where it is only code.

    `trouble` says why it cannot be read, though it must be; `skipped` why it was passed over;
    `computed` counts calls whose asset is not written out.
    """

    makes: str = ""
    uses: tuple[Use, ...] = ()
    stated: Stated | None = None
    trouble: str = ""
    line: int = 0
    skipped: str = ""
    computed: int = 0
