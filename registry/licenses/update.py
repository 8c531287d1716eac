"""The explicit update of the licence cache from a package index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from registry.errors import RegistryError
from registry.licenses.cache import Entry, Project, merge
from registry.licenses.download import Absent, IndexUnavailable
from registry.licenses.index import Index
from registry.licenses.listing import File
from registry.licenses.metadata import claim
from registry.manifests import Requirement

WORKERS = 8
URL_VARIABLES = ("MODELWARDEN_INDEX", "PIP_INDEX_URL", "UV_DEFAULT_INDEX")


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What an update learned. `failed` holds (name, reason) of packages it got no answer for."""

    entries: tuple[Entry, ...]
    failed: tuple[tuple[str, str], ...]
    projects: tuple[Project, ...] = ()

    @property
    def unclear(self) -> tuple[Entry, ...]:
        """The packages whose metadata states no licence, each with its reason."""
        return tuple(e for e in self.entries if not e.license)


class NoIndex(RegistryError):
    """No index is named."""


def index_url(environment: Mapping[str, str] = os.environ) -> str:
    """Return the index that the environment or pip's configuration names. Raises NoIndex."""
    found = next((environment[v] for v in URL_VARIABLES if environment.get(v)), "")
    found = found or pips_index()
    if not found:
        hint = f"give --index URL or set {URL_VARIABLES[0]}"
        raise NoIndex("no package index is named", hint)
    return found


def pips_index() -> str:
    """Return the index pip would use: its configuration first, so private names stay private."""
    command = [sys.executable, "-I", "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout.strip():
        return done.stdout.strip()
    try:
        from pip._internal.models.index import PyPI
    except ImportError:  # an environment without pip
        return ""
    return str(PyPI.simple_url)


def wanted(requirements: Iterable[Requirement]) -> tuple[tuple[str, str], ...]:
    """Return what to ask the index for: not what comes from a URL, a path or elsewhere."""
    asked = {(r.name, r.specifier) for r in requirements if _is_on_an_index(r)}
    return tuple(sorted(asked))


def _is_on_an_index(requirement: Requirement) -> bool:
    return bool(requirement.name) and not requirement.url and requirement.ecosystem == "pypi"


def update(
    packages: Iterable[tuple[str, str]],
    index_url: str,
    cache_path: Path,
    progress: Callable[[str], None] = lambda line: None,
) -> UpdateResult:
    """Ask the index for each (canonical name, specifier) and merge the answers into the cache.

    A project's page is asked for once. That the index has no such project is kept as well.
    """
    index = Index(index_url)
    asked: dict[str, list[str]] = {}
    for name, specifier in sorted(set(packages)):
        asked.setdefault(name, []).append(specifier)
    today = datetime.now(UTC).date().isoformat()
    entries: list[Entry] = []
    failed: list[tuple[str, str]] = []
    projects: list[Project] = []

    def ask(name: str) -> tuple[Project | None, list[Entry | str]]:
        try:
            files = index.files(name)
        except IndexUnavailable as error:
            gone = Project(name, index_url, False, today) if isinstance(error, Absent) else None
            return gone, [error.message for _ in asked[name]]
        times = sorted(file.uploaded for file in files if file.uploaded) or [""]
        met = Project(name, index_url, True, today, times[0], times[-1])
        return met, [_entry(index, files, name, wish, today) for wish in asked[name]]

    with ThreadPoolExecutor(WORKERS) as pool:
        for name, (project, answers) in zip(asked, pool.map(ask, asked), strict=True):
            projects += [project] if project is not None else []
            for specifier, answer in zip(asked[name], answers, strict=True):
                if isinstance(answer, str):
                    failed.append((name, answer))
                    progress(f"{name}{specifier}: {answer}")
                else:
                    entries.append(answer)
                    progress(f"{name} {answer.version}: {answer.license or answer.reason}")
    if entries or projects:
        merge(cache_path, entries, projects)
    return UpdateResult(tuple(entries), tuple(failed), tuple(projects))


def _entry(
    index: Index, files: tuple[File, ...], name: str, specifier: str, today: str
) -> Entry | str:
    try:
        version, fields = index.fields_among(files, name, specifier)
    except IndexUnavailable as error:
        return error.message
    said = claim(fields)
    uploaded = max(file.uploaded for file in files if str(file.version) == version)
    return Entry(name, version, said.license, said.reason, today, uploaded)
