from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from bot.finding import Finding, Level, Location
from bot.github import checkruns, comment
from bot.github.values import Conclusion, Repo, RunBody, Target
from bot.report.read import load
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import HOSTILE, RULES, SECRETS, report

REPO = Repo(7, "acme/tiny", 1, "main")
TARGET = Target(REPO, 3, "a" * 40, "b" * 40)


def _finding(level: Level, path: str = "a.py", line: int = 1, **more: str) -> Finding:
    return Finding("weights/pickle", level, "m", "r", Location(path, line), **more)


def _within_limits(body: RunBody) -> None:
    assert 0 < len(body.title) <= 255 and "\n" not in body.title
    assert 0 < len(body.summary.encode()) <= 65_535
    assert len(body.actions) <= 3
    for action in body.actions:
        assert len(action.label) <= 20 and len(action.description) <= 40
        assert len(action.identifier) <= 20
    assert (body.status == "completed") == (body.conclusion is not None)
    for one in body.annotations:
        assert one.start >= 1 and len(one.title) <= 255 and len(one.message.encode()) <= 65_535


@pytest.mark.parametrize(
    ("outcome", "conclusion"),
    [
        (Outcome.PASS, Conclusion.SUCCESS),
        (Outcome.FAIL, Conclusion.FAILURE),
        (Outcome.ERROR, Conclusion.FAILURE),
        (Outcome.SKIP, Conclusion.SKIPPED),
        (Outcome.PENDING, Conclusion.ACTION_REQUIRED),
    ],
)
def test_conclusions(outcome: Outcome, conclusion: Conclusion) -> None:
    verdict = Verdict("weights", outcome, reason="why")
    whole = Report(report().change, "defaults", (verdict,))
    body = checkruns.concluded(TARGET, verdict, whole, RULES)
    assert body.conclusion is conclusion
    assert (body.name, body.head) == ("modelwarden / weights", "a" * 40)
    summary = checkruns.summarised(TARGET, whole, RULES)
    # A required check is satisfied by "skipped": nothing but a pass may say so there.
    expected = Conclusion.SUCCESS if outcome is Outcome.SKIP else conclusion
    assert (summary.name, summary.conclusion) == ("modelwarden", expected)


def test_every_body_is_within_limits() -> None:
    whole = report()
    bodies = [checkruns.concluded(TARGET, v, whole, RULES) for v in whole.verdicts]
    bodies += [
        checkruns.summarised(TARGET, whole, RULES, note="n" * 30_000),
        checkruns.waiting(TARGET, "weights"),
        checkruns.waiting(TARGET, ""),
        checkruns.stopped(TARGET, "", HOSTILE * 50),
        checkruns.broken(TARGET, "weights", HOSTILE * 50, HOSTILE),
    ]
    for body in bodies:
        _within_limits(body)


def test_a_flood_of_findings_fits() -> None:
    many = tuple(
        Finding("weights/pickle", Level.FAILURE, f"{i} " + "ü" * 900, "r" * 500, Location("a", i))
        for i in range(3_000)
    )
    verdict = Verdict("weights", Outcome.FAIL, many)
    whole = replace(report(), verdicts=(verdict,))
    body = checkruns.concluded(TARGET, verdict, whole, RULES)
    _within_limits(body)
    assert len(body.annotations) == checkruns.ANNOTATIONS
    text = comment.judged(whole, RULES, note="x" * 5_000, url="https://example.org/r")
    assert len(text) <= 65_536


def test_annotations_come_worst_first_without_waived_ones() -> None:
    findings = (
        _finding(Level.NOTE, line=1),
        _finding(Level.FAILURE, line=9),
        _finding(Level.WARNING, line=2),
        _finding(Level.UNKNOWN, line=5),
        _finding(Level.FAILURE, line=3, waived="known"),
        Finding("weights/pickle", Level.FAILURE, "m", "r"),  # of no place
        _finding(Level.FAILURE, line=0),
    )
    shown = checkruns.annotated(findings)
    assert [(a.level, a.start) for a in shown] == [
        ("failure", 5),
        ("failure", 1),
        ("failure", 9),
        ("warning", 2),
        ("notice", 1),
    ]


def test_secrets_never_reach_a_run_or_comment() -> None:
    secret = next(iter(SECRETS.values()))
    finding = Finding("weights/pickle", Level.FAILURE, secret, secret, Location("a", 1))
    verdict = Verdict("weights", Outcome.FAIL, (finding,), reason=secret)
    whole = replace(report(), verdicts=(verdict,))
    body = checkruns.concluded(TARGET, verdict, whole, RULES)
    assert secret not in repr(body) and secret not in comment.judged(whole, RULES)
    assert secret not in repr(checkruns.broken(TARGET, "", secret, secret))


def test_nobody_is_mentioned_and_no_marker_is_forged() -> None:
    verdict = Verdict("weights", Outcome.FAIL, (_finding(Level.FAILURE, HOSTILE),), HOSTILE)
    whole = replace(report(), verdicts=(verdict,))
    texts = [
        comment.judged(whole, RULES),
        checkruns.stopped(TARGET, "", f"{HOSTILE}{comment.MARKER}").summary,
    ]
    for text in texts:
        assert "@octocat" not in text and "<script>" not in text
        assert text.count("<!--") <= 1 and text.find("<!--") in (-1, 0)


def test_the_verdict_comes_first_then_the_note() -> None:
    clean = replace(report(), verdicts=(Verdict("weights", Outcome.PASS),))
    text = comment.judged(clean, RULES, note="**Leave is needed**")
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == comment.MARKER
    assert lines[1].startswith("## ✅ PASS")
    assert lines[2] == "**Leave is needed**"


def test_what_the_author_has_to_do_comes_before_what_others_may() -> None:
    found = Verdict("weights", Outcome.FAIL, (_finding(Level.FAILURE, "| Check | of others"),))
    waits = Verdict("regression", Outcome.PENDING, reason="not measured yet")
    whole = replace(report(), verdicts=(found, waits))
    text = comment.judged(whole, RULES, note="### Leave is needed")
    places = [text.index(s) for s in ("❌ FAIL", "### What to do", "### Leave", "\n| Check |")]
    assert places == sorted(places)
    text = comment.judged(replace(whole, verdicts=(waits,)), RULES, note="### Leave is needed")
    assert "\n\n\n" not in text
    places = [text.index(s) for s in ("⏳ PENDING", "### Leave", "nothing until regression is")]
    assert places == sorted(places)


def test_the_report_s_address_leads_there() -> None:
    url = "https://warden.example/r/acme/tiny/pull/7?a=1&b=2"
    shown = comment.judged(report(), RULES, url=url)
    found = re.search(r'<a href="([^"]*)">full report</a>', shown)
    assert found is not None and html.unescape(found[1]) == url and found[1].isascii()
    assert "\u200b" not in html.unescape(found[1])


def test_a_run_that_waits_is_called_by_what_it_waits_for() -> None:
    waits = Verdict("regression", Outcome.PENDING, reason="not measured yet")
    body = checkruns.concluded(
        TARGET, waits, report(), RULES, note="### It needs leave\n\nof somebody"
    )
    assert body.title == "It needs leave" and body.summary.startswith("### It needs leave\n")
    whole = replace(report(), verdicts=(waits,))
    note = "### It needs leave\n\nof somebody"
    assert checkruns.summarised(TARGET, whole, RULES, note=note).title == "It needs leave"
    assert checkruns.concluded(TARGET, waits, report(), RULES).title == "not measured yet"


def test_each_attempt_and_check_has_an_id_of_its_own() -> None:
    targets = [
        TARGET,
        replace(TARGET, attempt="c9"),
        replace(TARGET, number=4),
        replace(TARGET, head="c" * 40),
        replace(TARGET, base="c" * 40),
        replace(TARGET, repo=replace(REPO, id=8)),
    ]
    ids = {checkruns.external_id(t, c) for t in targets for c in ("", "weights", "files")}
    assert len(ids) == 18
    renamed = replace(TARGET, repo=replace(REPO, name="acme/other"))
    assert checkruns.external_id(renamed, "") == checkruns.external_id(TARGET, "")


def test_what_is_published_is_what_was_kept() -> None:
    from bot.report import render

    kept = load(render(report(), "json", RULES, timings=True).encode())
    for verdict in kept.verdicts:
        _within_limits(checkruns.concluded(TARGET, verdict, kept, RULES))
