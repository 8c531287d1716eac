"""A release of what lies in the working folder, before any commit of it: for stages of dvc.yaml.

What is written depends on these files alone, so that `dvc repro` finds the same again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot import catalog, policy
from bot.checks import regression
from bot.errors import UsageError
from bot.policy import Policy
from bot.releasing.steps.placing import tensors
from bot.releasing.steps.versioning import of_folder
from bot.releasing.steps.writing import about_of
from lab.model.folder import inspect
from lab.record import Record
from registry.release.pages.card import card as card_of
from registry.release.values import Artifact, Licence, Release
from security import hashing, strictjson

LIMIT = 50_000_000  # bytes of measurements
_RECORDS = TypeAdapter(tuple[Record, ...])
_BESIDE = ("digest", "reused")  # what `measure --format json` says of a record besides itself


def card(repo: Path, model: Path | None, measurements: Path | None) -> str:
    """Return the card of a model in the working folder. Raises UsageError, ModelError."""
    used = _policy(repo)
    folder = _folder(repo, model, used)
    release = _release(repo, folder, used, _records(measurements))
    return card_of(release, about_of(used.release.card, release, folder))


def planned(repo: Path, model: Path | None) -> dict[str, Any]:
    """Return what would be released, as JSON has it."""
    used = _policy(repo)
    folder = _folder(repo, model, used)
    release = _release(repo, folder, used, ())
    assert release.interface is not None
    suites: regression.Settings = used.section(regression.NAME)
    return {
        "artifact": release.artifact,
        "architecture": release.interface.architecture,
        "root": release.weights.root,
        "fingerprint": release.fingerprint,
        "files": {one.path: one.digest for one in release.weights.files},
        "suites": [suite.path for suite in suites.suite],
        "versioning": used.release.versioning,
        "steps": [
            "fetch", "intake", "manifest", "evidence", "documents", "gate", "claim", "sign", "seal",
            "verify", "upload", "record", "announce",
        ],
    }  # fmt: skip


def _release(repo: Path, folder: Path, used: Policy, records: tuple[Record, ...]) -> Release:
    whole = hashing.measure(folder)
    files = inspect(folder, tensors(whole))
    other = [one.task for one in records if one.fingerprint != files.fingerprint]
    if other:
        raise UsageError(
            f"the measurements on {other[0]} are of another model than {folder}", "measure it anew"
        )
    settings = used.release
    return Release(
        artifact=settings.artifact or repo.resolve().name,
        version="0.0.0",
        commit="",
        tag="",
        date="",
        repository="",
        weights=Artifact(folder.name, "weights", (), whole.entries, whole.root),
        fingerprint=files.fingerprint,
        measurements=records,
        licences=(Licence("weights", "release.licence", settings.licence),),
        interface=of_folder(folder, whole.entries, ""),
    )


def _policy(repo: Path) -> Policy:
    path = repo / policy.POLICY_PATH
    if not path.is_file():
        return policy.default(catalog.CHECKS)
    data = path.read_bytes()[: policy.POLICY_LIMIT + 1]
    return policy.load(data, str(path), str(path), catalog.CHECKS, catalog.rules())


def _folder(repo: Path, model: Path | None, used: Policy) -> Path:
    settings: regression.Settings = used.section(regression.NAME)
    named = model or (repo / (used.release.model or settings.folder))
    if not (named / "config.json").is_file():
        raise UsageError(f"{named} holds no model", "name its folder: --model DIR")
    return named


def _records(path: Path | None) -> tuple[Record, ...]:
    """Read what `measure --format json` wrote. Raises UsageError."""
    if path is None:
        return ()
    hint = "write it with: modelwarden measure MODEL --format json --output FILE"
    try:
        found = strictjson.loads(path.read_bytes(), limit=LIMIT)
        rows = found["records"]
        kept = [{k: v for k, v in row.items() if k not in _BESIDE} for row in rows]
        return _RECORDS.validate_json(json.dumps(kept), strict=True)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint) from error
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        raise UsageError(f"{path} holds no measurements", hint) from error
