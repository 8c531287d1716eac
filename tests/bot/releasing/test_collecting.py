"""`release gc` on real repositories and remotes: what anything needs stays, whatever cannot be
read stops it, and a kill in the middle costs nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import CouldNotTell
from bot.releasing.care import collecting
from bot.releasing.care.collecting import collect, gc
from registry import dvcremote
from registry.errors import StoreFailed
from registry.release import journal
from registry.release.story import Bound
from security import auditlog
from tests.bot.releasing.clones import git
from tests.bot.releasing.stored import (
    LATER,
    POLICY,
    Project,
    locked,
    pointed,
    tracking,
)
from tests.ledgers import A
from tests.motoserver import KEYS, S3, s3


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def garbage(project: Project, days: int = 30, now: float = LATER) -> dict[str, set[str]]:
    with project.opened() as there:
        found = collect(there, days, now)
    return {s.name.split(" ")[0]: {one.id for one in p.garbage} for s, p in found.stores}


def refused(project: Project, days: int = 30, now: float = LATER) -> str:
    before = project.held(), project.held("cache")
    with project.opened() as there, pytest.raises(CouldNotTell) as caught:
        collect(there, days, now)
    assert (project.held(), project.held("cache")) == before
    assert "nothing was deleted" in caught.value.hint, caught.value.hint
    assert caught.value.exit_code == 3
    return caught.value.message


def test_every_root_keeps_what_it_needs_and_the_rest_is_garbage(project: Project) -> None:
    names = ("main", "member of main", "branch", "tag", "remote branch", "stash 1", "stash 2",
             "old stage", "released", "released data", "by tensor", "piece", "staged", "file",
             "open", "garbage")  # fmt: skip
    made = {name: name.encode() for name in names}
    ids = {name: project.keep(data) for name, data in made.items()}
    folder = project.folder({"a.bin": made["member of main"]})
    project.commit({"a.dvc": tracking("a", ids["main"]), "m.dvc": tracking("m", folder)})
    main = project.repo.git("rev-parse", "HEAD")

    git(project.path, "switch", "-q", "-c", "side")
    project.commit({"dvc.lock": locked(w=ids["branch"])}, push=False)
    git(project.path, "tag", "-a", "-m", "x", "inner", project.commit(
        {"dvc.lock": locked(w=ids["tag"])}, push=False))  # fmt: skip
    git(project.path, "tag", "-a", "-m", "x", "outer", "inner")  # of a tag
    git(project.path, "tag", "-d", "inner")
    git(project.path, "push", "-q", "origin", "outer")
    git(project.path, "reset", "-q", "--hard", "HEAD~1")
    git(project.path, "switch", "-q", "-c", "theirs", "main")
    project.commit({"sub/w.dvc": tracking("w", ids["remote branch"])})
    git(project.path, "switch", "-q", "main")
    git(project.path, "branch", "-q", "-D", "theirs")
    for number in (1, 2):
        project.repo.write({"a.dvc": tracking("a", ids[f"stash {number}"])})
        git(project.path, "stash", "-q")
    by_tensor = project.folder({"p/1": made["piece"], "recipe.json": made["by tensor"]})
    data = project.folder({"x": made["released data"]})
    project.release("1.0.0", main, pointed(ids["released"]), pointed(data, "data"),
                    tensors=f"{by_tensor.removesuffix('.dir')}.{'0' * 64}")  # fmt: skip
    git(project.path, "tag", "-d", "v1.0.0")
    git(project.path, "push", "-q", "origin", ":v1.0.0")
    git(project.path, "switch", "-q", "--detach")
    begun = project.commit({"o.dvc": tracking("o", ids["open"])}, push=False)
    git(project.path, "switch", "-q", "main")
    project.claim("2.0.0", begun)
    project.repo.write({"b.dvc": tracking("b", ids["staged"])})
    git(project.path, "add", "b.dvc")
    (project.path / "b.dvc").unlink()
    project.repo.write({"c.dvc": tracking("c", ids["file"])})

    found = garbage(project)
    wanted = {ids["garbage"], ids["old stage"]}
    assert found == {"remote": wanted, "cache": wanted}


def test_what_is_young_stays_and_so_does_what_a_young_commit_names(project: Project) -> None:
    old, kept = project.keep(b"old"), project.keep(b"kept")
    project.commit({"a.dvc": tracking("a", kept)})
    project.commit({"a.dvc": tracking("a", project.keep(b"new"))})
    assert garbage(project, now=time.time() + 60) == {"remote": set(), "cache": set()}
    assert garbage(project, days=0, now=LATER) == {"remote": {old, kept}, "cache": {old, kept}}
    assert garbage(project, days=0, now=1.0) == {"remote": set(), "cache": set()}


def test_a_young_commit_that_no_branch_has_counts(project: Project) -> None:
    lost = project.keep(b"lost")
    project.repo.write({"a.dvc": tracking("a", lost)})
    git(project.path, "add", "a.dvc")
    when = f"{int(LATER - 10 * 86_400)} +0000"
    project.repo.git("commit", "-q", "-m", "lost", GIT_COMMITTER_DATE=when)
    git(project.path, "reset", "-q", "--hard", "HEAD~1")
    assert garbage(project, 30)["remote"] == set()
    assert garbage(project, 5)["remote"] == {lost}


def test_an_object_without_age_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    found = project.keep(b"who knows", ("remote",))
    real = dvcremote.listing
    untold = lambda config: [replace(one, time=-1) for one in real(config)]  # noqa: E731
    monkeypatch.setattr(dvcremote, "listing", untold)
    with project.opened() as there:
        ((_, part), *_) = collect(there, 30, LATER).stores
    assert ([one.id for one in part.undated], part.garbage) == ([found], ())


def _shallow(project: Project) -> None:
    (project.path / ".git" / "shallow").write_text(project.repo.git("rev-parse", "HEAD") + "\n")


def _lost_listing(project: Project) -> None:
    id_ = project.folder({"a": b"a"})
    project.commit({"m.dvc": tracking("m", id_)})
    project.object(id_).unlink()
    project.object(id_, "cache").unlink()


def _garbled_listing(project: Project) -> None:
    id_ = project.folder({"a": b"a"}, ("remote",))
    project.commit({"m.dvc": tracking("m", id_)})
    project.object(id_).write_bytes(b"[]")


def _bad_lock(project: Project) -> None:
    git(project.path, "switch", "-q", "-c", "odd")
    project.commit({"dvc.lock": "<<<<<<< HEAD\n: [\n"})
    git(project.path, "switch", "-q", "main")


def _bad_file(project: Project) -> None:
    project.repo.write({"x.dvc": "outs: [\n"})


def _missing_blob(project: Project) -> None:
    project.commit({"a.dvc": tracking("a", project.keep(b"a"))})
    blob = project.repo.git("rev-parse", "HEAD:a.dvc")
    (project.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def _unfetched(project: Project) -> None:
    other = project.shared.clone("bob")
    git(other.path, "switch", "-q", "-c", "new")
    other.commit({"a.dvc": tracking("a", project.keep(b"theirs"))})
    git(other.path, "push", "-q", "origin", "new")


def _git_away(project: Project) -> None:
    project.shared.bare.rename(project.shared.bare.with_name("gone"))


def _store_away(project: Project) -> None:
    project.store.rename(project.store.with_name("away"))


def _document_gone(project: Project) -> None:
    project.release("1.0.0", project.repo.git("rev-parse", "HEAD"))
    book = project.book()
    book.append((), {f"releases/{A}/1.0.0.json": None}, expect=book.ledger().head)


def _journal_garbled(project: Project) -> None:
    folder = project.path / ".git" / "modelwarden" / "releases" / A / "1234"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("{}\n")


def _claim_elsewhere(project: Project) -> None:
    project.claim("3.0.0", "1" * 40)


def _tensors_untold(project: Project) -> None:
    policy = POLICY.replace("mlflow", "store: tensors, mlflow")
    project.claim("3.0.0", project.commit({".github/modelwarden.yml": policy}))


@pytest.mark.parametrize(
    ("break_", "named"),
    [
        (_shallow, "shallow"), (_lost_listing, "m.dvc|refs/heads/main"),
        (_garbled_listing, "other bytes"), (_bad_lock, "refs/heads/odd: dvc.lock"),
        (_bad_file, "x.dvc"), (_missing_blob, "a.dvc"), (_unfetched, "refs/heads/new"),
        (_git_away, "remote origin"), (_store_away, "remote 'one'"),
        (_document_gone, "1.0.0.json"), (_journal_garbled, "journal"),
        (_claim_elsewhere, "open release 111111111111"), (_tensors_untold, "by tensor"),
    ],
)  # fmt: skip
def test_a_root_that_cannot_be_read_stops_it(
    project: Project, break_: Callable[[Project], None], named: str
) -> None:
    project.keep(b"garbage")
    break_(project)
    message = refused(project)
    assert any(each in message for each in named.split("|")), message


def test_mlflow_that_does_not_answer_stops_it(tmp_path: Path) -> None:
    project = Project(tmp_path, POLICY.replace("mlflow: ''", "mlflow: 'sqlite:///broken.db'"))
    project.keep(b"garbage")
    (project.path / "broken.db").write_bytes(b"not a database" * 100)
    assert "MLflow" in refused(project)


def test_folders_in_git_imports_and_what_is_not_pushed_need_no_listing(project: Project) -> None:
    nowhere = ["a" * 32 + ".dir", "b" * 32 + ".dir", "c" * 32 + ".dir", "d" * 32 + ".dir"]
    lock = {"schema": "2.0", "stages": {"plot": {
        "cmd": "plot", "deps": [{"path": "src", "hash": "md5", "md5": nowhere[3]}],
        "outs": [{"path": "plots", "hash": "md5", "md5": nowhere[0], "size": 1}]}}}  # fmt: skip
    yaml = {"stages": {"plot": {"cmd": "plot", "wdir": "sub", "outs": [{"plots": {}}]}}}
    imported = json.loads(tracking("i", nowhere[1])) | {"deps": [{"path": "i", "repo": {}}]}
    project.commit({
        "dvc.lock": json.dumps(lock), "dvc.yaml": json.dumps(yaml), "sub/plots/a.json": "{}",
        "i.dvc": json.dumps(imported), "n.dvc": tracking("n", nowhere[2], push=False),
    })  # fmt: skip
    assert garbage(project)["remote"] == set()


def test_a_journal_tells_what_is_kept_by_tensor_before_the_ledger_does(project: Project) -> None:
    kept, gone = project.folder({"a": b"piece"}), project.folder({"a": b"other"})
    commit = project.repo.git("rev-parse", "HEAD")
    folder = project.path / ".git" / "modelwarden" / "releases" / A / commit[:16]
    with journal.opened(folder, Bound(A, "3.0.0", commit, "0" * 64)) as book:
        book.begin("upload")
        book.done("upload", {"tensors": kept.removesuffix(".dir"), "recipe": "0" * 64})
    found = garbage(project)["remote"]
    assert gone in found and kept not in found and len(found) == 2


def test_it_deletes_only_when_told_to_and_says_so(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = lambda there, days, now: collect(there, days, LATER)  # noqa: E731
    monkeypatch.setattr(collecting, "collect", late)
    kept = project.keep(b"kept")
    project.commit({"a.dvc": tracking("a", kept)})
    gone = project.folder({"x": b"gone", "y": b"kept"})
    assert gc(repo=project.path, delete=False, days=30, format_="text") == 0
    said = capsys.readouterr().out
    assert "nobody needs: 2 objects" in said and "ref refs/heads/main: 1 object" in said
    assert gone in project.held()
    assert gc(repo=project.path, delete=True, days=30, format_="json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["deleted"] and {len(one["garbage"]) for one in told["stores"]} == {2}
    assert (project.held(), project.held("cache")) == ({kept}, {kept})
    log = Path(os.environ["XDG_STATE_HOME"]) / "modelwarden/audit.jsonl"
    (entry,) = [one for one in auditlog.entries(log) if one.action == "gc"]
    assert dict(entry.details)["objects1"] == "2"
    assert gc(repo=project.path, delete=True, days=30, format_="text") == 0


def test_a_push_meanwhile_stops_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    old = project.keep(b"wanted again")
    with project.opened() as there:
        found = collect(there, 30, LATER)
        other = project.shared.clone("bob")
        other.commit({"a.dvc": tracking("a", old)})
        git(other.path, "push", "-q", "origin", "HEAD:again")
        with pytest.raises(CouldNotTell, match="moved while"):
            collecting._delete(there, found)
    assert old in project.held()


def test_killed_in_the_middle_it_goes_on(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [project.keep(bytes([n])) for n in range(5)]
    real = dvcremote.remove

    def killed(stored: list[dvcremote.Stored], config: object) -> None:
        real(stored[:2], config)  # type: ignore[arg-type]
        raise StoreFailed("away", "again")

    monkeypatch.setattr(dvcremote, "remove", killed)
    with project.opened() as there, pytest.raises(StoreFailed):
        collecting._delete(there, collect(there, 30, LATER))
    assert len(project.held()) == 3 and len(project.held("cache")) == 5
    monkeypatch.setattr(dvcremote, "remove", real)
    with project.opened() as there:
        collecting._delete(there, collect(there, 30, LATER))
    assert not project.held() | project.held("cache") and gone


def test_a_cache_that_others_may_share_is_left_alone(project: Project, tmp_path: Path) -> None:
    shared = tmp_path / "cache-of-all"
    (shared / "files/md5/aa").mkdir(parents=True)
    (shared / "files/md5/aa" / ("b" * 30)).write_bytes(b"theirs")
    config = (project.path / ".dvc/config").read_text() + f"[cache]\ndir = {shared}\n"
    project.commit({".dvc/config": config})
    assert not any(name.startswith("cache-of-all") for name in garbage(project))
    with project.opened() as there:
        assert all(str(shared) not in store.name for store, _ in collect(there, 30, LATER).stores)


@pytest.fixture(scope="module")
def server() -> object:
    with s3() as found:
        yield found


def test_on_s3_too(tmp_path: Path, server: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (KEYS | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(name, value)
    project, client = Project(tmp_path), server.client()
    client.create_bucket(Bucket="collected")
    config = f"['remote \"far\"']\nurl = s3://collected/in\nendpointurl = {server.url}\n"
    kept = project.folder({"x": b"kept"}, ("cache",))
    gone = project.folder({"x": b"gone"}, ("cache",))
    for id_ in project.held("cache"):
        data = project.object(id_, "cache").read_bytes()
        client.put_object(Bucket="collected", Key=f"in/files/md5/{id_[:2]}/{id_[2:]}", Body=data)
    for path in (project.object(kept, "cache"), project.object(gone, "cache")):
        path.unlink()  # the listings are only there
    project.commit({".dvc/config": config, "m.dvc": tracking("m", kept)})
    assert garbage(project, now=time.time())["remote"] == set()  # pushed just now
    assert gone in garbage(project)["remote"]
    with project.opened() as there:
        collecting._delete(there, collect(there, 30, LATER))
    names = [one["Key"] for one in client.list_objects_v2(Bucket="collected")["Contents"]]
    assert len(names) == 2 and f"in/files/md5/{kept[:2]}/{kept[2:]}" in names
