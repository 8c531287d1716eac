"""What a task file says of outputs: metrics, filters, and how text is generated."""

from __future__ import annotations

import json
from typing import Any

from lab.errors import SuiteError
from lab.harness.config import Config
from lab.harness.syntax import Function
from lab.items import filters
from lab.protocol import Filter, Generation, Kind, Metric

TOKENS_LIMIT = 32_768
PIPELINE_LIMIT = 16
STOP_LIMIT = 64
TEXT_LIMIT = 4_000  # characters of an option or a stop

_CHOICES, _TARGET = frozenset({Kind.CHOICES}), frozenset({Kind.TARGET})
_TEXT, _GENERATE = frozenset({Kind.TEXT}), frozenset({Kind.GENERATE})
# name -> the kinds of task that have it, and how lm-evaluation-harness aggregates it
_METRICS: dict[str, tuple[frozenset[Kind], str]] = {
    "acc": (_CHOICES | _TARGET, "mean"),
    "acc_norm": (_CHOICES, "mean"),
    "acc_bytes": (_CHOICES, "mean"),
    "brier_score": (_CHOICES, "brier_score"),
    "f1": (_CHOICES, "f1"),
    "mcc": (_CHOICES, "matthews_corrcoef"),
    "exact_match": (_GENERATE, "mean"),
    "bleu": (_GENERATE, "bleu"),
    "chrf": (_GENERATE, "chrf"),
    "chrf++": (_GENERATE, "chrf++"),
    "ter": (_GENERATE, "ter"),
    "perplexity": (_TARGET, "perplexity"),
    "word_perplexity": (_TEXT, "weighted_perplexity"),
    "byte_perplexity": (_TEXT, "weighted_perplexity"),
    "bits_per_byte": (_TEXT, "bits_per_byte"),
}
_NOT_OPTIONS = frozenset(
    {"metric", "aggregation", "higher_is_better", "hf_evaluate", "weight_by_size"}
)
_EXACT = frozenset({"regexes_to_ignore", "ignore_case", "ignore_punctuation", "ignore_numbers"})
_TOKENS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
# What steers sampling alone changes nothing where the likeliest token is always taken.
_IGNORED = frozenset({"top_p", "top_k", "min_p", "seed"})
_REMOVE = "remove it from the task file, or score the task with its own harness"


def metrics(config: Config, kind: Kind) -> tuple[Metric, ...]:
    """Return the metrics asked for; () for the kind's usual ones. Raises SuiteError."""
    found = config.mappings("metric_list")
    return () if found is None else tuple(_metric(config, one, kind) for one in found)


def _metric(config: Config, one: dict[str, Any], kind: Kind) -> Metric:
    name, own = one.get("metric"), one.get("aggregation")
    for value in (name, own):
        if isinstance(value, Function):
            reason = f"the metric {value.name!r:.80} is Python"
            raise config.error("metric_list", reason, _REMOVE)
    kinds, aggregation = _METRICS.get(str(name), (frozenset(), ""))
    if kind not in kinds:
        known = ", ".join(known for known, (kinds, _) in _METRICS.items() if kind in kinds)
        reason = f"no metric {name!r:.80} for this output_type; there are {known}"
        raise config.error("metric_list", reason, _REMOVE)
    if own is not None and str(own).removeprefix("nan") != aggregation:
        reason = f"{name} is aggregated as {aggregation}, not {own!r:.80}"
        raise config.error("metric_list", reason, "remove the aggregation")
    if one.get("hf_evaluate") and name != "exact_match":
        raise config.error("metric_list", f"{name} of `evaluate` is downloaded", _REMOVE)
    options = {key: value for key, value in one.items() if key not in _NOT_OPTIONS}
    if unknown := sorted(options.keys() - (_EXACT if name == "exact_match" else frozenset())):
        reason = f"{name} has no option {unknown[0]!r:.80}"
        raise config.error("metric_list", reason, "remove the option")
    return Metric(str(name), _options(config, "metric_list", options))


def generations(config: Config, kind: Kind) -> tuple[tuple[str, Generation], ...]:
    """Return the ways from a text to an answer, each with its name. Raises SuiteError."""
    pipelines = _pipelines(config, kind)
    if kind is not Kind.GENERATE:
        return (("", Generation()),)
    until, tokens = _stops(config), _tokens(config)
    return tuple((name, Generation(until, tokens, chain)) for name, chain in pipelines)


def _pipelines(config: Config, kind: Kind) -> list[tuple[str, tuple[Filter, ...]]]:
    found = config.mappings("filter_list")
    if not found:
        return [("", ())]
    if len(found) > PIPELINE_LIMIT:
        raise config.error("filter_list", f"more than {PIPELINE_LIMIT}", "use fewer")
    pipelines = []
    for one in found:
        steps = one.get("filter")
        if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
            raise config.error("filter_list", "no list of filters", "write name and filter")
        chain = tuple(_filter(config, step) for step in steps)
        if kind is not Kind.GENERATE and {step.name for step in chain} - {"take_first"}:
            raise config.error("filter_list", "filters work on generated text only", _REMOVE)
        pipelines.append((str(one.get("name", "")), chain))
    return pipelines


def _filter(config: Config, step: dict[str, Any]) -> Filter:
    name = step.get("function")
    if isinstance(name, Function):
        raise config.error("filter_list", f"the filter {name.name!r:.80} is Python", _REMOVE)
    options = {key: value for key, value in step.items() if key != "function"}
    found = Filter(str(name), _options(config, "filter_list", options))
    try:
        filters.check((found,))
    except SuiteError as error:
        raise config.error("filter_list", error.message, error.hint) from error
    return found


def _options(config: Config, key: str, options: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Write options as text: strings as they are, everything else as JSON."""
    found = []
    for name, value in options.items():
        try:
            text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise config.error(key, f"{name!r:.80} is not plain", _REMOVE) from error
        if len(text) > TEXT_LIMIT:
            raise config.error(key, f"{name!r:.80} is too long", "shorten it")
        found.append((name, text))
    return tuple(found)


def _stops(config: Config) -> tuple[str, ...]:
    given = config.mapping("generation_kwargs")
    usual = config.string("fewshot_delimiter", "\n\n")
    until = given.get("until") if "until" in given else usual
    stops = [until] if isinstance(until, str) else until or []
    good = isinstance(stops, list) and len(stops) <= STOP_LIMIT
    if not good or not all(isinstance(s, str) and len(s) <= TEXT_LIMIT for s in stops):
        raise config.error("generation_kwargs", "until is not a list of strings", "correct it")
    return tuple(stop for stop in stops if stop)


def _tokens(config: Config) -> int:
    given = config.mapping("generation_kwargs")
    sampled = given.get("do_sample")
    if sampled or (sampled is None and _number(config, given.get("temperature"))):
        hint = "set do_sample: false (a gate must give the same answer twice)"
        raise config.error("generation_kwargs", "samples", hint)
    if unknown := sorted(given.keys() - _IGNORED - {"until", "do_sample", "temperature", *_TOKENS}):
        raise config.error("generation_kwargs", f"{unknown[0]!r:.80} is not supported", _REMOVE)
    tokens = next((given[key] for key in _TOKENS if given.get(key) is not None), 256)
    if type(tokens) is not int or not 1 <= tokens <= TOKENS_LIMIT:
        reason = f"{tokens!r:.40} is not a number of tokens from 1 to {TOKENS_LIMIT:,}"
        raise config.error("generation_kwargs", reason, "correct it")
    return tokens


def _number(config: Config, value: object) -> float:
    try:
        return float(str(value)) if value is not None else 0.0
    except ValueError as error:
        hint = "correct it"
        raise config.error("generation_kwargs", "temperature is no number", hint) from error
