"""Runs the steps of a release, goes on where it was killed, and takes back what it did.

The journal says what may have happened, the world what did: a step is believed done only if it
looks so now (Step.look), and is done again otherwise. Nothing is done twice that looks done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from registry.errors import Blocked, RegistryError, ReleaseError, StoreFailed
from registry.release.journal import Journal
from registry.release.steps import Facts, Step, Tell
from registry.release.story import Story, Told
from security.errors import SecurityError


@dataclass(frozen=True, slots=True)
class Planned:
    """A step as `release plan` shows it; `state` is a word or "failed: why"."""

    name: str
    about: str
    state: str


def digest(steps: Sequence[Step], *settings: str) -> str:
    """Return what a journal is bound to: the SHA-256 of the steps' names and of these texts."""
    whole = hashlib.sha256()
    for text in (*(step.name for step in steps), "", *settings):
        whole.update(b"%d:" % len(text.encode()) + text.encode())
    return whole.hexdigest()


def plan(steps: Sequence[Step], story: Story | None) -> tuple[Planned, ...]:
    """Return every step with what it will do and how far it is. Changes nothing, asks nobody."""
    return tuple(
        Planned(step.name, step.about(), _state(story.of(step.name) if story else None))
        for step in steps
    )


def run(
    steps: Sequence[Step], journal: Journal, tell: Tell, *, final: str = ""
) -> Mapping[str, Facts]:
    """Do what is not done; return the facts of all steps.

    `final` names the step after which nothing is made anew: where it looks done, what was done
    before it is believed as the journal says, whatever it would come to now.

    What a step raises ends the run with the reason in the journal; the next run goes on there.
    Also raises ReleaseError for a journal of other steps, StoreFailed where it cannot be kept.
    """
    _known_steps(steps, journal.story)
    known = _settled(steps, journal.story, final)
    for name in known:
        tell(f"{name}: done before")
    for step in steps[len(known) :]:
        with _noting(journal, step.name):
            known[step.name] = _one(step, journal, known, tell)
    return known


def _settled(steps: Sequence[Step], story: Story, final: str) -> dict[str, Facts]:
    """Return the facts of the steps before `final` if that one looks done."""
    before: dict[str, Facts] = {}
    for step in steps:
        told = story.of(step.name)
        if told is None:
            return {}
        if step.name == final:
            return before if step.look(before) is not None else {}
        if told.event != "done":
            return {}
        before[step.name] = dict(told.said)
    return {}


def undo(
    steps: Sequence[Step],
    journal: Journal,
    tell: Tell = lambda line: None,
    *,
    final: str = "",
) -> None:
    """Take back every step that was begun, the last one first; killed, it can be called again.

    `final` names the step after which nothing is unmade: raises Blocked if that looks done.
    """
    _known_steps(steps, journal.story)
    begun = [step for step in steps if _is_begun(journal.story.of(step.name))]
    told = dict(journal.story.steps)
    said = {step.name: dict(told[step.name].said) for step in begun if told[step.name].said}
    before = {step.name: _before(steps, step, said) for step in begun}
    for step in begun:
        if step.name == final and step.look(before[step.name]) is not None:
            bound = journal.story.bound
            raise Blocked(
                f"{bound.artifact} {bound.version} is out: {final} is done",
                "a release that is out is withdrawn, not unmade: release rollback --reason",
            )
    for step in reversed(begun):
        facts = told[step.name].facts
        with _noting(journal, step.name, "taking it back: "):
            journal.undo(step.name)
            tell(f"{step.name}: taking it back")
            step.undo(before[step.name], None if facts is None else dict(facts))
            journal.undone(step.name)


def _one(step: Step, journal: Journal, known: Mapping[str, Facts], tell: Tell) -> Facts:
    told = journal.story.of(step.name)
    found: Facts | None = None
    if told and told.event == "done":
        found = step.look(known)
        if found is not None and tuple(sorted(found.items())) == told.facts:
            tell(f"{step.name}: done before")
            return dict(found)
        journal.begin(step.name)  # the world is not as it was left: what follows is looked at too
    else:
        if not told or told.event != "begin":
            journal.begin(step.name)
        found = step.look(known)
    if found is None:
        tell(f"{step.name}: {step.about()}")
        found = step.do(known, tell)
    else:
        tell(f"{step.name}: there already")
    journal.done(step.name, found)
    return dict(found)


@contextmanager
def _noting(journal: Journal, step: str, doing: str = "") -> Iterator[None]:
    """Write down why a step ended, whatever ends it."""
    try:
        yield
    except OSError as error:
        _note(journal, step, doing, error)
        hint = "check the disk and the network, then run it again: it goes on from there"
        raise StoreFailed(f"{step}: {error.strerror or type(error).__name__}", hint) from error
    except BaseException as error:
        _note(journal, step, doing, error)
        raise


def _note(journal: Journal, step: str, doing: str, error: BaseException) -> None:
    with suppress(RegistryError):  # a full disk stops the journal too; the first error counts
        if journal.story.of(step):
            journal.failed(step, doing + _why(error))


def _why(error: BaseException) -> str:
    """Return the reason as far as it is ours: a stranger's text may hold a secret."""
    if isinstance(error, RegistryError | SecurityError):
        return error.message
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    ours = getattr(error, "message", None), getattr(error, "hint", None)  # as other parts of ours
    return f"{ours[0]}" if all(isinstance(text, str) for text in ours) else type(error).__name__


def _is_begun(told: Told | None) -> bool:
    return told is not None and told.event != "undone"


def _before(steps: Sequence[Step], step: Step, said: Mapping[str, Facts]) -> Mapping[str, Facts]:
    names = [each.name for each in steps]
    return {name: said[name] for name in names[: names.index(step.name)] if name in said}


def _known_steps(steps: Sequence[Step], story: Story) -> None:
    names = [step.name for step in steps]
    if len(set(names)) != len(names):
        raise ReleaseError(f"a plan with two steps of one name: {', '.join(names)}", "name them")
    for name, told in story.steps:
        if name not in names and told.event != "undone":
            what = f"the journal knows a step {name} that this plan has not"
            raise ReleaseError(what, "go on with the version of this program that began it")


def _state(told: Told | None) -> str:
    if told is None:
        return "planned"
    if told.event == "failed":
        return f"failed: {told.why}"
    words = {"begin": "interrupted", "done": "done", "undo": "being taken back"}
    return words.get(told.event, "taken back")
