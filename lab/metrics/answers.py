"""Written answers against their references: the best of several references counts."""

from __future__ import annotations

import string
from collections import Counter

from lab.metrics.ignoring import without
from lab.metrics.options import flag, read, strings
from lab.metrics.scored import Scored
from lab.metrics.tally import Ratio
from lab.protocol import Metric

_DIGITS = str.maketrans("", "", string.digits)
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = frozenset({"a", "an", "the"})
_READERS = {
    "ignore_case": flag,
    "ignore_punctuation": flag,
    "ignore_numbers": flag,
    "regexes_to_ignore": strings,
}


def exact_match(scored: Scored, metric: Metric) -> Ratio:
    """Share of answers equal to a reference; what the options ignore is taken out of both."""
    options = read(metric, _READERS)
    patterns = options.pop("regexes_to_ignore", ())

    def plain(text: str) -> str:
        text = text.lower() if options.get("ignore_case") else text
        text = text.translate(_PUNCTUATION) if options.get("ignore_punctuation") else text
        return text.translate(_DIGITS) if options.get("ignore_numbers") else text

    pairs = list(zip(scored.items, scored.scores, strict=True))
    texts = [text for item, score in pairs for text in (score.final, *item.choices)]
    left = iter(map(plain, without(patterns, texts, scored.task.name)))
    tops = []
    for item, _ in pairs:
        answer = next(left)
        tops.append(float(answer in [next(left) for _ in item.choices]))
    return Ratio("exact_match", tuple(tops), (1.0,) * len(tops), "share", True)


def token_f1(scored: Scored) -> Ratio:
    """F1 of the words of answer and reference, as SQuAD 2.0 counts them."""
    tops = []
    for item, score in zip(scored.items, scored.scores, strict=True):
        answer = _words(score.final)
        tops.append(max(_overlap(answer, _words(one)) for one in item.choices))
    return Ratio("token_f1", tuple(tops), (1.0,) * len(tops), "share", True)


def _words(text: str) -> list[str]:
    words = text.lower().translate(_PUNCTUATION).split()
    return [word for word in words if word not in _ARTICLES]


def _overlap(answer: list[str], reference: list[str]) -> float:
    if not (answer and reference):
        return float(answer == reference)
    common = (Counter(answer) & Counter(reference)).total()
    return 2 * common / (len(answer) + len(reference))
