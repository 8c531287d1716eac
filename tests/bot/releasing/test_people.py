"""Who may release, and with whose consent: by the words of the base, from another clone."""

from __future__ import annotations

import yaml

from tests.bot.releasing.clones import git
from tests.bot.releasing.project import POLICY, RELEASE, Project, policy, trust
from tests.bot.releasing.running import Warden

POLICY_AT, TRUST_AT = ".github/modelwarden.yml", ".github/trust.toml"
STRANGER = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def test_two_people_release(alice: Project, warden: Warden) -> None:
    alice.commit({TRUST_AT: trust(alice, threshold=2)})
    done = warden.release(alice)
    assert done.code == 1, done.err
    assert "release approve 1.0.0 --key KEY" in done.error
    assert alice.actions() == ["claim"]
    mallory = alice.clone("mallory")
    warden(mallory, "release", "approve", "1.0.0", "--key", mallory.key())
    assert warden.release(alice).code == 1
    bob = alice.clone("bob")
    done = warden(bob, "release", "approve", "1.0.0", "--key", bob.key())
    assert done.code == 0, done.err
    assert "approved by bob" in done.out
    done = warden.release(alice)
    assert done.code == 0, done.err
    shown = warden(alice, "release", "show", "1.0.0")
    assert "approved by bob at" in shown.out
    held = git(alice.origin, "ls-tree", "-r", "--name-only", "modelwarden-releases")
    assert "pending/" not in held


def test_what_waits_is_taken_back(alice: Project, warden: Warden) -> None:
    alice.commit({TRUST_AT: trust(alice, threshold=2)})
    assert warden.release(alice).code == 1
    done = warden(alice, "release", "rollback", "1.0.0", "--reason", "wrong data")
    assert done.code == 0, done.err
    held = git(alice.origin, "ls-tree", "-r", "--name-only", "modelwarden-releases")
    assert held.split() == ["log.jsonl"]
    assert alice.actions() == ["claim", "abandon"]


def test_who_may_release_is_said_by_the_release_before(alice: Project, warden: Warden) -> None:
    alice.commit({POLICY_AT: policy(who=["alice"])})
    assert warden.release(alice).code == 0
    git(alice.path, "config", "user.name", "Mallory")
    alice.commit({POLICY_AT: policy(who=["mallory"]), "README.md": "# Mine\n"})
    done = warden.release(alice)
    assert (done.code, "may not release acme/tiny" in done.error) == (1, True)
    assert "v1.0.1" not in str(alice.refs())


def test_what_a_merge_takes_from_the_policy_is_said_and_accepted(
    alice: Project, warden: Warden
) -> None:
    other = {"name": "other", "path": "eval/quiz.jsonl"}
    both = POLICY["regression"] | {"suite": [*POLICY["regression"]["suite"], other]}
    whole = POLICY | {"regression": both, "release": RELEASE | {"seal_to": []}}
    alice.commit({POLICY_AT: yaml.safe_dump(whole)})
    assert warden.release(alice).code == 0
    alice.commit({POLICY_AT: policy(seal_to=[STRANGER]), "README.md": "# More\n"})
    done = warden.release(alice)
    assert done.code == 1
    assert "suite other is missing" in done.err
    assert "recipients is missing" in done.err
    accepted = ("--waive", "lineage/suite other=too easy", "--waive", "lineage/recipients=asked")
    assert warden.release(alice, *accepted).code == 0
    assert [e["details"]["reason"] for e in alice.log() if e["action"] == "waive"]
