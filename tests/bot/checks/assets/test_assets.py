from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.checks import assets
from bot.checks.assets import Evidence, Settings, collecting
from bot.exhibit import Table
from bot.finding import Level
from registry.assets import curated
from registry.assets.curated import Curated
from registry.errors import BadProvenance
from tests.fakes import FakeWorld, Tree, symlink

APACHE = (Path(__file__).parents[4] / "LICENSE").read_text()
L = {"LICENSE": APACHE}
SHARED = Path(__file__).parents[5] / "shared/data/audit/provenance"
NC = {"org/nc": {"license": "CC-BY-NC-4.0", "source": "its card, read by Ada"}}
FREE = {"org/free": {"license": "Apache-2.0", "source": "its card, read by Ada"}}


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def card(*lines: str) -> str:
    return "\n".join(["---", *lines, "---", "# Title"])


def evidence(base: Tree, head: Tree, settings: Settings, **more: Any) -> Evidence:
    world = FakeWorld(base, head, **more)
    assert assets.applies(world.change(), settings) == ""
    found = assets.collect(world.change(), world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def judged(base: Tree, head: Tree, **settings: Any) -> list[tuple[str, str, str, int]]:
    used = Settings(**settings)
    found = assets.judge(evidence(base, head, used), used)
    assert all(f.message.isprintable() and f.remedy for f in found)
    return [(f.rule, f.severity.value, f.location.path, f.location.line) for f in found]


def message(base: Tree, head: Tree, **settings: Any) -> str:
    used = Settings(**settings)
    (found,) = assets.judge(evidence(base, head, used), used)
    return found.message


MIT = {**L, "README.md": card("license: mit")}


def with_base(model: str, *more: str, license: str = "mit") -> Tree:
    return {**L, "README.md": card(f"license: {license}", f"base_model: {model}", *more)}


def with_data(name: str, license: str = "mit") -> Tree:
    return {**L, "README.md": card(f"license: {license}", f"datasets: [{name}]")}


def test_llama_2_under_an_mit_card_is_forbidden_and_quoted() -> None:
    head = with_base("meta-llama/Llama-2-7b")
    assert judged(MIT, head) == [("assets/forbidden", "failure", "README.md", 3)]
    text = message(MIT, head)
    assert "meta-llama/Llama-2-7b (llama2, known models)" in text and "under MIT" in text
    assert "adhere to the Acceptable Use Policy" in text


@pytest.mark.parametrize(
    ("head", "settings", "way"),
    [
        (with_base("meta-llama/Llama-2-7b"), {}, "Publish under llama2 ("),
        (with_base("meta-llama/Llama-2-7b"), {"deny": ["*"]}, "Use another"),
        # Its own licence does not let it be sold either.
        (with_data("org/nc"), {"facts": NC, "commercial": True}, "Use another"),
    ],
)
def test_the_remedy_names_the_licence_that_would_do(
    head: Tree, settings: dict[str, Any], way: str
) -> None:
    used = Settings(**settings)
    (found,) = assets.judge(evidence(MIT, head, used), used)
    assert found.remedy.startswith(way)


@pytest.mark.parametrize(
    ("head", "settings", "expected"),
    [
        (with_base("mistralai/Mistral-7B-v0.1", license="apache-2.0"), {}, ("conditions", "note")),
        (with_base("meta-llama/Llama-2-7b", license="llama2"), {}, ("conditions", "warning")),
        (with_base("org/nobody-knows"), {}, ("unknown", "failure")),
        (with_base("org/free"), {"facts": FREE}, ("conditions", "note")),
        (with_base("org/free"), {"deny": ["org/*"]}, ("forbidden", "failure")),
        (with_data("org/nc"), {"facts": NC}, ("conditions", "warning")),
        (with_data("org/nc"), {"facts": NC, "commercial": True}, ("forbidden", "failure")),
        (with_data("org/nc"), {"facts": NC, "commercial": False}, ("conditions", "warning")),
        (
            with_data("org/nc"),
            {"facts": NC, "rules": {"trains_on.noncommercial": "fail"}},
            ("forbidden", "failure"),
        ),
        (
            with_data("org/nc"),
            {"facts": NC, "rules": {"*.noncommercial": "review"}},
            ("review", "failure"),
        ),
        (with_data("org/nc"), {"facts": NC, "rules": {"*": "note"}}, ("conditions", "note")),
        (
            with_data("org/nc"),
            {"facts": NC, "rules": {"finetunes.*": "fail"}},
            ("conditions", "warning"),
        ),
        (with_data("squad"), {}, ("unknown", "failure")),
    ],
)
def test_a_card_and_the_policy(
    head: Tree, settings: dict[str, Any], expected: tuple[str, str]
) -> None:
    ((rule, severity, path, line),) = judged(MIT, head, **settings)
    assert (rule.removeprefix("assets/"), severity) == expected
    assert (path, line) == ("README.md", 3)


@pytest.mark.parametrize(
    ("head", "settings"),
    [
        (with_base("org/x"), {"allow": ["ORG/*"]}),
        (with_data("org/nc"), {"facts": NC, "rules": {"*": "off"}}),
        (with_base("./local/elsewhere"), {}),
        (MIT | {"a.py": "print(1)"}, {}),
        (MIT | {"a.py": 'X.from_pretrained("gpt2")'}, {}),
        (MIT | {"tests/test_a.py": 'load_dataset("org/unknown")'}, {}),
        (MIT | {"docs/a.py": 'X.from_pretrained("org/nobody-knows")'}, {}),
        (MIT | {"a.yaml": "jobs:\n  models/x: &a 1\n  b: *a\n"}, {}),
        (MIT | {"README.md": card("license: mit", "language: en") + "\nmore"}, {}),
    ],
)
def test_an_innocent_change_is_quiet(head: Tree, settings: dict[str, Any]) -> None:
    assert judged(MIT, head, **settings) == []


@pytest.mark.parametrize(
    ("code", "base", "expected"),
    [
        ('load_dataset("lmsys/lmsys-chat-1m")', L, ("unknown", "warning")),
        ('load_dataset("lmsys/lmsys-chat-1m")\nTrainer()', L, ("unknown", "warning")),
        ('load_dataset("lmsys/lmsys-chat-1m")\nTrainer()', MIT, ("unknown", "failure")),
        ('X.from_pretrained("org/nobody-knows")', MIT, ("unknown", "warning")),
        ('X.from_pretrained("meta-llama/Llama-2-7b")\nTrainer()', MIT, ("forbidden", "failure")),
        ('X.from_pretrained("meta-llama/Llama-2-7b")\nTrainer()', L, ("forbidden", "warning")),
        ('X.from_pretrained("meta-llama/Llama-2-7b")', MIT, ("conditions", "note")),
    ],
)
def test_literals_weigh_by_what_is_published(
    code: str, base: Tree, expected: tuple[str, str]
) -> None:
    ((rule, severity, path, line),) = judged(base, {**base, "run.py": code})
    assert (rule.removeprefix("assets/"), severity, path, line) == (*expected, "run.py", 1)


@pytest.mark.parametrize(
    ("base", "expected"), [(L, ("forbidden", "warning")), (MIT, ("forbidden", "failure"))]
)
def test_a_recipe_weighs_by_what_is_published(base: Tree, expected: tuple[str, str]) -> None:
    # A project of recipes has a licence of its code; its weights are published elsewhere.
    recipe = "model_name_or_path: google/gemma-7b\nlearning_rate: 1\n"
    ((rule, severity, *_),) = judged(base, {**base, "recipes/a.yaml": recipe})
    assert (rule.removeprefix("assets/"), severity) == expected


def test_a_demonstration_of_what_is_forbidden_is_a_note() -> None:
    head = {**MIT, "examples/a.py": 'X.from_pretrained("meta-llama/Llama-2-7b")\nTrainer()'}
    ((rule, severity, *_),) = judged(MIT, head)
    assert (rule, severity) == ("assets/forbidden", "note")


def test_what_the_base_names_already_is_not_judged_again() -> None:
    base = with_base("meta-llama/Llama-2-7b")
    head = {**base, "README.md": str(base["README.md"]) + "\nmore text"}
    assert judged(base, head) == []
    moved = {**L, "m/README.md": base["README.md"], "README.md": card("license: mit")}
    assert judged(base, moved) == []


def test_a_card_that_changes_its_licence_judges_its_edges_again() -> None:
    base = with_base("meta-llama/Llama-2-7b", license="llama2")
    assert judged(base, with_base("meta-llama/Llama-2-7b")) == [
        ("assets/forbidden", "failure", "README.md", 3)
    ]
    below = {"m/adapter_config.json": '{"base_model_name_or_path": "meta-llama/Llama-2-7b"}'}
    found = judged({**base, **below}, {**with_base("meta-llama/Llama-2-7b"), **below})
    assert [(rule, path) for rule, _, path, _ in found] == [
        ("assets/forbidden", "README.md"), ("assets/forbidden", "m/adapter_config.json"),
    ]  # fmt: skip


def test_a_base_model_in_the_repository_is_known_by_its_card() -> None:
    rest = {
        **L,
        "models/b/adapter_config.json": '{"base_model_name_or_path": "../a"}',
        "models/b/README.md": card("license: mit"),
        "train.py": 'X.from_pretrained("gpt2")\nTrainer()',
    }
    base = {**rest, "models/a/README.md": card("license: mit")}
    head = {**rest, "models/a/README.md": card("license: cc-by-nc-4.0")}
    assert judged(base, head, commercial=True) == [
        ("assets/forbidden", "failure", "models/b/adapter_config.json", 1)
    ]
    assert judged(head, {**head, "x.py": ""}, commercial=True) == []


def test_a_changed_license_file_judges_what_stands_on_it() -> None:
    code = {"train.py": 'X.from_pretrained("gpt2")\nTrainer()'}
    found = judged({**L, **code}, {"LICENSE": "My own terms.", **code})
    assert found == [("assets/unknown", "warning", "train.py", 1)]
    assert judged({**L, **code}, {**L, **code, "third/LICENSE": "My own terms."}) == []


def test_what_is_published_under_nothing_is_the_projects_to_say() -> None:
    head = {"README.md": card("base_model: gpt2")}
    used = Settings()
    world = FakeWorld({"a.py": ""}, head)
    (found,) = assets.judge(assets.collect(world.change(), world, used), used)
    assert (found.rule, found.severity) == ("assets/unknown", Level.FAILURE)
    assert "nothing says what weights are under: no licence is stated" in found.message
    assert "assets.publish" in found.remedy


def test_a_card_and_the_license_beside_it() -> None:
    head = {**L, "models/a/README.md": card("license: mit"), "models/a/LICENSE": APACHE}
    assert judged(L, head) == [("assets/disagree", "failure", "models/a/README.md", 2)]
    text = message(L, head)
    assert text == "models/a/README.md says MIT, models/a/LICENSE is Apache-2.0"
    later = {**head, "models/a/README.md": card("license: mit") + "\nmore"}
    assert judged(head, later) == [("assets/disagree", "note", "models/a/README.md", 2)]
    right = {**head, "models/a/README.md": card("license: apache-2.0")}
    assert judged(head, right) == []


def keep(*entries: Curated) -> None:
    curated.save(curated.default_path(), entries, "tests")


def test_a_hub_tag_against_what_people_found() -> None:
    keep(Curated("org/d", ("CC-BY-NC-4.0",), (), "MIT", (), "C"))
    found = judged(MIT, with_data("org/d"), commercial=True)
    assert found == [
        ("assets/disagree", "failure", "README.md", 3),
        ("assets/forbidden", "failure", "README.md", 3),
    ]
    fact = {"org/d": {"license": "MIT", "source": "the owner wrote so"}}
    settled = judged(MIT, with_data("org/d"), commercial=True, facts=fact)
    assert settled == []
    keep(Curated("org/d", ("MIT",), (), "MIT", (), "C"))
    assert judged(MIT, with_data("org/d")) == []


def test_data_that_a_model_wrote_has_the_terms_of_the_model() -> None:
    keep(Curated("org/d", ("MIT",), (), "MIT", ("Llama-2-70b-chat-hf",), "C"))
    assert judged(MIT, with_data("org/d")) == [("assets/forbidden", "failure", "README.md", 3)]
    assert "written by Llama-2-70b-chat-hf" in message(MIT, with_data("org/d"))
    keep(Curated("org/d", ("MIT",), (), "MIT", ("Nobody-9B",), "C"))
    assert judged(MIT, with_data("org/d")) == [("assets/unknown", "failure", "README.md", 3)]


@pytest.mark.parametrize(
    "entries",
    [
        (Curated("org/d", (), ("Unspecified",)),),
        (Curated("org/d", ("MIT",), ("Custom",)),),
        (Curated("org/d", ("MIT",)), Curated("org/d", ("CC-BY-NC-4.0",))),
        (Curated("org/d", ("LicenseRef-OpenAI", "MIT")),),
    ],
)
def test_what_is_partly_known_is_unknown(entries: tuple[Curated, ...]) -> None:
    keep(*entries)
    assert judged(MIT, with_data("org/d")) == [("assets/unknown", "failure", "README.md", 3)]


def test_a_damaged_file_of_provenance_is_told() -> None:
    path = curated.default_path()
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(BadProvenance):
        judged(MIT, with_data("org/d"))


@pytest.mark.parametrize(
    ("path", "data", "level"),
    [
        ("README.md", b"---\nlicense: [\n---\n", "unknown"),
        ("m/adapter_config.json", b"{", "unknown"),
        ("m/config.json", b"\xff\xfe{\x00model_type", "unknown"),
        ("train.yaml", b"base_model: org/m\nbase_model: org/m\n", "unknown"),
        ("a.py", b"load_dataset('org/d'", "note"),
        ("README.md", b"---\n" + b"a" * 6_000_000, "unknown"),
    ],
)
def test_what_cannot_be_read_is_one_finding(path: str, data: bytes, level: str) -> None:
    found = judged(L, {**L, path: data})
    assert [(rule, severity, at) for rule, severity, at, _ in found] == [
        ("assets/unreadable", level, path)
    ]
    # A file that nobody could read before may name anything more now.
    assert [s for _, s, *_ in judged({**L, path: data}, {**L, path: data + b" "})] == [level]


def test_a_symbolic_link_is_no_card() -> None:
    head = {**L, "m/README.md": "../x"}
    used = Settings()
    found = evidence(L, head, used, modes=symlink("m/README.md"))
    assert assets.judge(found, used) == () and not found.placed


def test_names_of_strangers_do_not_reach_the_terminal() -> None:
    name = '"o/\\x1b[31m"'
    found = judged(MIT, {**MIT, "README.md": card("license: mit", f"base_model: {name}")})
    assert found == []  # no name of the hub
    head = {**MIT, "README.md": card("license: mit", "base_model: o/m"), "a\x1b.py": ""}
    assert len(judged(MIT, head)) == 1


def test_many_unknown_names_of_a_list_are_one_finding() -> None:
    rows = {f"d{n}": {"hf_hub_url": f"org/d{n}"} for n in range(20)}
    head = {**L, "data/dataset_info.json": json.dumps(rows, indent=1)}
    assert judged(L, head) == [("assets/unknown", "warning", "data/dataset_info.json", 3)]
    assert "and 15 more" in message(L, head)


def test_more_than_can_be_judged_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_PLACED", 20)
    names = "".join(f"\n- o/d{n}" for n in range(21))
    found = judged(MIT, {**MIT, "README.md": card("license: mit", f"datasets:{names}")})
    assert ("assets/unreadable", "unknown", "", 0) in found


def test_summary_and_table() -> None:
    used = Settings.model_validate({"facts": NC, "commercial": True})
    head = {**with_data("org/nc"), "run.py": 'X.from_pretrained(name)\nload_dataset("org/u")'}
    found = evidence(MIT, head, used)
    assert assets.summary(found) == (
        "1 of 2 models or data sets of known licence; 1 name computed by code"
    )
    (table,) = assets.exhibits(found, used)
    assert isinstance(table, Table)
    assert table.rows == (
        ("org/nc", "trains_on", "CC-BY-NC-4.0", "policy", "forbidden", "README.md:3"),
        ("org/u", "evaluates_on", "unknown", "-", "unknown", "run.py:2"),
    )
    nothing = evidence(L, {**L, "a.py": "1"}, used)
    assert assets.summary(nothing) == "no model or data set added"
    assert assets.exhibits(nothing, used) == ()


@pytest.mark.parametrize(
    "bad",
    [
        {"facts": {"org/d": {"license": "no such", "source": "x"}}},
        {"facts": {"org/d": {"license": "MIT"}}},
        {"facts": {"org/d": {"license": "", "source": "x"}}},
        {"publish": {"weights": "my own"}},
        {"publish": {"wieghts": "MIT"}},
        {"rules": {"trains_on.noncommercial": "forbid"}},
        {"commercial": "perhaps"},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**bad)


def test_what_is_published_may_be_said_in_the_policy() -> None:
    head = {**L, "train.py": 'X.from_pretrained("meta-llama/Llama-2-7b")\nTrainer()'}
    assert judged(L, head, publish={"weights": "MIT"})[0][:2] == ("assets/forbidden", "failure")
    assert judged(L, head, publish={"weights": "llama2"})[0][:2] == ("assets/conditions", "warning")


def test_llama_factorys_table_as_a_change() -> None:
    path = SHARED / "llama-factory-dataset_info.json"
    if not path.exists():
        pytest.skip("shared/data/audit is not here")
    keep(*curated.summaries(SHARED / "data_summaries").entries)
    used = Settings()
    found = evidence(L, {**L, "data/dataset_info.json": path.read_bytes()}, used)
    assert len(found.placed) > 80 and found.elsewhere > 0 and found.imported
    findings = assets.judge(found, used)
    assert findings and not any(f.counts for f in findings)
    lines = path.read_text().split("\n")
    assert all(p.use.name in lines[p.use.line - 1] for p in found.placed)
    assert {f.severity for f in findings} <= {Level.WARNING, Level.NOTE}
