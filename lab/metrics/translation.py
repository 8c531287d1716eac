"""BLEU, chrF and TER as sacrebleu computes them, with its signature.

Its per-sentence statistics are what the items add up to: `_extract_corpus_statistics` and
`_compute_score_from_stats` are what its own bootstrap uses, and it has no public way to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lab.errors import SuiteError
from lab.metrics.options import flag, number, one_of, read
from lab.metrics.scored import Scored
from lab.metrics.tally import Corpus
from lab.protocol import Metric

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as Scorer

# TER of one item may take time with the cube of its words: about five minutes for all.
TER_LIMIT = 200_000_000

_TOKENIZERS = ("13a", "char", "intl", "none", "zh")
_ORDER = number(1, 10)


def _tokenizer(text: str) -> Any:
    try:
        return one_of(*_TOKENIZERS)(text)
    except ValueError as error:
        reason = "others need a download or a dictionary that is not installed"
        raise ValueError(f"{error}: {reason}") from error


_BLEU = {
    "lowercase": flag,
    "tokenize": _tokenizer,
    "smooth_method": one_of("exp", "floor", "add-k", "none"),
    "max_ngram_order": _ORDER,
    "effective_order": flag,
}
_CHRF = {
    "char_order": _ORDER,
    "word_order": number(0, 10),
    "beta": _ORDER,
    "lowercase": flag,
    "whitespace": flag,
    "eps_smoothing": flag,
}
_TER = {
    "normalized": flag,
    "no_punct": flag,
    "asian_support": flag,
    "case_sensitive": flag,
}


def bleu(scored: Scored, metric: Metric) -> Corpus:
    """Share of n-grams found in the references, times the penalty for brevity; 0 to 100."""
    options = read(metric, _BLEU)
    from sacrebleu.metrics.bleu import BLEU

    # "force" only spares a warning of text that looks tokenised.
    return _corpus(scored, metric.name, BLEU(force=True, **options), True)


def chrf(scored: Scored, metric: Metric) -> Corpus:
    """F-score of character n-grams (chrF++: and words), 0 to 100."""
    options = {"word_order": 2 * (metric.name == "chrf++"), **read(metric, _CHRF)}
    from sacrebleu.metrics.chrf import CHRF

    return _corpus(scored, metric.name, CHRF(**options), True)


def ter(scored: Scored, metric: Metric) -> Corpus:
    """Edits that turn the answer into the nearest reference, in percent of its words."""
    options = read(metric, _TER)
    work = 0
    for item, score in zip(scored.items, scored.scores, strict=True):
        written = len(score.final.split()) + 1
        lengths = [len(reference.split()) + 1 for reference in item.choices]
        work += sum(written * length * min(written, length) for length in lengths)
    if work > TER_LIMIT:
        hint = "take fewer or shorter items, or chrf, which takes no longer for long texts"
        raise SuiteError(f"{scored.task.name}: texts of this length take too long for TER", hint)
    from sacrebleu.metrics.ter import TER

    return _corpus(scored, metric.name, TER(**options), False)


def _corpus(scored: Scored, name: str, scorer: Scorer, higher: bool) -> Corpus:
    most = max(len(item.choices) for item in scored.items)
    # One stream for each reference; None where an item has fewer than another.
    streams: Any = [
        [item.choices[n] if n < len(item.choices) else None for item in scored.items]
        for n in range(most)
    ]
    answers = [score.final for score in scored.scores]
    rows = scorer._extract_corpus_statistics(answers, streams)

    def total(sums: Sequence[float]) -> float:
        return float(scorer._compute_score_from_stats(list(sums)).score)

    signature = str(scorer.get_signature())
    return Corpus(name, tuple(map(tuple, rows)), total, higher, signature)
