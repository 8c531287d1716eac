"""The files of a repository that GitHub itself reads: workflows, forms, funding, cards."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from bot.change import FOLDER, Change, TreeEntry
from bot.checks.community import forms, modelcards, presence, workflows
from bot.checks.community.workflowrules import UNREADABLE
from bot.errors import CouldNotTell
from bot.problems import FileProblems, Problem, Problems
from bot.world import World

MAX_FILES = 500  # files judged of one folder, and changed files that may be workflows
TEMPLATES = ".github/ISSUE_TEMPLATE"
ACTIONS = ".github/actions"

READERS: dict[str, Callable[[bytes, str], Problems]] = {
    "workflow": workflows.read,
    "action": workflows.read_action,
    "form": forms.form,
    "template": forms.template,
    "config": forms.config,
    "funding": forms.funding,
    "card": modelcards.read,
}


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A changed workflow that GitHub never runs; `new` where the change put it there."""

    path: str
    new: bool


def collect(change: Change, world: World, maker: str, excess: set[str]) -> tuple[FileProblems, ...]:
    """Judge what GitHub reads, before and after; name folders with too many files in `excess`."""
    before = _watched(world, change.merge_base, excess)
    after = _watched(world, change.head, excess)
    return tuple(
        FileProblems(
            path,
            _problems(world, before.get(path), maker),
            _problems(world, after.get(path), maker),
            gone=path not in after,
        )
        for path in sorted(before.keys() | after.keys())
    )


def _watched(world: World, commit: str, excess: set[str]) -> dict[str, tuple[str, TreeEntry]]:
    """Return path -> (kind, entry) of the files GitHub reads."""
    found: dict[str, tuple[str, TreeEntry]] = {}
    actions = [e.path for e in world.folder(commit, ACTIONS) if e.mode == FOLDER]
    if len(actions) > MAX_FILES:
        excess.add(ACTIONS)
    places = ("", "docs", ".github", workflows.FOLDER, TEMPLATES, *actions[:MAX_FILES])
    for folder in places:
        known = [(kind, e) for e in world.folder(commit, folder) if (kind := kind_of(e.path))]
        if len(known) > MAX_FILES:
            excess.add(folder)
        found |= {e.path: (kind, e) for kind, e in known[:MAX_FILES] if e.mode != FOLDER}
    return found


def kind_of(path: str) -> str:
    """Return which of the READERS a path is for, or ""."""
    folder, name = posixpath.split(path)
    stem, suffix = posixpath.splitext(name)
    if path == forms.FUNDING_FILE:
        return "funding"
    if suffix in (".yml", ".yaml"):
        if folder == TEMPLATES:
            return "config" if stem == "config" else "form"
        if stem == "action" and (not folder or posixpath.dirname(folder) == ACTIONS):
            return "action"
        return "workflow" if folder == workflows.FOLDER else ""
    if suffix.lower() != ".md":
        return ""
    if folder == TEMPLATES:
        return "template"
    card = stem.upper().replace("-", "_") in ("README", "MODEL_CARD", "MODELCARD")
    return "card" if card and folder in presence.PLACES else ""


def _problems(
    world: World, watched: tuple[str, TreeEntry] | None, maker: str
) -> tuple[Problem, ...]:
    if watched is None:
        return ()
    kind, entry = watched
    if not entry.is_file:
        if kind == "card":
            return ()  # a linked README shows the file it points to
        message = "is a symlink or submodule; only regular files are judged"
        return (Problem(UNREADABLE.id, entry.blob, message),)

    def make() -> Problems:
        return READERS[kind](world.read(entry.blob, workflows.SIZE_LIMIT), entry.blob)

    try:
        return world.facts(f"{maker}/{kind}", entry.blob, Problems, make).each
    except CouldNotTell as error:
        return (Problem(UNREADABLE.id, entry.blob, f"cannot be read: {error.message}"),)


def misplaced(change: Change, world: World, excess: set[str]) -> tuple[Misplaced, ...]:
    """Return the changed files that are workflows and lie where none runs."""
    suspects = [f for f in change.files if f.file is not None and _may_be_lost(f.path)]
    if len(suspects) > MAX_FILES:
        excess.add("changed files that may be workflows")
    return tuple(
        Misplaced(file.path, file.added)
        for file in suspects[:MAX_FILES]
        if file.file is not None and _is_workflow(world, file.file)
    )


def _may_be_lost(path: str) -> bool:
    *folders, name = path.lower().split("/")
    if not name.endswith((".yml", ".yaml")) or kind_of(path):
        return False
    return bool({"workflow", "workflows", ".github"} & set(folders))


def _is_workflow(world: World, entry: TreeEntry) -> bool:
    try:
        return workflows.looks_like_one(world.read(entry.blob, workflows.SIZE_LIMIT))
    except CouldNotTell:
        return False  # at worst a warning is lost; the file runs nowhere
