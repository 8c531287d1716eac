"""The judging child over real git and HTTP: the same verdict, no secrets, and always an answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import catalog
from bot.errors import BotError, CouldNotTell, TooLarge
from bot.github.mirror import Mirrors
from bot.github.values import Repo as Named
from bot.people import Account, People
from bot.report.json import document
from bot.serve import judging
from bot.serve.contract import Waived
from bot.serve.order import Order, dump
from bot.verdict import Outcome, Report
from modelwarden import ROOT
from tests.bot.github.gitserver import GitServer
from tests.bot.github.test_mirror import until
from tests.gitrepo import Repo, environment

TINY = Named(7, "acme/tiny", 1, "main")
TODAY = datetime.now(UTC).date()
ALL = tuple(check.NAME for check in catalog.CHECKS)
STATIC = tuple(name for name in ALL if name not in catalog.loading())


@dataclass
class Desk:
    """A served repository, its mirror, and what the judge asked for."""

    server: GitServer
    mirrors: Mirrors
    tokens: list[str] = field(default_factory=lambda: ["ghs_first0000000000000000"])
    asked: list[tuple[str, ...]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def order(self, repo: Repo, base: str, head: str, **more: Any) -> Order:
        self.server.publish(repo)
        with self.mirrors.hold(TINY):
            place = self.mirrors.sync(TINY, self.server.url, self.token, (base, head))
        checks = more.pop("checks", STATIC)
        return Order(place, TINY.name, 7, "ada", base, head, TODAY, checks, **more)

    def token(self) -> str:
        return self.tokens[0]

    def objects(self, ids: tuple[str, ...]) -> None:
        self.asked.append(ids)
        self.mirrors.blobs(TINY, self.server.url, self.token, ids)

    def judge(self, repo: Repo, base: str, head: str, **more: Any) -> Any:
        order = self.order(repo, base, head, **more)
        return tried(order, self.objects, say=self.said.append)


def tried(order: Order, objects: Any, **more: Any) -> Any:
    """The report, or the error where there is none."""
    try:
        return judging.judge(order, objects, **more)
    except BotError as error:
        return error


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with GitServer(tmp_path / "served") as server:
        yield Desk(server, Mirrors(tmp_path / "mirrors", 1 << 30))


def by_hand(repo: Repo, base: str, head: str, checks: tuple[str, ...]) -> Any:
    """What `modelwarden check` says of the same change in a full clone."""
    only = [word for name in checks for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "modelwarden.py", "check", "--repo", repo.path, "--base",
         base, "--head", head, "--format", "json", "--no-cache", *only],
        capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert not done.stderr
    return json.loads(done.stdout)


def unnamed(value: Any) -> Any:
    """Without the names of records, which also hold how long scoring took."""
    if isinstance(value, list):
        return [unnamed(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: unnamed(v) for k, v in value.items() if k not in ("record", "digest")}


def same(report: Report, by_hand: Any) -> None:
    found, by_hand = unnamed(json.loads(json.dumps(document(report)))), unnamed(by_hand)
    for side in (found, by_hand):
        for key in ("repository", "number", "author"):
            side["change"][key] = ""
    assert found == by_hand


def outcomes(report: Report) -> set[Outcome]:
    return {verdict.outcome for verdict in report.verdicts}


def reason(found: Any) -> str:
    """Why nothing is known."""
    assert isinstance(found, BotError)
    return f"{found.message}; {found.hint}"


LICENSE = (ROOT / "LICENSE").read_bytes()
POLICY = "version: 1\ncontributors:\n  dco: 'off'\n"
CHANGES: dict[str, tuple[dict[str, bytes | str], str]] = {
    "clean": ({"src/a.py": "print(1)\n"}, "add\n\nSigned-off-by: Ada <ada@example.org>"),
    "unsigned": ({"src/a.py": "print(1)\n"}, "no sign-off"),
    "loosened": ({"requirements.txt": "numpy\n"}, "no sign-off"),
    "licence": ({"LICENSE": "Apache License\n" * 40}, "x"),
    "policy": ({".github/modelwarden.yml": POLICY}, "no sign-off"),
    "pickle": ({"model.bin": b"\x80\x04\x95cos\nsystem\n."}, "x"),
    "workflow": ({".github/workflows/a.yml": "on: pull_request_target\njobs: {}\n"}, "x"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_same_verdict_as_by_hand(desk: Desk, repo: Repo, name: str) -> None:
    base = repo.commit({"README.md": "# x\n", "LICENSE": LICENSE, "requirements.txt": "numpy==2\n"})
    head = repo.commit(*CHANGES[name])
    same(desk.judge(repo, base, head), by_hand(repo, base, head, STATIC))


def test_a_change_of_a_fork_is_read_by_its_head(desk: Desk, repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n"})
    repo.git("checkout", "-q", "--detach")
    head = repo.commit({"a.py": "1\n"}, "from a fork")
    repo.git("update-ref", "refs/pull/7/head", head)
    repo.git("checkout", "-q", "main")
    repo.commit({"b.py": "2\n"})
    report = desk.judge(repo, base, head)
    same(report, by_hand(repo, base, head, STATIC))
    assert [f.path for f in report.change.files] == ["a.py"]


def test_nothing_of_a_change_runs(desk: Desk, repo: Repo, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    python, shell = f"open({str(canary)!r}, 'w')\n", f"#!/bin/sh\ntouch {canary}\n"
    base = repo.commit({"README.md": "# x\n", "a.txt": "1\n"})
    head = repo.commit(
        {
            "sitecustomize.py": python,
            "usercustomize.py": python,
            "conftest.py": python,
            "setup.py": python,
            "evil.pth": f"import os; os.system('touch {canary}')\n",
            "bot/__init__.py": python,
            "lab/__init__.py": python,
            "json.py": python,
            "hooks/post-checkout": shell,
            ".githooks/pre-commit": shell,
            ".gitattributes": "* filter=evil diff=evil merge=evil\n",
            ".gitconfig": f'[filter "evil"]\n\tsmudge = touch {canary}\n',
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% canary\n',
            "a.txt": "2\n",
        }
    )
    report = desk.judge(repo, base, head)
    assert outcomes(report) <= {Outcome.PASS, Outcome.FAIL, Outcome.SKIP}
    assert not canary.exists()


def test_only_what_is_needed_is_brought(desk: Desk, repo: Repo) -> None:
    who = "committer Ada <ada@example.org> 1767323045 +0000\ndata 1\nx\n"
    files = {f"data/{n // 100}/{n}.txt": f"content {n}\n" for n in range(20_000)}
    written = "".join(f"M 100644 inline {k}\ndata {len(v)}\n{v}\n" for k, v in files.items())
    changed = "M 100644 inline data/7/777.txt\ndata 1\nx\n"
    stream = f"commit refs/heads/main\n{who}{written}commit refs/heads/main\n{who}{changed}"
    repo.git("fast-import", "--quiet", stdin=stream.encode())
    base, head = repo.git("rev-parse", "main~1"), repo.git("rev-parse", "main")
    report = desk.judge(repo, base, head)
    same(report, by_hand(repo, base, head, STATIC))
    brought = {name for ids in desk.asked for name in ids}
    assert len(desk.asked) == 1 and len(brought) == 2


def test_what_the_cache_holds_is_not_asked_again(desk: Desk, repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"README.md": "# x\n", "LICENSE": LICENSE})
    head = repo.commit({"a.py": "1\n"})
    first = desk.judge(repo, base, head, cache=tmp_path / "facts.db")
    assert (tmp_path / "facts.db").exists()
    again = desk.judge(repo, base, head, cache=tmp_path / "facts.db")
    assert document(first) == document(again)


def test_a_token_that_ends_in_the_middle(desk: Desk, repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n"})
    head = repo.commit({"a.py": "1\n"})
    order = desk.order(repo, base, head)
    desk.server.tokens = {"ghs_second"}
    given = iter(["ghs_first0000000000000000"])

    def objects(ids: tuple[str, ...]) -> None:
        desk.mirrors.blobs(TINY, desk.server.url, lambda: next(given, "ghs_second"), ids)

    same(tried(order, objects), by_hand(repo, base, head, STATIC))


def test_contents_that_do_not_come_are_no_pass(desk: Desk, repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n", "requirements.txt": "numpy==2\n"})
    head = repo.commit({"requirements.txt": "numpy==3\n"})

    def objects(ids: tuple[str, ...]) -> None:
        raise CouldNotTell("GitHub is down", "run it again later")

    report = tried(desk.order(repo, base, head), objects)
    assert reason(report) == "GitHub is down; run it again later"


def test_one_object_that_does_not_come_spoils_its_check_alone(desk: Desk, repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n", "LICENSE": LICENSE})
    head = repo.commit({"requirements.txt": "numpy==3\n", "a.py": "1\n"})
    bad = repo.git("rev-parse", "HEAD:requirements.txt")

    def objects(ids: tuple[str, ...]) -> None:
        if bad in ids:
            raise TooLarge("too large", "make it smaller")
        desk.objects(ids)

    report = tried(desk.order(repo, base, head), objects)
    found = {verdict.check: verdict for verdict in report.verdicts}
    assert found["contributors"].outcome is Outcome.PASS
    assert found["dependencies"].outcome is Outcome.ERROR
    assert "too large" in str(found["dependencies"])


# What people decided


def test_a_waiver_by_comment_covers_and_is_named(desk: Desk, repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n"})
    head = repo.commit({"a.py": "1\n"}, "no sign-off")
    until = TODAY + timedelta(days=3)
    waived = Waived(
        7, 7, "contributors/sign-off", until.isoformat(), "agreed", 3, "lin", 9, 0.0, ""
    )
    unused = replace(waived, rule="weights/pickle")
    report = desk.judge(repo, base, head, waived=(waived, unused))
    (verdict,) = (v for v in report.verdicts if v.check == "contributors")
    assert verdict.outcome is Outcome.PASS
    assert [f.waived for f in verdict.findings] == ["by lin in a comment: agreed"]
    assert "2 waivers by comment" in report.policy
    over = replace(waived, until=(TODAY - timedelta(days=1)).isoformat())
    gone = replace(waived, rule="weights/no-longer-a-rule")
    report = desk.judge(repo, base, head, waived=(over, gone))
    assert report.outcome is Outcome.FAIL and "comment" not in report.policy


def test_a_check_that_loads_weights_waits(desk: Desk, repo: Repo) -> None:
    policy = "version: 1\nregression:\n  suite: [{name: s, path: s.jsonl}]\n"
    base = repo.commit({".github/modelwarden.yml": policy, "s.jsonl": '{"text": "a"}\n'})
    head = repo.commit({"m/config.json": "{}", "m/model.safetensors": "x"})
    waiting = catalog.loading()
    report = desk.judge(repo, base, head, waiting=waiting, reason="waits for leave")
    (verdict,) = (v for v in report.verdicts if v.check == "regression")
    assert (verdict.outcome, verdict.reason) == (Outcome.PENDING, "waits for leave")
    plain = repo.commit({"a.py": "1"})
    report = desk.judge(repo, head, plain, waiting=waiting)
    (verdict,) = (v for v in report.verdicts if v.check == "regression")
    assert verdict.outcome is Outcome.SKIP


def test_a_suite_that_the_policy_lacks_is_said(desk: Desk, repo: Repo) -> None:
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"})
    report = desk.judge(repo, base, head, checks=("regression",), suites=("nope",))
    assert "no suite 'nope'" in reason(report)


def test_people_reach_the_checks(desk: Desk, repo: Repo) -> None:
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"})
    order = desk.order(repo, base, head, people=People(Account(5, "ada")))
    assert outcomes(tried(order, desk.objects)) <= {
        Outcome.PASS,
        Outcome.SKIP,
        Outcome.FAIL,
    }


def test_a_policy_that_cannot_be_used_is_no_pass(desk: Desk, repo: Repo) -> None:
    base = repo.commit({".github/modelwarden.yml": "versoin: 1\n"})
    head = repo.commit({"a": "1"})
    assert "unknown key 'versoin'" in reason(desk.judge(repo, base, head))


# Ends


def processes(mark: bytes) -> dict[int, bytes]:
    """Processes that are not ended, whose arguments hold a mark."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark in line and state != "Z" and int(process.name) != os.getpid():
            found[int(process.name)] = line
    return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Temporary folders of this test alone: what marks the processes it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return str(folder).encode()


def test_cancelled(desk: Desk, repo: Repo, place: bytes) -> None:
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"})
    order = desk.order(repo, base, head)
    wanted = [True]

    def objects(ids: tuple[str, ...]) -> None:
        assert len(processes(place)) == 2  # the judge and its guard
        wanted[0] = False
        until(lambda: not processes(place))  # at once, not when the contents are there

    report = tried(order, objects, cancelled=lambda: not wanted[0])
    assert reason(report).startswith("cancelled")
    assert not processes(place)
    assert not list(Path(place.decode()).iterdir())


def test_too_slow(desk: Desk, repo: Repo, place: bytes) -> None:
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"})
    order = desk.order(repo, base, head, minutes=0.02)
    report = tried(order, lambda ids: until(lambda: not processes(place)))
    assert "not judged within 0.02 minutes" in reason(report)


@pytest.mark.parametrize("memory", [1_000_000, 60_000_000])
def test_too_much_memory(desk: Desk, repo: Repo, memory: int) -> None:
    base = repo.commit({"a": "1"})
    bomb = "[" + ",".join(f'{{"n{n}": [{n}]}}' for n in range(150_000)) + "]"
    head = repo.commit(
        {"models/config.json": bomb, "package-lock.json": '{"packages":' + bomb + "}"}
    )
    report = tried(desk.order(repo, base, head, memory=memory), desk.objects)
    if isinstance(report, BotError):
        wrong = [report.message]
    else:
        wrong = [v.reason for v in report.verdicts if v.outcome is Outcome.ERROR]
    assert wrong and all("needs more memory than it may use" in said for said in wrong)


def test_the_child_holds_no_secret(
    desk: Desk, repo: Repo, place: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MODELWARDEN_WEBHOOK_SECRET", "GITHUB_TOKEN", "PGPASSWORD", "PYTHONPATH"):
        monkeypatch.setenv(name, "/planted-secret")
    monkeypatch.setenv("AWS_REGION", "here")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"})
    order = desk.order(repo, base, head)
    seen: list[bytes] = []

    def objects(ids: tuple[str, ...]) -> None:
        parents = set(processes(place))
        for process in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if int(process.name) in parents or parent in parents:
                    seen.append((process / "cmdline").read_bytes())
                    seen.append((process / "environ").read_bytes())
            except OSError:
                continue
        desk.objects(ids)

    report = tried(replace(order, variables=("AWS_REGION",)), objects)
    assert outcomes(report) <= {Outcome.PASS, Outcome.SKIP}
    assert any(b"AWS_REGION=here" in text for text in seen)
    assert any(b"cat-file" in text for text in seen), "git below the child was seen too"
    assert not [t for t in seen if b"planted-secret" in t or desk.token().encode() in t]
    assert all(b"HOME=" + place in t for t in seen if b"LANG=C.UTF-8" in t)


PARENT = """
import sys
from pathlib import Path
from bot.serve import judging, order
def objects(ids):
    print("asked", flush=True)
    sys.stdin.read()
judging.judge(order.load(Path(sys.argv[1]).read_bytes()), objects)
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_a_killed_parent_leaves_no_child(
    desk: Desk, repo: Repo, tmp_path: Path, place: bytes, stopped: bool
) -> None:
    base, head = repo.commit({"a": "1"}), repo.commit({"a": "2"})
    written = tmp_path / "order"
    written.write_bytes(dump(desk.order(repo, base, head)))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(written)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment() | {"TMPDIR": place.decode()},
    ) as parent:  # fmt: skip
        assert parent.stdout is not None and parent.stdout.readline() == b"asked\n"
        found = processes(place)
        assert len(found) == 2
        if stopped:  # one that hears nothing any more, as in a long call
            os.kill(min(found), signal.SIGSTOP)
        parent.kill()
    until(lambda: not processes(place))


# A child that misbehaves

BEGIN = "import sys, os, json, signal, time\nout = sys.stdout\n"
BAD = {
    "garbage": ("print('hello')", "speaks in tongues"),
    "binary": ("sys.stdout.buffer.write(bytes(range(256)) * 9)", "speaks in tongues"),
    "nothing": ("pass", "ended with exit code 0"),
    "code": ("sys.exit(7)", "ended with exit code 7"),
    "signal": ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
    "long line": ("out.write('S' * 1_000_000); out.flush(); time.sleep(9)", "says too much"),
    "endless line": ("while True: out.write('S' * 65536)", "says too much"),
    "endless lines": ("while True: print('S\"' + 'x' * 60000 + '\"')", "says too much"),
    "no list": ("print('N{}')", "asks for too much"),
    "no ids": ("print('N[\"HEAD\"]')", "asks for too much"),
    "options": ("print('N[\"--upload-pack=id\"]')", "asks for too much"),
    "numbers": ("print('N[1]')", "speaks in tongues"),
    "many ids": ("print('N' + json.dumps(['a' * 40] * 6000))", "asks for too much"),
    "no answer awaited": ("print('N[\"%s\"]' % ('a' * 40) * 1); print('N[]')", "asks for too much"),
    "deep": ("print('S' + '[' * 1000)", "speaks in tongues"),
    "twice": ("print('V{\"a\": 1, \"a\": 1}')", "speaks in tongues"),
    "verdict": ("print('V[\"a\", \"perfect\", 1.0]')", "speaks in tongues"),
    "outcome": ("print('V[\"a\", [], 1.0]')", "speaks in tongues"),
    "time": ("print('V[\"a\", \"pass\", 1e999]')", "speaks in tongues"),
    "failed": ("print('F[\"no way; do this\"]')", "no way; do this"),
    "failed at length": ("print('F[\"' + 'x' * 300000 + '; y\"]')", "x" * 500 + "; y"),
    "failed oddly": ("print('F[]')", "speaks in tongues"),
    "no report": ("print('Rnull')", "not a report"),
    "a made-up one": ("print('R{\"version\": 1}')", "not a report"),
}  # fmt: skip


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Judge by a child that runs the given code instead of ours."""

    def judge(code: str, **more: Any) -> Any:
        folder = tmp_path / "root"
        folder.mkdir(exist_ok=True)
        (folder / "modelwarden.py").write_text(BEGIN + code, encoding="utf-8")
        monkeypatch.setattr(judging, "ROOT", folder)
        order = Order(
            tmp_path, "acme/tiny", 7, "ada", "a" * 40, "b" * 40, TODAY, ("files",), ("regression",)
        )
        return tried(replace(order, **more), lambda ids: time.sleep(0.3))

    return judge


@pytest.mark.parametrize("name", BAD)
def test_whatever_the_child_does_it_is_told_in_a_line(play: Callable[..., Any], name: str) -> None:
    code, said = BAD[name]
    report = play(code)
    assert said in reason(report)


def test_a_child_that_stops_hearing_is_ended(play: Callable[..., Any], place: bytes) -> None:
    code = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    assert "not judged within" in reason(play(code, minutes=0.005))
    assert not processes(place)


GOOD: dict[str, Any] = {
    "version": 1, "outcome": "pass", "exit_code": 0, "policy": "p",
    "change": {"repository": "acme/tiny", "number": 7, "author": "ada", "base": "a" * 40,
               "head": "b" * 40, "merge_base": "a" * 40, "files": []},
    "verdicts": [
        {"check": check, "outcome": outcome, "reason": "", "findings": [], "exhibits": []}
        for check, outcome in (("files", "pass"), ("regression", "skip"), ("policy", "pass"))
    ],
}  # fmt: skip


def test_a_report_that_fits_is_taken(play: Callable[..., Any]) -> None:
    report = play(f"print('R' + {json.dumps(json.dumps(GOOD))})")
    assert report.outcome is Outcome.PASS


@pytest.mark.parametrize(
    "change",
    [
        {"change": GOOD["change"] | {"head": "c" * 40}},
        {"change": GOOD["change"] | {"number": 8}},
        {"change": GOOD["change"] | {"repository": "acme/other"}},
        {"verdicts": GOOD["verdicts"][:2]},
        {"verdicts": [*GOOD["verdicts"], GOOD["verdicts"][0] | {"check": "extra"}]},
        {"verdicts": [GOOD["verdicts"][0], GOOD["verdicts"][1] | {"outcome": "pass"},
                      GOOD["verdicts"][2]]},
    ],
)  # fmt: skip
def test_a_report_about_something_else_is_none(
    play: Callable[..., Any], change: dict[str, Any]
) -> None:
    report = play(f"print('R' + {json.dumps(json.dumps(GOOD | change))})")
    assert "something else" in reason(report) or "unasked" in reason(report)
