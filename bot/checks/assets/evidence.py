"""What was found about the models and data of a change."""

from __future__ import annotations

from dataclasses import dataclass

from registry.assets.values import Use
from registry.licenses.terms.values import What


@dataclass(frozen=True, slots=True)
class Source:
    """What one source says of an asset's licence; "" where `reason` says why it is unclear."""

    kind: str
    license: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Asset:
    """A model or data set by name. `path` is where in the repository it is, "" for the hub.

    `generators` are (model, licence of its outputs) that wrote a data set, "" where not known.
    """

    name: str
    path: str = ""
    sources: tuple[Source, ...] = ()
    generators: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outbound:
    """The licence that something is published under, and where that is said.

    `stated` is False where only the project's LICENSE speaks: nobody said it of weights or data.
    """

    what: What
    license: str
    where: str
    stated: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """One use on its line. `demo` is for files that only test or show; `fresh` for new uses."""

    path: str
    use: Use
    asset: Asset
    outbound: Outbound
    demo: bool = False
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Dispute:
    """A card and the LICENSE beside it that name different licences; `old` as at the base."""

    path: str
    line: int
    said: str
    text_path: str
    text: str
    old: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """A changed file that cannot be read; `must` where that leaves the question open."""

    path: str
    line: int
    why: str
    must: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the check found; `computed` calls name an asset that is not written out.

    `elsewhere` counts names of paths that the repository does not hold, `imported` is the date
    of the curated provenance, "" for none, and `excess` says what was too much to judge again.
    """

    placed: tuple[Placed, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    unread: tuple[Unread, ...] = ()
    computed: int = 0
    elsewhere: int = 0
    imported: str = ""
    excess: str = ""
