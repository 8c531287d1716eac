"""Which number a release gets, by what its users would notice."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.releasing.job import Job
from bot.releasing.steps.placing import Fetch, manifest
from lab.model.folder import CHAT_TEMPLATE, CONFIG, TOKENIZER, TOKENIZER_CONFIG
from registry.release import versions
from registry.release.interface import Interface, interface_of
from registry.release.steps import Tell


def suggested(job: Job, tell: Tell) -> str:
    """Return the next version, telling why. Raises Blocked where nothing changed.

    The model's small files are needed: what is not laid out yet is fetched.
    """
    version, reasons = suggestion(job, tell)
    for line in reasons:
        tell(f"{version}: {line}")
    return version


def suggestion(job: Job, tell: Tell) -> tuple[str, tuple[str, ...]]:
    """Return the next version and why. Raises Blocked."""
    fetch = Fetch(job)
    if fetch.look({}) is None:
        fetch.do({}, tell)
    before = job.before.interface if job.before else None
    bump, reasons = versions.suggest(before, interface(job))
    day = datetime.fromisoformat(job.bound.date).date()
    old = job.previous.version if job.previous else ""
    return versions.next(old, bump, job.settings.versioning, day), reasons


def interface(job: Job) -> Interface:
    """Return what users of the model depend on, from the files that are laid out."""
    return of_folder(job.folder, manifest(job).entries, job.commit)


def of_folder(folder: Path, entries: Any, commit: str) -> Interface:
    """Return the interface of a model folder whose files have these digests."""
    template = folder / CHAT_TEMPLATE
    tokenizer = folder / TOKENIZER
    return interface_of(
        _json(folder / CONFIG),
        tokenizer.read_bytes() if tokenizer.is_file() else b"",
        _json(folder / TOKENIZER_CONFIG),
        template.read_bytes() if template.is_file() else b"",
        entries,
        code=commit,
    )


def _json(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_bytes()) if path.is_file() else {}
    return found if isinstance(found, dict) else {}
