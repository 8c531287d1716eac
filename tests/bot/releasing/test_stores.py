"""A registry of MLflow in a file is of one clone; whoever works in another is not held up."""

from __future__ import annotations

import pytest

from tests.bot.releasing.project import Project, policy
from tests.bot.releasing.published import in_mlflow
from tests.bot.releasing.running import Warden

pytest.importorskip("torch")
pytest.importorskip("dvc")
pytest.importorskip("mlflow")


def test_releases_of_another_clone_are_not_in_this_ones_file(
    alice: Project, warden: Warden
) -> None:
    recorded = policy(mlflow="sqlite:///mlflow.db")
    alice.commit({".github/modelwarden.yml": recorded})
    assert warden.release(alice).code == 0
    assert warden(alice, "release", "promote", "1.0.0", "champion", "--expect", "").code == 0
    bob = alice.clone("bob")
    bob.commit({"README.md": "# Tiny\n\nA model of nothing at all.\n"})
    done = warden.release(bob)
    assert (done.code, in_mlflow(bob)["aliases"]) == (0, ["challenger 1"]), done.err
    back = warden(bob, "release", "rollback", "challenger", "--reason", "not this one")
    assert (back.code, in_mlflow(bob)["aliases"]) == (0, [])
    assert "MLflow here has no 1.0.0" in back.err
    gone = warden(alice, "release", "withdraw", "1.0.1", "--reason", "not this one")
    assert (gone.code, "MLflow here has no 1.0.1" in gone.err) == (0, True), gone.err
