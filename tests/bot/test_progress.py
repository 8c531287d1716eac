from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.progress import Bar
from lab.scoring.plain import Progress

ROOT = Path(__file__).parents[2]


class Screen(io.StringIO):
    """A terminal of one line: what a person would see on it now."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        shown: list[str] = []
        at = 0
        for part in re.findall(r"\r|[^\r]", re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue())):
            if part == "\r":
                at = 0
                continue
            shown[at : at + 1] = [part]
            at += 1
        return "".join(shown).rstrip()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _bar(screen: Screen, clock: Clock, **environ: str) -> Bar:
    return Bar("head", stream=screen, clock=clock, environ=environ, columns=80)


def test_it_shows_how_far_and_how_long() -> None:
    screen, clock = Screen(), Clock()
    bar = _bar(screen, clock)
    progress: Progress = bar
    progress(0, 200)
    assert screen.line == "head " + "░" * 30 + " 0/200"
    clock.now += 10
    bar(50, 200)
    assert screen.line == "head " + "█" * 7 + "░" * 23 + " 50/200, 30 s left"
    clock.now += 110
    bar(100, 200)
    assert screen.line == "head " + "█" * 15 + "░" * 15 + " 100/200, 2 min 00 s left"
    clock.now += 9_000
    bar(101, 200)
    assert screen.line.endswith(" 101/200, 2 h 29 min left")


def test_it_is_gone_when_all_is_done_and_starts_anew_for_the_next_part() -> None:
    screen, clock = Screen(), Clock()
    bar = _bar(screen, clock)
    bar(5, 10)
    assert screen.line
    bar(10, 10)
    assert screen.line == ""
    clock.now += 1_000
    bar(2, 10)
    clock.now += 2
    bar(4, 10)
    assert screen.line.endswith("4/10, 6 s left")  # the pace of this part alone


def test_it_is_drawn_a_few_times_a_second_at_most() -> None:
    screen, clock = Screen(), Clock()
    bar = _bar(screen, clock)
    for done in range(1_000):
        bar(done, 1_000_000)
        clock.now += 0.001
    assert 3 <= screen.getvalue().count("/1,000,000") <= 5


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, None])
def test_it_is_cleared_whatever_ends_the_work(error: type[BaseException] | None) -> None:
    screen, clock = Screen(), Clock()
    try:
        with _bar(screen, clock) as bar:
            bar(5, 10)
            assert screen.line
            if error:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert screen.line == ""


def test_a_shorter_line_leaves_nothing_of_a_longer_one() -> None:
    screen, clock = Screen(), Clock()
    bar = _bar(screen, clock)
    bar(0, 1_000_000)
    clock.now += 1
    bar(1, 9)
    assert screen.line == "head " + "█" * 3 + "░" * 27 + " 1/9"


def test_nothing_is_written_but_to_a_terminal_that_redraws() -> None:
    plain = io.StringIO()
    with Bar("head", stream=plain, environ={}) as bar:
        bar(1, 2)
    assert plain.getvalue() == ""
    screen = Screen()
    with _bar(screen, Clock(), TERM="dumb") as bar:
        bar(1, 2)
    assert screen.getvalue() == ""


def test_colour_is_left_out_where_nobody_wants_it() -> None:
    for environ, colour in (({}, True), ({"NO_COLOR": "1"}, False)):
        screen = Screen()
        _bar(screen, Clock(), **environ)(1, 2)
        assert ("\x1b" in screen.getvalue()) is colour
        assert screen.line == "head " + "█" * 15 + "░" * 15 + " 1/2"


@pytest.mark.parametrize("columns", [1, 5, 12, 20, 40, 200])
def test_it_never_wraps(columns: int) -> None:
    screen = Screen()
    bar = Bar(
        "a long name of a model" * 3, stream=screen, clock=Clock(), environ={}, columns=columns
    )
    bar(123_456, 1_000_000)
    assert len(screen.line) < columns


def test_names_and_terminals_of_all_kinds_are_fit_for_one_line() -> None:
    screen = Screen()
    screen.encoding = "ascii"
    bar = Bar("a\n\x1b[31mb", stream=screen, clock=Clock(), environ={"NO_COLOR": "1"}, columns=60)
    bar(1, 3)
    assert screen.line == "a??[31mb " + "#" * 10 + "-" * 20 + " 1/3"


@pytest.mark.parametrize(("done", "total"), [(0, 0), (5, 0), (-1, 3), (4, 3)])
def test_odd_counts_are_survived(done: int, total: int) -> None:
    screen = Screen()
    _bar(screen, Clock())(done, total)


def test_a_terminal_that_has_gone_does_not_end_the_work() -> None:
    class Gone(Screen):
        def write(self, text: str) -> int:
            raise OSError("gone")

    bar = _bar(Gone(), Clock())
    bar(1, 2)
    bar.clear()


def test_on_a_real_terminal() -> None:
    code = (
        "from bot.progress import Bar\n"
        "with Bar('head') as bar:\n"
        "    bar(1, 2)\n"
        "    raise SystemExit(3)\n"
    )
    main, other = pty.openpty()
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    run = subprocess.run(
        [sys.executable, "-c", code], stderr=other, stdout=subprocess.DEVNULL, env=env, cwd=ROOT
    )
    os.close(other)
    shown = os.read(main, 10_000).decode()
    os.close(main)
    assert run.returncode == 3
    assert " 1/2" in shown
    assert shown.endswith(" \r")
