"""What the lines of a release's journal say. Pure; `journal` keeps them on disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MOST_STEPS, MOST_FACTS = 100, 200  # facts of one step
FACT_LIMIT = 20_000  # characters
Event = Literal["begin", "done", "failed", "undo", "undone"]
_EVENTS = ("begin", "done", "failed", "undo", "undone")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_FACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./@:+ -]{0,299}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bound:
    """What a journal is of: `plan` is a digest of what the steps will do it with."""

    artifact: str
    version: str
    commit: str
    plan: str


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one step: its last event, why it failed, and what it said when done.

    `facts` is None unless its last `begin` was followed by `done`; `said` is what it last told.
    """

    event: Event
    why: str = ""
    facts: tuple[tuple[str, str], ...] | None = None
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """A journal as it was read: steps in the order in which they were first begun."""

    bound: Bound
    steps: tuple[tuple[str, Told], ...] = ()

    def of(self, name: str) -> Told | None:
        """Return what is known of a step, None if it was never begun."""
        return dict(self.steps).get(name)

    @property
    def idle(self) -> bool:
        """Whether nothing was begun that is not taken back."""
        return all(told.event == "undone" for _, told in self.steps)

    @property
    def trouble(self) -> str:
        """Where and why it stands still ("failed at upload: ..."), "" if nothing failed."""
        for name, told in reversed(self.steps):
            if told.why:
                return f"failed at {name}: {told.why}"
        return ""


def first(line: Mapping[str, object]) -> Story:
    """Return what the header says. Raises ValueError for what is no header."""
    rest = {name: value for name, value in line.items() if name != "format"}
    texts = {name: value for name, value in rest.items() if isinstance(value, str)}
    if type(line.get("format")) is not int or line["format"] != 1:
        raise ValueError("not the journal of a release")
    if set(texts) != set(Bound.__slots__) or texts != rest:
        raise ValueError("not the journal of a release")
    return Story(Bound(**texts))


def after(story: Story, line: Mapping[str, object]) -> Story:
    """Return the story with one more line. Raises ValueError for a line that says nothing."""
    event, step = line.get("event"), line.get("step")
    if event not in _EVENTS or not isinstance(step, str) or not _WORD.fullmatch(step):
        raise ValueError("not an event of a step")
    wanted = {"event", "step"} | {"done": {"facts"}, "failed": {"why"}}.get(str(event), set())
    if set(line) != wanted:
        raise ValueError(f"not what is written when a step is {event}")
    steps = dict(story.steps)
    old = steps.get(step)
    if old is None and len(steps) == MOST_STEPS:
        raise ValueError(f"more than {MOST_STEPS} steps")
    if old is None and event != "begin":
        raise ValueError(f"{step} was never begun")
    said = old.said if old else ()
    match event:
        case "done":
            said = pairs(line["facts"])
            new = Told("done", "", said, said)
        case "failed" if isinstance(line["why"], str):
            new = Told("failed", line["why"], old.facts if old else None, said)
        case "undo":
            new = Told("undo", "", old.facts if old else None, said)
        case "begin":
            new = Told("begin", "", None, said)
        case "undone":
            new = Told("undone")
        case _:
            raise ValueError("a failure without a reason")
    return Story(story.bound, tuple((steps | {step: new}).items()))


def pairs(found: object) -> tuple[tuple[str, str], ...]:
    """Return facts, sorted. Raises ValueError for what no journal keeps."""
    if not isinstance(found, dict) or len(found) > MOST_FACTS:
        raise ValueError(f"not at most {MOST_FACTS} facts")
    for name, value in found.items():
        if not _FACT.fullmatch(name) or not isinstance(value, str) or len(value) > FACT_LIMIT:
            raise ValueError(f"the fact {name!r:.80} is not a short text")
    return tuple(sorted(found.items()))
