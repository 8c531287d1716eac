"""Releases that also go to GitHub and MLflow: killed, cut, refused; once each in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from tests.bot.releasing.killing import at_event, at_push, killed
from tests.bot.releasing.project import Project, policy
from tests.bot.releasing.published import hosted, in_mlflow
from tests.bot.releasing.running import Warden
from tests.bot.releasing.states import WHOLE, free, whole
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.repository import Repository

ONCE = {
    "versions": ["acme--tiny 1"],
    "runs": ["1.0.0", "1.0.0 quiz"],
    "aliases": ["challenger 1"],
}
NOTHING: dict[str, list[str]] = {"versions": [], "runs": [], "aliases": []}
MLFLOW = "sqlite:///mlflow.db"


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def hub(
    alice: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FakeGitHub, Repository]]:
    with hosted(alice, tmp_path, monkeypatch) as found:
        yield found


def released(home: Repository) -> None:
    (made,) = home.releases
    assert (made.tag, made.draft) == ("v1.0.0", False)
    names = [asset.name for asset in made.assets]
    assert len(names) == len(set(names)) and all(a.state == "uploaded" for a in made.assets)


def test_everywhere_once_however_often_it_was_killed(
    alice: Project, hub: tuple[FakeGitHub, Repository], warden: Warden
) -> None:
    alice.commit({".github/modelwarden.yml": policy(mlflow=MLFLOW)})
    for event, step in (("begin", "upload"), ("done", "upload"), ("done", "record"),
                        ("done", "announce")):  # fmt: skip
        assert killed(alice, at_event(event, step, torn=event == "done")) == -9
    done = warden.release(alice)
    assert done.code == 0, done.err
    whole(alice)
    released(hub[1])
    assert in_mlflow(alice) == ONCE


def test_nothing_is_left_anywhere_of_what_is_taken_back(
    alice: Project, hub: tuple[FakeGitHub, Repository], warden: Warden
) -> None:
    alice.commit({".github/modelwarden.yml": policy(mlflow=MLFLOW)})
    assert killed(alice, at_push(2)) == -9  # MLflow has it, the ledger has not
    assert in_mlflow(alice) == ONCE | {"aliases": []}
    assert [(one.tag, one.draft) for one in hub[1].releases] == [("v1.0.0", True)]
    assert alice.actions() == ["claim"]
    done = warden(alice, "release", "rollback", "1.0.0", "--reason", "wrong data")
    assert done.code == 0, done.err
    assert in_mlflow(alice) == NOTHING
    assert hub[1].releases == []
    free(alice, "1.0.0")
    # Its number is free: the same commit takes it again.
    assert warden.release(alice).code == 0
    assert alice.actions() == ["claim", "abandon", *WHOLE]
    released(hub[1])


FAULTS = [
    ("refused", "POST", r"/releases$", "500", 9),
    ("cut", "POST", r"/assets", "cut", 9),
    ("published", "PATCH", r"/releases/\d+$", "502", 9),
]


@pytest.mark.parametrize(
    ("method", "path", "kind", "times"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_github_in_trouble(
    method: str, path: str, kind: str, times: int, alice: Project,
    hub: tuple[FakeGitHub, Repository], warden: Warden,
) -> None:  # fmt: skip
    fault = hub[0].fault(method, path, kind, times)
    done = warden.release(alice)
    assert done.code == 3
    assert done.error
    hub[0].faults.remove(fault)
    done = warden.release(alice)
    assert done.code == 0, done.err
    whole(alice)
    released(hub[1])


def test_a_token_that_github_does_not_know(
    alice: Project, hub: tuple[FakeGitHub, Repository], warden: Warden,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setenv("GITHUB_TOKEN", "ghs_" + "wrong" * 8)
        done = warden.release(alice)
        assert done.code in (2, 3)
        assert "wrong" not in done.err
        assert "look at GITHUB_TOKEN: it is not valid any more" in done.error
        assert alice.log() == []
    assert warden.release(alice).code == 0
    whole(alice)
    released(hub[1])
