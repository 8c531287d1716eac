"""Where stores differ from the ledger, as findings. Pure: the ledger is right, they are derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from registry.release.ledger import Issued, Ledger

Severity = Literal["error", "warning", "note"]
DAY = timedelta(days=1)  # how long a release may take
REPAIR = "modelwarden release doctor --repair"
DVC = "dvc"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: in which store (git, dvc, mlflow, github, here), what, and what to do.

    `repair` is what `--repair` would do about it, as (kind, of what); None where people must.
    A note is no drift, only worth knowing.
    """

    place: str
    what: str
    severity: Severity
    remedy: str
    repair: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Needed:
    """An object that a release needs; `size` in bytes, -1 where nobody says."""

    id: str
    size: int
    who: str


class Registered(Protocol):
    """A version in MLflow that says it is a release of ours."""

    @property
    def version(self) -> str:
        """Of ours."""

    @property
    def number(self) -> int:
        """MLflow's."""

    @property
    def root(self) -> str:
        """What was signed."""

    @property
    def document(self) -> str:
        """The digest of its document."""

    @property
    def withdrawn(self) -> str:
        """Why, "" if it is not."""

    @property
    def status(self) -> str:
        """READY, or why not."""


def registered(
    ledger: Ledger,
    artifact: str,
    known: Sequence[Registered],
    pointing: Mapping[str, str],
    wanted: Mapping[str, str],
) -> Iterator[Drift]:
    """Compare MLflow's versions and aliases of an artifact with the ledger's."""
    by_version: dict[str, list[Registered]] = defaultdict(list)
    for one in known:
        by_version[one.version].append(one)
    issued = [one for one in ledger.issued if one.artifact == artifact]
    for each in issued:
        yield from _version(each, by_version.pop(each.version, []))
    begun = {one.version for one in ledger.claims if one.artifact == artifact}
    for version, found in sorted(by_version.items()):
        if version not in begun:
            yield Drift(
                "mlflow", f"version {found[0].number} says it is {artifact} {version}, which was "
                "never released", "error", "look who made it, and delete it in MLflow",
            )  # fmt: skip
    for alias, version in sorted(wanted.items()):
        if pointing.get(alias, "") != version:
            there = pointing.get(alias) or ("something else" if alias in pointing else "nothing")
            if alias in pointing or version:
                yield Drift(
                    "mlflow",
                    f"{alias} of {artifact} points at {there}, not at {version or 'nothing'}",
                    "error", REPAIR, ("alias", artifact),
                )  # fmt: skip


def _version(each: Issued, there: Sequence[Registered]) -> Iterator[Drift]:
    name = f"{each.artifact} {each.version}"
    if not there:
        yield Drift("mlflow", f"{name} is missing", "error", REPAIR, ("version", name))
    for one in there:
        if (one.root, one.document) != (each.root, each.document):
            yield Drift(
                "mlflow", f"{name} (version {one.number}) has the root {one.root[:12] or 'none'} "
                f"and the document {one.document[:12] or 'none'}, not {each.root[:12]} and "
                f"{each.document[:12]}", "error",
                f"look who changed it, delete that version in MLflow, then: {REPAIR}",
            )  # fmt: skip
        if one.status != "READY":
            yield Drift(
                "mlflow", f"{name} (version {one.number}) is {one.status[:40]}", "error",
                f"delete that version in MLflow, then: {REPAIR}",
            )  # fmt: skip
    if len(there) > 1:
        numbers = ", ".join(str(one.number) for one in there)
        yield Drift(
            "mlflow", f"{name} is there {len(there)} times: versions {numbers}", "error",
            "delete those in MLflow that no alias points at",
        )  # fmt: skip
    if there and each.withdrawn and not all(one.withdrawn for one in there):
        yield Drift(
            "mlflow", f"{name} is withdrawn, which MLflow does not say", "error", REPAIR,
            ("withdrawn", name),
        )  # fmt: skip


def objects(
    store: str,
    needed: Iterable[Needed],
    there: Mapping[str, int],
    mendable: Collection[str],
) -> Iterator[Drift]:
    """Compare the objects that releases need with what a store has, by size in bytes.

    `mendable` are those of which an intact copy is at hand.
    """
    for one in needed:
        found = there.get(one.id)
        if found is not None and (-1 in (found, one.size) or found == one.size):
            continue
        what = "is missing" if found is None else f"has {found:,} bytes, not {one.size:,}"
        yield _object(store, one, what, mendable)


def corrupt(store: str, one: Needed, mendable: Collection[str]) -> Drift:
    """Return what is said of an object whose bytes are not those of its name."""
    return _object(store, one, "has other bytes than its name says", mendable)


def _object(store: str, one: Needed, what: str, mendable: Collection[str]) -> Drift:
    can = one.id in mendable
    remedy = REPAIR if can else "push it from a clone that has it: dvc push, then doctor again"
    said = f"{store}: object {one.id} of {one.who} {what}"
    return Drift(DVC, said, "error", remedy, ("object", one.id) if can else None)


def claims(ledger: Ledger, now: datetime) -> Iterator[Drift]:
    """Name the releases that began more than a day ago and are not out."""
    for one in ledger.claims:
        since = datetime.fromisoformat(one.since).astimezone(UTC)
        if now - since > DAY:
            yield Drift(
                "git", f"{one.artifact} {one.version} is being released since {one.since[:10]}, "
                f"by {one.actor} (run {one.holder})", "warning",
                f"go on: modelwarden release run --commit {one.commit[:12]} (elsewhere with "
                "--take-over); or take it back: modelwarden release rollback "
                f"{one.version} --reason TEXT",
            )  # fmt: skip
