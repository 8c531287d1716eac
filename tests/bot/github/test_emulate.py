"""Our client and publisher against a GitHub of other people's making: the npm package `emulate`.

It runs where Node is and MODELWARDEN_EMULATE names the unpacked package; nothing is downloaded:
`npm pack emulate@0.11.0 && tar xzf emulate-0.11.0.tgz`, then MODELWARDEN_EMULATE=$PWD/package.
Where it is not GitHub (its gaps are named below), the fake of ours is what counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot.github import answers, appside, checkruns, payloads
from bot.github.client import GitHub
from bot.github.comment import MARKER
from bot.github.errors import NotFound
from bot.github.line import Line
from bot.github.publishing import Publisher
from bot.github.transport import Body, Query, Reply, get
from bot.github.values import Annotation, Identity, Repo, Role, Target
from bot.serve.records import Records
from bot.verdict import Outcome, Verdict
from tests.bot.report.samples import report
from tests.githubfake.people import pem, private_key

PLACE = os.environ.get("MODELWARDEN_EMULATE", "")
NODE = shutil.which("node")
APP, INSTALLATION, NAME = 4242, 77, "acme/tiny"

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="no Node here"),
    pytest.mark.skipif(not PLACE, reason="MODELWARDEN_EMULATE names no folder of npm's emulate"),
]

# It listens at all interfaces, whatever it is told: here only at our own, at a free port.
PRELOAD = """
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function () {
  this.once("listening", () => console.log(JSON.stringify(this.address())));
  return listen.call(this, { port: 0, host: "127.0.0.1" });
};
"""
START = """
import { readFileSync } from "node:fs";
const [place, seed] = process.argv.slice(2);
const { createEmulator } = await import(`${place}/dist/api.js`);
await createEmulator({ service: "github", port: 4001, seed: JSON.parse(readFileSync(seed)) });
process.stdin.resume().on("end", () => process.exit(0));
"""
PERMISSIONS = {
    "checks": "write", "contents": "read", "issues": "write", "metadata": "read",
    "pull_requests": "write",
}  # fmt: skip


class Emulated(GitHub):
    """What it does not say: that a run is ours (all are), and that our comments are a bot's.

    An installation writes as the account it is on.
    """

    def identity(self) -> Identity:
        app = answers.read(get(self, "/app").text, appside.Application)
        line = Line(self, INSTALLATION, 0)
        owner = answers.account(answers.read(get(line, "/users/acme").text, payloads.User))
        assert owner is not None
        return app.value(owner)

    def send(
        self, verb: str, path: str, query: Query, body: Body, authorization: str, etag: str = ""
    ) -> Reply:
        reply = super().send(verb, path, query, body, authorization, etag)
        if "/check-runs" not in path:
            return reply
        return replace(reply, text=reply.text.replace('"app":null', f'"app":{{"id":{APP}}}'))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("emulate")
    installed = {
        "installation_id": INSTALLATION, "account": "acme", "permissions": PERMISSIONS,
    }  # fmt: skip
    # The owner is a user: an installation acts as its account, and an organisation cannot.
    seed = {
        "tokens": {
            f"ghp_{login}": {"login": login, "scopes": ["repo"]} for login in ("acme", "mallory")
        },
        "github": {
            "users": [{"login": "acme"}, {"login": "ada"}, {"login": "mallory"}],
            "repos": [{"owner": "acme", "name": "tiny"}],
            "apps": [{
                "app_id": APP, "slug": "modelwarden", "name": "Modelwarden",
                "private_key": pem(private_key()), "permissions": PERMISSIONS,
                "events": ["pull_request"], "installations": [installed],
            }],
        },
    }  # fmt: skip
    for name, text in (("preload.cjs", PRELOAD), ("start.mjs", START)):
        (folder / name).write_text(text)
    (folder / "seed.json").write_text(json.dumps(seed))
    words = [NODE, "--require", folder / "preload.cjs", folder / "start.mjs", PLACE, "seed.json"]
    with subprocess.Popen(
        [str(word) for word in words], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]}, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None and server.stdin is not None
        at = json.loads(server.stdout.readline())
        assert at["address"] == "127.0.0.1"
        try:
            yield f"http://127.0.0.1:{at['port']}"
        finally:
            server.stdin.close()
            server.wait(10)


@pytest.fixture(scope="module")
def owner(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers={"Authorization": "token ghp_acme"}) as client:
        yield client


@pytest.fixture(scope="module")
def hub(url: str) -> Iterator[GitHub]:
    made = Emulated(APP, pem(private_key()), url=url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def repo(owner: httpx.Client) -> Repo:
    """It lists no installation's repositories."""
    found = answers.read(owner.get(f"/repos/{NAME}").text, payloads.Repo)
    return answers.repository(found, INSTALLATION)


@pytest.fixture
def target(owner: httpx.Client, repo: Repo, request: pytest.FixtureRequest) -> Target:
    """A pull request with one commit."""
    path, branch = f"/repos/{NAME}", f"topic-{time.time_ns()}"
    main = owner.get(f"{path}/git/ref/heads/main").json()["object"]["sha"]
    made = owner.post(f"{path}/git/refs", json={"ref": f"refs/heads/{branch}", "sha": main})
    assert made.status_code == 201, made.text
    text = {"message": "x", "content": "eA==", "branch": branch}
    put = owner.put(f"{path}/contents/{branch}.txt", json=text)
    assert put.status_code == 201, put.text
    pull = owner.post(f"{path}/pulls", json={"title": "t", "head": branch, "base": "main"}).json()
    return Target(repo, pull["number"], put.json()["commit"]["sha"], main)


@pytest.fixture
def publisher(tmp_path: Path, hub: GitHub, repo: Repo) -> Iterator[Publisher]:
    records = Records(f"sqlite:///{tmp_path}/records.db")
    yield Publisher(hub.at(repo), records, hub.identity().bot.id, "here", time.time)
    records.close()


def test_who_we_are(hub: GitHub) -> None:
    who = hub.identity()
    assert (who.app, who.slug) == (APP, "modelwarden")
    assert dict(who.permissions) == PERMISSIONS


def test_what_is_read(hub: GitHub, repo: Repo, target: Target) -> None:
    api = hub.at(repo)
    pull = api.pull(target.number)
    assert (pull.head, pull.base, pull.state, pull.fork) == (
        target.head, target.base, "open", False,
    )  # fmt: skip
    assert api.pulls_with_head(target.head) == (pull,)
    (commit,) = api.commit_accounts(target.base, target.head)
    assert (commit.commit, commit.verified) == (target.head, False)
    with pytest.raises(NotFound):
        api.pull(9_999)
    assert api.comment(9_999) is None


def test_roles(hub: GitHub, repo: Repo, owner: httpx.Client) -> None:
    api = hub.at(repo)
    assert api.role("acme") is Role.ADMIN
    assert api.role("mallory") is Role.NONE
    assert api.role("nobody-of-this-name") is Role.NONE
    place = f"/repos/{NAME}/collaborators/ada"
    assert owner.put(place, json={"permission": "admin"}).status_code == 201
    assert api.role("ada") is Role.ADMIN
    owner.put(place, json={"permission": "push"})
    # It says `push` where GitHub says `write`: a word that is not known gives no right.
    assert api.role("ada") is Role.NONE


def test_runs_are_made_once_and_concluded(
    hub: GitHub, repo: Repo, target: Target, publisher: Publisher, tmp_path: Path
) -> None:
    api = hub.at(repo)
    publisher.open(target, ("dependencies", "weights"))
    publisher.open(target, ("dependencies", "weights"))
    names = {"modelwarden", "modelwarden / dependencies", "modelwarden / weights"}
    shown = api.runs(target.head)
    assert {run.name for run in shown} == names and len(shown) == 3
    assert {run.status for run in shown} == {"in_progress"}

    given = replace(report(), verdicts=(Verdict("dependencies", Outcome.FAIL, ()),))
    body = checkruns.concluded(target, given.verdicts[0], given, {})
    marks = tuple(Annotation("a.txt", n, n, "failure", "t", "m") for n in range(1, 21))
    bodies = {
        "dependencies": replace(body, annotations=marks),
        "weights": checkruns.stopped(target, "weights", "superseded"),
        "": checkruns.broken(target, "", "no answer", "re-run"),
    }
    publisher.conclude(target, bodies)
    publisher.conclude(target, bodies)
    ended = {run.name.removeprefix("modelwarden / "): run for run in api.runs(target.head)}
    assert {name: run.conclusion for name, run in ended.items()} == {
        "modelwarden": "failure", "dependencies": "failure", "weights": "cancelled",
    }  # fmt: skip
    assert ended["dependencies"].annotations == 20

    # Another machine, which remembers nothing, finds the same runs.
    records = Records(f"sqlite:///{tmp_path}/other.db")
    replace(publisher, records=records).open(target, ("dependencies",))
    assert len(api.runs(target.head)) == 3
    again = replace(target, attempt="r1")
    replace(publisher, records=records).open(again, ())
    records.close()
    assert len(api.runs(target.head)) == 4  # a re-run is a new run of the same name


def test_one_comment_edited_in_place_and_one_answer(
    hub: GitHub, repo: Repo, target: Target, publisher: Publisher, owner: httpx.Client
) -> None:
    theirs = {"Authorization": "token ghp_mallory"}
    path = f"/repos/{NAME}/issues/{target.number}/comments"
    for n in range(120):  # more than a page, and somebody's forgery first
        text = f"{MARKER}\nnot ours" if n == 0 else str(n)
        assert owner.post(path, json={"body": text}, headers=theirs).status_code == 201
    publisher.sticky(target.number, f"{MARKER}\n## first")
    publisher.sticky(target.number, f"{MARKER}\n## first")
    publisher.sticky(target.number, f"{MARKER}\n## second")
    answer = "<!-- modelwarden:answer 7 -->"
    publisher.reply(target.number, answer, f"{answer}\ndone")
    publisher.reply(target.number, answer, f"{answer}\ndone")
    every = list(hub.at(repo).comments(target.number))
    assert [c.body for c in every if c.author.login == "acme"] == [
        f"{MARKER}\n## second", f"{answer}\ndone",
    ]  # fmt: skip
    assert len(every) == 122 and every[0].body == f"{MARKER}\nnot ours"
