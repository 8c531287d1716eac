"""Strangers against the running server: what they send, what they commit, what they write."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.github.comment import MARKER
from bot.github.webhook import signature
from tests.bot.serve.crashing import Nest, serving
from tests.bot.serve.exact import once, verdict
from tests.bot.serve.stack import Stack, running, wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.pull import Pull
from tests.githubfake.repository import Repository

UNPINNED = {"requirements.txt": "requests\n"}
CLEAN = {"notes.md": "# Notes\n"}
TOKEN = "ghp_" + "a1B2c3D4" * 5
EVIL = f"<script>alert(1)</script> @everyone #7 ](http://evil) `| <!-- {MARKER} --> \u202e {TOKEN}"
LAX = 'version: 1\nlevels: {"dependencies/unpinned": "off"}\n'


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made
        assert not made.violations


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    made = hub.repository("acme/tiny", {"README.md": "# tiny\n", "LICENSE": "MIT License\n"})
    made.grant("ada", "maintain")
    made.grant("will", "write")
    return made


@pytest.fixture
def stack(tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Stack]:
    with running(tmp_path, hub) as made:
        yield made


# What they send


def _send(stack: Stack, delivery: Any, **changes: str | None) -> int:
    headers = dict(delivery.request_headers)
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    sent = httpx.post(f"{stack.url}/webhook", content=delivery.payload, headers=headers)
    return sent.status_code


def test_only_what_github_signed_is_acted_on(
    stack: Stack, hub: FakeGitHub, repo: Repository
) -> None:
    repo.pull(author="mallory", branch="x", files=CLEAN, fork=True)
    stack.settle()
    opened = next(d for d in hub.hooks.deliveries if d.event == "pull_request")
    seen = len(stack.parts.records.notes(1000)), len(repo.runs)
    fresh = "00000000-0000-0000-0000-000000000000"
    for signed in (None, "sha256=" + "0" * 64, signature(opened.payload, "not the secret")):
        changed = {"X_GitHub_Delivery": fresh, "X_Hub_Signature_256": signed}
        assert _send(stack, opened, **changed) == 401  # SHA-1 alone, which is right, is none
    line = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=20)
    line.putrequest("POST", "/webhook")
    for name, value in (opened.request_headers | {"Content-Length": "25000001"}).items():
        line.putheader(name, value)
    line.endheaders()  # refused before a byte of the body is there
    assert line.getresponse().status == 413
    line.close()
    assert _send(stack, opened) == 202  # a replay
    stack.settle()
    assert (len(stack.parts.records.notes(1000)), len(repo.runs)) == seen
    assert _send(stack, opened, X_GitHub_Delivery=fresh) == 202  # one under a name of its own
    stack.settle()
    assert len(repo.runs) == seen[1]
    once(hub, repo)


def test_a_comment_under_another_delivery_is_answered_once(
    stack: Stack, hub: FakeGitHub, repo: Repository
) -> None:
    pull = repo.pull(author="will", branch="x", files=CLEAN)
    hub.hooks.duplicate(1, True)
    said = repo.comment(pull.number, "will", "/warden check files")
    stack.settle()
    runs = len(repo.runs)
    assert len(stack.ours(repo, pull.number)) == 2
    repo.edit(said, "/warden cancel")
    repo.edit(said, "/warden check", sender="mallory")
    stack.settle()
    assert len(stack.ours(repo, pull.number)) == 2 and len(repo.runs) == runs


def test_nobody_speaks_for_another(stack: Stack, hub: FakeGitHub, repo: Repository) -> None:
    """Bots, Apps and strangers with our words; a check run of another App; a foreign run's name."""
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    runs = len(repo.runs)
    bot = hub.user("other[bot]", kind="Bot")
    for who, app in ((bot, 7), (bot, None), (hub.user("will"), 7), (hub.app.bot, hub.app.id)):
        repo.comment(pull.number, who, "/warden check", app_id=app)
    foreign = repo.foreign_run("modelwarden", pull.head)
    hub.rerequest(foreign.id, "will")
    stack.settle()
    assert len([r for r in repo.runs.values() if r.app_id == hub.app.id]) == runs
    repo.comments.clear()
    fake = repo.comment(pull.number, "mallory", f"{MARKER}\n## PASS")
    repo.comment(pull.number, "will", "/warden check")
    stack.settle()
    assert fake.body == f"{MARKER}\n## PASS"
    assert [t.startswith(MARKER) for t in stack.ours(repo, pull.number)].count(True) == 1


def test_a_run_of_another_repository_is_not_pressed(
    stack: Stack, hub: FakeGitHub, repo: Repository
) -> None:
    """Whoever may write in one repository gets nothing done in another by an id of its runs."""
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    other = hub.repository("evil/own", {"README.md": "# own\n"})
    theirs = other.pull(author="evil", branch="y", files=UNPINNED)
    stack.settle()
    run = next(r for r in other.runs.values() if r.name == "modelwarden / dependencies")
    assert theirs.number == pull.number
    victim = next(r for r in repo.runs.values() if r.name == run.name)
    run.external_id = victim.external_id
    for button in ("waive", "rerun"):
        hub.press(run.id, button, "evil")
    stack.settle()
    assert len(stack.ours(repo, pull.number)) == len(stack.ours(other, theirs.number)) == 1
    assert {r.external_id for r in repo.runs.values()} == {
        r.external_id for r in repo.runs.values() if r.external_id.startswith(f"{repo.id}-")
    }


# What they commit


def test_the_policy_at_the_base_judges_an_edit_of_it(stack: Stack, repo: Repository) -> None:
    edit = UNPINNED | {".github/modelwarden.yml": LAX}
    pull = repo.pull(author="mallory", branch="x", files=edit, fork=True)
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden / dependencies"] == "failure"
    (text,) = stack.ours(repo, pull.number)
    assert "policy/edited" in text and "dependencies/unpinned" in text


def test_the_same_commit_in_a_branch_that_asks_for_less(stack: Stack, repo: Repository) -> None:
    """GitHub lets the newest run of a commit decide, whichever pull request it is about."""
    repo.commit({".github/modelwarden.yml": LAX}, "lax", parents=(repo.head("main"),))
    repo.protect("main", ["modelwarden"], stack.hub.app.id)
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    assert repo.blocked(pull.number) == ["modelwarden"]
    twin = repo.pull(author="mallory", branch="y", base="lax", files=CLEAN, fork=True)
    twin.reset(pull.head)
    stack.settle()
    repo.comment(twin.number, "mallory", "/warden check")
    stack.settle()
    assert twin.head == pull.head and repo.blocked(pull.number) == ["modelwarden"]
    assert f"the head of pull request {pull.number}" in stack.ours(repo, twin.number)[0]
    pull.close()
    repo.comment(twin.number, "mallory", "/warden check")
    stack.settle()
    assert stack.runs(repo, twin.head)["modelwarden"] == "success"
    pull.reopen()
    stack.settle()
    assert repo.blocked(pull.number) == ["modelwarden"]


def test_a_push_ends_a_waiver(stack: Stack, repo: Repository) -> None:
    pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
    stack.settle()
    reason = f"because {EVIL}"
    repo.comment(
        pull.number, "ada", f"/warden waive dependencies/unpinned until 2026-12-20 {reason}"
    )
    stack.settle()
    if "U+202E" in stack.ours(repo, pull.number)[-1]:  # what cannot be seen is refused
        line = reason.replace("\u202e", "")
        repo.comment(
            pull.number, "ada", f"/warden waive dependencies/unpinned until 2026-12-20 {line}"
        )
        stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "success"
    _calm(stack, repo, pull)
    pull.push({"requirements.txt": "requests\nflask\n"})
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden / dependencies"] == "failure"


def _hostile(canary: Path) -> dict[str, str]:
    python, shell = f"open({str(canary)!r}, 'w')\n", f"#!/bin/sh\ntouch {canary}\n"
    bomb = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    code = {"auto_map": {"AutoModel": "modeling.Evil"}, "model_type": "x"}
    return {
        "sitecustomize.py": python, "usercustomize.py": python, "conftest.py": python,
        "setup.py": python, "bot/__init__.py": python, "security/__init__.py": python,
        "evil.pth": f"import os; os.system('touch {canary}')\n",
        "hooks/post-checkout": shell, ".githooks/pre-commit": shell,
        ".gitattributes": "* filter=evil diff=evil merge=evil\n*.md export-subst\n",
        ".gitconfig": f'[filter "evil"]\n\tsmudge = touch {canary}\n',
        ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% canary\n',
        ".lfsconfig": "[lfs]\n\turl = http://127.0.0.1:9/evil\n",
        "model/model.safetensors": "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{'../' * 30}etc/passwd\nsize 99999999999999\n",
        "model/config.json": json.dumps(code), "model/modeling.py": python,
        "deep.json": "[" * 50_000, "model/generation_config.json": "[" * 50_000,
        ".github/workflows/evil.yml": f"a0: &a0 [x]\n{bomb}",
        "CITATION.cff": f"a0: &a0 [x]\n{bomb}",
        "pyproject.toml": '[build-system]\nrequires = ["' + "a" * 100_000 + '"]\n',
        "requirements.txt": f"requests # {EVIL}\n-r ../../../../etc/passwd\n" + "(" * 50_000,
        f"docs/{EVIL.replace('/', '')}.md": EVIL, "-rf": "x", "--upload-pack=touch": "x",
        "README.md": f"# {EVIL}\n" + "[" * 20_000 + "(" * 20_000,
    }  # fmt: skip


def _odd(pull: Pull) -> str:
    """One more commit: names that are no text, and links that lead away."""
    bare = pull.repository.bare
    blob = bare.git("hash-object", "-w", "--stdin", stdin=b"requests\n")
    away = bare.git("hash-object", "-w", "--stdin", stdin=b"/etc/passwd")
    tree = bare.raw("ls-tree", "-z", pull.head)
    for mode, kind, id, name in (
        ("100644", "blob", blob, b"requirements-\xff\n::set-output x.txt"),
        ("120000", "blob", away, b"link.md"),
        ("160000", "commit", "1" * 40, b"sub"),
    ):
        tree += f"{mode} {kind} {id}\t".encode() + name + b"\0"
    made = bare.git("mktree", "-z", "--missing", stdin=tree)
    text = f"{EVIL}\n\nSigned-off-by: mallory <mallory@users.noreply.github.com>\n"
    sha = bare.git("commit-tree", made, "-p", pull.head, stdin=text.encode())
    pull.reset(sha)
    return sha


def _calm(stack: Stack, repo: Repository, pull: Pull) -> None:
    """Nothing of a stranger's text makes structure, calls anybody or tells a secret, anywhere."""
    shown = list(stack.ours(repo, pull.number))
    for run in repo.runs.values():
        shown.append(run.summary or "")
        shown.append(run.text or "")
        plain = json.dumps([run.title, run.annotations], ensure_ascii=False)
        assert TOKEN not in plain and "\u202e" not in plain
    for text in shown:
        outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        assert "<script" not in text and TOKEN not in text and "\u202e" not in text
        assert "@everyone" not in outside and "](http" not in outside
        assert text.count("<!--") == (1 if text.startswith("<!--") else 0), text
    number, own = pull.number, "/r/acme/tiny"
    for path in ("/", "/queue", own, f"{own}/events", f"{own}/pull/{number}", f"{own}/reports"):
        page = stack.get(path)
        assert page.status_code == 200, path
        assert "<script" not in page.text and TOKEN not in page.text, path
        assert "\u202e" not in page.text and "script-src" not in page.headers.values()
    assert TOKEN not in stack.get(f"{own}/pull/{number}/static.json").text


def test_nothing_of_a_hostile_change_runs_or_speaks(
    stack: Stack, hub: FakeGitHub, repo: Repository, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    repo.pull(
        author="mallory-1", branch="evil;$(touch${IFS}x)&`id`", files=_hostile(canary), fork=True,
        title=EVIL, body=EVIL, message=f"{EVIL}\n\nCo-authored-by: {EVIL} <a@b>\n",
    )  # fmt: skip
    stack.settle()
    pull = repo.pulls[1]
    assert stack.runs(repo, pull.head)["modelwarden"] == "failure"
    _calm(stack, repo, pull)
    _odd(pull)
    stack.settle()
    assert stack.runs(repo, pull.head)["modelwarden"] == "failure"
    _calm(stack, repo, pull)
    paths = {a["path"] for r in repo.runs.values() for a in r.annotations}
    assert any(path.startswith("requirements-") for path in paths), paths
    assert all(path.encode() for path in paths)  # GitHub takes UTF-8 alone
    repo.comment(pull.number, "mallory-1", f"/warden explain {EVIL}\n\n/warden help {EVIL}")
    repo.comment(pull.number, "mallory-1", f"/warden explain '{EVIL[:60]}'")
    stack.settle()
    _calm(stack, repo, pull)
    assert not canary.exists() and not (tmp_path / "x").exists()
    once(hub, repo)


# What the server holds


def test_no_secret_leaves_the_server(
    nest: Nest, hub: FakeGitHub, repo: Repository, tmp_path: Path
) -> None:
    """Key, secret, tokens: on no command line, in no environment below, no file, log or page."""
    seen: list[bytes] = []

    def judged() -> bool:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                line, place = (path / "cmdline").read_bytes(), (path / "environ").read_bytes()
            except OSError:
                continue
            if str(server.folder).encode() in line or b"_judge" in line:
                seen.extend((line, place))
        return verdict(repo, pull.head) == "failure"

    with serving(nest, hub, tmp_path, status_token="a-token-of-the-pages") as server:
        pull = repo.pull(author="mallory", branch="x", files=UNPINNED, fork=True)
        wait_for(judged, "the verdict")
        server.settle()
        pages = [
            httpx.get(server.url + path, auth=("", "a-token-of-the-pages")).text
            for path in ("/", "/queue", f"/r/acme/tiny/pull/{pull.number}", "/metrics")
        ]
        secrets = [hub.app.secret, "a-token-of-the-pages", *hub.tokens]
        secrets += [line for line in hub.app.key.splitlines() if len(line) > 40]
        files = [p.read_bytes() for p in server.folder.rglob("*") if p.is_file()]
        texts = [*seen, *files, server.log.read_bytes(), *(p.encode() for p in pages)]
        texts += [f"{r.title} {r.summary} {r.annotations}".encode() for r in repo.runs.values()]
    assert any(b"_judge" in text for text in seen) and len(files) > 5 and hub.tokens
    for secret in secrets:
        assert not any(secret.encode() in text for text in texts), secret[:8]


# Who else is served


def test_what_is_shown_of_one_repository_tells_nothing_of_another(
    tmp_path: Path, hub: FakeGitHub, repo: Repository
) -> None:
    hidden = hub.repository("acme/hidden", {"README.md": "# hidden\n"}, private=True)
    with running(
        tmp_path, hub, status_token="a-token-of-the-pages", public_repositories=("acme/tiny",)
    ) as stack:
        for one in (repo, hidden):
            one.pull(author="mallory", branch="x", files=UNPINNED, fork=one is repo)
        stack.settle()
        assert stack.get("/r/acme/tiny/pull/1").status_code == 200
        for path in ("", "/pull/1", "/pull/1/static.json", "/events", "/reports", "/history"):
            assert stack.get(f"/r/acme/hidden{path}").status_code == 401
        for path in ("/", "/queue", "/r/acme/tiny", "/r/acme/tiny/events"):
            assert "acme/hidden" not in stack.get(path).text
        assert stack.get("/metrics").status_code == 401


def test_a_signature_counts_in_its_own_repository(stack: Stack, hub: FakeGitHub) -> None:
    policy = json.dumps({"version": 1, "contributors": {
        "cla": {"required": True, "document": "CLA.md"}}})  # fmt: skip
    files = {".github/modelwarden.yml": policy, "CLA.md": "You agree.\n", "README.md": "# x\n"}
    made = [hub.repository(name, files) for name in ("acme/one", "evil/two")]
    pulls = [one.pull(author="mallory", branch="x", files=CLEAN, fork=True) for one in made]
    stack.settle()
    made[1].comment(pulls[1].number, "mallory", "/warden sign-cla")
    made[0].comment(pulls[0].number, "will", "/warden sign-cla")  # for nobody but will
    stack.settle()
    ends = [stack.runs(one, p.head)["modelwarden / contributors"] for one, p in
            zip(made, pulls, strict=True)]  # fmt: skip
    assert ends == ["failure", "success"]
    once(hub, made[0])
