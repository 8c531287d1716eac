"""Steps fetch, intake, manifest: the files of the model at hand, harmless, and proven."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.keys import scanning
from bot.releasing.job import Job
from bot.wording import plural
from lab.model.folder import inspect
from registry.errors import CorruptWeights
from registry.release import staging
from registry.release.staging import Placed
from registry.release.steps import Facts, Tell
from security import hashing, storing
from security.hashing import Known
from security.manifest import Manifest

PLACED = "placed.json"  # what was laid out


@dataclass(frozen=True, slots=True)
class Fetch:
    """The model's files, from git, LFS or DVC, laid out in the staging folder."""

    job: Job
    name: str = "fetch"

    def about(self) -> str:
        """Say what is fetched."""
        weights = self.job.bound.weights
        count = plural(len(weights.pointers), "pointer")
        return f"lay out {count} of {weights.path or '.'}, {weights.size:,} bytes"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether all files lie there."""
        placed = read_placed(self.job)
        if not placed or not all((self.job.folder / one.path).is_file() for one in placed):
            return None
        return {"files": str(len(placed))}

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Lay them out."""
        job = self.job
        if not read_placed(job):
            job.folder.mkdir(parents=True, exist_ok=True)
        placed = staging.place(
            job.world, job.bound.located, job.folder, job.staging / "objects", commit=job.commit
        )
        _write(job.staging / PLACED, [asdict(one) for one in placed])
        return {"files": str(len(placed))}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: the staging folder goes as a whole."""


@dataclass(frozen=True, slots=True)
class Intake:
    """No file of the model runs code when it is loaded."""

    job: Job
    name: str = "intake"

    def about(self) -> str:
        """Say what is looked for."""
        return "scan every file for code that would run when it is loaded"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """Remember a scan of the same files."""
        found = _read(self.job.staging / "intake.json")
        same = isinstance(found, dict) and found.get("placed") == _placed_digest(self.job)
        return dict(found["facts"]) if same else None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Scan. Raises Untrusted naming the file."""
        job = self.job
        found = scanning.scan(job.folder, job.jobs)
        scanning.refuse(Path(job.model or "."), found)
        said = scanning.predicate(found)
        facts = {"outcome": str(said["outcome"]), "files": str(said["files"])}
        _write(job.staging / "scan.json", said)
        about = {"placed": _placed_digest(job), "facts": facts}
        _write(job.staging / "intake.json", about)
        return facts

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Digests of every file and tensor; the bytes are those that the commit points at."""

    job: Job
    name: str = "manifest"

    def about(self) -> str:
        """Say what is proven."""
        return "digest every file and tensor, and prove them against the pointers"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether the files that were proven are still there, unchanged."""
        found = _read(self.job.staging / "proven.json")
        if not isinstance(found, dict) or manifest(self.job).root != found.get("root"):
            return None
        return {str(name): str(value) for name, value in found.items()}

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Measure and prove. Raises CorruptWeights, ModelError."""
        job = self.job
        placed = read_placed(job)
        try:
            found = staging.measure(job.folder, placed, job.known, jobs=job.jobs)
        except CorruptWeights:
            # Laid out again by the next run: what these are links to may have been put right.
            (job.staging / PLACED).unlink(missing_ok=True)
            raise
        whole = _own(found, placed)
        files = inspect(job.folder, tensors(whole))
        facts = {
            "root": whole.root,
            "files": str(len(whole.entries)),
            "bytes": str(whole.size),
            "fingerprint": files.fingerprint,
        }
        _write(job.staging / "proven.json", facts)
        return facts

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it."""


def manifest(job: Job) -> Manifest:
    """Return the manifest of the model's own files, read again only where they changed."""
    return _own(published_manifest(job), read_placed(job))


def _own(found: Manifest, placed: Iterable[Placed]) -> Manifest:
    names = {one.path for one in placed}
    return Manifest(tuple(e for e in found.entries if e.path in names), found.ignored)


def published_manifest(job: Job) -> Manifest:
    """Return the manifest of everything in the published folder."""
    known = Known.load(job.known)
    found = hashing.measure(job.folder, known=known, jobs=job.jobs)
    known.save()
    return found


def tensors(found: Manifest) -> dict[tuple[str, str], str]:
    """Return the digest of every tensor by (file, name)."""
    return {(e.path, t.name): t.digest for e in found.entries for t in e.tensors}


def read_placed(job: Job) -> tuple[Placed, ...]:
    """Return what was laid out, () before."""
    found = _read(job.staging / PLACED)
    return tuple(Placed(**one) for one in found) if isinstance(found, list) else ()


def card_name(job: Job) -> str:
    """Return where the card goes: README.md, unless the model has one of its own."""
    own = {placed.path for placed in read_placed(job)}
    return "MODEL_CARD.md" if "README.md" in own else "README.md"


def _placed_digest(job: Job) -> str:
    path = job.staging / PLACED
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _write(path: Path, value: Any) -> None:
    storing.write(path, json.dumps(value, indent=1, sort_keys=True).encode() + b"\n")


def _read(path: Path) -> Any:
    """Return what a step wrote, None where there is nothing, or half of it."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
