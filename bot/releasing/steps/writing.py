"""Step documents: the card, bills of materials, provenance, notes and the release itself, as files.

The same for the same release: no clock and no name of this machine is in them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bot.bill import named
from bot.checks import licenses
from bot.checks.licenses.packages import shelves
from bot.errors import UsageError
from bot.people import Account
from bot.releasing.job import LINEAGE, RELEASE_JSON, Job
from bot.releasing.settings import Card
from bot.releasing.steps import evidence, hub, versioning
from bot.releasing.steps.gather import contributors
from bot.releasing.steps.placing import card_name, manifest, read_placed
from bot.world import LOCK_LIMIT
from registry.bom import cyclonedx, difference, spdx
from registry.bom.building import build
from registry.bom.described import Described, hyperparameters
from registry.bom.values import Bom
from registry.manifests import kind_of
from registry.release import provenance, values
from registry.release.graph import as_svg
from registry.release.lineage import lineage
from registry.release.pages.about import About
from registry.release.pages.card import card
from registry.release.pages.notes import notes
from registry.release.steps import Facts, Tell
from registry.release.values import Approval, Gated, Previous, Release
from security import storing
from security.manifest import Entry, Manifest
from security.paths import ATTESTATIONS, SIGNATURE
from security.trust import access

FOLDER = "release"
Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Documents:
    """The step."""

    job: Job
    name: str = "documents"

    def about(self) -> str:
        """Say what is written."""
        return "write card, bills of materials, provenance, notes, lineage and the release itself"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether the very files lie there that would be written."""
        files = made(self.job)
        for path, data in files.items():
            place = self.job.folder / path
            if not place.is_file() or place.read_bytes() != data:
                return None
        return _facts(files)

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Write them."""
        job = self.job
        files = made(job)
        (job.folder / FOLDER).mkdir(exist_ok=True)
        for path, data in files.items():
            storing.write(job.folder / path, data)
        return _facts(files)

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: the staging folder goes as a whole."""


def _facts(files: Files) -> Facts:
    return {"document": hashlib.sha256(files[RELEASE_JSON]).hexdigest(), "files": str(len(files))}


def made(job: Job) -> Files:
    """Return the files that a release adds to the model's folder. Raises UsageError for a clash."""
    found = evidence.read(job)
    if found is None:
        raise UsageError("no evidence is staged", "run the release again")
    own = {placed.path for placed in read_placed(job)}
    taken = (FOLDER, SIGNATURE, ATTESTATIONS, card_name(job))
    for path in sorted(own):
        if path.split("/")[0] in taken:
            raise UsageError(
                f"the model's folder has a {path.split('/')[0]} of its own, where the release's "
                "documents go",
                "rename it",
            )
    base = draft(job, found, manifest(job))
    about = about_of(job.settings.card, base, job.folder)
    files = _documents(job, base, about, found, card_name(job))
    whole = replace(base, outputs=_entries(files))
    drawn = as_svg(lineage(whole)).encode()
    files[f"{FOLDER}/lineage.svg"] = drawn
    whole = replace(whole, outputs=_entries(files))
    files[RELEASE_JSON] = values.dump(whole)
    return files


def draft(job: Job, found: evidence.Evidence, weights: Manifest) -> Release:
    """Return the release but for the files that it adds."""
    bound, before = job.bound, job.previous
    return Release(
        artifact=job.artifact,
        version=job.version,
        commit=job.commit,
        tag=job.tag,
        date=bound.date,
        repository=job.repository,
        weights=replace(bound.weights, files=weights.entries, root=weights.root),
        data=bound.data,
        environment=bound.environment,
        pipeline=bound.pipeline,
        fingerprint=found.fingerprint,
        measurements=found.records,
        against=found.against,
        licences=bound.licences,
        contributors=contributors(job.world, before.commit if before else "", job.commit),
        approvals=_approvals(job),
        checks=(*found.checks, *_accepted(job)),
        previous=Previous(before.version, before.root, before.commit) if before else None,
        interface=versioning.interface(job),
    )


def _accepted(job: Job) -> tuple[Gated, ...]:
    """Return the missing links that were accepted, with the reasons."""
    given = (one for one in job.excuses if one.rule.startswith(LINEAGE))
    waived = tuple(f"{one.rule.removeprefix(LINEAGE)}: {one.reason}" for one in given)
    links = (Gated("lineage", "pass", "missing links were accepted", waived),) if waived else ()
    runs = (
        Gated(one.rule, "pass", "required on GitHub, and let be", (f"{one.rule}: {one.reason}",))
        for one in job.excuses
        if one.rule in job.rules.required
    )
    return (*links, *runs)


def _approvals(job: Job) -> tuple[Approval, ...]:
    """Return who said yes to the pull request, as GitHub knows it now.

    By the names of the trust file, where it knows the accounts: a person who also signs is one.
    """
    pull = hub.merged(job)
    if pull is None:
        return ()
    yes = (Approval(_name(job, one.account), "review", one.at) for one in pull.approvers)
    return (*yes, Approval(_name(job, pull.merged_by), "merge", pull.merged_at))


def _name(job: Job, account: Account) -> str:
    proven = access.Account(account.login, account.id)
    known = access.person(job.trust, proven) if job.trust else None
    return known.name if known else account.login


def about_of(card_: Card, release: Release, folder: Path) -> About:
    """Return what is said of the model: the policy's words, the configuration's facts."""
    config = json.loads((folder / "config.json").read_bytes())
    names = config.get("architectures") if isinstance(config, dict) else None
    record = release.measurements[0] if release.measurements else None
    named = str(names[0]) if isinstance(names, list) and names else ""
    return About(
        title=card_.title,
        summary=card_.summary,
        uses=card_.uses,
        limits=card_.limits,
        languages=card_.languages,
        tags=card_.tags,
        task=card_.task,
        library="transformers",
        base_models=card_.base_models,
        relation=card_.relation,
        datasets=card_.datasets,
        data=card_.data,
        architecture=record.architecture if record else named,
        parameters=record.parameters if record else 0,
    )


def _documents(
    job: Job, release: Release, about: About, found: evidence.Evidence, card_name: str
) -> Files:
    bill = bom(job, release, about, job.commit)
    config = (job.folder / "config.json").read_bytes()
    described = Described(about, release.measurements, hyperparameters(config))
    before = job.before
    old = bom(job, before, about, before.commit) if before else None
    changes = difference.difference(old, bill) if old else None
    records = {"records": [asdict(one) for one in found.records]}
    return {
        card_name: card(release, about, before).encode(),
        f"{FOLDER}/bom.cdx.json": cyclonedx.dump(bill, described),
        f"{FOLDER}/bom.spdx.json": spdx.dump(bill, described),
        f"{FOLDER}/provenance.json": _json(_provenance(release, about)),
        f"{FOLDER}/measurements.json": _json(records),
        f"{FOLDER}/verdict.json": (job.staging / evidence.VERDICT).read_bytes(),
        f"{FOLDER}/notes.md": notes(release, before, changes).encode(),
    }


def bom(job: Job, release: Release, about: About, commit: str) -> Bom:
    """Return the bill of a release from the lock files of its commit."""
    locks = []
    for lock in release.environment:
        entry = job.world.entry(commit, lock.path)
        if entry is not None:
            data = job.world.read(entry.blob, LOCK_LIMIT)
            locks.append((lock.path, kind_of(lock.path) or "requirements", data))
    return build(release, locks, _licences(job), about, named(job.world, commit, job.own))


def _provenance(release: Release, about: About) -> Mapping[str, object]:
    """Say what made the release: the workflow of GitHub Actions, or somebody's own machine."""
    told = os.environ.get
    builder, run = "urn:modelwarden:builder:local", ""
    if told("GITHUB_ACTIONS") == "true" and (ref := told("GITHUB_WORKFLOW_REF")):
        server = told("GITHUB_SERVER_URL", "https://github.com")
        builder = f"{server}/{ref}"
        run = f"{server}/{told('GITHUB_REPOSITORY', '')}/actions/runs/{told('GITHUB_RUN_ID', '')}"
    return provenance.predicate(release, builder=builder, invocation=run, bases=about.base_models)


def _licences(job: Job) -> Callable[[str, str], str]:
    held = shelves(job.commit, job.world, job.own.section(licenses.NAME))

    def ask(name: str, version: str) -> str:
        return held.fact(name, f"=={version}" if version else "").license

    return ask


def _entries(files: Files) -> tuple[Entry, ...]:
    found = (Entry(p, len(data), hashlib.sha256(data).hexdigest()) for p, data in files.items())
    return tuple(sorted(found, key=lambda entry: entry.path))


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"
