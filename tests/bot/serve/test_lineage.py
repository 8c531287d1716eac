"""The baseline of a pull request on a server: the base repository's ledger, never the fork's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.verdict import Outcome
from tests.bot.checks.regression.test_lineage import issue, model, rules
from tests.bot.releasing.clones import BRANCH
from tests.bot.serve.stack import running
from tests.bot.serve.test_judging import TINY, Desk, by_hand, same
from tests.bot.serve.test_judging import desk as desk
from tests.githubfake import FakeGitHub
from tests.gitrepo import Repo
from tests.ledgers import root

REGRESSION = "modelwarden / regression"


def test_the_child_finds_the_release_without_contents_at_hand(desk: Desk, repo: Repo) -> None:
    first = repo.commit(rules() | model("one"))
    base = repo.commit(model("two"))
    head = repo.commit(model("one"))
    issue(repo, "1.0.0", first)
    order = desk.order(repo, base, head, checks=("regression",))
    with desk.mirrors.hold(TINY):
        desk.mirrors.branch(TINY, desk.server.url, desk.token, BRANCH)
    report = desk.judge(repo, base, head, checks=("regression",))
    (verdict,) = (v for v in report.verdicts if v.check == "regression")
    assert verdict.outcome is Outcome.PASS
    told = [f.message for f in verdict.findings if f.rule == "regression/baseline"]
    assert len(told) == 1 and told[0].startswith("the baseline is release 1.0.0 of acme/small")
    same(report, by_hand(repo, base, head, ("regression",)))
    assert order.git_dir.name == "7.git"


@pytest.mark.parametrize("name", ["releases"])
def test_a_forks_branch_of_that_name_is_ignored(tmp_path: Path, name: str) -> None:
    with FakeGitHub(tmp_path) as hub:
        policy = rules(branch=name, artifact="acme/small")
        repo = hub.repository("acme/tiny", policy | model("one"))
        repo.grant("will", "write")
        first = repo.head("main")
        issue(repo.git, "1.0.0", first)
        repo.git.git("push", "-q", "origin", f"{BRANCH}:{name}")
        repo.git.commit(model("two"))
        repo.git.git("push", "-q", "origin", "HEAD:main")
        # What the fork proposes is a ledger of its own, in a branch of that very name.
        evil = json.dumps({"sequence": 0, "action": "release", "details": {"version": "9.0.0"}})
        files = model("one") | {"log.jsonl": evil + "\n", "releases/acme/small/9.0.0.json": "{}"}
        with running(tmp_path, hub) as stack:
            pull = repo.pull(author="mallory", branch=name, files=files, fork=True)
            stack.settle()
            repo.comment(pull.number, "will", f"/warden measure --head {pull.head[:12]}")
            stack.settle()
            runs = [run for run in repo.runs.values() if run.name == REGRESSION]
            assert stack.runs(repo, pull.head)[REGRESSION] == "success", runs
            (mirror,) = (tmp_path / "server" / "mirrors").glob("*.git")
            there = Repo.__new__(Repo)
            there.path = mirror
            shown = there.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads")
            assert shown == f"{repo.head(name)} refs/heads/{name}"
            text = "\n".join(stack.ours(repo, pull.number))
            assert "release 1.0.0" in text and root("1.0.0")[:12] in text
            assert "9.0.0" not in text.replace("releases/acme/small/9.0.0.json", "")
        assert not hub.violations
