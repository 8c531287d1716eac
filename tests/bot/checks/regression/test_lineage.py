"""The baseline by lineage: real git, a real ledger, models that are told apart by their bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot import policy
from bot.catalog import CHECKS
from bot.catalog import rules as every_rule
from bot.checks import regression
from bot.checks.regression import Evidence, Settings, Standing, baseline, lineage
from bot.checks.regression.folders import model_files
from bot.drift import drift
from bot.errors import RepositoryError
from bot.finding import Finding, Level, Location
from bot.releasing.ledger.book import GitBook
from bot.releasing.settings import Settings as Releases
from bot.releasing.steps.gather import gather
from bot.repository import GitWorld
from registry.release.ledger import New, Tag, document_path
from registry.release.values import Artifact, Pointed, Release, dump
from tests.bot.releasing.clones import BRANCH, claimed
from tests.gitrepo import Repo
from tests.ledgers import A, root

MODEL = "models/tiny"
SUITE = {"name": "held-out", "path": "held-out.jsonl"}


def model(weights: str) -> dict[str, bytes | str]:
    return {f"{MODEL}/config.json": "{}", f"{MODEL}/model.safetensors": weights}


def rules(baseline: str = "release", **release: Any) -> dict[str, bytes | str]:
    found = {"model": MODEL, "suite": [SUITE], "baseline": baseline}
    text = json.dumps({"version": 1, "regression": found, "release": release})
    return {".github/modelwarden.yml": text, "held-out.jsonl": '{"text": "a"}\n'}


def book(repo: Repo) -> GitBook:
    repo.git("config", "user.name", "Ada")
    repo.git("config", "user.email", "ada@example.org")
    return GitBook(repo.path, BRANCH, "")


def issue(
    repo: Repo, version: str, commit: str, weights: Artifact | None = None, folder: str = MODEL
) -> Release:
    """Release what a commit holds, as the ledger has it."""
    if weights is None:
        with GitWorld(repo.path) as world:
            weights = gather(world, commit, Releases(), folder).weights
    made = Release(A, version, commit, f"v{version}", "2027-01-01", "acme/small", weights)
    said = {
        "version": version, "commit": commit, "holder": "run-1", "root": root(version),
        "tag": f"v{version}", "document": made.digest,
    }  # fmt: skip
    at = book(repo)
    at.append([claimed(version, commit)], {}, expect=at.ledger().head)
    at.append(
        [New("ada", "release", A, said)],
        {document_path(A, version): dump(made)},
        expect=at.ledger().head,
        tags=[Tag(f"v{version}", commit, version)],
    )
    return made


def settings_at(world: GitWorld, commit: str) -> Settings:
    found: Settings = policy.at(world, commit, CHECKS, every_rule()).section("regression")
    return found


def look(repo: Repo, base: str, head: str) -> tuple[Evidence, list[Finding]]:
    """What the check says; it may not come to scoring."""
    with GitWorld(repo.path) as world:
        settings = settings_at(world, base)
        found = regression.collect(world.change(base, head), world, settings)
    return found, list(regression.judge(found, settings))


def found(repo: Repo, base: str, head: str) -> tuple[lineage.Lineage, str]:
    """The lineage, and the weights' digest of what head would be compared with."""
    with GitWorld(repo.path) as world:
        change, settings = world.change(base, head), settings_at(world, base)
        before = model_files(world, change.merge_base, MODEL)
        told, files = lineage.find(change, world, settings, before)
        return told, next((f.digest for f in files if f.path.endswith("tensors")), "")


def blob(repo: Repo, commit: str) -> str:
    return repo.git("rev-parse", f"{commit}:{MODEL}/model.safetensors")


def test_head_is_compared_with_the_release_of_its_base(repo: Repo) -> None:
    first = repo.commit(rules() | model("one"))
    second = repo.commit(model("two"))
    head = repo.commit(model("three"))
    issue(repo, "1.0.0", first)
    told, weights = found(repo, second, head)
    assert (told.release, told.commit, told.root) == ("1.0.0", first, root("1.0.0"))
    assert told.used and not told.same
    assert weights == blob(repo, first)
    # Where the base is what was released, that is said.
    told, weights = found(repo, first, second)
    assert told.used and told.same and weights == blob(repo, first)


def test_back_to_what_was_released_needs_no_scoring(repo: Repo) -> None:
    first = repo.commit(rules() | model("one"))
    second = repo.commit(model("two"))
    head = repo.commit(model("one"))
    issue(repo, "1.0.0", first)
    evidence, findings = look(repo, second, head)
    assert evidence.standing is Standing.SAME
    assert [(f.rule, f.severity) for f in findings] == [
        ("regression/identical", Level.NOTE), ("regression/baseline", Level.NOTE)
    ]  # fmt: skip
    name = f"release 1.0.0 of {A} (commit {first[:12]}, root {root('1.0.0')[:12]})"
    assert findings[0].message == f"the model is the same bytes as in {name}"
    assert findings[1].message == f"the baseline is {name}"


def test_lineage_counts_and_neither_name_nor_date(repo: Repo) -> None:
    """A higher version and a later one, on a line that the base does not descend from."""
    first = repo.commit(rules() | model("one"))
    repo.git("checkout", "-q", "-b", "other")
    other = repo.commit(model("other"))
    repo.git("checkout", "-q", "main")
    base = repo.commit(model("two"))
    head = repo.commit(model("three"))
    issue(repo, "1.0.0", first)
    issue(repo, "9.0.0", other)
    assert found(repo, base, head)[0].release == "1.0.0"
    # The release of the head itself is not the base's.
    issue(repo, "9.1.0", head)
    assert found(repo, base, head)[0].release == "1.0.0"
    # The author chooses where the change parts from the base, and with it nothing else.
    issue(repo, "1.1.0", base)
    repo.git("checkout", "-q", "-b", "late", first)
    late = repo.commit(model("late"))
    told, weights = found(repo, base, late)
    assert told.release == "1.1.0" and weights == blob(repo, base)


@pytest.mark.parametrize("ledger", [False, True])
def test_without_a_release_the_base_counts_and_it_is_said(repo: Repo, ledger: bool) -> None:
    base = repo.commit(rules() | model("one"))
    head = repo.commit(model("two"))
    if ledger:
        issue(repo, "1.0.0", head)
    told, weights = found(repo, base, head)
    assert told == lineage.Lineage() and weights == blob(repo, base)
    said = baseline.findings_of(told, Settings(baseline="release"), Location())
    assert [f.message for f in said] == [
        f"no release in the base's history that the branch {BRANCH} here names: compared with the"
        " base"
    ]


def test_with_base_the_release_is_only_named(repo: Repo) -> None:
    first = repo.commit(rules("base") | model("one"))
    head = repo.commit(model("two"))
    issue(repo, "1.0.0", first)
    told, weights = found(repo, first, head)
    assert told.same and not told.used and weights == blob(repo, first)
    (said,) = baseline.findings_of(told, Settings(), Location())
    assert said.message.startswith(f"the base's model is that of release 1.0.0 of {A} (")
    third = repo.commit(model("three"))
    told, weights = found(repo, head, third)
    assert not told.same and weights == blob(repo, head)
    assert list(baseline.findings_of(told, Settings(), Location())) == []


@pytest.mark.parametrize("what", ["other bytes", "one more", "nothing", "elsewhere"])
def test_a_release_that_is_not_what_its_commit_holds_is_an_error(repo: Repo, what: str) -> None:
    first = repo.commit(rules() | model("one"))
    head = repo.commit(model("two"))
    with GitWorld(repo.path) as world:
        good = gather(world, first, Releases(), MODEL).weights.pointers
    path = f"{MODEL}/model.safetensors"
    pointers: tuple[Pointed, ...] = {
        "other bytes": tuple(
            Pointed(p.path, p.kind, blob(repo, head), p.size, p.source) if p.path == path else p
            for p in good
        ),
        "one more": (*good, Pointed(f"{MODEL}/x.safetensors", "blob", "0" * 40, 1, "x")),
        "nothing": (),
        "elsewhere": good,
    }[what]
    folder = "models/none" if what == "elsewhere" else MODEL
    issue(repo, "1.0.0", first, Artifact(folder, "weights", pointers))
    evidence, findings = look(repo, first, head)
    assert evidence.standing is Standing.UNKNOWN
    (finding,) = findings
    assert (finding.rule, finding.severity) == ("regression/baseline-unproven", Level.UNKNOWN)
    assert f"release 1.0.0 of {A} does not bind what its commit {first[:12]} holds: " in (
        finding.message
    )


def test_a_damaged_ledger_is_an_error_only_where_it_counts(repo: Repo) -> None:
    first = repo.commit(rules() | model("one"))
    head = repo.commit(model("two"))
    issue(repo, "1.0.0", first)
    log = repo.git("show", f"{BRANCH}:log.jsonl").replace("1.0.0", "1.0.1")
    blob_ = repo.git("hash-object", "-w", "--stdin", stdin=log.encode() + b"\n")
    tree = repo.git("mktree", stdin=f"100644 blob {blob_}\tlog.jsonl\n".encode())
    repo.git("update-ref", f"refs/heads/{BRANCH}", repo.git("commit-tree", tree, "-m", "x"))
    evidence, (finding,) = look(repo, first, head)
    assert evidence.standing is Standing.UNKNOWN
    assert finding.rule == "regression/baseline-unproven" and "line 2" in finding.message
    repo.git("reset", "-q", "--hard", first)
    base = repo.commit(rules("base"))
    head = repo.commit(model("two"))
    told, weights = found(repo, base, head)
    assert "line 2" in told.doubt and weights == blob(repo, base)
    (said,) = baseline.findings_of(told, Settings(), Location())
    assert said.severity is Level.NOTE and "cannot be read" in said.message
    # The plot of past releases goes by tags then, and says so.
    with GitWorld(repo.path) as world:
        past = drift(world, base, "metrics.json", Releases())
    assert past.releases == ("v1.0.0",) and "tags count" in past.notes[0]


def test_which_artifact_counts_is_said_by_the_policy(repo: Repo) -> None:
    first = repo.commit(rules(artifact="acme/none") | model("one"))
    head = repo.commit(model("two"))
    issue(repo, "1.0.0", first)
    assert found(repo, first, head)[0] == lineage.Lineage()


def test_history_that_is_cut_is_no_answer(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit(rules() | model("one"))
    repo.commit(model("two"))
    base = repo.commit({"x": "1"})
    head = repo.commit(model("three"))
    issue(repo, "1.0.0", first)
    shallow = Repo(tmp_path / "shallow")
    words = ("fetch", "-q", "--depth=2", repo.path.as_uri(), head)
    shallow.git(*words)
    shallow.git("fetch", "-q", repo.path.as_uri(), f"{BRANCH}:{BRANCH}")
    with GitWorld(shallow.path) as world, pytest.raises(RepositoryError, match="shallow"):
        settings = settings_at(world, base)
        lineage.find(world.change(base, head), world, settings, ())


def test_drift_follows_the_ledger(repo: Repo) -> None:
    first = repo.commit(model("one") | {"metrics.json": '{"t": {"m": 1}}'})
    issue(repo, "1.0.0", first)
    second = repo.commit(model("two") | {"metrics.json": '{"t": {"m": 2}}'})
    repo.git("tag", "v7.0.0", second)  # a tag that is no release
    third = repo.commit(model("three") | {"metrics.json": '{"t": {"m": 3}}'})
    issue(repo, "1.10.0", third)
    fourth = repo.commit({"metrics.json": '{"t": {"m": 4}}'})
    issue(repo, "1.9.0", fourth)
    repo.git("checkout", "-q", "-b", "other", first)
    issue(repo, "2.0.0", repo.commit({"metrics.json": '{"t": {"m": 9}}'}))
    with GitWorld(repo.path) as world:
        past = drift(world, fourth, "metrics.json", Releases())
        assert past.releases == ("v1.0.0", "v1.9.0", "v1.10.0")
        assert past.series[0].values == (1, 4, 3)
        past = drift(world, fourth, "metrics.json", Releases(), 2)
        assert past.releases == ("v1.9.0", "v1.10.0")
        # Without a ledger, tags count as ever.
        past = drift(world, fourth, "metrics.json", Releases(branch="none"))
        assert past.releases == ("v1.0.0", "v1.9.0", "v1.10.0", "v7.0.0")
