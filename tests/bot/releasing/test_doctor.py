"""`release doctor` on real repositories, remotes and MLflow: each drift named, and mended once."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import stamina

from bot.github import given
from bot.github.releases import here
from bot.github.uploads import Part
from bot.releasing.care.doctor import doctor
from registry.release import assets, journal
from registry.release.ledger import New
from registry.release.story import Bound
from security import auditlog
from security.manifest import Entry
from tests.bot.releasing.clones import git
from tests.bot.releasing.published import in_mlflow
from tests.bot.releasing.stored import POLICY, Project, pointed
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.records import Release
from tests.githubfake.repository import Repository as Fake
from tests.ledgers import A

TOKEN = "ghs_" + "7Hq2" * 9
DATA = b"weights of a model"
FILES = {"a.bin": b"first file", "b.bin": b"second one"}


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("MLFLOW_TRACKING_URI", "GITHUB_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Told:
    code: int
    drifts: list[dict[str, object]]
    doubts: list[dict[str, str]]
    repaired: int

    @property
    def text(self) -> str:
        return "\n".join(str(one["what"]) for one in self.drifts)


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    def run(project: Project, *, repair: bool = False, full: bool = False) -> Told:
        capsys.readouterr()
        code = doctor(repo=project.path, repair=repair, full=full, jobs=0, format_="json")
        said = json.loads(capsys.readouterr().out)
        assert said["code"] == code
        return Told(code, said["drifts"], said["doubts"], said["repaired"])

    return run


def out(project: Project, version: str = "1.0.0", **more: str) -> str:
    """Release a file and a folder, and what is kept by tensor."""
    file, folder = project.keep(DATA), project.folder(FILES)
    kept = project.folder({"p/1": b"a tensor", "recipe.json": b"{}"})
    commit = project.repo.git("rev-parse", "HEAD")
    size = sum(map(len, FILES.values()))
    project.release(
        version, commit, pointed(file, "model", len(DATA)), pointed(folder, "data", size),
        tensors=f"{kept.removesuffix('.dir')}.{'0' * 64}", **more,
    )  # fmt: skip
    return file


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    out(made, alias="champion")
    return made


def test_all_is_well(project: Project, ask: Callable[..., Told]) -> None:
    for full in (False, True):
        found = ask(project, full=full)
        assert (found.code, found.drifts, found.doubts) == (0, [], [])


def test_nothing_was_ever_released(tmp_path: Path, ask: Callable[..., Told]) -> None:
    assert ask(Project(tmp_path)).code == 0


# What is mended: (how it is broken, what is said, whether it takes --full to see)


def _tag_here(project: Project) -> None:
    git(project.path, "tag", "-d", "v1.0.0")


def _tag_there(project: Project) -> None:
    git(project.path, "push", "-q", "origin", ":v1.0.0", ":refs/tags/acme-small#champion#1")


def _tag_nowhere(project: Project) -> None:
    _tag_here(project)
    _tag_there(project)


def _document(project: Project) -> None:
    book = project.book()
    path = f"releases/{A}/1.0.0"
    book.append((), {f"{path}.json": None, f"{path}.sig": b"{}", f"{path}.card.md": None},
                expect=book.ledger().head)  # fmt: skip


def _pointer(project: Project) -> None:
    book = project.book()
    files = {f"deploy/{A}/champion.json": b"{}\n", f"deploy/{A}/previous.json": b"{}\n"}
    book.append((), files, expect=book.ledger().head)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def _object(project: Project) -> None:
    project.object(md5(DATA)).unlink()


def _member(project: Project) -> None:
    project.object(md5(FILES["b.bin"])).unlink()


def _tensor(project: Project) -> None:
    project.object(md5(b"a tensor")).unlink()


def _short(project: Project) -> None:
    project.object(md5(DATA)).write_bytes(DATA[:-1])


def _short_member(project: Project) -> None:
    project.object(md5(FILES["a.bin"])).write_bytes(b"f")


def _listing(project: Project) -> None:
    project.object(project.folder(FILES, ())).unlink()


def _flipped(project: Project) -> None:
    for data in (DATA, FILES["b.bin"]):
        project.object(md5(data)).write_bytes(bytes(len(data)))


def _left(project: Project) -> None:
    commit = project.repo.git("rev-parse", "HEAD")
    folder = project.path / ".git" / "modelwarden" / "releases" / A / commit[:16]
    with journal.opened(folder, Bound(A, "1.0.0", commit, "0" * 64)) as book:
        book.begin("announce")


@pytest.mark.parametrize(
    ("break_", "said", "full"),
    [
        (_tag_here, "the tag v1.0.0 is missing here", False),
        (_tag_there, "the tag acme-small#champion#1 is missing on origin", False),
        (_tag_nowhere, "the tag v1.0.0 is missing on origin", False),
        (_document, "releases/acme/small/1.0.0.json beside the ledger is missing", False),
        (_document, "1.0.0.card.md beside the ledger is missing", False),
        (_pointer, "deploy/acme/small/champion.json is not what", False),
        (_pointer, "deploy/acme/small/previous.json is not what", False),
        (_object, f"remote one: object {md5(DATA)} of acme/small 1.0.0 is missing", False),
        (_member, "is missing", False),
        (_tensor, f"object {md5(b'a tensor')} of acme/small 1.0.0 is missing", False),
        (_short, "has 17 bytes, not 18", False),
        (_short_member, "has 1 bytes, not 10", False),
        (_listing, ".dir of acme/small 1.0.0 is missing", False),
        (_flipped, "has other bytes than its name says", True),
        (_left, "the staging folder of acme/small 1.0.0, which is out", False),
    ],
)  # fmt: skip
def test_a_difference_is_named_and_mended(
    project: Project,
    ask: Callable[..., Told],
    break_: Callable[[Project], None],
    said: str,
    full: bool,
) -> None:
    break_(project)
    found = ask(project, full=full)
    assert found.code == 1 and said in found.text, found.text
    assert all(one["repair"] and "--repair" in str(one["remedy"]) for one in found.drifts)
    count = len(found.drifts)
    again = ask(project, full=full)  # looking mended nothing
    assert again.drifts == found.drifts
    mended = ask(project, repair=True, full=full)
    assert (mended.code, mended.drifts, mended.repaired) == (0, [], count)
    whole = ask(project, full=True)
    assert (whole.code, whole.drifts) == (0, [])
    log = Path(os.environ["XDG_STATE_HOME"]) / "modelwarden/audit.jsonl"
    assert any(one.action == "doctor" for one in auditlog.entries(log))


# What people must decide


def _moved_there(project: Project) -> None:
    git(project.path, "tag", "-f", "-a", "-m", "x", "v1.0.0", project.commit({"x": "y"}))
    git(project.path, "push", "-q", "-f", "origin", "v1.0.0")


def _moved_here(project: Project) -> None:
    git(project.path, "tag", "-f", "v1.0.0", project.commit({"x": "y"}))


def _unreachable(project: Project) -> None:
    other = project.repo.commit_tree(project.repo.git("rev-parse", "HEAD^{tree}"))
    git(project.path, "push", "-q", "-f", "origin", f"{other}:refs/heads/main")
    git(project.path, "fetch", "-q", "origin")
    git(project.path, "reset", "-q", "--hard", other)


def _gone_everywhere(project: Project) -> None:
    for where in ("remote", "cache"):
        project.object(md5(DATA), where).unlink()


def _both_garbled(project: Project) -> None:
    for where in ("remote", "cache"):
        project.object(md5(DATA), where).write_bytes(bytes(len(DATA)))


def _rewritten(project: Project) -> None:
    with project.opened() as there:
        tip = there.world.ledger("modelwarden-releases", "origin")
    git(project.path, "push", "-q", "-f", "origin", f"{tip}~1:refs/heads/modelwarden-releases")


def _begun(project: Project) -> None:
    commit = project.commit({"x": "new"})
    folder = project.path / ".git" / "modelwarden" / "releases" / A / commit[:16]
    with journal.opened(folder, Bound(A, "2.0.0", commit, "0" * 64)) as book:
        book.begin("fetch")


@pytest.mark.parametrize(
    ("break_", "said", "full"),
    [
        (_moved_there, "the tag v1.0.0 is at", False),
        (_moved_here, "the tag v1.0.0 is at", False),
        (_unreachable, "is on no branch any more", False),
        (_gone_everywhere, f"object {md5(DATA)} of acme/small 1.0.0 is missing", False),
        (_both_garbled, "has other bytes than its name says", True),
        (_rewritten, "was written anew", False),
        (_begun, "a release of acme/small 2.0.0 was begun", False),
    ],
)
def test_what_may_be_somebody_elses_is_left_alone(
    project: Project,
    ask: Callable[..., Told],
    break_: Callable[[Project], None],
    said: str,
    full: bool,
) -> None:
    break_(project)
    refs, held = project.shared.refs(), project.held()
    found = ask(project, repair=True, full=full)
    assert found.code == 1 and said in found.text, found.text
    assert not any(one["repair"] for one in found.drifts)
    assert (project.shared.refs(), project.held()) == (refs, held)


def test_a_release_that_is_being_made_is_no_drift(
    project: Project, ask: Callable[..., Told]
) -> None:
    commit = project.repo.git("rev-parse", "HEAD")
    folder = project.path / ".git" / "modelwarden" / "releases" / A / commit[:16]
    project.claim("1.0.1", commit)
    with journal.opened(folder, Bound(A, "1.0.1", commit, "0" * 64)):
        assert ask(project).code == 0


def test_a_withdrawn_release_needs_no_objects(tmp_path: Path, ask: Callable[..., Told]) -> None:
    project = Project(tmp_path)
    out(project)
    book = project.book()
    news = [New("alice", "withdraw", A, {"version": "1.0.0", "reason": "it leaks"})]
    book.append(news, {}, expect=book.ledger().head)
    _object(project)
    _listing(project)
    assert ask(project).code == 0


# What cannot be told


def test_a_store_that_does_not_answer_is_not_well(
    project: Project, ask: Callable[..., Told]
) -> None:
    project.store.rename(project.store.with_name("away"))
    found = ask(project, repair=True)
    assert (found.code, [one["place"] for one in found.doubts]) == (3, ["dvc"])
    project.shared.bare.rename(project.shared.bare.with_name("gone"))
    found = ask(project)
    assert (found.code, [one["place"] for one in found.doubts]) == (3, ["git", "dvc"])


# MLflow


def test_mlflow_is_mended_from_the_ledger(
    tmp_path: Path, ask: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    project = Project(tmp_path, POLICY.replace("mlflow: ''", "mlflow: 'sqlite:///mlflow.db'"))
    git(project.path, "config", "core.excludesFile", str(tmp_path / "ignored"))
    (tmp_path / "ignored").write_text("mlflow.db\nmlartifacts/\n")
    out(project, alias="champion")
    found = ask(project)
    assert found.code == 1 and found.text == (
        "acme/small 1.0.0 is missing\nchampion of acme/small points at nothing, not at 1.0.0"
    )
    mended = ask(project, repair=True, full=True)
    assert (mended.code, mended.drifts, mended.repaired) == (0, [], 2)
    assert in_mlflow(project)["versions"] == ["acme--small 1"]
    assert in_mlflow(project)["aliases"] == ["champion 1"]
    by_hand(
        project,
        "DELETE FROM registered_model_aliases",
        f"UPDATE model_version_tags SET value = '{'0' * 64}' WHERE key = 'modelwarden.root'",
    )
    found = ask(project, repair=True)
    assert found.code == 1 and "has the root 000000000000" in found.text
    by_hand(project, "UPDATE model_versions SET current_stage = 'Deleted_Internal'")
    mended = ask(project, repair=True)
    assert (mended.code, mended.drifts) == (0, []), mended.text
    assert in_mlflow(project)["versions"] == ["acme--small 2"]
    assert in_mlflow(project)["aliases"] == ["champion 2"]


def by_hand(project: Project, *changes: str) -> None:
    """Change what MLflow keeps, as somebody with its tools does; starting those takes seconds."""
    with closing(sqlite3.connect(project.path / "mlflow.db")) as held, held:
        for one in changes:
            assert held.execute(one).rowcount == 1


def test_mlflow_that_is_no_database_is_a_doubt(tmp_path: Path, ask: Callable[..., Told]) -> None:
    pytest.importorskip("mlflow")
    project = Project(tmp_path, POLICY.replace("mlflow: ''", "mlflow: 'sqlite:///broken.db'"))
    (project.path / "broken.db").write_bytes(b"not a database" * 100)
    found = ask(project)
    assert (found.code, [one["place"] for one in found.doubts]) == (3, ["mlflow"])


def test_one_page_for_people(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    _object(project)
    assert doctor(repo=project.path, repair=False, full=False, jobs=0, format_="text") == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("error: dvc: remote one: object ") and len(said) == 3
    assert said[1] == "  modelwarden release doctor --repair"
    assert said[2] == "1 release, 1 difference"
    assert doctor(repo=project.path, repair=True, full=False, jobs=0, format_="text") == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "repaired: 1 difference", "1 release, no difference",
    ]  # fmt: skip


# GitHub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Project, Fake]]:
    """A project with a release whose assets are on GitHub, still a draft."""
    with stamina.set_testing(True, attempts=2, cap=True), FakeGitHub(tmp_path / "github") as fake:
        project = Project(tmp_path, POLICY.replace("github: false", "github: true"))
        home = fake.repository("acme/tiny")
        fake.tokens[TOKEN] = Token(
            TOKEN, fake.user(given.ACTIONS, "Bot"), float("inf"), fake.installation(home),
            {"contents": "write", "metadata": "read"}, (home.id,),
        )  # fmt: skip
        for name, value in (("URL", fake.url), ("TOKEN", TOKEN), ("REPO", "acme/tiny")):
            name = {"URL": "GITHUB_API_URL", "REPO": "GITHUB_REPOSITORY"}.get(name, "GITHUB_TOKEN")
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        out(project)
        git(project.path, "push", "-q", "-f", str(home.bare.path), "HEAD:refs/heads/main", "v1.0.0")
        yield project, home


def published(project: Project, home: Fake, folder: Path, *, leave: str = "") -> None:
    """Draft the release with its index, signature and one file, but for `leave`."""
    book = project.book()
    book.ledger()
    signature = book.file(f"releases/{A}/1.0.0.sig", 1_000_000) or b""
    document = book.file(f"releases/{A}/1.0.0.json", 1_000_000) or b""
    folder.mkdir()
    files = {"model.sig": signature, "release/release.json": document}
    entries = [Entry(p, len(d), hashlib.sha256(d).hexdigest()) for p, d in files.items()]
    index = assets.plan(A, "1.0.0", entries)
    data = {part.name: files[file.path] for file, part in index.parts}
    data |= {assets.INDEX: assets.dump(index), assets.SUMS: assets.sums(index)}
    parts = []
    for name, content in data.items():
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        if name != leave:
            parts.append(Part(name, folder / name, 0, len(content), digest))
    api = here()
    commit = project.repo.git("rev-parse", "v1.0.0^{commit}")
    api.upload(api.draft("v1.0.0", commit, "1.0.0", "new"), parts)


def test_a_whole_draft_is_published_and_a_broken_one_is_not(
    hub: tuple[Project, Fake], ask: Callable[..., Told], tmp_path: Path
) -> None:
    project, home = hub
    found = ask(project)
    assert (found.code, found.text) == (1, "there is no release of v1.0.0")
    published(project, home, tmp_path / "cut", leave="model.sig")
    found = ask(project, repair=True)
    assert "the asset model.sig is missing" in found.text and "still a draft" in found.text
    assert (found.code, home.releases[0].draft) == (1, True)
    published(project, home, tmp_path / "whole")
    found = ask(project)
    assert found.text == "the release of v1.0.0 is still a draft"
    found = ask(project, repair=True, full=True)
    assert (found.code, found.text, home.releases[0].draft) == (0, "", False)
    asset = next(one for one in home.releases[0].assets if "release" in one.name)
    asset.data, asset.digest = b"x" * len(asset.data), ""
    assert "other bytes" in ask(project, full=True).text


def test_a_release_that_is_not_ours_is_left_alone(
    hub: tuple[Project, Fake], ask: Callable[..., Told]
) -> None:
    project, home = hub
    eve = home.owner
    home.releases.append(Release(9, "v1.0.0", "main", "Mine", "no mark", False, False, eve, 0.0))
    found = ask(project, repair=True)
    assert found.code == 1 and "that is not ours" in found.text
    assert [one.body for one in home.releases] == ["no mark"]


def test_github_without_a_token_is_a_note(
    hub: tuple[Project, Fake], ask: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    found = ask(hub[0])
    assert (found.code, [one["severity"] for one in found.drifts]) == (0, ["note"])
    monkeypatch.setenv("GITHUB_TOKEN", "x" * 40)
    found = ask(hub[0])
    assert (found.code, [one["place"] for one in found.doubts]) == (3, ["github"])
