"""The advisories check: what a change may not bring in, and when it cannot tell."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.checks.advisories import Settings, applies, collect, exhibits, judge, looking, summary
from bot.checks.advisories.evidence import Evidence, Hit
from bot.finding import Finding, Level
from registry.advisories.database import VARIABLE
from registry.advisories.values import Severity
from tests.advisorydata import SMALL, database, osv
from tests.fakes import FakeWorld

Tree = Mapping[str, "bytes | str"]
Row = tuple[str, str, str, int]
TODAY = datetime.now(UTC).date()
R, L = "requirements.txt", ".github/advisories/"


def look(base: Tree, head: Tree, **policy: Any) -> tuple[Evidence, tuple[Finding, ...]]:
    world, settings = FakeWorld(base, head), Settings(**policy)
    change = world.change()
    assert applies(change, settings) == ""
    evidence = collect(change, world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence
    exhibits(evidence, settings)
    found = judge(evidence, settings)
    assert all("\n" not in f.message and f.message.isprintable() and f.remedy for f in found)
    return evidence, found


def rows(found: tuple[Finding, ...]) -> list[Row]:
    """Everything but what is only not resolved."""
    return [
        (f.rule.partition("/")[2], f.severity.value, f.location.path, f.location.line)
        for f in found
        if f.rule != "advisories/unresolved"
    ]


def review(base: str, head: str, **policy: Any) -> list[Row]:
    return rows(look({R: base} if base else {}, {R: head}, **policy)[1])


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ("", "numpy==1\n", []),
        # a pin on malware, a range that admits it, one that does not
        ("", "# c\nhijacked==2.6.2\n", [("malware", "failure", R, 2)]),
        ("", "Hijacked == 2.6.2.0", [("malware", "failure", R, 1)]),
        ("", "hijacked==2.6.2+cpu", [("malware", "failure", R, 1)]),
        ("", "hijacked>=2.6", [("admits-malware", "failure", R, 1)]),
        ("", "hijacked", [("admits-malware", "failure", R, 1)]),
        ("", "hijacked~=2.6.0", [("admits-malware", "failure", R, 1)]),
        ("", "hijacked==2.6.*", [("admits-malware", "failure", R, 1)]),
        ("", "hijacked>=2.6,!=2.6.2,!=2.6.3", []),
        ("", "hijacked<2.6", []),
        ("", "hijacked==2.6.1", []),
        # what the base has already is old; something worse is new
        ("hijacked==2.6.2", "hijacked==2.6.2\nnumpy==1", [("already-there", "note", R, 1)]),
        ("hijacked==2.6.2", "hijacked==2.6.3", [("malware", "failure", R, 1)]),
        ("hijacked>=2.6", "hijacked==2.6.2", [("malware", "failure", R, 1)]),
        ("hijacked==2.6.2", "hijacked>=2.6", [("already-there", "note", R, 1)]),
        ("hijacked>=2.6", "hijacked>=2.6.1", [("already-there", "note", R, 1)]),
        # vulnerabilities, per group of aliases, by severity
        ("", "leaky==1.1", [("vulnerable", "failure", R, 1)]),
        ("", "leaky==1.5", [("vulnerable", "warning", R, 1)]),
        ("", "leaky==1.3", [("vulnerable", "failure", R, 1), ("vulnerable", "warning", R, 1)]),
        ("", "leaky==1.6", []),
        ("leaky==1.1", "leaky==1.0", [("already-there", "note", R, 1)]),
        ("leaky==1.1", "leaky==1.2",
         [("vulnerable", "warning", R, 1), ("already-there", "note", R, 1)]),
        # ranges: the newest that they admit, or all
        ("", "leaky>=1", []),
        ("", "leaky<1.5,>=1.3",
         [("vulnerable-range", "failure", R, 1), ("vulnerable-range", "warning", R, 1)]),
        ("", "leaky<1.2", [("vulnerable-range", "failure", R, 1)]),
        ("", "leaky>=1.5,<1.6", [("vulnerable-range", "warning", R, 1)]),
        # no order
        ("", "leaky==0.1-bulbasaur", [("undecided", "unknown", R, 1)] * 2),
        ("", "numpy==0.1-bulbasaur", []),
        ("", "hijacked==0.1-bulbasaur", []),
        # reading
        ("", "numpy==1\n???\n", [("unreadable", "unknown", R, 2)]),
        ("", b"leaky\x00==1.1", [("unreadable", "unknown", R, 1)]),
        ("", "hijacked @ https://h/hijacked-2.6.2-py3-none-any.whl",
         [("malware", "failure", R, 1)]),
        ("", "hijacked @ https://h/hijacked-2.6.2.tar.gz", [("malware", "failure", R, 1)]),
        ("", "-e ./hijacked", []),
    ],
)  # fmt: skip
def test_a_requirements_file(base: str, head: str, expected: list[Row]) -> None:
    assert review(base, head) == expected


def test_remedies_name_a_version_that_is_clear_of_all() -> None:
    _, found = look({}, {R: "leaky==1.3\nhijacked>=2.6"})
    assert found[0].remedy == "Take leaky 1.6 or newer."
    assert "CVE-2026-1, GHSA-aaaa-bbbb-cccc, PYSEC-2026-1 (high)" in found[0].message
    assert "hijacked>=2.6,!=2.6.2,!=2.6.3" in next(f for f in found if "admits" in f.rule).remedy


def test_a_lock_is_judged_on_its_lines_and_resolves_ranges() -> None:
    lock = '[[package]]\nname = "leaky"\nversion = "{}"\nsource = {{ registry = "https://i" }}\n'
    project = '[project]\nname = "x"\nversion = "1"\ndependencies = ["leaky<1.2"]\n'
    evidence, found = look({}, {"uv.lock": lock.format("1.1"), "pyproject.toml": project})
    assert rows(found) == [("vulnerable", "failure", "uv.lock", 2)]
    assert (evidence.packages, evidence.resolved, evidence.unresolved) == (2, 2, ())
    # The lock did not change: it says which version there is, and nothing is new.
    there = {"uv.lock": lock.format("1.6")}
    assert rows(look(there, {**there, "pyproject.toml": project})[1]) == []


def test_a_locked_package_is_told_with_the_way_it_comes_in() -> None:
    own = '[[package]]\nname = "own"\nsource = { editable = "." }\n'
    lock = own + 'dependencies = [{ name = "top" }]\n[[package]]\nname = "top"\nversion = "1"\n'
    lock += 'dependencies = [{ name = "leaky" }]\n[[package]]\nname = "leaky"\nversion = "1.1"\n'
    _, found = look({}, {"uv.lock": lock})
    (told,) = [f for f in found if f.rule == "advisories/vulnerable"]
    assert told.message.endswith("; it comes in through top -> leaky")
    _, found = look({}, {"uv.lock": lock.replace('"top" }', '"leaky" }', 1)})
    (told,) = [f for f in found if f.rule == "advisories/vulnerable"]
    assert "comes in" not in told.message  # asked for by name


def test_a_range_without_a_lock_is_not_resolved_and_not_clean() -> None:
    evidence, found = look({}, {R: "numpy>=1\nrich==1\nx @ git+https://h/x@main"})
    assert [(f.rule, f.severity, f.location.line) for f in found] == [
        ("advisories/unresolved", Level.NOTE, 1)
    ]
    assert "numpy: a range that no lock resolves; x: its URL names no version" in found[0].message
    assert summary(evidence) == "1 of 3 packages resolved, advisories 0 days old"


@pytest.mark.parametrize(
    ("policy", "head", "expected"),
    [
        ({"fail_at": "moderate"}, "leaky==1.5", [("vulnerable", "failure", R, 1)]),
        ({"fail_at": "critical"}, "leaky==1.1", [("vulnerable", "warning", R, 1)]),
        ({"malware": "warn"}, "hijacked==2.6.2", [("malware", "warning", R, 1)]),
        ({"range_admits_malware": "note"}, "hijacked", [("admits-malware", "note", R, 1)]),
    ],
)
def test_policy(policy: dict[str, Any], head: str, expected: list[Row]) -> None:
    assert review("", head, **policy) == expected


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../../x", ""])
def test_the_local_folder_is_inside(path: str) -> None:
    with pytest.raises(ValidationError):
        Settings(local=path)


def test_what_nobody_has_rated_counts_as_high(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = osv("PYSEC-2026-9", "odd", ("1.0",))
    monkeypatch.setenv(VARIABLE, str(database(tmp_path / "a.db", (document,))))
    assert review("", "odd==1") == [("vulnerable", "failure", R, 1)]
    assert review("", "odd==1", fail_at="critical") == [("vulnerable", "warning", R, 1)]


def test_many_advisories_of_one_package_are_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(osv(f"PYSEC-2026-{n}", "odd", ("1.0",)) for n in range(30))
    monkeypatch.setenv(VARIABLE, str(database(tmp_path / "a.db", many)))
    _, found = look({}, {R: "odd==1"})
    assert len(found) == 21
    assert "10 more advisories" in found[-1].message
    assert found[-1].severity is Level.FAILURE


# Databases that answer nothing


def test_no_database_could_not_tell_and_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.db"))
    evidence, found = look({}, {R: "numpy==1"})
    assert rows(found) == [("no-database", "unknown", "", 0)]
    assert "modelwarden watch advisories --update" in found[0].remedy
    assert summary(evidence) == "1 of 1 package resolved, no database of advisories"
    assert review("", "numpy>=1") == [("no-database", "warning", "", 0)]
    assert review("numpy>=1", "numpy==1") == [("no-database", "unknown", "", 0)]
    # Nothing new is asked for: nothing has to be looked up.
    assert review("numpy==1\nrich==1", "numpy==1") == []
    assert review("numpy==1", "# c\nnumpy==1") == []


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, []), (30, []), (31, ["too-old"]), (-1, []), (-3, [])],
)
def test_an_old_database_could_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, expected: list[str]
) -> None:
    dated = TODAY - timedelta(days=days)
    monkeypatch.setenv(VARIABLE, str(database(tmp_path / "a.db", SMALL, dated)))
    _, found = look({}, {R: "hijacked==2.6.2"})
    # What is found in it still counts.
    assert {f.rule for f in found} == {f"advisories/{r}" for r in (*expected, "malware")}
    assert all(f.severity is Level.UNKNOWN for f in found if f.rule == "advisories/too-old")


def test_a_damaged_database_could_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(4000))
    monkeypatch.setenv(VARIABLE, str(path))
    _, found = look({}, {R: "numpy==1"})
    assert rows(found) == [("no-database", "unknown", "", 0)]
    assert "build it again" in found[0].remedy


# What the project itself says, at the base


def own(**documents: Any) -> dict[str, str]:
    return {f"{L}{name}.json": json.dumps(value) for name, value in documents.items()}


def harmless(expires: str = "2999-01-01", **more: Any) -> dict[str, Any]:
    said = {"status": "not_affected", "author": "Ada", "expires": expires, "justification": "no"}
    return osv("LOCAL-1", "leaky", aliases=["CVE-2026-1"], database_specific=said | more)


def with_own(base: dict[str, str], head: str, late: dict[str, str] | None = None) -> list[Row]:
    return rows(look(base, {**base, **(late or {}), R: head})[1])


def test_local_advisories_count_from_the_base_only() -> None:
    banned = own(banned=osv("LOCAL-2", "numpy", events=(("introduced", "2.0"),)))
    assert with_own(banned, "numpy==2.1") == [("vulnerable", "failure", R, 1)]
    assert with_own(banned, "numpy==1.9") == []
    assert with_own({}, "numpy==2.1", banned) == []


def test_a_statement_excuses_until_it_expires() -> None:
    bad = [("vulnerable", "failure", R, 1)]
    assert with_own({}, "leaky==1.1") == bad
    assert with_own(own(a=harmless()), "leaky==1.1") == []
    assert with_own({}, "leaky==1.1", own(a=harmless())) == bad
    expired = with_own(own(a=harmless("2020-01-01")), "leaky==1.1")
    assert expired == [("expired", "note", L + "a.json", 0), *bad]
    evidence, _ = look(own(a=harmless()), {**own(a=harmless()), R: "leaky==1.1"})
    assert evidence.excused == (("CVE-2026-1", "leaky", "Ada", "2999-01-01"),)


def test_a_statement_is_on_the_versions_it_names() -> None:
    said = harmless()
    said["affected"][0]["versions"] = ["1.1"]
    assert with_own(own(a=said), "leaky==1.1") == []
    assert with_own(own(a=said), "leaky==1.0") == [("vulnerable", "failure", R, 1)]
    assert with_own(own(a=said), "leaky<1.2") == [("vulnerable-range", "failure", R, 1)]


def test_nobody_can_state_that_pinned_malware_is_harmless() -> None:
    said = harmless()
    said["aliases"] = ["MAL-2026-1"]
    said["affected"] = [{"package": {"ecosystem": "PyPI", "name": "hijacked"}}]
    assert with_own(own(a=said), "hijacked==2.6.2") == [("malware", "failure", R, 1)]
    assert with_own(own(a=said), "hijacked>=2.6") == []  # a range may be


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "{}", '{"id": 1}', "\ufeff\0",
        json.dumps(harmless(author="")), json.dumps(harmless("soon")),
        json.dumps(harmless(status="fixed")), json.dumps(osv("LOCAL-1", "é" * 300)),
    ],
)  # fmt: skip
def test_a_local_document_that_cannot_be_read_could_not_tell(text: str) -> None:
    assert with_own({L + "a.json": text}, "numpy==1") == [
        ("local-unreadable", "unknown", L + "a.json", 0)
    ]


def test_it_applies_to_manifests_only() -> None:
    settings = Settings()
    assert applies(FakeWorld({}, {"a.py": "x"}).change(), settings)
    assert not applies(FakeWorld({}, {"uv.lock": "x"}).change(), settings)


def test_a_manifest_of_nothing_but_versions_of_one_package_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = tuple(osv(f"PYSEC-2026-{n}", "odd", events=(("introduced", "0"), ("fixed", f"{n}.5")))
                 for n in range(1, 61))  # fmt: skip
    monkeypatch.setenv(VARIABLE, str(database(tmp_path / "a.db", many)))
    lines = "".join(f"odd==0.{n}\n" for n in range(500))
    start = time.process_time()
    evidence, found = look({}, {R: lines})
    assert time.process_time() - start < 5
    assert len(evidence.hits) <= looking.MAX_VERSIONS * 60
    assert ("unreadable", "unknown", R, looking.MAX_VERSIONS + 1) in rows(found)


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("Dockerfile", "FROM x\nRUN pip install hijacked==2.6.2\n", 2),
        ("Dockerfile", "FROM x\nRUN <<EOF\npip install hijacked==2.6.2\nEOF\n", 3),
        (".github/workflows/ci.yml",
         "jobs:\n  a:\n    steps:\n      - run: pip install hijacked==2.6.2\n", 4),
        ("setup.sh", "uv pip install hijacked==2.6.2\n", 1),
        ("setup.sh", "pip install hijacked-2.6.2-py3-none-any.whl\n", 1),
        (R, "./wheels/hijacked-2.6.2-py3-none-any.whl\n", 1),
    ],
)  # fmt: skip
def test_what_commands_install_is_looked_up(path: str, text: str, line: int) -> None:
    _, found = look({}, {path: text})
    assert rows(found) == [("malware", "failure", path, line)]


def test_of_many_old_ones_the_worst_are_told_one_by_one() -> None:
    rated: tuple[Severity, ...] = ("low", "high", "moderate", "critical", "low")
    hits = tuple(
        Hit("uv.lock", n, f"p{n}", "==1", "pinned", f"CVE-{n}", (f"CVE-{n}",), severity,
            n == 4, "", old=True)
        for n, severity in enumerate(rated)
    )  # fmt: skip
    found = judge(Evidence(hits=hits), Settings())
    assert [f.message for f in found] == [
        "p4: CVE-4, as before this change",  # malware
        "p3: CVE-3, as before this change",
        "p1: CVE-1, as before this change",
        "2 more packages with advisories, as before this change: p2, p0",
    ]
    assert {f.severity for f in found} == {Level.NOTE}
