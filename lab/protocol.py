"""What goes into a measurement and what comes out: values that cross the sandbox wall as JSON.

Nothing here imports torch; `lab/worker.py` is the side inside the wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to score. Text items have a `context` of "" and one choice: the text itself.

    For choice items every choice is scored after `context`, and `answer` is the index of
    the right one. Items of one `cluster` (a document, say) are not independent; "" = alone.
    """

    id: str
    context: str
    choices: tuple[str, ...]
    answer: int = 0
    cluster: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the item is a text; choice items have at least two choices."""
        return len(self.choices) == 1


@dataclass(frozen=True, slots=True)
class Task:
    """A named list of items; all are text items or all are choice items."""

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """Score these models on these tasks.

    `models` are (name, folder) pairs, loaded one after the other; `device` is "auto", "cpu"
    or "cuda[:N]"; `threads` is for the CPU, 0 leaves it to torch.
    """

    models: tuple[tuple[str, str], ...]
    tasks: tuple[Task, ...]
    device: str = "auto"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class ItemScore:
    """How one model did on one item.

    `nll` is the negative log-likelihood in nats of the right answer (or the text) given the
    context, over `tokens` tokens and `bytes` UTF-8 bytes. `correct` is whether the right
    choice was the likeliest (None for text items). `lossless` is whether the tokenizer gives
    the text back: one that drops text makes it cheap to predict.
    """

    id: str
    nll: float
    tokens: int
    bytes: int
    correct: bool | None = None
    cluster: str = ""
    lossless: bool = True


@dataclass(frozen=True, slots=True)
class TaskScores:
    """One model's scores on one task, in the order of its items.

    `level` is how they were computed (lab/level.py): "plain", or "prefix" where shared tokens
    were read once. `gap` is the largest difference in nats seen between the two on the same
    rows; None where they were not compared, or the fast way failed.
    """

    task: str
    items: tuple[ItemScore, ...]
    level: Literal["plain", "prefix"] = "plain"
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class ModelScores:
    """Everything measured of one model; `fingerprint` is that of its files (lab/folder.py)."""

    model: str
    fingerprint: str
    parameters: int
    architecture: str
    device: str
    dtype: str
    tasks: tuple[TaskScores, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a model could not be scored, in one line without paths of the host."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Response:
    """What the worker hands out: scores of every model, or the first failure."""

    scores: tuple[ModelScores, ...] = ()
    failure: Failure | None = None
    versions: tuple[tuple[str, str], ...] = ()
