"""What all lock files share: one package at one version, from one place."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import canonicalize_name

from registry.manifests.requirement import Manifest, Option, Problem, Requirement


def locked(
    raw: str,
    line: int,
    *,
    version: str = "",
    url: str = "",
    index: str = "",
    hashed: bool = False,
    marker: str = "",
    group: str = "",
) -> Requirement | Problem:
    """Return a locked package; a Problem where it has no name."""
    if not raw:
        return Problem("a locked package without a name", line)
    specifier = f"=={version}" if version else ""
    name = canonicalize_name(raw)
    return Requirement(name, raw, line, specifier, (), marker, url, index, hashed, group)


def git_url(repository: str, revision: str) -> str:
    """Return a repository and a revision in the form pip knows."""
    prefix = "" if repository.startswith("git+") else "git+"
    return f"{prefix}{repository}@{revision}" if revision else f"{prefix}{repository}"


def lock(
    kind: str, items: Iterable[Requirement | Problem], options: Iterable[Option] = ()
) -> Manifest:
    """Return a lock; the first package from each index stands for an index option."""
    found = list(items)
    requirements = tuple(i for i in found if isinstance(i, Requirement))
    indexes: dict[str, int] = {}
    for requirement in requirements:
        if requirement.index:
            indexes.setdefault(requirement.index, requirement.line)
    seen = tuple(Option("index", value, line) for value, line in indexes.items())
    problems = tuple(i for i in found if isinstance(i, Problem))
    return Manifest(kind, requirements, (*options, *seen), problems, is_lock=True)
