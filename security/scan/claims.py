"""Whether an archive of torch holds the bytes that its pickle says it does: CVE-2026-24747."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from security.scan.values import Report

# `torch.load` reads the storages of `data.pkl` from `data/`, `torch.jit.load` those of
# `constants.pkl` from `constants/`; neither minds the case of a name.
_PICKLES = ("data.pkl", "constants.pkl")


@dataclass(frozen=True, slots=True)
class Claim:
    """A storage that a pickle names: bytes altogether, and of one element."""

    key: str
    size: int
    width: int


@dataclass(frozen=True, slots=True)
class Beside:
    """The archive around a member: the size of every member by its name in lower case."""

    sizes: Mapping[str, int]
    name: str


def compare(beside: Beside, claims: Iterable[Claim], report: Report) -> None:
    """Note every storage that is not there, or there in another size."""
    folder, slash, base = beside.name.lower().rpartition("/")
    if base not in _PICKLES:
        return
    records = f"{folder}{slash}{base.removesuffix('.pkl')}/"
    for claim in claims:
        present = beside.sizes.get(records + claim.key.lower(), -1)
        if present < 0:
            what = f"storage {claim.key} is {claim.size:,} bytes of which none are there"
            report.threat("pickle-argument", what)
        # A storage need not end with an element: torch writes its last bytes all the same.
        elif not claim.size <= present < claim.size + claim.width:
            what = f"storage {claim.key} is {claim.size:,} bytes of which {present:,} are there"
            report.threat("pickle-argument", what)
