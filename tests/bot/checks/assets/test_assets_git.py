"""The check over real commits, by the engine and the policy of the base."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from bot import catalog, engine, policy
from bot.cache import Cache
from bot.checks import assets, licenses
from bot.repository import GitWorld
from registry.assets import curated
from tests.gitrepo import Repo

ROOT = Path(__file__).parents[4]
SHARED = ROOT.parent / "shared/data/audit/provenance"
APACHE = (ROOT / "LICENSE").read_text()
MIT_CARD = "---\nlicense: mit\n---\n# Tiny\n"
BASE = {"LICENSE": APACHE, "models/tiny/README.md": MIT_CARD, "run.py": "print(1)\n"}


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def review(
    folder: Path, base: Mapping[str, str | bytes], head: Mapping[str, str | bytes]
) -> list[tuple[str, str, str, str]]:
    """Return (rule, level, path:line, message) of what two commits give."""
    repo = Repo(folder)
    before = repo.commit(base)
    after = repo.commit(head)
    checks = (assets, licenses)
    with GitWorld(repo.path, Cache(folder / ".git" / "cache")) as world:
        change = world.change(before, after)
        used = policy.at(world, change.base, checks, catalog.rules(checks))
        found = [engine.review(change, used, world, checks, today=date(2026, 1, 2)) for _ in "12"]
    reports = [
        [
            (f.rule, f.severity.value, f"{f.location.path}:{f.location.line}", f.message)
            for verdict in report.verdicts
            for f in verdict.findings
        ]
        for report in found
    ]
    assert reports[0] == reports[1]  # what is remembered says the same
    assert not any(verdict.outcome == "error" for r in found for verdict in r.verdicts)
    return reports[0]


def test_a_base_model_whose_licence_forbids_the_cards(tmp_path: Path) -> None:
    card = "---\nlicense: mit\nbase_model: meta-llama/Llama-2-7b\n---\n# Tiny\n"
    ((rule, level, place, message),) = review(tmp_path, BASE, {"models/tiny/README.md": card})
    assert (rule, level, place) == ("assets/forbidden", "failure", "models/tiny/README.md:3")
    assert "“" in message and "llama2" in message and "MIT" in message


def test_non_commercial_data_in_a_commercial_project(tmp_path: Path) -> None:
    terms = (
        "assets:\n  commercial: true\n  facts:\n    org/nc:\n"
        "      {license: CC-BY-NC-4.0, source: its card}\n"
    )
    base = {**BASE, ".github/modelwarden.yml": terms}
    card = "---\nlicense: mit\ndatasets:\n- org/nc\n---\n# Tiny\n"
    ((rule, level, place, message),) = review(tmp_path, base, {"models/tiny/README.md": card})
    assert (rule, level, place) == ("assets/forbidden", "failure", "models/tiny/README.md:4")
    assert "NonCommercial purposes only" in message


def test_the_licence_that_releases_state_is_that_of_the_weights(tmp_path: Path) -> None:
    base = {**BASE, ".github/modelwarden.yml": "release: {licence: MIT}\n"}
    code = "model = AutoModel.from_pretrained('meta-llama/Llama-2-7b')\nTrainer(model)\n"
    ((rule, level, place, message),) = review(tmp_path, base, {"run.py": code})
    assert (rule, level, place) == ("assets/forbidden", "failure", "run.py:1")
    assert "weights under MIT" in message


def test_a_policy_of_the_change_itself_does_not_count(tmp_path: Path) -> None:
    card = "---\nlicense: mit\nbase_model: meta-llama/Llama-2-7b\n---\n# Tiny\n"
    head = {"models/tiny/README.md": card, ".github/modelwarden.yml": "assets: {allow: ['*']}\n"}
    assert [f[0] for f in review(tmp_path, BASE, head)] == ["assets/forbidden", "policy/edited"]


def test_a_literal_of_a_data_set_that_people_looked_at(tmp_path: Path) -> None:
    if not SHARED.exists():
        pytest.skip("shared/data/audit is not here")
    curated.save(curated.default_path(), curated.summaries(SHARED / "data_summaries").entries, "x")
    code = 'from datasets import load_dataset\n\ndata = load_dataset("lmsys/lmsys-chat-1m")\n'
    ((rule, level, place, message),) = review(tmp_path, BASE, {"run.py": code})
    assert (rule, level, place) == ("assets/unknown", "warning", "run.py:3")
    assert "llama2, curated provenance" in message and "LicenseRef-OpenAI" in message


def test_cards_that_contradict_the_license_beside_them(tmp_path: Path) -> None:
    card = "---\nlicense: mit\n---\n"
    found = review(tmp_path, BASE, {"README.md": card, "models/tiny/LICENSE": APACHE})
    assert [f[:3] for f in found] == [
        ("assets/disagree", "failure", "models/tiny/README.md:2"),
        ("licenses/disagree", "failure", "README.md:2"),
    ]
    assert found[0][3] == "models/tiny/README.md says MIT, models/tiny/LICENSE is Apache-2.0"


def test_llama_factorys_table_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    path = SHARED / "llama-factory-dataset_info.json"
    if not path.exists():
        pytest.skip("shared/data/audit is not here")
    rows = json.loads(path.read_bytes())
    before = dict(list(rows.items())[:-10])
    base = {**BASE, "data/dataset_info.json": json.dumps(before, indent=2)}
    found = review(tmp_path, base, {"data/dataset_info.json": path.read_bytes()})
    assert [f[:2] for f in found] == [("assets/unknown", "warning")]


def test_an_ordinary_change_says_nothing(tmp_path: Path) -> None:
    code = (
        'model = AutoModel.from_pretrained("gpt2")\ntok = AutoTokenizer.from_pretrained("gpt2")\n'
    )
    assert review(tmp_path, BASE, {"run.py": code, "a.yaml": "a: {b: 1}\n"}) == []
