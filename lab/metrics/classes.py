"""Precision, recall and F1 of tasks whose items all have the same choices: their classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add

from lab.errors import SuiteError
from lab.metrics.scored import Scored
from lab.metrics.tally import Corpus, Ratio, Tally

CLASS_LIMIT = 64
NAME_LIMIT = 200  # characters; what is longer is a text, not the name of a class


def has_classes(scored: Scored) -> bool:
    """Return whether all items of the task have the same choices, few and short."""
    names = scored.task.items[0].choices
    if len(names) > CLASS_LIMIT or max(map(len, names)) > NAME_LIMIT:
        return False
    return all(item.choices == names for item in scored.task.items)


def of_each(scored: Scored) -> tuple[Tally, ...]:
    """Precision, recall and F1 of every class that occurs or is predicted, and their means."""
    occurring = {item.answer for item in scored.items} | set(scored.predictions)
    found: list[Tally] = []
    for place, name in enumerate(_names(scored)):
        if place in occurring:
            found += (_of(scored, metric, place, f"{metric}[{name}]") for metric in _PARTS)
    return (*found, *(macro(scored, metric) for metric in _PARTS))


def of_second(scored: Scored, metric: str) -> Ratio:
    """Precision, recall or F1 of the second of two classes, "yes" or 1 by custom."""
    if len(_names(scored)) != 2:
        hint = f"ask for macro_{metric}"
        raise SuiteError(f"{scored.task.name}: {metric} is for two classes", hint)
    return _of(scored, metric, 1, metric)


def macro(scored: Scored, metric: str) -> Corpus:
    """Mean of precision, recall or F1 over the classes that occur or are predicted."""
    top, bottoms = _PARTS[metric]

    def mean(sums: Sequence[float]) -> float:
        shares = []
        for at in range(0, len(sums), 3):
            part = sums[at : at + 3]
            if part[1] or part[2]:
                bottom = sum(part[place] for place in bottoms)
                shares.append(top * part[0] / bottom if bottom else 0.0)
        return math.fsum(shares) / len(shares) if shares else 0.0

    return Corpus(f"macro_{metric}", _rows(scored), mean)


def mcc(scored: Scored) -> Corpus:
    """Matthews correlation of predictions and truth, 0 where either never varies."""
    count = len(_names(scored))

    def correlation(sums: Sequence[float]) -> float:
        predicted, actual = sums[1 : 3 * count : 3], sums[2 : 3 * count : 3]
        total, right = math.fsum(actual), math.fsum(sums[0 : 3 * count : 3])
        both = math.fsum(p * a for p, a in zip(predicted, actual, strict=True))
        spread = (total**2 - math.fsum(p * p for p in predicted)) * (
            total**2 - math.fsum(a * a for a in actual)
        )
        return (right * total - both) / math.sqrt(spread) if spread > 0 else 0.0

    return Corpus("mcc", _rows(scored), correlation)


# How often a class is rightly predicted counts so often, over the sum of how often it is
# predicted (1) or occurs (2).
_FLAGS = (0.0, 1.0)  # the same two numbers everywhere: they are many
_PARTS = {"precision": (1, (1,)), "recall": (1, (2,)), "f1": (2, (1, 2))}


def _of(scored: Scored, metric: str, place: int, name: str) -> Ratio:
    top, bottoms = _PARTS[metric]
    right, *counts = _flags(scored, place)
    tops = tuple(right if top == 1 else [top * one for one in right])
    sums = counts[bottoms[0] - 1] if len(bottoms) == 1 else map(add, *counts)
    return Ratio(name, tops, tuple(sums), "share", True)


def _rows(scored: Scored) -> tuple[tuple[float, ...], ...]:
    columns = [column for place in range(len(_names(scored))) for column in _flags(scored, place)]
    return tuple(zip(*columns, strict=True))


def _flags(scored: Scored, place: int) -> tuple[list[float], list[float], list[float]]:
    """Return for every item whether the class is rightly predicted, predicted, and true."""
    predicted = [_FLAGS[choice == place] for choice in scored.predictions]
    actual = [_FLAGS[item.answer == place] for item in scored.items]
    return [p and a for p, a in zip(predicted, actual, strict=True)], predicted, actual


def _names(scored: Scored) -> tuple[str, ...]:
    if not has_classes(scored):
        message = f"{scored.task.name}: the choices are different or too many to be classes"
        raise SuiteError(message, f"give all items the same choices, at most {CLASS_LIMIT}")
    return tuple(n.removeprefix(scored.task.delimiter) for n in scored.task.items[0].choices)
