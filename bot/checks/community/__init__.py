"""What a project shows to people and to GitHub: documents, templates, funding, workflows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import Field

from bot import problems
from bot.change import Change
from bot.check import Section
from bot.checks.community import forms, githubfiles, modelcards, presence, workflowrules
from bot.checks.community.githubfiles import MAX_FILES, Misplaced
from bot.checks.community.presence import DOCUMENTS, Presence
from bot.checks.community.workflowrules import UNPINNED, UNREADABLE
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Location, Rule
from bot.patterns import any_matches, compiled
from bot.problems import FileProblems, Problem
from bot.wording import plural
from bot.world import World

NAME = "community"
VERSION = 4
SHOWN = 20  # model files kept as evidence

MISSING = Rule(
    "community/missing",
    Level.NOTE,
    "The project has no README, licence, security policy or the like.",
    "People look for these first: how to use it, on which terms, whom to tell what.",
    "Add them, or leave them out of `community.expected` if an organisation provides them.",
)
REMOVED = Rule(
    "community/removed",
    Level.FAILURE,
    "The change removes or empties a document the project had.",
    "What people could rely on is gone for everybody who comes after.",
    "Keep the document, or say in its place where it is now.",
)
NO_CARD = Rule(
    "community/model-card",
    Level.WARNING,
    "The project holds a model and no model card.",
    "Without a card nobody can tell what a model was trained on and what it is fit for.",
    "Add MODEL_CARD.md, or front matter with licence and data to README.md.",
)
MISPLACED = Rule(
    "community/workflow-never-runs",
    Level.WARNING,
    "A workflow lies where GitHub does not run it.",
    "GitHub runs only files right in .github/workflows; elsewhere nothing is checked.",
    "Move it to .github/workflows/, with the ending .yml or .yaml.",
)
RULES = (
    MISSING, REMOVED, NO_CARD, MISPLACED, modelcards.METADATA, *forms.RULES, *workflowrules.RULES
)  # fmt: skip


class Settings(Section):
    """Policy on documents, templates and workflows."""

    expected: tuple[str, ...] = Field(
        default=tuple(name for name in DOCUMENTS if name != "model card"),
        description="Documents a note is given for where they are missing.",
    )
    trusted_actions: tuple[str, ...] = Field(
        default=(), description="Actions that need no pinned commit, such as my-org/**."
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """Documents and problems before and after, models, and folders too large to judge."""

    documents: tuple[Presence, ...]
    models: tuple[str, ...]
    models_added: tuple[str, ...]
    models_gone: bool
    files: tuple[FileProblems, ...]
    misplaced: tuple[Misplaced, ...]
    excess: tuple[str, ...]


def applies(change: Change, settings: Settings) -> str:
    """Every project has readers."""
    return ""


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """List the few folders GitHub looks in, before and after; read what it reads there."""
    # Where the branches parted, so that what the base gained since is not missed here.
    base, head = change.merge_base, change.head
    excess: set[str] = set()
    files = githubfiles.collect(change, world, f"{NAME}/{VERSION}", excess)
    misplaced = githubfiles.misplaced(change, world, excess)
    touched = [f for f in change.files if not f.deleted and modelcards.is_model(f.path)]
    root = [e.path for e in world.folder(head) if modelcards.is_model(e.path)]
    return Evidence(
        _documents(world, base, head),
        tuple(sorted({*root, *(f.path for f in touched)}))[:SHOWN],
        tuple(f.path for f in touched if f.added)[:SHOWN],
        any(f.deleted and modelcards.is_model(f.path) for f in change.files),
        files,
        misplaced,
        tuple(sorted(excess)),
    )


def _documents(world: World, base: str, head: str) -> tuple[Presence, ...]:
    sides = []
    for commit in (base, head):
        found = presence.find(world, commit)
        readme = found.get("README")
        if "model card" not in found and readme is not None and readme.is_file:
            start = world.prefix(readme.blob, 16)
            found |= {"model card": readme} if modelcards.has_front_matter(start) else {}
        sides.append({name: entry.path for name, entry in found.items()})
    before, after = sides
    return tuple(Presence(name, before.get(name, ""), after.get(name, "")) for name in DOCUMENTS)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Fail what the change makes worse; note what was wrong before."""
    rules = {rule.id: rule for rule in RULES}
    trusted = tuple(compiled(p) for p in settings.trusted_actions)

    def kept(each: tuple[Problem, ...]) -> tuple[Problem, ...]:
        return tuple(
            p for p in each if p.rule != UNPINNED.id or not any_matches(trusted, p.subject)
        )

    files = tuple(replace(f, before=kept(f.before), after=kept(f.after)) for f in evidence.files)
    found = [*_shown(evidence, settings), *problems.judge(files, rules)]
    for workflow in evidence.misplaced:
        level = MISPLACED.level if workflow.new else Level.NOTE
        message = f"GitHub never runs {workflow.path}"
        found.append(MISPLACED.at(message, Location(workflow.path), level=level))
    for folder in evidence.excess:
        message = f"more than {MAX_FILES} files in {folder or 'the root'}; the rest was not read"
        found.append(UNREADABLE.at(message))
    return tuple(found)


def _shown(evidence: Evidence, settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    for item in evidence.documents:
        with_model = item.document == "model card" and evidence.models_gone
        if item.before and not item.after and not (with_model and not evidence.models):
            name = item.document if item.document.islower() else f"{item.document} file"
            message = f"the change removes or empties the {name} ({item.before})"
            found.append(REMOVED.at(message, Location(item.before)))
    absent = {item.document for item in evidence.documents if not item.before and not item.after}
    missing = [name for name in settings.expected if name in absent]
    if missing:
        found.append(MISSING.at(f"the project has no {', '.join(missing)}"))
    if evidence.models and "model card" in absent:
        new = evidence.models_added
        model = (new or evidence.models)[0]
        message = f"{model} has no model card"
        level = NO_CARD.level if new else Level.NOTE
        found.append(NO_CARD.at(message, Location(model), level=level))
    return found


def summary(evidence: Evidence) -> str:
    """Say how many documents and files were looked at."""
    there = sum(1 for item in evidence.documents if item.after)
    runs = sum(
        1 for f in evidence.files if not f.gone and githubfiles.kind_of(f.path) == "workflow"
    )
    return f"{there} of {len(DOCUMENTS)} documents, {plural(runs, 'workflow')}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Findings say it all."""
    return ()
