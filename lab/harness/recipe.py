"""Everything that a task file says, checked before any document is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lab.harness.code import Code
from lab.harness.config import Config
from lab.harness.fields import check_template
from lab.harness.output import generations, metrics
from lab.harness.syntax import Function
from lab.items.suite import FIELD_LIMIT, NAME_LIMIT
from lab.protocol import Generation, Kind, Metric

SHOT_LIMIT = 1_000

_KINDS = {
    "multiple_choice": Kind.CHOICES,
    "loglikelihood": Kind.TARGET,
    "loglikelihood_rolling": Kind.TEXT,
    "generate_until": Kind.GENERATE,
}
_KEYS = frozenset(
    (
        *("task", "task_alias", "tag", "group", "task_list", "dataset_path", "dataset_name"),
        *("dataset_kwargs", "training_split", "validation_split", "test_split"),
        *("fewshot_split", "process_docs", "doc_to_text", "doc_to_target", "doc_to_choice"),
        *("description", "target_delimiter", "fewshot_delimiter", "fewshot_config"),
        *("num_fewshot", "metric_list", "output_type", "generation_kwargs", "repeats"),
        *("filter_list", "should_decontaminate", "doc_to_decontamination_query"),
        *("gen_prefix", "metadata", "unsafe_code"),
    )
)
_REFUSED = {
    "class": "the task is a Python class",
    "custom_dataset": "the data set is made by Python",
    "process_results": "the results are computed by Python",
    "doc_to_image": "images are not measured",
    "doc_to_audio": "sound is not measured",
    "use_prompt": "promptsource templates are not read",
}
_SHOT_KEYS = frozenset(
    (
        *("sampler", "split", "process_docs", "fewshot_indices", "samples", "doc_to_text"),
        *("doc_to_choice", "doc_to_target", "gen_prefix", "fewshot_delimiter"),
        "target_delimiter",
    )
)
_ELSEWHERE = "score this task with its own harness, or write its items as JSONL"


@dataclass(frozen=True, slots=True)
class Style:
    """How a document is written: its fields, and what stands between and after them."""

    text: Any
    target: Any
    choices: Any
    prefix: Any
    delimiter: str
    after: str


@dataclass(frozen=True, slots=True)
class Shots:
    """Which examples stand before a question: `number` of `samples`, or of a split's."""

    number: int
    split: str
    samples: Any
    process: Function | None
    first: bool
    apart: bool  # the question itself is not among them
    style: Style


@dataclass(frozen=True, slots=True)
class Recipe:
    """One task, as its file says."""

    name: str
    kind: Kind
    split: str
    process: Function | None
    description: str
    style: Style
    shots: Shots
    metrics: tuple[Metric, ...]
    generations: tuple[tuple[str, Generation], ...]
    slices: tuple[str, ...]
    cluster: str


def recipe(config: Config, code: Code) -> Recipe:
    """Check a configuration. Raises SuiteError, naming the first key that is not supported."""
    _check_keys(config)
    named = config.string("output_type", "generate_until")
    if named not in _KINDS:
        reason = f"{named!r:.80} is none of {', '.join(_KINDS)}"
        raise config.error("output_type", reason, "correct it")
    kind = _KINDS[str(named)]
    split = config.string("test_split") or config.string("validation_split")
    if not split:
        raise config.error("test_split", "is missing, as is validation_split", "name a split")
    style = _style(config, kind)
    metadata = config.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    made = Recipe(
        name=_name(config),
        kind=kind,
        split=split,
        process=_process(config, "process_docs", config.get("process_docs")),
        description=config.string("description", "") or "",
        style=style,
        shots=_shots(config, style),
        metrics=metrics(config, kind),
        generations=generations(config, kind),
        slices=_names(config, metadata.get("slices") or []),
        cluster=(*_names(config, [metadata.get("cluster") or ""]), "")[0],
    )
    _check_specs(config, made, code)
    return made


def _check_keys(config: Config) -> None:
    for key, reason in _REFUSED.items():
        if config.get(key):
            raise config.error(key, reason, _ELSEWHERE)
    if config.get("unsafe_code"):
        raise config.error("unsafe_code", "code that a model wrote is not run", _ELSEWHERE)
    for entry in config.entries:
        if entry.key not in _KEYS and entry.key not in _REFUSED:
            raise config.error(entry.key, "unknown key", "correct its spelling, or remove it")
    if config.get("repeats") not in (None, 1):
        reason = "an answer is written once, as the likeliest text is always the same"
        raise config.error("repeats", reason, "set repeats: 1, or remove it")


def _name(config: Config) -> str:
    name = config.get("task")
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= NAME_LIMIT:
        hint = "name the task file itself, not one that it includes"
        raise config.error("task", "is not the name of a task", hint)
    return name


def _style(config: Config, kind: Kind) -> Style:
    style = Style(
        text=config.get("doc_to_text"),
        target=config.get("doc_to_target"),
        choices=config.get("doc_to_choice"),
        prefix=config.string("gen_prefix"),
        delimiter=_delimiter(config, "target_delimiter", config.get("target_delimiter"), " "),
        after=_delimiter(config, "fewshot_delimiter", config.get("fewshot_delimiter"), "\n\n"),
    )
    if kind is Kind.CHOICES and not style.choices:
        raise config.error("doc_to_choice", "is missing", "say what the choices are")
    if style.target is None:
        raise config.error("doc_to_target", "is missing", "say what the target is")
    if kind is not Kind.TEXT and style.text is None:
        raise config.error("doc_to_text", "is missing", "say what the context is")
    return style


def _delimiter(config: Config, key: str, value: object, usual: str) -> str:
    if value is not None and not isinstance(value, str):
        raise config.error(key, "is not a string", "quote it")
    return usual if value is None else value


def _shots(config: Config, style: Style) -> Shots:
    given, key = config.mapping("fewshot_config"), "fewshot_config"
    if unknown := sorted(given.keys() - _SHOT_KEYS):
        raise config.error(key, f"unknown key {unknown[0]!r:.80}", "correct its spelling")
    number = config.get("num_fewshot") or 0
    if type(number) is not int or not 0 <= number <= SHOT_LIMIT:
        raise config.error("num_fewshot", f"{number!r:.40} is no number of examples", "correct it")
    sampler = given.get("sampler", "default")
    if sampler not in ("default", "first_n"):
        shown = sampler.name if isinstance(sampler, Function) else sampler
        reason = f"no sampler {shown!r:.80}; there are default, first_n"
        raise config.error(key, reason, "use one of them")
    own = given.get("split", config.get("fewshot_split"))
    samples = None if own else given.get("samples")
    usual = next(filter(None, map(config.string, (*_SPLITS,))), "")
    process = given.get("process_docs", config.get("process_docs"))
    return Shots(
        number=number,
        split=str(own or usual),
        samples=samples,
        process=_process(config, key, process if own else config.get("process_docs")),
        first=sampler == "first_n",
        apart=own == config.get("test_split"),
        style=replace(
            style,
            text=given.get("doc_to_text") or style.text,
            target=_or(given.get("doc_to_target"), style.target),
            choices=given.get("doc_to_choice") or style.choices,
            prefix=_or(given.get("gen_prefix"), style.prefix),
            delimiter=_delimiter(config, key, given.get("target_delimiter"), style.delimiter),
            after=_delimiter(config, key, given.get("fewshot_delimiter"), style.after),
        ),
    )


_SPLITS = ("training_split", "validation_split", "test_split")


def _or(value: Any, usual: Any) -> Any:
    return usual if value is None else value


def _process(config: Config, key: str, value: object) -> Function | None:
    if value is None or isinstance(value, Function):
        return value
    raise config.error(key, "process_docs is not a function", "write !function module.name")


def _names(config: Config, values: object) -> tuple[str, ...]:
    if isinstance(values, list) and len(values) <= FIELD_LIMIT:
        found = tuple(value for value in values if isinstance(value, str))
        if len(found) == len(values):
            return found
    raise config.error("metadata", "slices is not a list of fields", "name fields of a document")


def _check_specs(config: Config, made: Recipe, code: Code) -> None:
    """Refuse Python that is not trusted, and templates that cannot be compiled."""
    key = "fewshot_config"
    specs = [
        *(("process_docs", made.process), ("description", made.description)),
        *(("doc_to_target", made.style.target), ("doc_to_choice", made.style.choices)),
        ("gen_prefix", made.style.prefix),
    ]
    if made.kind is not Kind.TEXT:
        specs.append(("doc_to_text", made.style.text))
    if made.shots.number:
        shots = made.shots
        specs += [(key, shots.process), (key, shots.samples), (key, shots.style.text)]
        specs += [(key, shots.style.target), (key, shots.style.choices), (key, shots.style.prefix)]
    for name, spec in specs:
        if isinstance(spec, Function) and not code.trust:
            raise config.code(name, spec)
        if isinstance(spec, str) and (problem := check_template(spec)):
            raise config.error(name, problem, "correct the template")
