from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.people import ClaSignature, load_signatures
from bot.serve.contract import Event, Point, Waiting
from bot.serve.history import trends
from bot.serve.queueing import DeadLetter
from bot.serve.shell import STYLE
from bot.verdict import Outcome, Verdict
from tests.bot.serve import rows
from tests.bot.serve.rows import AT, HEAD, OTHER, REPO, judged
from tests.bot.serve.serving import Served, serve

TOKEN = "0123456789-the-token"
BEARER = {"authorization": f"Bearer {TOKEN}"}
HIDDEN = ("acme/hidden", "a hidden thing")
CLOSED = ("/", "/queue", "/metrics", "/r/acme/tiny", "/r/acme/tiny/pull/7", "/r/acme/nothing",
          "/r/acme/tiny/pull/7/static.json", "/r/acme/tiny/events")  # fmt: skip


class Reader(HTMLParser):
    """Every element and attribute of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.comments: list[str] = []
        self.words = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path) as running:
        yield running


def get(served: Served, path: str, status: int = 200) -> str:
    answer = served.client.get(path)
    assert answer.status_code == status, answer.text[:300]
    return answer.text


def fill(served: Served) -> None:
    served.records.keep(judged(7))
    served.records.keep(judged(8, AT + 5, outcome="pass", title="nothing found"))
    served.records.note(Event(AT + 9, 11, 7, "ada", "approved", "GPU run of aaaaaaaaaaaa"))
    served.records.measured(
        tuple(Point(11, f"{i:040x}", AT + i, "quiz: accuracy", 0.5 + i / 100) for i in range(40))
    )


HOSTILE = ["/", "/queue", "/r/acme/bad", "/r/acme/bad/reports", "/r/acme/bad/events",
           "/r/acme/bad/history", "/r/acme/bad/pull/7", "/r/acme/bad/pull/8"]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_text_stays_text(served: Served, path: str) -> None:
    served.jobs.jobs = rows.hostile(served.records)
    document = get(served, path)
    read = Reader(document)
    assert "alert(1)" in read.words  # it is there, and it is only words
    assert not {"script", "iframe", "object", "form", "input"} & set(read.tags)
    assert "img" not in read.tags and not read.comments
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    links = [value for name, value in read.attributes if name == "href"]
    ours = ("/", "#", "data:,", "https://github.com/acme/")
    assert all(link.startswith(ours) and link[:2] != "//" for link in links), links
    assert "\u202e" not in document and "\x1b" not in document


def test_pages_need_no_script_no_network_and_no_style_of_others(served: Served) -> None:
    fill(served)
    for path in ("/", "/queue", "/r/acme/tiny", "/r/acme/tiny/pull/7"):
        answer = served.client.get(path)
        read = Reader(answer.text)
        assert read.tags.count("style") == 1 and "script" not in read.tags
        assert not [n for n, v in read.attributes if n in ("src", "style")]
        style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert style is not None
        import base64
        import hashlib

        digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]


def test_the_status_page(served: Served) -> None:
    fill(served)
    served.jobs.jobs = (
        Waiting("k1", "judge", "web", 0, AT, "acme/tiny#7", "host-1"),
        Waiting("k2", "measure", "gpu", 1, AT, "acme/tiny#8"),
    )
    words = Reader(get(served, "/")).words
    for said in ("READY", "acme/tiny#7", "host-1", "measure", "approved", "2026-09-21"):
        assert said in words
    assert 'href="/r/acme/tiny/pull/8"' in get(served, "/")


def test_dry_run_is_said(tmp_path: Path) -> None:
    with serve(tmp_path, dry_run=True) as served:
        assert "Dry run: nothing is published" in get(served, "/")


def test_the_queue_has_pages(served: Served) -> None:
    served.jobs.jobs = tuple(
        Waiting(f"k{i}", "judge", "web", i, AT, f"acme/tiny#{i}") for i in range(1, 121)
    )
    first, last = get(served, "/queue"), get(served, "/queue?page=3")
    assert "acme/tiny#50<" in first and "acme/tiny#51<" not in first
    assert "/queue?page=2" in first and "newer" not in first
    assert "acme/tiny#120<" in last and "older" not in last and "/queue?page=2" in last


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e9", "9" * 5000, "²", "%00", ""])
def test_odd_page_numbers(served: Served, page: str) -> None:
    fill(served)
    for path in ("/queue", "/r/acme/tiny/reports"):
        assert served.client.get(f"{path}?page={page}").status_code == 200


def test_a_repository(served: Served) -> None:
    fill(served)
    document = get(served, "/r/acme/tiny")
    words = Reader(document).words
    assert "quiz: accuracy" in words and "1 finding fails" in words
    assert document.count('<svg viewBox="0 0 400 260"') == 1 and ">commit<" in document
    assert "10 earlier commits left out." in words
    assert document.index(">#8<") < document.index(">#7<")  # the newest first
    assert get(served, "/r/ACME/Tiny") == document


def test_measurements_have_pages(served: Served) -> None:
    served.records.measured(
        tuple(Point(11, HEAD, AT, f"suite {i:02d}: nll", 1.0) for i in range(30))
    )
    served.records.keep(judged(7))
    assert "suite 23: nll" in get(served, "/r/acme/tiny")
    assert "suite 24: nll" not in get(served, "/r/acme/tiny")
    assert "suite 24: nll" in get(served, "/r/acme/tiny/history?page=2")


def test_reports_have_pages(served: Served) -> None:
    for number in range(1, 61):
        served.records.keep(judged(number, AT + number))
    assert "older" in get(served, "/r/acme/tiny/reports")
    assert "#60<" in get(served, "/r/acme/tiny/reports")
    second = get(served, "/r/acme/tiny/reports?page=2")
    assert "#10<" in second and "#11<" not in second


def test_the_report_of_a_pull_request(served: Served) -> None:
    fill(served)
    document = get(served, "/r/acme/tiny/pull/7")
    assert "weights/pickle" in document and 'href="/r/acme/tiny"' in document
    data = served.client.get("/r/acme/tiny/pull/7/static.json")
    assert data.headers["content-type"] == "application/json"
    assert json.loads(data.content)["change"]["number"] == 7
    get(served, "/r/acme/tiny/pull/7/measure.json", 404)


def test_signatures_of_the_agreement_can_be_exported(served: Served) -> None:
    fill(served)
    assert served.client.get("/r/acme/tiny/signatures.jsonl").content == b""
    signature = ClaSignature(7, "ada", "a" * 64, 9, "acme/tiny", "2026-11-22T08:00:00Z")
    served.records.sign(REPO.id, signature)
    export = served.client.get("/r/acme/tiny/signatures.jsonl")
    assert load_signatures(export.content) == (signature,)
    assert export.headers["content-type"] == "application/x-ndjson"
    assert served.client.get("/r/acme/nothing/signatures.jsonl").status_code == 404


def test_jobs_that_failed_are_shown_and_counted(served: Served) -> None:
    served.jobs.failed = (DeadLetter("judge", "k", {"about": "acme/tiny#7"}, "<b>it broke", AT),)
    document = get(served, "/queue")
    assert "acme/tiny#7" in document and "&lt;b&gt;it broke" in document
    assert "modelwarden_failed_jobs 1.0" in served.client.get("/metrics").text


def test_the_way_to_github(served: Served) -> None:
    fill(served)
    assert 'href="https://github.com/acme/tiny/pull/7"' in get(served, "/r/acme/tiny/pull/7")
    assert 'href="https://github.com/acme/tiny"' in get(served, "/r/acme/tiny")


def test_a_change_says_what_becomes_of_it_now(served: Served) -> None:
    fill(served)
    assert "Now: " not in get(served, "/r/acme/tiny/pull/7")
    served.jobs.jobs = (
        Waiting("k", "measure", "gpu", 3, AT, "acme/tiny#7"),
        Waiting("k", "talk", "web", 0, AT, "acme/tiny#7"),
        Waiting("k", "judge", "web", 1, AT, "acme/tiny#77"),
    )
    words = Reader(get(served, "/r/acme/tiny/pull/7")).words
    assert "Now: measure waits, number 3 of the queue gpu; talk runs" in words
    words = Reader(get(served, "/r/acme/tiny/pull/77")).words  # a check run links there already
    assert "no report yet" in words and "judge waits, number 1 of the queue web" in words
    get(served, "/r/acme/tiny/pull/78", 404)


def test_a_change_that_waits_for_somebody_says_where_to_look(served: Served) -> None:
    waits = Verdict("regression", Outcome.PENDING, (), "not measured yet")
    served.records.keep(replace(judged(7), report=rows.report(waits), outcome="pending"))
    words = Reader(get(served, "/r/acme/tiny/pull/7")).words
    assert "Now: it waits; the comment on GitHub says for what" in words
    assert "Nothing until regression is settled." in words


def test_what_was_skipped_is_seen(served: Served) -> None:
    skipped = Verdict("licenses", Outcome.SKIP, (), "no manifest changed")
    served.records.keep(replace(judged(7), report=rows.report(skipped), outcome="pass"))
    document = get(served, "/r/acme/tiny/pull/7")
    assert '<span class="badge skip">SKIP</span>' in document
    assert not re.search(r"(?m)^\.skip\b", STYLE)  # the way past the navigation is an anchor


def test_a_change_without_a_report_is_not_shown_to_strangers(tmp_path: Path) -> None:
    public = ("acme/tiny",)
    with serve(tmp_path, status_token=SecretStr(TOKEN), public_repositories=public) as served:
        served.jobs.jobs = (Waiting("k", "judge", "web", 1, AT, "acme/hidden#1"),)
        assert served.client.get("/r/acme/hidden/pull/1").status_code == 401
        assert served.client.get("/r/acme/hidden/pull/1", headers=BEARER).status_code == 200


def test_the_newest_attempt_counts(served: Served) -> None:
    served.records.keep(judged(7))
    again = replace(rows.target(7), attempt="c99")
    words = rows.report(words="the second attempt")
    served.records.keep(replace(judged(7, AT + 1), target=again, report=words))
    assert "the second attempt" in get(served, "/r/acme/tiny/pull/7")


def test_parts_of_the_same_commits_are_put_together(served: Served) -> None:
    waits = Verdict("regression", Outcome.PENDING, (), "waits for approval")
    clean = Verdict("weights", Outcome.PASS, (), "looked at two files")
    told = Verdict("regression", Outcome.PASS, (), "no worse than before")
    first = replace(judged(7), report=rows.report(clean, waits), outcome="pending")
    second = replace(judged(7, AT + 60, part="measure"), report=rows.report(told), outcome="pass")
    served.records.keep(first)
    assert "waits for approval" in get(served, "/r/acme/tiny/pull/7")
    served.records.keep(second)
    document = get(served, "/r/acme/tiny/pull/7")
    assert "no worse than before" in document and "looked at two files" in document
    assert "waits for approval" not in document and "PASS: " in document


def test_a_measurement_of_older_commits_is_left_out(served: Served) -> None:
    told = Verdict("regression", Outcome.PASS, (), "no worse than before")
    old = "c" * 40
    measured = replace(
        judged(7, part="measure"), target=rows.target(7, head=old),
        report=rows.report(told, head=old),
    )  # fmt: skip
    served.records.keep(measured)
    served.records.keep(judged(7, AT + 60))
    document = get(served, "/r/acme/tiny/pull/7")
    assert "no worse than before" not in document
    assert "Left out, as it is about other commits: measure." in document


@pytest.mark.parametrize("kept", [b"{", b"null", b"\xff", rows.report(head="c" * 40)])
def test_a_kept_report_that_is_none(served: Served, kept: bytes) -> None:
    served.records.keep(replace(judged(7), report=kept))
    assert "cannot be shown" in get(served, "/r/acme/tiny/pull/7")


@pytest.mark.parametrize(
    "path",
    ["/r/acme/nothing", "/r/acme/tiny/pull/99", "/r/acme/tiny/nothing", "/r/acme",
     "/r/acme/tiny/pull/x", "/r/acme/tiny/pull/99999999999999999999999", "/..%2fetc",
     "/r/%2e%2e/%2e%2e", "/r/acme/tiny/pull/7/..%2fstatic.json"],
)  # fmt: skip
def test_there_is_no_such_page(served: Served, path: str) -> None:
    fill(served)
    get(served, path, 404)


def test_pages_are_closed_without_a_token(tmp_path: Path) -> None:
    with serve(tmp_path, status_token=SecretStr(TOKEN)) as served:
        fill(served)
        for path in CLOSED:
            answer = served.client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert "acme" not in answer.text
        assert served.client.get("/healthz").status_code == 200
        assert served.client.get("/readyz").status_code == 200
        assert served.deliver().status_code == 202
        for path in ("/", "/metrics", "/r/acme/tiny", "/r/acme/tiny/pull/7/static.json"):
            assert served.client.get(path, headers=BEARER).status_code == 200
        assert served.client.get("/r/acme/nothing", headers=BEARER).status_code == 404


def test_some_repositories_are_public(tmp_path: Path) -> None:
    token = SecretStr(TOKEN)
    with serve(tmp_path, status_token=token, public_repositories=("acme/tiny",)) as served:
        fill(served)
        served.records.keep(judged(1, AT + 99, repo=OTHER, title="a hidden thing"))
        served.records.note(Event(AT + 99, 12, 1, "eve", "a hidden thing", "a hidden thing"))
        served.jobs.jobs = (
            Waiting("k", "judge", "web", 1, AT, "acme/hidden#1"),
            Waiting("k", "a hidden thing", "web", 2, AT, ""),
            Waiting("k", "judge", "web", 3, AT, "acme/tiny#7"),
        )
        for path in ("/", "/queue", "/r/acme/tiny", "/r/acme/tiny/events"):
            document = get(served, path)
            assert "acme/tiny" in document and not [h for h in HIDDEN if h in document]
        served.jobs.failed = (DeadLetter("judge", "k", {"about": "a hidden thing"}, "why", AT),)
        hidden = ("", "/pull/1", "/pull/1/static.json", "/events", "/signatures.jsonl")
        for path in (*(f"/r/acme/hidden{p}" for p in hidden), "/r/acme/nothing", "/metrics"):
            assert served.client.get(path).status_code == 401
        assert "a hidden thing" in served.client.get("/", headers=BEARER).text


def test_a_name_that_was_rebound_to_this_machine(served: Served) -> None:
    fill(served)
    for host, status in (("evil.example", 401), (f"127.0.0.1:{served.port}", 200)):
        answer = served.client.get("/r/acme/tiny", headers={"host": host})
        assert answer.status_code == status


def test_numbers(served: Served) -> None:
    served.deliver()
    served.deliver(b"{}", x_github_event="made_up_by_a_stranger", x_github_delivery="12345678")
    served.deliver(b"{}", x_hub_signature_256=None)
    served.jobs.jobs = (
        Waiting("k", "judge", "web", 1, AT, ""),
        Waiting("k", "judge", "web", 0, AT, ""),
    )
    served.telemetry.judged("static", "pass")
    served.telemetry.spent(2.5)
    served.telemetry.remaining(4321)
    text = get(served, "/metrics")
    for line in (
        'modelwarden_deliveries_total{event="pull_request",outcome="accepted"} 1.0',
        'modelwarden_deliveries_total{event="other",outcome="accepted"} 1.0',
        'modelwarden_deliveries_total{event="pull_request",outcome="forged"} 1.0',
        "modelwarden_acknowledge_seconds_count 3.0",
        'modelwarden_jobs{queue="web",state="waiting"} 1.0',
        'modelwarden_jobs{queue="web",state="running"} 1.0',
        'modelwarden_judged_total{outcome="pass",part="static"} 1.0',
        "modelwarden_gpu_minutes_total 2.5",
        "modelwarden_github_requests_remaining 4321.0",
    ):
        assert line + "\n" in text
    assert "stranger" not in text
    served.jobs.jobs = ()
    assert "modelwarden_jobs{" not in get(served, "/metrics")


def test_history_in_order_of_time_with_intervals() -> None:
    points = (
        Point(1, "c2", AT + 2, "quiz: acc", 0.6, 0.5, 0.7),
        Point(1, "c1", AT + 1, "quiz: acc", 0.5),
        Point(1, "c1", AT + 3, "quiz: acc", 0.4),  # measured again
        Point(1, "c1", AT + 1, "chat: nll", 2.0),
    )
    chat, quiz = trends(points)
    assert (chat.title, chat.unit, len(chat.series)) == ("chat: nll", "nll", 1)
    assert quiz.names == ("c2", "c1")
    assert [s.values for s in quiz.series] == [(0.6, 0.4), (0.5, None), (0.7, None)]
    assert REPO.name not in repr(quiz)
