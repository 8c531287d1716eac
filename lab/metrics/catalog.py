"""The metrics that each kind of task has: those it asks for by name, else its usual ones.

Values equal those of lm-evaluation-harness, scikit-learn and sacrebleu on the same outputs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from lab.errors import SuiteError
from lab.metrics.answers import exact_match, token_f1
from lab.metrics.calibration import brier, ece
from lab.metrics.classes import has_classes, macro, mcc, of_each, of_second
from lab.metrics.options import read
from lab.metrics.scored import Scored, is_right, pair
from lab.metrics.tally import Ratio, Tally
from lab.metrics.translation import bleu, chrf, ter
from lab.protocol import ItemScore, Kind, Metric, Task, TaskScores

# What slices are measured by.
MAIN = ("accuracy", "exact_match", "bits_per_byte")

_ALIASES = {"acc": "accuracy", "brier_score": "brier"}
_USUAL = {
    Kind.TEXT: ("bits_per_byte", "token_perplexity", "word_perplexity", "byte_perplexity"),
    Kind.CHOICES: ("accuracy", "acc_norm", "bits_per_byte", "brier", "ece", "classes"),
    Kind.LABEL: ("accuracy", "bits_per_byte", "brier", "ece", "classes"),
    Kind.TARGET: ("accuracy", "perplexity", "bits_per_byte"),
    Kind.GENERATE: ("exact_match", "token_f1", "bleu", "chrf", "bits_per_byte"),
}
_NEED_NATS = frozenset({"acc_norm", "acc_bytes", "brier", "ece"})


def tallies(scored: Scored) -> tuple[Tally, ...]:
    """Return the metrics of a task. Raises SuiteError for one that is unknown or impossible."""
    kind, found = scored.task.kind, list[Tally]()
    known = _KNOWN[kind]
    if not scored.items:
        return ()
    for metric in scored.task.metrics or _usual(scored):
        name = _ALIASES.get(metric.name, metric.name)
        if name not in known:
            message = f"{scored.task.name}: {metric.name!r:.80} is no metric of {kind} tasks"
            raise SuiteError(message, f"known: {', '.join(sorted(known))}")
        if name in _NEED_NATS and not scored.has_nats:
            message = f"{scored.task.name}: {name} needs the log-likelihoods of all choices"
            raise SuiteError(message, "score the task again, or leave the metric out")
        try:
            found += known[name](scored, metric)
        except ModuleNotFoundError as error:
            message = f"{scored.task.name}: {name} needs {error.name}, which is not installed"
            raise SuiteError(message, "pip install 'modelwarden[model]'") from error
    return tuple(found)


def check(task: Task) -> None:
    """Refuse before anything is scored what could not be computed after. Raises SuiteError."""
    if task.items and (task.metrics or task.kind is Kind.GENERATE):
        item = task.items[0]
        score = ItemScore(item.id, 1.0, 1, 1, False, nats=(1.0,) * len(item.choices))
        tallies(pair(task, TaskScores(task.name, (score,))))


def main(found: tuple[Tally, ...]) -> tuple[Tally, ...]:
    """Return those of the metrics that slices are measured by."""
    return tuple(tally for tally in found if tally.metric in MAIN) or found[:1]


def _usual(scored: Scored) -> tuple[Metric, ...]:
    names = _USUAL[scored.task.kind]
    if not scored.has_nats:
        names = tuple(name for name in names if name not in _NEED_NATS)
    if "classes" in names and not has_classes(scored):
        names = tuple(name for name in names if name != "classes")
    return tuple(map(Metric, names))


def _accuracy(scored: Scored) -> Ratio:
    return _mean("accuracy", is_right(scored), "share", True)


def _per_character(scored: Scored) -> Ratio:
    """Divide by the characters of a choice, without what joins it to its context."""
    return _normalised(scored, "acc_norm", len)


def _per_byte(scored: Scored) -> Ratio:
    return _normalised(scored, "acc_bytes", lambda choice: len(choice.encode()))


def _normalised(scored: Scored, metric: str, size: Callable[[str], int]) -> Ratio:
    right = []
    for item, score in zip(scored.items, scored.scores, strict=True):
        sizes = [size(choice.removeprefix(scored.task.delimiter)) for choice in item.choices]
        costs = [n / s if s else math.inf for n, s in zip(score.nats, sizes, strict=True)]
        right.append(float(costs.index(min(costs)) == item.answer))
    return _mean(metric, tuple(right), "share", True)


def _bits_per_byte(scored: Scored) -> Ratio:
    sizes = tuple(score.bytes * math.log(2) for score in scored.scores)
    return Ratio("bits_per_byte", _nll(scored), sizes)


def _perplexity(per: str, size: Callable[[Scored], tuple[float, ...]]) -> _Make:
    def make(scored: Scored) -> Ratio:
        return Ratio(per, _nll(scored), size(scored), "perplexity")

    return _plain(make)


def _nll(scored: Scored) -> tuple[float, ...]:
    return tuple(score.nll for score in scored.scores)


def _items(scored: Scored) -> tuple[float, ...]:
    return (1.0,) * len(scored.items)


def _tokens(scored: Scored) -> tuple[float, ...]:
    return tuple(float(score.tokens) for score in scored.scores)


def _bytes(scored: Scored) -> tuple[float, ...]:
    return tuple(float(score.bytes) for score in scored.scores)


def _words(scored: Scored) -> tuple[float, ...]:
    """Count words as lm-evaluation-harness does: space at an end makes an empty one."""
    return tuple(float(len(re.split(r"\s+", item.choices[0]))) for item in scored.items)


def _mean(
    metric: str, tops: tuple[float, ...], scale: Literal["plain", "share"], higher: bool
) -> Ratio:
    return Ratio(metric, tops, (1.0,) * len(tops), scale, higher)


_Make = Callable[[Scored, Metric], tuple[Tally, ...]]


def _plain(make: Callable[[Scored], Tally]) -> _Make:
    """Return a metric that has no options."""

    def made(scored: Scored, metric: Metric) -> tuple[Tally, ...]:
        read(metric, {})
        return (make(scored),)

    return made


def _with_options(make: Callable[[Scored, Metric], Tally]) -> _Make:
    return lambda scored, metric: (make(scored, metric),)


def _of_parts() -> dict[str, _Make]:
    found: dict[str, _Make] = {}
    for part in ("precision", "recall", "f1"):
        found[part] = _plain(partial(of_second, metric=part))
        found[f"macro_{part}"] = _plain(partial(macro, metric=part))
    return found


_BITS = {"bits_per_byte": _plain(_bits_per_byte)}
_ANSWERS: Mapping[str, _Make] = {
    "accuracy": _plain(_accuracy),
    "acc_norm": _plain(_per_character),
    "acc_bytes": _plain(_per_byte),
    "brier": _plain(brier),
    "ece": _plain(ece),
    "mcc": _plain(mcc),
    "classes": lambda scored, _: of_each(scored),
    **_of_parts(),
    **_BITS,
}
_KNOWN: Mapping[Kind, Mapping[str, _Make]] = {
    Kind.TEXT: {
        "token_perplexity": _perplexity("token_perplexity", _tokens),
        "word_perplexity": _perplexity("word_perplexity", _words),
        "byte_perplexity": _perplexity("byte_perplexity", _bytes),
        **_BITS,
    },
    Kind.CHOICES: _ANSWERS,
    Kind.LABEL: _ANSWERS,
    Kind.TARGET: {
        "accuracy": _plain(_accuracy),
        "perplexity": _perplexity("perplexity", _items),
        **_BITS,
    },
    Kind.GENERATE: {
        "exact_match": _with_options(exact_match),
        "token_f1": _plain(token_f1),
        "bleu": _with_options(bleu),
        "chrf": _with_options(chrf),
        "chrf++": _with_options(chrf),
        "ter": _with_options(ter),
        **_BITS,
    },
}
