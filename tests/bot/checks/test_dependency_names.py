"""Names nobody knows, private names that a public index could answer for, releases of yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from bot.checks.dependencies import Evidence, Settings, collect, judge, packagenames
from bot.checks.dependencies.packagenames import SHOWN
from bot.finding import Finding, Level
from bot.repository import GitWorld
from bot.world import COMMIT_LIMIT
from registry.licenses import cache
from registry.licenses.cache import Entry, Project
from registry.manifests.popular import ranks
from tests.fakes import HEAD, FakeWorld
from tests.gitrepo import Repo

R, P, U = "requirements.txt", "pyproject.toml", "uv.lock"
INDEX = "https://index.example/simple"
OWN = "https://own.example/simple"
NEW = "wholly-new-thing"
Row = tuple[str, str, int]


@pytest.fixture(autouse=True)
def _own_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def commit_of(when: datetime, *, name: str = "Ada") -> bytes:
    seconds = int(when.timestamp())
    return f"tree {'0' * 40}\ncommitter {name} <a@example.org> {seconds} +0000\n\nx\n".encode()


def review(
    base: Mapping[str, str], head: Mapping[str, str], when: datetime | None = None, **policy: Any
) -> tuple[Finding, ...]:
    world, settings = FakeWorld(base, head), Settings(imports="off", **policy)
    if when is not None:
        world.blobs[HEAD] = commit_of(when)
    evidence = collect(world.change(), world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence
    found = judge(evidence, settings)
    assert all(f.message.isprintable() and f.remedy for f in found)
    return found


def rows(found: tuple[Finding, ...], *slugs: str) -> list[Row]:
    said = [(f.rule.partition("/")[2], f.severity.value, f.location.line) for f in found]
    return [row for row in said if row[0] in slugs]


NAMES = ("new-name", "unknown-name", "no-such-package", "lookalike")


def names(head: str, base: str = "", **policy: Any) -> list[Row]:
    return rows(review({R: base}, {R: head}, **policy), *NAMES)


def remember(*projects: Project, entries: tuple[Entry, ...] = ()) -> None:
    cache.merge(cache.default_path(), entries, projects)


def test_a_name_that_nobody_at_hand_knows() -> None:
    assert names(f"{NEW}==1") == [("unknown-name", "warning", 1)]
    assert names(f"rich==1\n{NEW}==1\n") == [
        ("new-name", "note", 1),
        ("unknown-name", "warning", 2),
    ]


@pytest.mark.parametrize(
    "base", [f"{NEW}==0", f"{NEW}>=1 ; python_version < '3'", f"{NEW} @ https://h/x.whl"]
)
def test_a_name_in_use_is_no_news(base: str) -> None:
    assert names(f"{NEW}==1", base) == []


def test_who_may_know_a_name(tmp_path: Path) -> None:
    assert names(f"{NEW}==1", known_names=["Wholly_New.thing"]) == []
    assert names(f"{NEW}==1", private=["wholly-*"]) == [("new-name", "note", 1)]
    # The advisories of the tests know this one.
    assert names("leaky==1.6") == [("new-name", "note", 1)]
    world, settings = FakeWorld({}, {R: f"{NEW}==1"}, root=tmp_path), Settings(imports="off")
    for installed, expected in ((False, "unknown-name"), (True, "new-name")):
        if installed:
            path = tmp_path / ".venv/lib/python3.11/site-packages/Wholly_New.Thing-2.0.dist-info"
            path.mkdir(parents=True)
        found = judge(collect(world.change(), world, settings), settings)
        assert [row[0] for row in rows(found, *NAMES)] == [expected]
    # A lock with its hashes: a resolver met the files.
    lock = (
        f'[[package]]\nname = "{NEW}"\nversion = "1"\nsource = {{ registry = "{INDEX}" }}\n'
        'sdist = { url = "https://f/x.tgz", HASH }\n'
    )
    for hashed, expected in ((True, "new-name"), (False, "unknown-name")):
        text = lock.replace("HASH", 'hash = "sha256:0"' if hashed else "size = 1")
        found = review({}, {P: f"[project]\ndependencies = ['{NEW}>=1']", U: text})
        assert [row[0] for row in rows(found, *NAMES)] == [expected]


def test_what_an_index_said_when_it_was_asked() -> None:
    remember(Project(NEW, INDEX, False, "2026-01-01"))
    assert names(f"{NEW}==1") == [("no-such-package", "failure", 1)]
    # An index of the file's own may hold what another one does not.
    assert names(f"-i {OWN}\n{NEW}==1") == [("no-such-package", "warning", 2)]
    assert names(f"{NEW}==1", private=["wholly-new-*"]) == [("new-name", "note", 1)]
    assert names(f"{NEW}==1", f"{NEW}==0") == []
    remember(Project(NEW, OWN, True, "2026-01-02"))
    assert names(f"{NEW}==1") == [("new-name", "note", 1)]


def test_a_project_of_last_week_is_a_warning() -> None:
    remember(Project(NEW, INDEX, True, "2026-02-01", "2026-01-25T00:00:00Z"))
    head = {R: f"{NEW}==1"}
    (found,) = review({}, head, datetime(2026, 2, 1, tzinfo=UTC))
    assert (found.rule, found.severity) == ("dependencies/new-name", Level.WARNING)
    assert "first released 7 days before, on 2026-01-25" in found.message
    (found,) = review({}, head, datetime(2026, 8, 1, tzinfo=UTC))
    assert found.severity is Level.NOTE
    assert review({}, head, datetime(2026, 2, 1, tzinfo=UTC), new_name="off") == ()


def test_new_names_weigh_what_the_policy_says() -> None:
    remember(Project(NEW, INDEX, True, "2026-02-01", "2020-01-25T00:00:00Z"))
    assert names(f"{NEW}==1", new_name="review") == [("new-name", "warning", 1)]
    assert names("rich==1", new_name="review") == [("new-name", "note", 1)]
    assert names(f"{NEW}==1\nrich==1", new_name="off") == []
    assert names("reqeusts==1", new_name="off") == [("lookalike", "failure", 1)]
    assert names("tensorflo==1") == [("lookalike", "warning", 1)]


def test_unknown_names_are_told_with_an_end() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    found = review({}, {R: "".join(f"wholly-{a}-new-{a}-thing==1\n" for a in letters)})
    assert len(found) == SHOWN + 1
    assert found[-1].message == "6 more names that nobody here knows"


def test_a_flood_of_names_is_not_compared_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packagenames, "MAX_COMPARED", 50)
    text = "".join(f"q{n:05}z==1\n" for n in range(60))
    found = review({}, {R: text + "reqeusts==1\n"})
    assert [f.severity for f in found].count(Level.UNKNOWN) == 1
    assert len(found) == SHOWN + 2
    # Well-known names cost nothing.
    popular = "".join(f"{name}==1\n" for name in list(ranks())[:60])
    assert names(popular + "reqeusts==1\n")[-1] == ("lookalike", "failure", 61)


LOCKED = """\
[[package]]
name = "{name}"
version = "{version}"
source = {{ registry = "{index}" }}
wheels = [{{ url = "https://f/a.whl", hash = "sha256:0", upload-time = "{time}" }}]
"""


def locked(version: str = "1", time: str = "", name: str = "rich", index: str = INDEX) -> str:
    return LOCKED.format(name=name, version=version, time=time, index=index)


@pytest.mark.parametrize(
    ("uploaded", "committed", "message"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-07T23:59:59Z", "6 days before, on 2026-03-01"),
        ("2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z", ""),
        ("2026-03-07T20:00:00Z", "2026-03-08T00:00:00Z", "0 days before"),
        ("2026-03-09T00:00:00Z", "2026-03-08T00:00:00Z", "after the change was committed"),
        ("", "2026-03-08T00:00:00Z", ""),
        ("soon", "2026-03-08T00:00:00Z", ""),
    ],
)
def test_the_age_of_a_release_is_counted_to_the_commit(
    uploaded: str, committed: str, message: str
) -> None:
    when = datetime.fromisoformat(committed)
    found = review({U: locked("1")}, {U: locked("2", uploaded)}, when)
    assert [f.rule for f in found] == ["dependencies/young-release"] * bool(message)
    assert not message or message in found[0].message
    assert review({U: locked("2", uploaded)}, {U: locked("2", uploaded)}, when) == ()


def test_a_commit_from_the_future_makes_nothing_older() -> None:
    now = datetime.now(UTC)
    uploaded = (now - timedelta(days=1)).isoformat()
    for when in (now + timedelta(days=400), None):
        found = review({U: locked("1")}, {U: locked("2", uploaded)}, when)
        assert rows(found, "young-release") == [("young-release", "warning", 2)]


def test_the_commit_of_a_real_repository_says_the_time(repo: Repo) -> None:
    base = repo.commit({U: locked("1")})
    head = repo.commit({U: locked("2", "2026-01-01T00:00:00Z")})
    settings = Settings(imports="off")
    with GitWorld(repo.path) as world:
        evidence = collect(world.change(base, head), world, settings)
    assert evidence.lore.when == "2026-01-02T03:04:05Z"
    assert "1 day before" in rows_of(judge(evidence, settings), "young-release")[0]


def rows_of(found: tuple[Finding, ...], slug: str) -> list[str]:
    return [f.message for f in found if f.rule.endswith(slug)]


@pytest.mark.parametrize(
    "raw",
    [
        b"committer A <a@b> 99999999999 +0000\n\n",
        b"committer A <a@b> -5 +0000\n\n",
        b"tree",
        b"\0\xff",
        b"x" * (COMMIT_LIMIT + 1),
    ],
)
def test_a_head_that_says_no_time_counts_as_now(raw: bytes) -> None:
    world = FakeWorld({}, {U: locked("2", datetime.now(UTC).isoformat())})
    world.blobs[HEAD] = raw
    settings = Settings(imports="off")
    found = judge(collect(world.change(), world, settings), settings)
    assert "dependencies/young-release" in {f.rule for f in found}


def test_ages_weigh_what_the_policy_says() -> None:
    when = datetime(2026, 3, 8, tzinfo=UTC)
    base, head = {U: locked("1")}, {U: locked("2", "2026-03-01T12:00:00Z")}
    assert review(base, head, when, min_age_days=0) == ()
    assert review(base, head, when, min_age_days=6) == ()
    assert review(base, head, when, min_age_days=7, young="fail")[0].severity is Level.FAILURE


def test_the_facts_say_the_age_of_what_no_lock_holds() -> None:
    remember(entries=(Entry("rich", "2", "MIT", "", "2026-03-05", "2026-03-04T00:00:00Z"),))
    when = datetime(2026, 3, 8, tzinfo=UTC)
    found = review({R: "rich==1"}, {R: "rich==2"}, when)
    assert rows(found, "young-release") == [("young-release", "warning", 1)]
    assert review({R: "rich==1"}, {R: "rich==3"}, when) == ()


def test_a_release_in_two_forks_of_a_lock_is_told_once() -> None:
    when = datetime(2026, 3, 8, tzinfo=UTC)
    text = locked("2", "2026-03-07T00:00:00Z")
    fork = text.replace("source", "resolution-markers = ['os_name == \"nt\"']\nsource")
    found = review({U: locked("1")}, {U: text + fork}, when)
    assert rows(found, "young-release") == [("young-release", "warning", 2)]


def test_many_young_releases_are_told_with_an_end() -> None:
    when = datetime(2026, 3, 8, tzinfo=UTC)
    text = "".join(locked("2", "2026-03-07T00:00:00Z", f"made-up-{n}") for n in range(40))
    found = review({U: locked()}, {U: text}, when)
    young = [f.message for f in found if f.rule == "dependencies/young-release"]
    assert (len(young), young[-1]) == (11, "30 more young releases")


PROJECT = "[project]\ndependencies = ['acme-core>=1']\n"
UV_INDEX = "[[tool.uv.index]]\nname = 'own'\nurl = 'https://own.example/simple'\n"
TIED = "[tool.uv.sources]\nacme-core = { index = 'own' }\n"
PUBLIC = locked(name="rich")
PRIVATE: dict[str, Any] = {"private": ["Acme_*"]}
LISTED: dict[str, Any] = {**PRIVATE, "private_indexes": [OWN]}


@pytest.mark.parametrize(
    ("path", "text", "policy", "expected"),
    [
        (R, "acme-core==1\n", {}, []),
        (R, "rich==1\n", PRIVATE, []),
        (R, "acme-core==1\n", PRIVATE, [("confusion", "warning", 1)]),
        (R, f"-i {OWN}\nacme-core==1\n", PRIVATE, []),
        (R, f"-i {OWN}\nacme-core==1\n", LISTED, []),
        (R, f"-i {INDEX}\nacme-core==1\n", LISTED, [("confusion", "failure", 2)]),
        (R, f"-i {OWN}.evil\nacme-core==1\n", LISTED, [("confusion", "failure", 2)]),
        (
            R,
            f"-i {OWN}\n--extra-index-url {INDEX}\nAcme.Core==1\n",
            LISTED,
            [("confusion", "failure", 3)],
        ),
        (R, f"acme-core @ {OWN}/acme.whl\n", PRIVATE, []),
        ("constraints.txt", "acme-core==1\n", PRIVATE, []),
        ("Dockerfile", "FROM x\nRUN pip install acme-core==1\n", PRIVATE,
         [("confusion", "warning", 2)]),
        ("Dockerfile", f"FROM x\nRUN pip install acme-core --extra-index-url {OWN}\n", PRIVATE,
         [("confusion", "failure", 2)]),
        (P, PROJECT, PRIVATE, [("confusion", "warning", 2)]),
        (P, PROJECT + UV_INDEX, PRIVATE, [("confusion", "failure", 2)]),
        (P, PROJECT + UV_INDEX + TIED, PRIVATE, []),
        (P, "[tool.poetry.dependencies]\nacme-core = { version = '1', source = 'own' }\n",
         PRIVATE, []),
        (U, PUBLIC + locked(name="acme-core"), PRIVATE, [("confusion", "failure", 7)]),
        (U, PUBLIC + locked(name="acme-core", index=OWN), PRIVATE, []),
        (U, PUBLIC + locked(name="acme-core", index=OWN), LISTED, []),
        (U, locked(name="acme-core"), PRIVATE, []),
        (U, locked(name="acme-core"), LISTED, [("confusion", "failure", 2)]),
        (U, "[[package]]\nname = 'acme-core'\nsource = { editable = '.' }\n", LISTED, []),
        ("poetry.lock", "[[package]]\nname = \"acme-core\"\nversion = \"1\"\n", PRIVATE,
         [("confusion", "failure", 2)]),
    ],
)  # fmt: skip
def test_where_a_private_name_may_come_from(
    path: str, text: str, policy: dict[str, Any], expected: list[Row]
) -> None:
    assert rows(review({}, {path: text}, **policy), "confusion") == expected
    # What was so before is not told again.
    assert rows(review({path: text}, {path: text + "\n"}, **policy), "confusion") == []


def test_an_extra_index_that_joins_a_private_name_is_told_on_the_name() -> None:
    found = review({R: "acme-core==1"}, {R: f"acme-core==1\n--extra-index-url {OWN}\n"}, **PRIVATE)
    assert rows(found, "confusion") == [("confusion", "failure", 1)]


def test_a_lock_betrays_private_names_without_a_policy() -> None:
    lock = PUBLIC + locked(name="acme-core", index=OWN)
    text = f"--extra-index-url {OWN}\nacme-core==1\nrich==1\n"
    found = review({}, {U: lock, R: text})
    assert rows(found, "confusion") == [("confusion", "warning", 2)]
    # Well-known packages from an index of their own are no private ones.
    torch = PUBLIC + locked(name="torch", index=OWN)
    assert rows(review({}, {U: torch, R: text.replace("acme-core", "torch")}), "confusion") == []
    assert rows(review({}, {R: text}), "confusion") == []
