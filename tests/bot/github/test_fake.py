"""The fake GitHub against what we did not write: PyGithub, git, and an HTTP receiver."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import github
import jwt
import pytest
from github import Auth, Github, GithubException, GithubIntegration
from github.Repository import Repository as ApiRepository

from tests.githubfake import FakeGitHub
from tests.githubfake.examples import payloads
from tests.githubfake.openapi import description
from tests.githubfake.repository import Repository
from tests.gitrepo import environment

REPO = "/repos/acme/tiny"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    return hub.repository("acme/tiny", files={"README.md": "# tiny\n", "data/a.txt": "one\n"})


def ask(
    hub: FakeGitHub, method: str, path: str, token: str = "", body: Any = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """One request without any client's help: status, headers (lower case), JSON."""
    connection = http.client.HTTPConnection(hub.url.removeprefix("http://"), timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"token {token}" if token.count(".") < 2 else f"Bearer {token}"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        data = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        kind = found.get("content-type", "")
        return answer.status, found, json.loads(data) if data and "json" in kind else data
    finally:
        connection.close()


def jwt_of(hub: FakeGitHub) -> str:
    return Auth.AppAuth(hub.app.id, hub.app.key).token


def client(hub: FakeGitHub, value: str, prefix: str = "") -> ApiRepository:
    """PyGithub on the repository, in a hurry and without its retries."""
    made = Github(auth=Auth.Token(value), base_url=hub.url + prefix, retry=None, lazy=True,
                  seconds_between_requests=0, seconds_between_writes=0)  # fmt: skip
    return made.get_repo("acme/tiny")


# The App and its tokens


def test_an_app_mints_a_token_by_its_signature(hub: FakeGitHub, repo: Repository) -> None:
    auth = Auth.AppAuth(hub.app.id, hub.app.key)
    with GithubIntegration(auth=auth, base_url=hub.url, retry=None) as door:
        installed = door.get_repo_installation("acme", "tiny")
        made = door.get_access_token(installed.id, permissions={"checks": "write"})
        assert door.get_app().slug == "modelwarden"
    assert made.permissions == {"checks": "write"}
    left = made.expires_at - datetime.now(UTC)
    assert 3590 < left.total_seconds() <= 3600
    status, _, body = ask(hub, "GET", "/installation/repositories", made.token)
    assert status == 200 and [r["full_name"] for r in body["repositories"]] == ["acme/tiny"]
    assert ask(hub, "GET", f"{REPO}/pulls", made.token)[0] == 403
    assert not hub.violations


def test_signatures_that_are_not_ours_are_refused(hub: FakeGitHub, repo: Repository) -> None:
    now = int(time.time())
    good: dict[str, Any] = {"iat": now - 60, "exp": now + 300, "iss": str(hub.app.id)}
    cases = {
        "expired": good | {"exp": now - 1},
        "too long": good | {"exp": now + 3600},
        "from the future": good | {"iat": now + 600, "exp": now + 660},
        "another app": good | {"iss": "1"},
    }
    for name, claims in cases.items():
        made = jwt.encode(claims, hub.app.key, algorithm="RS256")
        assert ask(hub, "GET", "/app", made)[0] == 401, name
    weak = jwt.encode(good, "x" * 32, algorithm="HS256")
    assert ask(hub, "GET", "/app", weak)[0] == 401
    assert ask(hub, "GET", "/app", hub.token(repo))[0] == 401
    assert ask(hub, "GET", f"{REPO}/pulls", jwt_of(hub))[0] == 403
    hub.skew = 900
    status, headers, _ = ask(hub, "GET", "/app", jwt_of(hub))
    ahead = parsedate_to_datetime(headers["date"]) - datetime.now(UTC)
    assert status == 401 and 890 < ahead.total_seconds() < 910


def test_only_public_profiles_are_open_to_anybody(hub: FakeGitHub, repo: Repository) -> None:
    status, _, bot = ask(hub, "GET", "/users/modelwarden%5Bbot%5D")
    assert (status, bot["type"], bot["id"]) == (200, "Bot", hub.app.bot.id)
    assert ask(hub, "GET", "/users/nobody")[0] == 404
    assert ask(hub, "GET", REPO)[0] == ask(hub, "GET", REPO, "ghs_made_up")[0] == 401
    assert ask(hub, "GET", "/user", hub.token(repo))[0] == 403


def test_a_token_dies_after_an_hour_and_with_its_installation(
    hub: FakeGitHub, repo: Repository
) -> None:
    old = hub.token(repo)
    hub.advance(3599)
    assert ask(hub, "GET", REPO, old)[0] == 200
    hub.advance(2)
    status, _, body = ask(hub, "GET", REPO, old)
    assert (status, body["message"]) == (401, "Bad credentials")
    fresh = hub.token(repo)
    hub.suspend("acme")
    assert ask(hub, "GET", REPO, fresh)[0] == 403
    hub.suspend("acme", False)
    assert ask(hub, "GET", REPO, fresh)[0] == 200
    hub.uninstall("acme")
    assert ask(hub, "GET", REPO, fresh)[0] == 401


def test_tokens_are_narrowed_and_never_widened(hub: FakeGitHub, repo: Repository) -> None:
    other = hub.repository("acme/secret", private=True)
    installed = hub.installation(repo)
    assert installed is not None and installed is hub.installation(other)
    where, app = f"/app/installations/{installed.id}/access_tokens", jwt_of(hub)
    narrow = ask(hub, "POST", where, app, {"repositories": ["tiny"]})[2]["token"]
    assert ask(hub, "GET", REPO, narrow)[0] == 200
    assert ask(hub, "GET", "/repos/acme/secret", narrow)[0] == 404
    assert ask(hub, "POST", where, app, {"repositories": ["nowhere"]})[0] == 422
    assert ask(hub, "POST", where, app, {"permissions": {"contents": "write"}})[0] == 422
    assert not hub.violations


def test_strangers_see_no_private_repository(hub: FakeGitHub) -> None:
    secret = hub.repository("acme/secret", private=True)
    stranger, member = hub.user_token("mallory"), hub.user_token("ada")
    secret.grant("ada", "read")
    assert ask(hub, "GET", "/repos/acme/secret", stranger)[0] == 404
    assert ask(hub, "GET", "/repos/acme/secret", member)[0] == 200
    assert ask(hub, "GET", "/repos/acme/secret")[0] == 401
    path = "/repos/acme/secret/collaborators/mallory/permission"
    assert ask(hub, "GET", path, member)[0] == 404


@pytest.mark.parametrize(
    ("role", "folded"),
    [("admin", "admin"), ("maintain", "write"), ("write", "write"), ("triage", "read"),
     ("read", "read")],
)  # fmt: skip
def test_permission_is_folded_and_the_role_is_not(
    hub: FakeGitHub, repo: Repository, role: str, folded: str
) -> None:
    repo.grant("ada", role)
    door = client(hub, hub.token(repo))
    assert door.get_collaborator_permission("ada") == folded
    assert door.get_collaborator_role_name("ada") == role
    repo.grant("ada", None)
    assert door.get_collaborator_role_name("ada") == "read"
    with pytest.raises(github.UnknownObjectException):
        door.get_collaborator_permission("nobody")


# Check runs


def test_annotations_are_added_and_never_replaced(hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(files={"a": "1"})
    door = client(hub, hub.token(repo))
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "notice",
            "message": "look"}  # fmt: skip
    output: dict[str, Any] = {"title": "t", "summary": "s", "annotations": [note] * 50}
    run = door.create_check_run("modelwarden", pull.head, status="in_progress", output=output)
    run.edit(output={"title": "t", "summary": "s2", "annotations": [note] * 7})
    assert run.output.annotations_count == 57 and run.output.summary == "s2"
    assert len(list(run.get_annotations())) == 57
    with pytest.raises(GithubException) as no:
        run.edit(output={"title": "t", "summary": "s", "annotations": [note] * 51})
    assert no.value.status == 422
    assert door.get_check_run(run.id).output.annotations_count == 57
    assert len(hub.violations) == 1 and "annotations" in hub.violations[0]


OUTPUT = {"title": "t", "summary": "s"}
ACTION = {"label": "Re-run", "description": "again", "identifier": "again"}


@pytest.mark.parametrize(
    "bad",
    [
        {"status": "completed"},
        {"conclusion": "fine"},
        {"output": {"title": "t" * 256, "summary": "s"}},
        {"output": {"title": "t", "summary": "é" * 32_768}},
        {"output": {"title": "t", "summary": "s", "text": "x" * 65_536}},
        {"output": {"title": "t"}},
        {"actions": [ACTION] * 4},
        {"actions": [ACTION | {"label": "x" * 21}]},
        {"actions": [ACTION | {"description": "x" * 41}]},
        {"actions": [ACTION | {"identifier": "x" * 21}]},
        {"head_sha": "f" * 40},
    ],
    ids=lambda bad: json.dumps(bad)[:40],
)
def test_a_bad_check_run_is_refused_and_stores_nothing(
    hub: FakeGitHub, repo: Repository, bad: dict[str, Any]
) -> None:
    body = {"name": "modelwarden", "head_sha": repo.head(), "output": OUTPUT} | bad
    status, _, _ = ask(hub, "POST", f"{REPO}/check-runs", hub.token(repo), body)
    assert status == 422 and not repo.runs
    assert hub.violations or "head_sha" in bad


def test_sizes_at_the_limit_pass(hub: FakeGitHub, repo: Repository) -> None:
    output = {"title": "t" * 255, "summary": "é" * 32_767 + "x", "text": "x" * 65_535}
    body = {"name": "w", "head_sha": repo.head(), "output": output, "actions": [ACTION] * 3}
    assert ask(hub, "POST", f"{REPO}/check-runs", hub.token(repo), body)[0] == 201
    assert not hub.violations


def test_a_second_run_of_a_name_is_a_new_run(hub: FakeGitHub, repo: Repository) -> None:
    door, sha = client(hub, hub.token(repo)), repo.head()
    first = door.create_check_run("modelwarden", sha, conclusion="failure")
    second = door.create_check_run("modelwarden", sha, status="in_progress")
    repo.foreign_run("modelwarden", sha)
    commit = door.get_commit(sha)
    assert first.id != second.id and first.status == "completed" and not second.conclusion
    path = f"{REPO}/commits/{sha}/check-runs?check_name=modelwarden&app_id={hub.app.id}"
    ours = ask(hub, "GET", path, hub.token(repo))[2]
    assert ours["total_count"] == 1 and ours["check_runs"][0]["id"] == second.id
    every = commit.get_check_runs(check_name="modelwarden", filter="all")
    assert every.totalCount == 3
    assert [r.id for r in commit.get_check_runs(status="in_progress")] == [second.id]
    assert [suite.app.id for suite in commit.get_check_suites(app_id=7)] == [7]


def test_only_the_app_that_made_a_run_changes_it(hub: FakeGitHub, repo: Repository) -> None:
    run = repo.foreign_run("lint", repo.head())
    path = f"{REPO}/check-runs/{run.id}"
    status, _, body = ask(hub, "PATCH", path, hub.token(repo), {"conclusion": "success"})
    assert status == 403 and "created it" in body["message"]


def test_required_checks_and_what_blocks(hub: FakeGitHub, repo: Repository) -> None:
    door = client(hub, hub.token(repo))
    pull = repo.pull(files={"a": "1"})
    path = f"{REPO}/branches/main/protection/required_status_checks"
    assert ask(hub, "GET", path, hub.token(repo))[0] == 404
    repo.protect("main", ["modelwarden"], hub.app.id)
    repo.foreign_run("modelwarden", pull.head)
    assert repo.blocked(1) == ["modelwarden"]
    assert door.get_pull(1).mergeable_state == "blocked"
    door.create_check_run("modelwarden", pull.head, conclusion="neutral")
    assert repo.blocked(1) == [] and door.get_pull(1).mergeable_state == "clean"
    body = ask(hub, "GET", path, hub.token(repo))[2]
    assert body["checks"] == [{"context": "modelwarden", "app_id": hub.app.id}]
    assert ask(hub, "GET", f"{REPO}/rules/branches/main", hub.token(repo))[2] == []
    repo.protect("main", ["w"], hub.app.id, ruleset=True)
    (rule,) = ask(hub, "GET", f"{REPO}/rules/branches/main", hub.token(repo))[2]
    wanted = [{"context": "w", "integration_id": hub.app.id}]
    assert rule["parameters"]["required_status_checks"] == wanted
    assert not hub.violations


# Comments


def test_comments_are_the_bots_paged_and_bounded(hub: FakeGitHub, repo: Repository) -> None:
    repo.pull(files={"a": "1"})
    for number in range(5):
        repo.comment(1, "mallory", f"comment {number}")
    door = client(hub, hub.token(repo))
    issue = door.get_issue(1)
    made = issue.create_comment("x" * 65_536)
    assert made.user.login == "modelwarden[bot]" and made.user.type == "Bot"
    assert made.raw_data["performed_via_github_app"]["id"] == hub.app.id
    assert made.user.id != hub.app.id
    made.edit("better")
    assert made.updated_at > made.created_at
    status, headers, body = ask(hub, "GET", f"{REPO}/issues/1/comments?per_page=4", hub.token(repo))
    assert status == 200 and len(body) == 4 and 'rel="next"' in headers["link"]
    path = re.search(r"<http://[^/]+([^>]+)>; rel=\"next\"", headers["link"])
    assert path is not None
    rest = ask(hub, "GET", path[1], hub.token(repo))[2]
    assert [c["body"] for c in rest] == ["comment 4", "better"]
    with pytest.raises(GithubException) as no:
        issue.create_comment("x" * 65_537)
    assert no.value.status == 422 and len(repo.thread(1)) == 6
    assert len(hub.violations) == 1 and "65537 characters" in hub.violations[0]


def test_reactions_are_made_once(hub: FakeGitHub, repo: Repository) -> None:
    repo.pull(files={"a": "1"})
    said = repo.comment(1, "ada", "/warden help")
    path = f"{REPO}/issues/comments/{said.id}/reactions"
    value = hub.token(repo)
    assert [ask(hub, "POST", path, value, {"content": "eyes"})[0] for _ in "ab"] == [201, 200]
    assert ask(hub, "POST", path, value, {"content": "party"})[0] == 422
    assert [r["content"] for r in ask(hub, "GET", path, value)[2]] == ["eyes"]


# Pull requests and git


def test_pull_requests_as_pygithub_reads_them(hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files={"data/a.txt": "two\n", "b é": "b"},
                     fork=True, email="someone@example.net")  # fmt: skip
    door = client(hub, hub.token(repo))
    seen = door.get_pull(pull.number)
    assert (seen.head.sha, seen.base.sha) == (pull.head, pull.base_sha)
    assert seen.head.repo.full_name == "mallory/tiny" and seen.head.repo.fork
    assert {f.filename: f.status for f in seen.get_files()} == {
        "data/a.txt": "modified", "b é": "added"}  # fmt: skip
    (commit,) = seen.get_commits()
    assert commit.author is None and not commit.commit.verification.verified
    assert [p.number for p in door.get_commit(pull.head).get_pulls()] == [1]
    assert door.compare("main", pull.head).total_commits == 1
    assert ask(hub, "GET", f"{REPO}/compare/main...mallory:x", hub.token(repo))[0] == 200
    assert door.get_contents("data/a.txt", ref=pull.head).decoded_content == b"two\n"
    assert [p.number for p in door.get_pulls(head="mallory:x")] == [1]
    pull.close()
    assert not list(door.get_pulls()) and len(list(door.get_pulls(state="closed"))) == 1
    assert not hub.violations


def test_lists_stop_where_github_stops(hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(files={f"f/{n}": "x" for n in range(3005)})
    pull.push_many([f"commit {n}" for n in range(259)])
    door = client(hub, hub.token(repo))
    seen = door.get_pull(1)
    assert (seen.commits, seen.changed_files) == (260, 3005)
    path = f"{REPO}/pulls/1"
    last = ask(hub, "GET", f"{path}/files?per_page=100&page=31", hub.token(repo))
    assert last[0] == 200 and last[2] == []
    assert len(list(seen.get_commits())) == 250
    whole = ask(hub, "GET", f"{REPO}/compare/main...{pull.head}?per_page=100&page=3",
                hub.token(repo))[2]  # fmt: skip
    assert whole["total_commits"] == 260 and len(whole["commits"]) == 60
    assert not hub.violations


def test_the_base_moves_only_with_the_pull_request(hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(files={"a": "1"})
    before = pull.base_sha
    tip = repo.commit({"README.md": "# new\n"})
    assert pull.base_sha == before and repo.head() == tip
    head = pull.push({"b": "2"})
    assert pull.base_sha == tip and pull.head == head
    rewritten = pull.force_push({"c": "3"})
    assert repo.bare.base_of(head, rewritten) == before
    repo.commit({"README.md": "conflict"}, branch="main")
    pull.push({"README.md": "mine"})
    assert client(hub, hub.token(repo)).get_pull(1).mergeable is False


def test_histories_by_path_author_and_proof(hub: FakeGitHub, repo: Repository) -> None:
    first = repo.head()
    hub.user("mallory")
    by_mail = repo.commit({"data/a.txt": "2"}, author="mallory")
    noreply = f"{hub.user('ada').id}+ada@users.noreply.github.com"
    signed = repo.commit({"b": "1"}, author="mallory", email=noreply, verified=True)
    assert [c.sha for c in repo.bare.commits("main")] == [signed, by_mail, first]
    tip = repo.commit({"c": "1"})
    assert [c.sha for c in repo.bare.commits("main")] == [tip, signed, by_mail, first]
    door = client(hub, hub.token(repo))
    assert [c.sha for c in door.get_commits(sha=signed)] == [signed, by_mail, first]
    assert [c.sha for c in door.get_commits(path="data/a.txt")] == [by_mail, first]
    assert [c.sha for c in door.get_commits(author="ada")] == [signed]
    shown = door.get_commit(signed)
    assert shown.author.login == "ada" and shown.commit.verification.verified
    assert [f.filename for f in shown.files] == ["b"]
    assert [f.filename for f in door.get_commit(first).files] == ["README.md", "data/a.txt"]
    assert door.get_branch("main").commit.sha == tip
    assert [c.name for c in door.get_contents("data")] == ["a.txt"]  # type: ignore[union-attr]
    assert not hub.violations


def git(*words: str, cwd: Path, value: str = "") -> subprocess.CompletedProcess[str]:
    """Real git, its token in the environment as the bot passes it."""
    env = environment() | {"GIT_TERMINAL_PROMPT": "0"}
    if value:
        pair = base64.b64encode(f"x-access-token:{value}".encode()).decode()
        env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "http.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {pair}"}  # fmt: skip
    return subprocess.run(["git", *words], cwd=cwd, env=env, capture_output=True, text=True)


def test_git_is_for_those_with_a_token(hub: FakeGitHub, repo: Repository) -> None:
    hub.repository("eve/secret", private=True)
    refs = "/info/refs?service=git-upload-pack"
    basic = "Basic " + base64.b64encode(f"x-access-token:{hub.token(repo)}".encode()).decode()
    stale = "Basic " + base64.b64encode(b"x-access-token:ghs_made_up").decode()
    cases = [
        ("/acme/tiny.git" + refs, basic, 200), ("/acme/tiny.git" + refs, stale, 401),
        ("/acme/tiny.git" + refs, "", 401), ("/eve/secret.git" + refs, basic, 404),
        ("/acme/none.git" + refs, basic, 404),
        ("/acme/tiny.git/info/refs?service=git-receive-pack", basic, 403),
    ]  # fmt: skip
    for path, authorization, wanted in cases:
        status, headers, _ = ask(hub, "GET", path, Authorization=authorization)
        assert status == wanted, path
        assert ("www-authenticate" in headers) == (wanted == 401)
    assert not hub.violations


def test_a_partial_clone_fetches_blobs_by_id(
    hub: FakeGitHub, repo: Repository, tmp_path: Path
) -> None:
    pull = repo.pull(author="mallory", files={"data/a.txt": "two\n"}, fork=True)
    value = hub.token(repo)
    words = ("clone", "-q", "--bare", "--filter=blob:none", repo.clone_url, "mirror")
    assert git(*words, cwd=tmp_path).returncode != 0
    assert git(*words, cwd=tmp_path, value=value).returncode == 0
    mirror = tmp_path / "mirror"
    fetched = git("fetch", "-q", "--filter=blob:none", "origin", "refs/pull/1/head", cwd=mirror,
                  value=value)  # fmt: skip
    assert fetched.returncode == 0, fetched.stderr
    blob = git("rev-parse", f"{pull.head}:data/a.txt", cwd=mirror).stdout.strip()
    missing = git("rev-list", "--objects", "--missing=print", pull.head, cwd=mirror).stdout
    assert f"?{blob}" in missing
    wanted = git("-c", "fetch.negotiationAlgorithm=noop", "fetch", "-q", "--no-tags",
                 "--no-write-fetch-head", "--filter=blob:none", "origin", blob,
                 cwd=mirror, value=value)  # fmt: skip
    assert wanted.returncode == 0, wanted.stderr
    assert git("cat-file", "blob", blob, cwd=mirror).stdout == "two\n"
    asked = [r for r in hub.asked("POST") if r.path.endswith("git-upload-pack")]
    assert asked and {r.auth for r in asked} == {"basic"}
    assert {r.headers.get("git-protocol") for r in asked} == {"version=2"}
    hub.advance(3601)
    assert git("fetch", "-q", "origin", cwd=mirror, value=value).returncode != 0


@pytest.mark.parametrize("kind", ["502", "429-bare", "401-expired", "drop", "garbage"])
def test_faults_strike_git_too(
    hub: FakeGitHub, repo: Repository, tmp_path: Path, kind: str
) -> None:
    value = hub.token(repo)
    fault = hub.fault("*", r"\.git/", kind)
    struck = git("ls-remote", repo.clone_url, cwd=tmp_path, value=value)
    # Git takes a page of HTML with status 200 for an old, empty repository, and succeeds.
    assert not struck.stdout and (struck.returncode == 0) == (kind == "garbage")
    listed = git("ls-remote", repo.clone_url, "HEAD", cwd=tmp_path, value=value)
    assert listed.stdout.split() == [repo.head(), "HEAD"] and fault.hits == 1
    assert not hub.violations


def test_a_commit_by_hand_is_pushed_with_its_event(hub: FakeGitHub, repo: Repository) -> None:
    repo.git.commit({"new.txt": "n"})
    sha = repo.push()
    event, payload = [e for e in hub.events if e[0] == "push"][-1]
    assert repo.head() == sha == payload["after"] and event == "push"
    assert not payload["forced"] and payload["ref"] == "refs/heads/main"


# Deliveries


class Receiver:
    """A loopback server that notes what it is sent and answers `status`."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 202
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhook"

    def names(self) -> list[tuple[str, str]]:
        return [(h["x-github-event"], json.loads(b).get("action", "")) for h, b in self.got]

    def guids(self) -> list[str]:
        return [h["x-github-delivery"] for h, _ in self.got]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver(hub: FakeGitHub, repo: Repository) -> Iterator[Receiver]:
    made = Receiver()
    hub.deliver_to(made.url)
    yield made
    hub.flush()
    made.stop()


def test_deliveries_are_signed_and_in_order(
    hub: FakeGitHub, repo: Repository, receiver: Receiver
) -> None:
    pull = repo.pull(author="mallory", files={"a": "1"}, fork=True)
    pull.push({"a": "2"})
    repo.comment(1, "ada", "/warden help")
    pull.retarget("main")
    hub.flush()
    assert receiver.names() == [
        ("pull_request", "opened"), ("check_suite", "requested"), ("check_suite", "requested"),
        ("pull_request", "synchronize"), ("issue_comment", "created"), ("pull_request", "edited"),
    ]  # fmt: skip
    for headers, body in receiver.got:
        made = hmac.new(hub.app.secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={made}"
        assert headers["x-github-hook-installation-target-type"] == "integration"
        assert headers["x-github-hook-installation-target-id"] == str(hub.app.id)
        assert headers["user-agent"].startswith("GitHub-Hookshot/")
        assert json.loads(body)["installation"]["id"] in hub.installations
    assert len(set(receiver.guids())) == 6
    suite = json.loads(receiver.got[1][1])["check_suite"]
    assert suite["pull_requests"] == [] and suite["head_branch"] is None


def test_nothing_is_told_of_where_the_app_is_not(
    hub: FakeGitHub, repo: Repository, receiver: Receiver
) -> None:
    other = hub.repository("acme/other", install=False)
    other.pull(files={"a": "1"})
    hub.app.events.remove("push")
    repo.commit({"a": "1"})
    del hub.app.permissions["checks"]
    repo.pull(files={"a": "2"})
    hub.flush()
    assert receiver.names() == [("check_suite", "requested"), ("pull_request", "opened")]
    assert {e for e, p in hub.events if p.get("repository", {}).get("name") == "other"} == set()
    hub.install(other)
    hub.flush()
    added = json.loads(receiver.got[-1][1])["repositories_added"]
    assert [r["full_name"] for r in added] == ["acme/other"]


def test_buttons_and_own_events(hub: FakeGitHub, repo: Repository, receiver: Receiver) -> None:
    pull = repo.pull(files={"a": "1"})
    body = {"name": "w", "head_sha": pull.head, "actions": [ACTION], "conclusion": "failure"}
    made = ask(hub, "POST", f"{REPO}/check-runs", hub.token(repo), body)[2]
    hub.press(made["id"], "again", "ada")
    hub.rerequest(made["id"], "ada")
    hub.rerequest_suite(made["check_suite"]["id"], "ada")
    with pytest.raises(AssertionError):
        hub.press(made["id"], "nothing", "ada")
    hub.flush()
    wanted = [("check_run", a) for a in ("created", "completed")]
    wanted += [("check_suite", "completed"), ("check_run", "requested_action")]
    wanted += [("check_run", "rerequested"), ("check_suite", "rerequested")]
    assert receiver.names()[2:] == wanted
    sent = [json.loads(body) for _, body in receiver.got[2:]]
    assert sent[0]["sender"]["login"] == "modelwarden[bot]"
    assert sent[3]["requested_action"] == {"identifier": "again"}
    assert sent[3]["check_run"]["app"]["id"] == hub.app.id
    assert [p["number"] for p in sent[4]["check_run"]["pull_requests"]] == [1]
    assert repo.runs[made["id"]].conclusion == "failure"


def test_held_shuffled_doubled_and_lost(
    hub: FakeGitHub, repo: Repository, receiver: Receiver
) -> None:
    hub.hold()
    hub.duplicate()
    hub.duplicate(fresh=True)
    for number in range(4):
        repo.comment(1, "ada", str(number)) if number else repo.pull(files={"a": "1"})
    before = [d.id for d in hub.deliveries]
    first, same, second, fresh = hub.deliveries[:4]
    assert first.guid == same.guid and second.guid != fresh.guid
    assert first.payload == same.payload and second.payload == fresh.payload
    hub.shuffle(seed=3)
    assert not receiver.got
    hub.release()
    hub.flush()
    assert len(receiver.got) == 7 and len(set(receiver.guids())) == 6
    assert [d.id for d in hub.deliveries] == before
    assert receiver.guids() != [d.guid for d in hub.deliveries]
    hub.lose()
    lost = repo.comment(1, "ada", "unheard")
    hub.flush()
    assert len(receiver.got) == 7 and hub.deliveries[-1].status_code == 0
    assert lost.id in repo.comments


def test_failed_deliveries_are_listed_and_sent_again(
    hub: FakeGitHub, repo: Repository, receiver: Receiver
) -> None:
    receiver.status = 500
    repo.pull(files={"a": "1"})
    hub.flush()
    receiver.status = 202
    app = jwt_of(hub)
    status, headers, failed = ask(hub, "GET", "/app/hook/deliveries?per_page=1&status=failure", app)
    assert status == 200 and failed[0]["status_code"] == 500 and failed[0]["event"] == "check_suite"
    following = re.search(r"<http://[^/]+([^>]+)>; rel=\"next\"", headers["link"])
    assert following is not None
    (second,) = ask(hub, "GET", following[1], app)[2]
    assert (second["event"], second["action"]) == ("pull_request", "opened")
    whole = ask(hub, "GET", f"/app/hook/deliveries/{second['id']}", app)[2]
    assert whole["request"]["payload"]["number"] == 1
    again = f"/app/hook/deliveries/{second['id']}/attempts"
    assert ask(hub, "POST", again, app)[0] == 202
    hub.flush()
    assert receiver.guids()[-1] == second["guid"]
    assert [d.guid for d in hub.redeliveries] == [second["guid"]]
    newest = ask(hub, "GET", "/app/hook/deliveries", app)[2][0]
    assert newest["redelivery"] and newest["status"] == "OK" and newest["id"] != second["id"]
    assert not hub.violations


# Faults, limits and what GitHub's description forbids


@pytest.mark.parametrize(
    ("kind", "status", "stored"),
    [("502", 502, 0), ("502-after-store", 502, 1), ("500", 500, 0), ("429-bare", 429, 0),
     ("403-secondary", 403, 0), ("403-primary", 403, 0), ("401-expired", 401, 0),
     ("garbage", 200, 0), ("slow", 201, 1)],
)  # fmt: skip
def test_a_fault_strikes_once(
    hub: FakeGitHub, repo: Repository, kind: str, status: int, stored: int
) -> None:
    repo.pull(files={"a": "1"})
    hub.slow = 0.01
    fault = hub.fault("POST", r"/comments$", kind)
    path, value = f"{REPO}/issues/1/comments", hub.token(repo)
    got, headers, _ = ask(hub, "POST", path, value, {"body": "hi"})
    assert got == status and len(repo.thread(1)) == stored and fault.hits == 1
    assert ("retry-after" in headers) == (kind == "403-secondary")
    assert (headers.get("x-ratelimit-remaining") == "0") == (kind == "403-primary")
    assert ask(hub, "POST", path, value, {"body": "hi"})[0] == 201


@pytest.mark.parametrize(("kind", "stored"), [("drop", 0), ("drop-after-store", 1)])
def test_a_dropped_connection_has_no_answer(
    hub: FakeGitHub, repo: Repository, kind: str, stored: int
) -> None:
    repo.pull(files={"a": "1"})
    hub.fault("POST", r"/comments$", kind)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        ask(hub, "POST", f"{REPO}/issues/1/comments", hub.token(repo), {"body": "hi"})
    assert len(repo.thread(1)) == stored and not hub.violations


def test_limits_are_counted_and_reset(hub: FakeGitHub, repo: Repository) -> None:
    repo.pull(files={"a": "1"})
    hub.limits.primary, hub.limits.content_minute = 6, 2
    path, value = f"{REPO}/issues/1/comments", hub.token(repo)
    said = [ask(hub, "POST", path, value, {"body": "x"}) for _ in range(3)]
    assert [status for status, _, _ in said] == [201, 201, 403]
    assert int(said[2][1]["retry-after"]) > 0 and "secondary" in said[2][2]["message"]
    assert said[0][1]["x-ratelimit-remaining"] == "5"
    _, headers, _ = ask(hub, "GET", path, value)
    status, again, _ = ask(hub, "GET", path, value, If_None_Match=headers["etag"])
    assert status == 304 and again["x-ratelimit-remaining"] == "2"
    assert [ask(hub, "GET", path, value)[0] for _ in range(4)][-1] == 403
    assert ask(hub, "GET", "/rate_limit", value)[2]["rate"]["remaining"] == 0
    hub.advance(3601)
    value = hub.token(repo)
    assert ask(hub, "GET", path, value)[0] == 200
    assert ask(hub, "POST", path, value, {"body": "x"})[0] == 201


def test_what_is_asked_wrongly_is_noted(hub: FakeGitHub, repo: Repository) -> None:
    value = hub.token(repo)
    assert ask(hub, "GET", f"{REPO}/nonsense", value)[0] == 404
    ask(hub, "GET", f"{REPO}/pulls?stat=open", value)
    ask(hub, "GET", f"{REPO}/pulls?state=ajar", value)
    ask(hub, "POST", f"{REPO}/check-runs", value, {"name": 3, "head_sha": repo.head()})
    problems = [line.partition(": ")[2] for line in hub.violations]
    assert problems[0] == "no such route"
    assert problems[1] == "unknown query parameter stat"
    assert problems[2].startswith("parameter state: 'ajar' is not one of")
    assert problems[3].startswith("body $.name: 3 is not of type 'string'")


def test_enterprise_addresses_answer_alike(hub: FakeGitHub, repo: Repository) -> None:
    repo.pull(files={"a": "1"})
    door = client(hub, hub.token(repo), prefix="/api/v3")
    seen = door.get_pull(1)
    assert seen.title == "A change" and seen.url == f"{hub.url}/api/v3{REPO}/pulls/1"
    assert seen.base.repo.clone_url == repo.clone_url == f"{hub.git_url}/acme/tiny.git"
    assert len(list(seen.get_files())) == 1


def test_the_merge_queue_and_the_merge(hub: FakeGitHub, repo: Repository) -> None:
    pull = repo.pull(files={"a": "1"})
    sha = pull.enqueue()
    group = hub.events[-1][1]["merge_group"]
    assert group["head_sha"] == sha and group["base_sha"] == repo.head()
    merged = pull.merge()
    names = [(e, p.get("action"), p.get("after")) for e, p in hub.events[-2:]]
    assert names == [("pull_request", "closed", None), ("push", None, merged)]
    assert hub.events[-2][1]["pull_request"]["merged"] is True


def test_the_examples_are_all_there() -> None:
    found = list(payloads())
    assert len(found) == 329 and len({event for event, _ in found}) == 58
    assert all(isinstance(payload, dict) for _, payload in found)


def test_every_route_is_described(hub: FakeGitHub) -> None:
    from tests.githubfake.routing import routes

    served = {(r.template, r.method.lower()) for _, r in routes()}
    assert served == {(path, m) for path, methods in description().items() for m in methods}


def test_a_stopped_hub_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with FakeGitHub(tmp_path) as hub:
        hub.slow = 60
        hub.fault("GET", "/rate_limit", "slow")
        held = http.client.HTTPConnection(hub.url.removeprefix("http://"))
        held.request("GET", "/rate_limit")
        while not hub.requests:
            time.sleep(0.01)
    held.close()
    assert set(threading.enumerate()) == before
