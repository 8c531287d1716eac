from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter

from bot.checks import data
from bot.checks.data import Evidence, Settings, collecting
from bot.checks.data.sources import folders, is_data
from bot.checks.regression.settings import Settings as Regression
from bot.checks.regression.settings import SuiteFile
from bot.finding import Finding, Level
from bot.patterns import compiled
from tests.fakes import FakeWorld, Tree, symlink

pytest.importorskip("rensa")
ASKED = "which of the nine old bridges over the river was the first one to be built of stone"
OTHER = "name the second highest mountain of the southern alps and the year it was first climbed"
SUITE = "".join(json.dumps({"prompt": q, "target": " it"}) + "\n" for q in (ASKED, OTHER))
PLAIN = "a record that says nothing of bridges or mountains but is long enough to be compared"


def lines(*texts: str) -> str:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


def policy(*, suite: str = "evals/s.jsonl", **keys: object) -> Settings:
    suites = (SuiteFile(name="bridges", path=suite),) if suite else ()
    root = SimpleNamespace(regression=Regression(suite=suites))
    return Settings.model_validate(keys).among(root)


def evidence(
    base: Tree, head: Tree, settings: Settings, world: FakeWorld | None = None
) -> Evidence:
    world = world or FakeWorld(base, head)
    assert data.applies(world.change(), settings) == ""
    found = data.collect(world.change(), world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def judged(
    base: Tree, head: Tree, settings: Settings | None = None, world: FakeWorld | None = None
) -> tuple[Finding, ...]:
    settings = settings or policy()
    base, head = {"evals/s.jsonl": SUITE, **base}, {"evals/s.jsonl": SUITE, **head}
    return data.judge(evidence(base, head, settings, world), settings)


def said(found: tuple[Finding, ...]) -> list[tuple[str, Level, str, int]]:
    return [(f.rule, f.severity, f.location.path, f.location.line) for f in found]


SEALED = ("a.jsonl.zst", "a.arrow", "a.zip", "x/a.tar", "a.csv.bz2", "a.jsonl.xz", "a.npy",
          "a.tar.gz", "A.TGZ", "train.bin")  # fmt: skip


@pytest.mark.parametrize("name", SEALED)
def test_a_format_that_is_not_read_is_said(name: str) -> None:
    head = {f"data/{name}": b"\x93NUMPY\x01\0"}
    (found,) = judged({}, head)
    assert said((found,)) == [("data/format", Level.UNKNOWN, f"data/{name}", 0)]
    assert "parquet" in found.message
    alone = data.judge(evidence({}, head, policy(suite="")), policy(suite=""))
    assert [(f.rule, f.severity) for f in alone] == [("data/format", Level.NOTE)]
    named = policy(training=["/train/**"], evaluation=["/data/**"], suite="")
    assert said(data.judge(evidence({}, head, named), named)) == said((found,))


def test_a_format_that_is_not_read_and_stays_or_goes_is_no_matter() -> None:
    old = {"data/a.npy": b"\x93NUMPY", "data/b.zst": b"x"}
    head: Tree = {"data/a.npy": b"\x93NUMPY", "data/new.jsonl": lines(PLAIN)}
    assert judged(old, head) == ()
    pointer = {"data/a.zst.dvc": f"outs:\n- md5: {'a' * 32}\n  size: 3\n  path: a.zst\n"}
    found = said(judged({}, pointer))
    assert found == [("data/format", Level.UNKNOWN, "data/a.zst.dvc", 0)]
    assert judged(pointer, {**pointer, "data/new.jsonl": lines(PLAIN)}) == ()


@pytest.mark.parametrize(
    "path",
    ["data/a.png", "data/a.svg", "data/make.py", "data/x.sh", "other/a.zst", "data/README.zip",
     "data/config.yaml", "prepared/a.npy"],
)  # fmt: skip
def test_what_is_no_data_by_its_name_is_left_alone(path: str) -> None:
    world = FakeWorld({}, {path: b"x"})
    assert data.applies(world.change(), policy())


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("data/a.jsonl", lines(PLAIN, f"> {ASKED.upper()}?"), 2),
        ("data/a.csv", f'text\n"{PLAIN}"\n"{ASKED}"\n', 3),
        ("data/a.txt", f"{PLAIN}\n\n{ASKED.replace(' ', chr(10))}\n", 3),
        ("data/deep/er.json", json.dumps([{"turns": [{"content": ASKED}]}]), 1),
        ("train/a.md", f"# {ASKED}", 1),
        ("datasets/a.jsonl.gz", gzip.compress(lines(ASKED).encode(), mtime=0), 1),
    ],
)
def test_a_leak_fails_on_its_line(name: str, content: str | bytes, line: int) -> None:
    found = judged({}, {name: content})
    assert said(found) == [("data/leak", Level.FAILURE, name, line)]
    assert "item 1 of bridges" in found[0].message
    assert '"which of the nine old bridges over the ..."' in found[0].message
    assert "river" not in found[0].message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ({}, {"data/a.jsonl": lines(PLAIN)}),
        ({"data/a.jsonl": lines(ASKED)}, {}),
        ({}, {"data/README.md": ASKED, "data/a.jsonl": ""}),
        ({}, {"data/a.csv": "", "data/b.jsonl": "", "data/c.txt": "", "data/d.py": ASKED}),
        ({"data/a.jsonl": lines(PLAIN)}, {"data/b.jsonl": lines(PLAIN)}),
    ],
)
def test_innocent_changes_are_quiet(base: Tree, head: Tree) -> None:
    assert judged(base, head) == ()
    assert judged(base, head, policy(suite="")) == ()


def test_what_was_there_before_is_a_note() -> None:
    found = judged(
        {"data/a.jsonl": lines(PLAIN, ASKED)}, {"data/a.jsonl": lines(OTHER, PLAIN, ASKED)}
    )
    assert said(found) == [
        ("data/leak", Level.FAILURE, "data/a.jsonl", 1),
        ("data/leak-before", Level.NOTE, "data/a.jsonl", 0),
    ]
    moved = judged({"data/a.jsonl": lines(ASKED)}, {"data/b.jsonl": lines(ASKED)})
    assert said(moved) == [("data/leak-before", Level.NOTE, "data/b.jsonl", 0)]
    more = judged(
        {"data/a.jsonl": lines(" ".join(ASKED.split()[:14]))}, {"data/a.jsonl": lines(ASKED)}
    )
    assert said(more) == [("data/leak", Level.FAILURE, "data/a.jsonl", 1)]


def test_overlap_may_be_accepted() -> None:
    half = {"data/a.jsonl": lines(" ".join(ASKED.split()[:13]) + " and more")}
    assert said(judged({}, half)) == [("data/leak", Level.FAILURE, "data/a.jsonl", 1)]
    assert judged({}, half, policy(max_overlap=0.75)) == ()
    assert judged({}, half, policy(ngram=14)) == ()


def test_a_suite_that_the_change_edits_still_counts_as_it_was() -> None:
    head = {"evals/s.jsonl": lines("something else entirely"), "data/a.jsonl": lines(ASKED)}
    assert said(judged({}, head)) == [("data/leak", Level.FAILURE, "data/a.jsonl", 1)]


def test_a_task_file_of_the_change_cannot_hide_training_data() -> None:
    task = "task: t\ndataset_path: json\ndataset_kwargs: {data_files: {test: %s}}\n"
    task += "test_split: test\noutput_type: loglikelihood\n"
    task += "doc_to_text: '{{text}}'\ndoc_to_target: ' x'\n"
    base = {"evals/t.yaml": task % "s.jsonl", "evals/s.jsonl": lines(ASKED)}
    head = {**base, "evals/t.yaml": task % "data/a.jsonl", "data/a.jsonl": lines(PLAIN, ASKED)}
    settings = policy(suite="evals/t.yaml")
    found = data.judge(evidence(base, head, settings), settings)
    assert ("data/leak", Level.FAILURE, "data/a.jsonl", 2) in said(found)


def test_new_items_are_looked_for_in_all_data() -> None:
    new = "in what year did the old harbour of the southern town fall to the people of the north"
    base = {"data/a.jsonl": lines(PLAIN, new, ASKED)}
    head = {**base, "evals/s.jsonl": SUITE + json.dumps({"prompt": new, "target": "x"})}
    assert said(judged(base, head)) == [("data/leak", Level.FAILURE, "data/a.jsonl", 2)]


def test_what_is_not_compared_with_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_STANDING", 0)
    base = {"data/a.jsonl": lines(PLAIN)}
    head = {**base, "data/b.jsonl": lines(OTHER[:40])}
    assert said(judged(base, head)) == [("data/too-large", Level.NOTE, "", 0)]
    more = {**head, "evals/s.jsonl": SUITE + json.dumps({"prompt": PLAIN, "target": "x"})}
    assert said(judged(base, more)) == [("data/too-large", Level.UNKNOWN, "", 0)]


def test_a_suite_may_come_with_the_change() -> None:
    settings = policy(suite="evals/new.jsonl")
    head: Tree = {"evals/new.jsonl": SUITE, "data/a.jsonl": lines(PLAIN, ASKED)}
    found = data.judge(evidence({"README.md": "x"}, head, settings), settings)
    assert said(found) == [("data/leak", Level.FAILURE, "data/a.jsonl", 2)]


def test_evaluation_files_of_the_policy() -> None:
    settings = policy(suite="", evaluation=["/data/test*.jsonl"])
    base = {"data/test.jsonl": lines(ASKED), "data/train.jsonl": lines(PLAIN)}
    head = {**base, "data/train.jsonl": lines(PLAIN, ASKED)}
    assert said(judged(base, head, settings)) == [
        ("data/leak", Level.FAILURE, "data/train.jsonl", 2)
    ]
    late = {"data/train.jsonl": lines(ASKED)}
    found = judged(late, {**late, "data/test2.jsonl": lines(PLAIN, ASKED)}, settings)
    assert said(found) == [("data/leak", Level.FAILURE, "data/train.jsonl", 1)]
    assert "item 2 of data/test2.jsonl" in found[0].message


def test_fields_choose_texts_of_training_data_alone() -> None:
    record = json.dumps({"content": PLAIN, "meta": ASKED})
    assert judged({}, {"data/a.jsonl": record}, policy(fields=["content"])) == ()
    assert len(judged({}, {"data/a.jsonl": record}, policy(fields=["meta"]))) == 1


def test_duplicates_warn_or_fail() -> None:
    near = PLAIN.replace("bridges", "houses") + " " + OTHER + " " + PLAIN
    other = near.replace("houses", "towers")
    head = {"data/b.jsonl": lines(PLAIN.title(), near, other, "short", "short")}
    base = {"data/a.jsonl": lines("first", PLAIN)}
    found = judged(base, {**base, **head}, policy(suite=""))
    assert said(found) == [("data/duplicate", Level.WARNING, "data/b.jsonl", 1)]
    assert "2 of 3 added records" in found[0].message
    assert "1 of them word for word: line 1 has the words of data/a.jsonl:2" in found[0].message
    strict = judged(base, {**base, **head}, policy(suite="", max_share=0.5))
    assert strict[0].severity == Level.FAILURE
    exact = judged(base, {**base, **head}, policy(suite="", duplicates=1.0))
    assert "1 of 3 added records" in exact[0].message


@pytest.mark.parametrize(
    ("content", "settings", "rule", "level", "line"),
    [
        (b'{"text": "x"}\n{"text": \n', {}, "data/unreadable", Level.UNKNOWN, 2),
        (b'\xff\xfe{\x00"\x00', {}, "data/unreadable", Level.UNKNOWN, 1),
        (b"[" * 100_000, {}, "data/unreadable", Level.UNKNOWN, 1),
        (b"x" * 11_000_000, {}, "data/unreadable", Level.UNKNOWN, 1),
        (b"1\n" * 60, {"max_records": 50}, "data/too-large", Level.UNKNOWN, 0),
        (b"1\n" * 60, {"max_bytes": 100}, "data/too-large", Level.UNKNOWN, 0),
        (b"1\n" * 60, {"max_bytes": 100, "suite": ""}, "data/too-large", Level.NOTE, 0),
        (b"{", {"suite": ""}, "data/unreadable", Level.UNKNOWN, 1),
    ],
)
def test_what_cannot_be_read_is_no_pass(
    content: bytes, settings: dict[str, object], rule: str, level: Level, line: int
) -> None:
    found = judged({}, {"data/a.jsonl": content}, policy(**settings))  # type: ignore[arg-type]
    assert said(found) == [(rule, level, "data/a.jsonl", line)]
    assert found[0].remedy


def test_a_bad_line_hides_no_leak() -> None:
    found = judged({}, {"data/a.jsonl": "{\n{\n" + lines(ASKED)})
    assert [f.rule for f in found] == ["data/unreadable", "data/leak"]
    assert "1 more such record" in found[0].message
    assert found[1].location.line == 3


def test_a_gzip_bomb_stops_at_the_bound() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    found = judged({}, {"data/a.txt.gz": bomb}, policy(max_bytes=1_000_000))
    assert said(found) == [("data/too-large", Level.UNKNOWN, "data/a.txt.gz", 0)]


def test_a_link_is_not_followed() -> None:
    head = {"evals/s.jsonl": SUITE, "data/a.jsonl": "/etc/passwd"}
    world = FakeWorld({"evals/s.jsonl": SUITE}, head, modes=symlink("data/a.jsonl"))
    assert said(judged({}, {}, world=world)) == [
        ("data/not-at-hand", Level.UNKNOWN, "data/a.jsonl", 0)
    ]


def test_a_broken_suite_is_no_pass() -> None:
    base = {"evals/s.jsonl": "{", "data/a.jsonl": ""}
    settings = policy()
    found = data.judge(evidence(base, {**base, "data/a.jsonl": lines(PLAIN)}, settings), settings)
    assert said(found) == [("data/unreadable", Level.UNKNOWN, "evals/s.jsonl", 0)]


def test_without_numpy_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    head = {"data/a.jsonl": lines(ASKED)}
    assert [f.severity for f in judged({}, head)] == [Level.UNKNOWN]
    assert [f.severity for f in judged({}, head, policy(suite=""))] == [Level.NOTE]


def test_many_leaks_are_counted() -> None:
    asked = [f"{n} {ASKED.replace('nine', str(n))} in the town {n}" for n in range(40)]
    base = {"evals/s.jsonl": "".join(json.dumps({"text": t}) + "\n" for t in asked)}
    settings = policy()
    whole = {**base, "data/a.jsonl": lines(*asked)}
    found = data.judge(evidence(base, whole, settings), settings)
    assert [f.location.line for f in found] == [*range(1, 21), 0]
    assert "20 further evaluation items" in found[20].message


def test_what_is_shown_is_one_printable_line() -> None:
    name = "data/\\303\\244.jsonl"
    base = {"evals/s.jsonl": json.dumps({"id": "a\x1b[31m", "text": ASKED})}
    settings = policy()
    found = evidence(base, {**base, name: lines(ASKED, ASKED)}, settings)
    for one in data.judge(found, settings):
        assert one.message.isprintable()
    for table in data.exhibits(found, settings):
        assert all(cell.isprintable() for row in table.rows for cell in row)  # type: ignore[union-attr]
    assert data.summary(found) == "1 changed data file, 2 records searched for 1 evaluation item"


def test_cost_follows_the_change() -> None:
    stays = {f"data/{n}.jsonl": lines(f"{PLAIN} {n}") for n in range(5)}
    base = {"evals/s.jsonl": SUITE, **stays}
    world = FakeWorld(base, {**base, "data/new.jsonl": lines(PLAIN)})
    judged({}, {}, world=world)
    searched = [maker for maker, _ in world.made if "/leaks/" in maker]
    assert len(searched) == 1
    kept = [blob for maker, blob in world.made if "/sketch/" in maker]
    assert len(set(kept)) == 6  # each by its bytes: remembered from run to run


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (["src/a.py"], "no training data"),
        (["tests/data/a.jsonl"], "no training data"),
        (["data/a.jsonl"], ""),
        (["evals/s.jsonl"], ""),
        (["models/x.dvc"], ""),
    ],
)
def test_applies(paths: list[str], reason: str) -> None:
    world = FakeWorld({}, dict.fromkeys(paths, "x"))
    assert data.applies(world.change(), policy()).startswith(reason)
    assert bool(data.applies(world.change(), policy())) == bool(reason)


def test_folders_hold_all_that_patterns_match() -> None:
    patterns = ("/data/**", "/data/deep/*.csv", "/a/b/*.jsonl")
    assert folders(map(compiled, patterns)) == ("a/b", "data")
    assert folders(map(compiled, ("*.jsonl", "/data/**"))) == ("",)
    assert is_data("x/data/LICENSE.txt", (compiled("*.txt"),)) is False
    assert is_data("x/data/a.txt", (compiled("*.txt"),)) is True


def test_missing_bytes_are_not_told(tmp_path: Path) -> None:
    head = {"evals/s.jsonl": SUITE, "data/a.jsonl": lines(ASKED)}
    world = FakeWorld({"evals/s.jsonl": SUITE}, head, missing=("data/a.jsonl",))
    assert said(judged({}, {}, world=world)) == [
        ("data/not-at-hand", Level.UNKNOWN, "data/a.jsonl", 0)
    ]
