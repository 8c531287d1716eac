"""Looks whether anything at the head imports what the change declares, or still declares."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bot.checks.dependencies.tree import Tree
from bot.checks.dependencies.usage import Unused
from registry.manifests import Manifest, Requirement
from registry.manifests.difference import Delta
from registry.manifests.provided import installed, is_needed_unseen, is_standard, provides

DECLARING = ("requirements", "requirements-in", "pyproject", "pipfile", "setup-py", "setup-cfg")
MAX_CANDIDATES = 200
MAX_DECLARED = 1_000  # requirements of one manifest that are held against imports that went
FROZEN = 15  # requirements, all pinned: written by a tool, and most are there for the others
# Names of the lists that an installer of the project needs whole; others are for some only.
_WHOLE = re.compile(
    r"requirements?([-_.](base|common|core|main|runtime|prod|production))?\.(txt|in)"
)
_ASIDE = re.compile(r"dev|test|doc|lint|ci\b|build|example|bench|script|tool|demo")
Candidates = dict[str, Unused]


def unused(
    gone: frozenset[str],
    deltas: Sequence[Delta],
    files: Mapping[str, Manifest],
    tree: Tree,
    folders: Sequence[Path],
) -> tuple[tuple[Unused, ...], str]:
    """Return new requirements that nothing imports, and old ones whose last import went.

    With them the reason where not all could be looked at; then none is told.
    """
    left: Candidates = {}
    added = [d.after for d in deltas if d.before is None and d.after is not None]
    if not added and not any(not is_standard(m) for m in gone):
        return (), ""
    if not tree.code:
        return (), ""  # nothing here could import anything
    for placed in added:
        file = files.get(placed.path)
        if file is not None and _counts(placed.path, file, placed.requirement, tree):
            name = placed.requirement.name
            left.setdefault(name, Unused(name, placed.path, placed.requirement.line))
    for one in _dropped(gone, tree):
        left.setdefault(one.name, one)
    left = dict(list(left.items())[:MAX_CANDIDATES])
    left = _without(left, tree, folders)
    if left and tree.trouble:
        return (), tree.trouble
    return tuple(left.values()), ""


def _dropped(gone: frozenset[str], tree: Tree) -> Iterator[Unused]:
    modules = [m for m in gone if not is_standard(m) and m not in tree.modules]
    for path, file in tree.manifests if modules else ():
        for one in file.requirements[:MAX_DECLARED]:
            if any(provides(one.name, m) for m in modules) and _counts(path, file, one, tree):
                yield Unused(one.name, path, one.line, dropped=True)


def _counts(path: str, file: Manifest, one: Requirement, tree: Tree) -> bool:
    """Whether a requirement is one that the project's own code should import."""
    if file.kind not in DECLARING or one.group or one.ecosystem != "pypi" or not one.name:
        return False
    if one.is_local or one.hashes or one.hashed or is_needed_unseen(one.name):
        return False
    if file.kind.startswith("requirements"):
        pinned = len(file.requirements) >= FROZEN and all(r.version for r in file.requirements)
        source = posixpath.splitext(path)[0] + ".in"
        if pinned or (file.kind == "requirements" and source in tree.paths):
            return False
        folder, _, base = path.lower().rpartition("/")
        return bool(_WHOLE.fullmatch(base)) and not _ASIDE.search(folder)
    return True


def _without(left: Candidates, tree: Tree, folders: Sequence[Path]) -> Candidates:
    """Return the candidates that no import and no setting names."""
    if not left:
        return left
    known = {name: installed(folders, name) for name in left}
    for _, modules in tree.imports():
        left = {n: one for n, one in left.items() if not _answers(n, modules, known[n])}
        if not left:
            return left
    for text in tree.texts():
        low = text.lower()
        left = {n: one for n, one in left.items() if not _mentioned(n, low)}
        if not left:
            return left
    return left


def _answers(name: str, modules: Iterable[str], known: frozenset[str]) -> bool:
    return any(module in known or provides(name, module) for module in modules)


def _mentioned(name: str, text: bytes) -> bool:
    return any(form.encode() in text for form in {name, name.replace("-", "_")})
