from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import catalog
from bot.checks import licenses
from bot.checks.licenses import Settings
from bot.checks.licenses.links import is_tool
from bot.checks.licenses.packages import Package
from bot.finding import Finding
from bot.policy import load
from registry.licenses import cache
from registry.licenses.cache import Entry
from registry.licenses.facts import Fact
from tests.bot.checks.licenses.test_texts import APACHE, MIT
from tests.fakes import FakeWorld, Tree

TODAY = datetime.now(UTC).date()
FACTS = {
    "good": "MIT",
    "copyleft": "GPL-3.0-only",
    "either": "GPL-3.0-only OR MIT",
    "weak": "LGPL-3.0-only",
    "family": "gpl",
    "network": "AGPL-3.0-only",
    "odd": "LicenseRef-Odd",
    "old": "GPL-2.0-only",
    "linked": "GPL-2.0-only WITH Classpath-exception-2.0",
}
EVERY = Settings(facts=FACTS, allow=("*",), deny=())


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache.default_path()


def found(head: Tree, settings: Settings = EVERY) -> list[Finding]:
    world = FakeWorld({}, head)
    evidence = licenses.collect(world.change(), world, settings)
    told = licenses.judge(evidence, settings)
    assert all(f.message.isprintable() and len(f.message) < 1_000 for f in told)
    return [f for f in told if f.rule != "licenses/missing"]


def rules(head: Tree, settings: Settings = EVERY) -> list[str]:
    return [f.rule.removeprefix("licenses/") for f in found(head, settings)]


@pytest.mark.parametrize(
    ("own", "package", "expected"),
    [
        (APACHE, "good", []),
        (APACHE, "copyleft", ["incompatible"]),
        (APACHE, "family", ["incompatible"]),
        (APACHE, "network", ["incompatible"]),
        (APACHE, "either", []),
        (APACHE, "weak", []),
        (APACHE, "odd", []),  # no facts: the lists alone say
        (APACHE, "linked", []),
        (MIT, "old", ["incompatible"]),
        ("mine\n", "copyleft", ["text-unknown"]),  # what cannot be told is told once
    ],
)
def test_what_a_project_may_link(own: str, package: str, expected: list[str]) -> None:
    assert rules({"LICENSE": own, "requirements.txt": f"# why\n{package}==1\n"}) == expected


def test_the_clause_is_quoted_on_the_line() -> None:
    (one,) = found({"LICENSE": APACHE, "requirements.txt": "good\ncopyleft>=1\n"})
    assert (one.location.path, one.location.line) == ("requirements.txt", 2)
    assert "copyleft>=1 is under GPL-3.0-only" in one.message
    assert "You must license the entire work, as a whole, under this License" in one.message


def test_what_is_denied_is_told_once() -> None:
    head: Tree = {"LICENSE": APACHE, "requirements.txt": "network\n"}
    assert rules(head, Settings(facts=FACTS)) == ["denied"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({"requirements-dev.txt": "copyleft\n"}, []),
        ({"requirements/test.txt": "copyleft\n"}, []),
        ({"requirements/device.txt": "copyleft\n"}, ["incompatible"]),
        ({"pyproject.toml": '[build-system]\nrequires = ["copyleft"]\n'}, []),
        ({"pyproject.toml": '[dependency-groups]\nx = ["copyleft"]\n'}, []),
        ({"pyproject.toml": '[project]\nname="x"\ndependencies = ["copyleft"]\n'},
         ["incompatible"]),
        ({"pyproject.toml": '[project]\nname="x"\n[project.optional-dependencies]\n'
          'dev = ["copyleft"]\nfast = ["copyleft>1"]\n'}, ["incompatible"]),
    ],
)  # fmt: skip
def test_tools_are_not_linked(head: Tree, expected: list[str]) -> None:
    assert rules({"LICENSE": MIT, **head}) == expected


def test_what_the_project_is_under() -> None:
    gpl = '[project]\nname = "x"\nlicense = "GPL-3.0-only"\ndependencies = ["copyleft"]\n'
    assert rules({"pyproject.toml": gpl}) == []
    assert rules({"pyproject.toml": gpl.replace("GPL-3.0-only", "MIT")}) == ["incompatible"]
    # A choice: whoever takes the project under one of them must be able to.
    head: Tree = {"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE, "requirements.txt": "copyleft\n"}
    assert rules(head) == ["incompatible"]
    assert rules({"requirements.txt": "copyleft\n"}) == []


def test_the_policy_says_what_is_published() -> None:
    text = b"assets:\n  publish: {code: GPL-3.0-only}\nlicenses:\n  allow: ['*']\n"
    text += b"  facts: {copyleft: GPL-3.0-only}\n"
    policy = load(text, "policy", "test", catalog.CHECKS, catalog.rules())
    settings = policy.section("licenses")
    head: Tree = {"LICENSE": MIT, "requirements.txt": "copyleft\n"}
    assert rules(head, settings) == []
    assert (settings.own, settings.commercial) == ("GPL-3.0-only", False)


def test_tools_are_known_by_whole_words() -> None:
    fact = Fact("MIT", "policy")
    for path, group, expected in (
        ("a/requirements_dev.txt", "", True),
        ("docs.txt", "", True),
        ("requirements.txt", "extra:test", True),
        ("requirements.txt", "extra:testify", False),
        ("devices.txt", "", False),
        ("tests/requirements.txt", "", False),
    ):
        assert is_tool(Package("x", "", path, 1, fact, group)) is expected


def aged(path: Path, days: int, fetched: str = "") -> None:
    day = fetched or (TODAY - timedelta(days=days)).isoformat()
    cache.merge(path, [Entry("kept", "1.0", "MIT", "", day)])


@pytest.mark.parametrize(
    ("line", "days", "expected"),
    [
        ("kept", 10, []),
        ("kept>=1", 180, []),
        ("kept>=1", 181, ["unresolved"]),
        ("kept==1.*", 181, ["unresolved"]),
        ("kept==1.0", 4_000, []),  # what a version is under does not change
        ("kept", -1, []),
        ("kept", -2, ["unresolved"]),
    ],
)
def test_old_facts_resolve_only_what_is_pinned(
    _cache: Path, line: str, days: int, expected: list[str]
) -> None:
    aged(_cache, days)
    assert rules({"LICENSE": MIT, "requirements.txt": f"{line}\n"}) == expected


def test_a_date_nobody_can_read_is_old(_cache: Path) -> None:
    aged(_cache, 0, "yesterday")
    assert rules({"LICENSE": MIT, "requirements.txt": "kept\n"}) == ["unresolved"]
    assert rules({"LICENSE": MIT, "requirements.txt": "kept==1.0\n"}) == []


def test_the_summary_says_how_old_the_facts_are(_cache: Path) -> None:
    aged(_cache, 12)
    world = FakeWorld({}, {"LICENSE": MIT, "requirements.txt": "good\nkept==1.0\nnope-x\n"})
    evidence = licenses.collect(world.change(), world, EVERY)
    told = licenses.summary(evidence)
    assert told.startswith(
        "2 of 3 changed packages resolved (1 policy, 1 index), facts 12 days old"
    )


def test_metadata_that_disagree_with_the_text_are_told(tmp_path: Path) -> None:
    info = tmp_path / ".venv/lib/python3.11/site-packages/two_faced-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: two-faced\nVersion: 1.0\nLicense: Apache-2.0\n\n")
    (info / "LICENSE").write_text(MIT)
    head: Tree = {"LICENSE": MIT, "requirements.txt": "two-faced==1.0\n"}
    world = FakeWorld({}, head, root=tmp_path)
    settings = Settings(deny=("Apache-2.0",))
    (one,) = licenses.judge(licenses.collect(world.change(), world, settings), settings)
    assert (one.rule, one.severity) == ("licenses/metadata-disagrees", "warning")
    assert "its metadata says Apache-2.0, its licence file is MIT" in one.message
    assert not one.counts
