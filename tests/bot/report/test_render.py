from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.finding import Finding, Level, Location
from bot.report import RENDERERS, render
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import RULES, SECRETS, odd_exhibits, report

FORMATS = sorted(RENDERERS)


def odd_report() -> Report:
    return replace(report(), verdicts=(Verdict("odd", Outcome.PASS, (), "", odd_exhibits()),))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("make", [report, odd_report])
def test_the_same_report_gives_the_same_bytes(format: str, make: object) -> None:
    assert callable(make)
    first, second = (render(make(), format, RULES).encode() for _ in range(2))
    assert first == second
    assert first.endswith(b"\n")


@pytest.mark.parametrize("format", FORMATS)
def test_time_is_shown_only_where_asked(format: str) -> None:
    one = report()
    slow = replace(one, verdicts=tuple(replace(v, seconds=77.25) for v in one.verdicts))
    assert render(one, format, RULES) == render(slow, format, RULES)
    timed = render(slow, format, RULES, timings=True)
    assert ("77.25" in timed) is (format != "sarif")


@pytest.mark.parametrize("format", FORMATS)
def test_no_secret_and_no_unseen_character_gets_through(format: str) -> None:
    shown = render(report(), format, RULES, verbose=True)
    for kind, secret in SECRETS.items():
        assert secret not in shown
        assert f"redacted: {kind}" in shown or format == "text"
    assert all(c.isprintable() or c == "\n" for c in shown.replace("\t", ""))


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_report_is_a_report(format: str) -> None:
    assert render(replace(report(), verdicts=()), format, {}).strip()


@pytest.mark.parametrize("format", FORMATS)
def test_rules_that_no_catalogue_knows_are_rendered(format: str) -> None:
    assert "weights/pickle" in render(report(), format, {}).replace("\\/", "/")


TEXT = st.text(alphabet=st.characters(), max_size=40)
FINDINGS = st.builds(
    Finding,
    st.sampled_from([*RULES, "other/rule"]),
    st.sampled_from(Level),
    TEXT,
    TEXT,
    st.builds(Location, TEXT, st.integers(-1, 10**9), TEXT),
    TEXT,
)
VERDICTS = st.builds(
    Verdict, TEXT, st.sampled_from(Outcome), st.lists(FINDINGS, max_size=3).map(tuple), TEXT
)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=40, deadline=None)
@given(verdicts=st.lists(VERDICTS, max_size=3).map(tuple))
def test_no_text_crashes_a_renderer(format: str, verdicts: tuple[Verdict, ...]) -> None:
    for verbose in (False, True):
        render(replace(report(), verdicts=verdicts), format, RULES, verbose=verbose).encode()


@pytest.mark.parametrize("format", FORMATS)
def test_one_format_loads_only_itself(format: str) -> None:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from bot.change import Change\nfrom bot.verdict import Report\n"
        "from bot.report import render\n"
        f"render(Report(Change('r', 'b', 'h', 'b', ()), 'p', ()), {format!r}, {{}})\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert RENDERERS[format] in loaded
    assert not loaded & {RENDERERS[other] for other in FORMATS if other != format}
    assert not loaded & {"pydantic", "torch"}
