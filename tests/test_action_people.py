"""The action with `people`: GitHub is asked whose the commits are, over real HTTP and real git."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.github.given import ACTIONS
from bot.people import ClaSignature, dump_signatures, load_file
from tests.composite import Ran, run
from tests.githubfake import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.pull import Pull
from tests.githubfake.repository import Repository
from tests.gitrepo import environment

ROOT = Path(__file__).parents[1]
TOKEN = "ghs_" + "9Kp4" * 9
CLA = "I agree.\n"
POLICY = """version: 1
contributors:
  cla:
    required: true
    document: CLA.md
    signatures: signed.jsonl
"""


@dataclass
class Forge:
    hub: FakeGitHub
    repo: Repository
    temp: Path

    def act(self, event: dict[str, Any], base: str, head: str, **inputs: str) -> Ran:
        self.temp.mkdir(exist_ok=True)
        words = environment() | {
            "GITHUB_API_URL": self.hub.url, "GITHUB_REPOSITORY": self.repo.full_name,
            "XDG_CACHE_HOME": str(self.temp / "cache"),
        }  # fmt: skip
        given = {
            "modelwarden": str(Path(sys.executable).parents[1]), "only": "contributors",
            "people": "true", "base": base, "head": head,
        } | inputs  # fmt: skip
        ran = run(
            ROOT / "action.yml", given, event, temp=self.temp, workspace=self.repo.bare.path,
            environment=words, token=TOKEN,
        )  # fmt: skip
        assert TOKEN not in ran.log
        for path in self.temp.rglob("*"):
            assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path
        return ran

    def judge(self, pull: Pull, **inputs: str) -> Ran:
        user = {"id": pull.author.id, "login": pull.author.login, "type": pull.author.kind}
        event = {"action": "opened", "pull_request": {"number": pull.number, "user": user}}
        return self.act(event, pull.base_sha, pull.head, **inputs)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with FakeGitHub(tmp_path) as hub:
        ada = hub.user("ada")
        digest = hashlib.sha256(CLA.encode()).hexdigest()
        signed = ClaSignature(ada.id, "ada", digest, 9, "acme/tiny", "2026-01-02T03:04:05Z")
        files: dict[str, bytes | str] = {
            "CLA.md": CLA, "signed.jsonl": dump_signatures((signed,)),
            ".github/modelwarden.yml": POLICY,
        }  # fmt: skip
        repo = hub.repository("acme/tiny", files)
        rights = {"contents": "read", "metadata": "read"}
        hub.tokens[TOKEN] = Token(
            TOKEN, hub.user(ACTIONS, "Bot"), float("inf"), hub.installation(repo), rights,
            (repo.id,),
        )  # fmt: skip
        yield Forge(hub, repo, tmp_path / "temp")
        assert not hub.violations


def test_who_signed_the_agreement_is_known(forge: Forge) -> None:
    pull = forge.repo.pull(author="ada", files={"a.py": "1\n"}, fork=True)
    ran = forge.judge(pull)
    assert (ran.code, ran.outputs["outcome"]) == (0, "pass"), ran.log
    told = load_file(forge.temp / "modelwarden-people" / "people.json")
    assert told.author.login == "ada" and [c.commit for c in told.commits] == [pull.head]
    assert not told.queue and not forge.hub.asked("POST")


def test_who_did_not_sign_is_named(forge: Forge) -> None:
    ran = forge.judge(forge.repo.pull(author="mallory", files={"a.py": "1\n"}, fork=True))
    assert (ran.code, ran.outputs["outcome"]) == (1, "fail"), ran.log
    assert "mallory" in ran.summary and "has not signed CLA.md" in ran.summary


def test_unless_it_is_asked_for_github_is_not_asked(forge: Forge) -> None:
    ran = forge.judge(forge.repo.pull(author="ada", files={"a.py": "1\n"}), people="false")
    assert (ran.code, ran.outputs["outcome"]) == (3, "error"), ran.log
    assert not forge.hub.requests


def test_without_an_answer_it_is_no_pass(forge: Forge) -> None:
    forge.hub.tokens[TOKEN].permissions = {"metadata": "read"}
    forge.repo.private = True
    ran = forge.judge(forge.repo.pull(author="ada", files={"a.py": "1\n"}))
    assert (ran.code, ran.outputs["outcome"]) == (3, "error"), ran.log
    assert "::warning::GitHub was not asked" in ran.log and "`contents: read`" in ran.log


def test_a_group_of_a_queue_and_a_push_have_no_author(forge: Forge) -> None:
    pull = forge.repo.pull(author="ada", files={"a.py": "1\n"})
    group = pull.enqueue()
    forge.act({"merge_group": {"head_sha": group}}, pull.base_sha, group)
    file = forge.temp / "modelwarden-people" / "people.json"
    told = load_file(file)
    assert told.queue and told.author.login == ACTIONS
    assert [c.commit for c in told.commits] == [pull.head, group]
    ran = forge.act({"after": pull.head}, pull.base_sha, pull.head)
    assert "neither a pull request nor a merge group" in ran.log and not file.exists()
