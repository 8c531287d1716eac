"""`release doctor`: where git, DVC, MLflow and GitHub differ from the ledger, and their repair.

A store that does not answer is not taken for one that is right: the answer is "could not tell".
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bot.errors import BotError
from bot.printing import tell
from bot.quoting import printable
from bot.releasing.care import dvcdrift, gitdrift, mending, storedrift
from bot.releasing.job import Place
from bot.releasing.place import place
from bot.wording import plural
from registry.errors import RegistryError, ReleaseError, StoreFailed
from registry.release.drift import DVC, Drift
from registry.release.ledger import Ledger
from security.errors import SecurityError

WELL, DRIFTED, UNTOLD = 0, 1, 3  # exit codes
_EMPTY = Ledger((), (), (), ())


@dataclass(frozen=True, slots=True)
class Doubt:
    """A part that could not be looked at."""

    place: str
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found; `drifts` are ordered by part."""

    versions: int
    drifts: tuple[Drift, ...]
    doubts: tuple[Doubt, ...]

    @property
    def code(self) -> int:
        """The exit code: whatever could not be told outweighs what was."""
        if self.doubts:
            return UNTOLD
        return DRIFTED if any(one.severity != "note" for one in self.drifts) else WELL


def doctor(*, repo: Path, repair: bool, full: bool, jobs: int, format_: str) -> int:
    """Tell differences and, if asked, repair those that can be; return 0, 1 or 3."""
    with place(repo, say=tell) as there:
        ledger, found = look(there, full=full)
        tried = mended = 0
        if repair and any(one.repair for one in found.drifts):
            before = found
            tried = _mend(there, ledger, found)
            _, found = look(there, full=full)
            mended = len({*before.drifts} - {*found.drifts})
    if format_ == "json":
        said = {"versions": found.versions, "repaired": mended, "code": found.code,
                "drifts": [_plain(one) for one in found.drifts],
                "doubts": [asdict(one) for one in found.doubts]}  # fmt: skip
        click.echo(json.dumps(said, indent=2))
    else:
        _show(found, tried, mended)
    return found.code


def look(there: Place, *, full: bool) -> tuple[Ledger, Looked]:
    """Look at every part; a part that fails is a doubt, and the others are looked at all the same.

    Of a ledger that cannot be believed nothing else follows.
    """
    drifts: list[Drift] = []
    doubts: list[Doubt] = []
    online = True
    try:
        ledger = there.book.ledger()
    except StoreFailed as error:
        doubts.append(Doubt("git", error.message, error.hint))
        online, ledger = False, there.book.ledger(fresh=False)
    except ReleaseError as error:
        drifts.append(Drift("git", error.message, "error", error.hint))
        return _EMPTY, Looked(0, tuple(drifts), ())
    parts: tuple[tuple[str, Callable[[], Iterable[Drift]]], ...] = (
        ("git", lambda: gitdrift.tags(there, ledger, online=online)),
        ("git", lambda: gitdrift.commits(there, ledger)),
        ("git", lambda: gitdrift.files(there, ledger, full=full)),
        ("here", lambda: gitdrift.runs(there, ledger)),
        (DVC, lambda: _dvc(there, ledger, full=full)),
        ("mlflow", lambda: storedrift.mlflow(there, ledger, full=full)),
        ("github", lambda: storedrift.github(there, ledger, full=full)),
    )
    for name, part in parts:
        try:
            drifts += part()
        except (RegistryError, BotError, SecurityError) as error:
            doubts.append(Doubt(name, error.message, error.hint))
    return ledger, Looked(len(ledger.issued), tuple(drifts), tuple(doubts))


def _dvc(there: Place, ledger: Ledger, *, full: bool) -> list[Drift]:
    drifts: list[Drift] = []
    with tempfile.TemporaryDirectory(prefix="modelwarden-doctor-") as scratch:
        for store in dvcdrift.found(there, ledger, Path(scratch)):
            drifts += dvcdrift.judged(store)
            if full:
                wrong = {one.what for one in drifts}
                # Objects are read back several at once, in no order of their own.
                unsound = (one for one in dvcdrift.proven(store) if one.what not in wrong)
                drifts += sorted(unsound, key=lambda one: one.what)
    return drifts


def _mend(there: Place, ledger: Ledger, found: Looked) -> int:
    """Repair; a store that fails is told of, and found again by the second look."""
    try:
        return mending.mend(there, ledger, found.drifts, tell)
    except (RegistryError, BotError, SecurityError) as error:
        tell(f"{error.message}; {error.hint}")
        return 1


def _plain(one: Drift) -> dict[str, object]:
    return {"place": one.place, "what": one.what, "severity": one.severity,
            "remedy": one.remedy, "repair": one.repair is not None}  # fmt: skip


def _show(found: Looked, tried: int, mended: int) -> None:
    for one in found.drifts:
        click.echo(printable(f"{one.severity}: {one.place}: {one.what}"))
        click.echo(printable(f"  {one.remedy}"))
    for doubt in found.doubts:
        click.echo(printable(f"could not tell: {doubt.place}: {doubt.why}"))
        click.echo(printable(f"  {doubt.hint}"))
    if tried:
        click.echo(f"repaired: {plural(mended, 'difference')}")
    count = sum(one.severity != "note" for one in found.drifts)
    left = plural(count, "difference") if count else "no difference"
    click.echo(f"{plural(found.versions, 'release')}, {left}"
               + (", not all of it could be looked at" if found.doubts else ""))  # fmt: skip
