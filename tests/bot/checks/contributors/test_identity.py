"""Names, addresses and newcomers, over real histories."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.checks import contributors
from bot.checks.contributors import Settings
from bot.checks.contributors.identity import MAX_LISTED
from bot.errors import CouldNotTell
from bot.finding import Finding, Level
from bot.repository import GitWorld
from bot.roster import MAX_AUTHORS, Author, Roster
from tests.fakes import FakeWorld, commit
from tests.gitrepo import Repo

CI, DOCS = ".github/workflows/ci.yml", "docs/a.md"
LOVELACE, EVE = ("Ada Lovelace", "ada@example.org"), ("Eve Smith", "eve@example.org")
NOREPLY = "66+ada@users.noreply.github.com"


@pytest.fixture(autouse=True)
def _history(repo: Repo) -> Iterator[None]:
    by(repo, LOVELACE, {"README.md": "x"})
    by(repo, ("Bo Rep", "bo@example.org"), {"src.py": "x"})
    yield


def by(repo: Repo, who: tuple[str, str], files: dict[str, str], signed: str = "") -> str:
    name, email = who
    repo.write(files)
    repo.git("add", "-A")
    message = f"change\n\nSigned-off-by: {signed or name} <{email}>\n".encode()
    repo.git("commit", "-q", "-F", "-", stdin=message, GIT_AUTHOR_NAME=name,
             GIT_AUTHOR_EMAIL=email)  # fmt: skip
    return repo.git("rev-parse", "HEAD")


def judged(repo: Repo, base: str, path: Path | None = None, **policy: Any) -> list[Finding]:
    settings = Settings.model_validate(policy)
    with GitWorld(path or repo.path) as world:
        change = world.change(base, repo.git("rev-parse", "HEAD"))
        evidence = contributors.collect(change, world, settings)
        found = contributors.judge(evidence, settings)
    skipped = ("contributors/no-codeowners", "contributors/unowned", "contributors/co-author")
    return [f for f in found if f.rule not in skipped]


def told(repo: Repo, *commits: tuple[tuple[str, str], dict[str, str]], **policy: Any) -> list[str]:
    base = repo.git("rev-parse", "HEAD")
    for who, files in commits:
        by(repo, who, files)
    each = judged(repo, base, **policy)
    return [f"{f.rule.removeprefix('contributors/')} {f.severity}" for f in each]


WARNED, NOTED = ["identity warning"], ["identity note"]
NEW = ["first-time-sensitive warning"]


def test_a_newcomer_who_writes_docs_hears_nothing(repo: Repo) -> None:
    assert told(repo, (EVE, {DOCS: "x"})) == []


@pytest.mark.parametrize(
    "path",
    [CI, "CODEOWNERS", ".github/modelwarden.yml", "dvc.yaml", "w/model.safetensors", "LICENSE",
     "sub/LICENSE.md", "NOTICE", ".mailmap", ".gitattributes", "SECURITY.md"],
)  # fmt: skip
def test_a_newcomer_on_a_sensitive_path(repo: Repo, path: str) -> None:
    assert told(repo, (EVE, {path: "x", DOCS: "x"})) == NEW


def test_deleting_one_counts(repo: Repo) -> None:
    base = by(repo, LOVELACE, {CI: "x"})
    (repo.path / CI).unlink()
    by(repo, EVE, {DOCS: "x"})
    (finding,) = judged(repo, base)
    assert finding.location.path == CI
    assert finding.message == (
        f"no commit by Eve Smith <eve@example.org> is in the history before this change, "
        f"and it touches {CI}"
    )


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"newcomers": "off"}, []),
        ({"newcomers": "fail"}, ["first-time-sensitive failure"]),
        ({"newcomers": "note"}, ["first-time-sensitive note"]),
        ({"sensitive": [], "guarded": []}, []),
        ({"sensitive": [], "guarded": ["/.github/"]}, NEW),
    ],
)
def test_the_policy_weighs_newcomers(
    repo: Repo, policy: dict[str, object], expected: list[str]
) -> None:
    assert told(repo, (EVE, {CI: "x"}), **policy) == expected


def test_who_is_known_is_no_newcomer(repo: Repo) -> None:
    assert told(repo, (LOVELACE, {CI: "x"})) == []
    assert told(repo, (("Ada", "ADA@example.org"), {CI: "y"})) == []
    by(repo, ("Cy", "7+cy@users.noreply.github.com"), {"c": "x"})
    assert told(repo, (("Cy", "7+cyrus@users.noreply.github.com"), {CI: "z"})) == []  # renamed
    by(repo, LOVELACE, {".mailmap": "Ada Lovelace <ada@example.org> <lace@example.org>\n"})
    assert told(repo, (("Ada Lovelace", "lace@example.org"), {CI: "1"})) == []


def test_the_changes_own_mailmap_makes_nobody_known(repo: Repo) -> None:
    line = "Ada Lovelace <ada@example.org> <eve@example.org>\n"
    assert told(repo, (EVE, {".mailmap": line})) == NEW


def test_the_person_who_signs_for_an_ai_is_the_newcomer(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.write({CI: "x"})
    repo.git("add", "-A")
    repo.git("commit", "-q", "-F", "-", stdin=b"T\n\nSigned-off-by: Eve <eve@example.org>\n",
             GIT_AUTHOR_NAME="Claude", GIT_AUTHOR_EMAIL="noreply@anthropic.com")  # fmt: skip
    note, warning = sorted(judged(repo, base), key=lambda f: f.rule)
    assert note.rule == "contributors/ai-trailer"
    assert "Eve <eve@example.org>" in warning.message


def test_a_bots_name_hides_no_newcomer(repo: Repo) -> None:
    bot = ("x[bot]", "1+x[bot]@users.noreply.github.com")
    assert "first-time-sensitive warning" in told(repo, (bot, {CI: "x"}))


def test_a_project_without_history_has_no_newcomers(repo: Repo) -> None:
    by(repo, LOVELACE, {CI: "x"})
    with GitWorld(repo.path) as world:
        assert judged(repo, world.revisions.empty_tree()) == []
        assert world.authors(world.revisions.empty_tree()) == Roster()


def test_a_shallow_clone_says_what_it_cannot_see(repo: Repo, tmp_path: Path) -> None:
    base = by(repo, LOVELACE, {"n": "x"})
    by(repo, ("Bo Rep", "bo@example.org"), {CI: "x"})
    assert judged(repo, base) == []
    clone = tmp_path / "clone"
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(clone))
    (finding,) = judged(repo, base, clone)
    assert "among the 1 commits before it that are read here" in finding.message


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (LOVELACE, []),
        (("Ada", "ada@example.org"), []),
        (("ada", "ada@example.org"), []),
        (EVE, []),
        (("Mallory Smith", "ada@example.org"), WARNED),  # another's address
        (("Mallory", "ADA@example.org"), WARNED),
        (("Ada Lovelace", "evil@example.org"), WARNED),  # another's name
        (("ada  LOVELACE", "evil@example.org"), WARNED),
        (("Ada", "evil@example.org"), []),  # too short to tell a person by
        (("Ada Lovelace", NOREPLY), NOTED),
    ],
)
def test_against_the_history(repo: Repo, who: tuple[str, str], expected: list[str]) -> None:
    assert told(repo, (who, {DOCS: "x"})) == expected


def test_a_short_name_tells_nobody_apart(repo: Repo) -> None:
    by(repo, ("Kim", "kim@example.org"), {"k": "x"})
    assert told(repo, (("Kim", "other@example.org"), {DOCS: "x"})) == []


def test_within_the_change(repo: Repo) -> None:
    assert told(repo, (EVE, {DOCS: "1"}), (("Zoe Blau", EVE[1]), {DOCS: "2"})) == WARNED
    base = repo.git("rev-parse", "HEAD")
    by(repo, ("Kim Rot", "kim@example.org"), {DOCS: "3"}, signed="Paul Gelb")
    (finding,) = judged(repo, base)
    assert "Paul Gelb <kim@example.org>; in this change this address is that of Kim Rot" in (
        finding.message
    )


def test_the_remedy_is_a_line_of_mailmap_that_works(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    by(repo, ("Ada Lovelace", "lace@example.org"), {DOCS: "x"})
    (finding,) = judged(repo, base)
    line = finding.remedy.partition(".mailmap: ")[2]
    assert line == "Ada Lovelace <ada@example.org> <lace@example.org>"
    repo.git("reset", "-q", "--hard", base)
    by(repo, LOVELACE, {".mailmap": line + "\n"})
    assert told(repo, (("Ada Lovelace", "lace@example.org"), {DOCS: "x"})) == []


def test_tools_with_many_names_are_one_account(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    lines = "".join(
        f"Co-authored-by: {n} <noreply@anthropic.com>\n" for n in ("Claude Opus 4.8", "Fable Five")
    )
    repo.commit({DOCS: "x"}, f"T\n\n{lines}Signed-off-by: Ada <ada@example.org>\n")
    assert [f.severity for f in judged(repo, base)] == [Level.NOTE]


def test_a_history_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: FakeWorld, commit: str) -> Roster:
        raise CouldNotTell("the history is too odd", "run: git fsck")

    monkeypatch.setattr(FakeWorld, "authors", refuse)
    signed = commit("T\n\nSigned-off-by: Ada <ada@example.org>\n")
    world = FakeWorld({CI: "1"}, {CI: "2"}, commits=(signed,))
    evidence = contributors.collect(world.change(), world, Settings())
    rules = {f.rule: f.message for f in contributors.judge(evidence, Settings())}
    assert "too odd" in rules["contributors/identity"]
    assert "too odd" in rules["contributors/first-time-sensitive"]


def test_a_crowd_of_names_is_bounded() -> None:
    names = [chr(0x4E00 + i) for i in range(8_000)]  # each unlike the others
    signed = "".join(f"Signed-off-by: {n} <one@example.org>\n" for n in names[:3_000])
    crowd = commit(f"T\n\n{signed}", name=names[0], email="one@example.org")
    history = tuple(Author(n, "one@example.org") for n in names[3_000:])
    world = FakeWorld({"a": "1"}, {"a": "2"}, commits=(crowd,), history=history)
    found = contributors.judge(contributors.collect(world.change(), world, Settings()), Settings())
    assert len(found) == MAX_LISTED + 1
    assert found[-1].message.startswith("and 9")


def test_the_roster_is_bounded_and_remembered(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    head = repo.git("rev-parse", "HEAD")
    with GitWorld(repo.path) as world:
        whole = world.authors(head)
        assert [a.address for a in whole.authors] == ["bo@example.org", "ada@example.org"]
        assert (whole.commits, whole.complete) == (2, True)
    monkeypatch.setattr("bot.roster.MAX_COMMITS", 1)
    with GitWorld(repo.path) as world:
        assert world.authors(head) == Roster((Author("Bo Rep", "bo@example.org"),), 1, False)
    monkeypatch.setattr("bot.roster.MAX_COMMITS", 9)
    monkeypatch.setattr("bot.roster.MAX_AUTHORS", 1)
    with GitWorld(repo.path) as world:
        assert not world.authors(head).complete
    assert MAX_AUTHORS > 1
