"""What goes into a measurement and what comes out: values that cross the sandbox wall as JSON.

Nothing here imports torch; `lab/worker.py` is the side inside the wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """What a model does with the items of a task.

    TEXT: predict a text, whole. CHOICES: say which of several continuations of a context is
    likeliest. TARGET: predict the one continuation of a context. GENERATE: write a continuation
    that is compared with references. LABEL: say the class of a text (sequence classifiers).
    """

    TEXT = "text"
    CHOICES = "choices"
    TARGET = "target"
    GENERATE = "generate"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to score.

    `choices` are, by the task's kind: the text itself (context ""), the choices, the target, the
    references, or the names of all classes; `answer` is the index of the right one. Items of one
    `cluster` (a document, say) are not independent; "" = alone. `fields` are whatever else is
    known of it, by name: each makes slices.
    """

    id: str
    context: str
    choices: tuple[str, ...]
    answer: int = 0
    cluster: str = ""
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """A step from what a model wrote to its answer (lab/items/filters.py), with its options."""

    name: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """How a model writes, always greedily: until one of `until`, or `tokens` tokens."""

    until: tuple[str, ...] = ()
    tokens: int = 256
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that a task asks for by its usual name, with its options."""

    name: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A named list of items of one kind, in the order in which they are scored.

    `delimiter` is what each choice begins with that is not part of it (acc_norm leaves it out).
    Without `metrics`, the kind's usual ones are computed. `digest` is of what the items were
    made from, "" where nobody said.
    """

    name: str
    items: tuple[Item, ...]
    kind: Kind
    delimiter: str = ""
    generation: Generation = Generation()
    metrics: tuple[Metric, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """When a head model is worse than its base (lab/deciding/gate.py).

    `tolerance` is the loss still accepted and `resolution` the further loss that must not go
    unseen, in bits per byte; `accuracy_tolerance` and `accuracy_resolution` are the same for
    the share of right answers (a resolution of 1: it need not be seen). `alpha` is the rate of
    false alarms over all tasks together and of passes at the edge of the resolution; `power`
    is for the smallest detectable change. With `early`, scoring ends once the answer is clear.
    """

    tolerance: float = 0.002
    resolution: float = 0.02
    accuracy_tolerance: float = 0.0
    accuracy_resolution: float = 1.0
    alpha: float = 0.05
    power: float = 0.8
    early: bool = True


@dataclass(frozen=True, slots=True)
class Pace:
    """Time base against head (lab/speed/pace.py): `rounds` interleaved pairs of runs."""

    rounds: int = 30


@dataclass(frozen=True, slots=True)
class Request:
    """Score these models on these tasks.

    `models` are (name, folder) pairs; two are scored in turn, item by item, and with a `gate`
    no further than its answer needs. `device` is "auto", "cpu" or "cuda[:N]"; `threads` is for
    the CPU, 0 leaves it to torch; `budget` is the CPU (or GPU) seconds that scoring may take,
    0 for no limit. `known` are scores of models of the request that are not computed again.
    """

    models: tuple[tuple[str, str], ...]
    tasks: tuple[Task, ...]
    device: str = "auto"
    threads: int = 0
    gate: Gate | None = None
    pace: Pace | None = None
    budget: float = 0.0
    known: tuple[ModelScores, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemScore:
    """How one model did on one item.

    `nll` is the negative log-likelihood in nats of the right answer (or the text, the target,
    the first reference) given the context, over `tokens` tokens and `bytes` UTF-8 bytes (1 for
    a label). `correct` is whether the right choice was the likeliest, the target what greedy
    choice gives, or the generated answer equal to a reference (None for texts). `lossless` is
    whether the tokenizer gives the text back: one that drops text makes it cheap to predict.
    `nats` are the negative log-likelihoods of all choices or labels. `output` is what the model
    wrote, `final` that after the task's filters.
    """

    id: str
    nll: float
    tokens: int
    bytes: int
    correct: bool | None = None
    cluster: str = ""
    lossless: bool = True
    nats: tuple[float, ...] = ()
    output: str = ""
    final: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What scoring took: seconds of CPU, GPU and clock; `tokens` are those the model read.

    `peak` is the most memory in bytes (of the process, or of the GPU). `joules` are measured
    by the GPU where `metered`, else estimated from the seconds.
    """

    cpu: float = 0.0
    gpu: float = 0.0
    clock: float = 0.0
    tokens: int = 0
    peak: int = 0
    joules: float = 0.0
    metered: bool = False


@dataclass(frozen=True, slots=True)
class TaskScores:
    """One model's scores on one task: its first items, in their order; all where none stopped.

    `level` is how they were computed (lab/scoring/level.py): "plain", or "prefix" where shared
    tokens were read once. `gap` is the largest difference in nats seen between the two on the
    same rows of this model (lab/scoring/proof.py); None where the fast way was not tried, or
    failed.
    """

    task: str
    items: tuple[ItemScore, ...]
    level: Literal["plain", "prefix"] = "plain"
    gap: float | None = None
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class ModelScores:
    """Everything measured of one model; `fingerprint` is of its files (lab/model/folder.py)."""

    model: str
    fingerprint: str
    parameters: int
    architecture: str
    device: str
    dtype: str
    tasks: tuple[TaskScores, ...]
    notes: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """Return what was measured, and where, in a line."""
        size = f"{self.architecture}, {self.parameters:,} parameters"
        return f"{size}, {self.dtype} on {self.device}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a model could not be scored, in one line without paths of the host."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaceScores:
    """Paired times of two models: of each round, (base, head), by what was timed.

    `prefill` and `decode` are seconds, of CPU or GPU, to read a text and to write one of
    `written` tokens; `peak` is memory in bytes.
    """

    prefill: tuple[tuple[float, float], ...]
    decode: tuple[tuple[float, float], ...]
    peak: tuple[int, int] = (0, 0)
    written: int = 0


@dataclass(frozen=True, slots=True)
class Response:
    """What the worker hands out: scores of every model, or the first failure."""

    scores: tuple[ModelScores, ...] = ()
    failure: Failure | None = None
    versions: tuple[tuple[str, str], ...] = ()
    pace: PaceScores | None = None
