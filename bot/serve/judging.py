"""Judges a change in a child without secrets, and reads what it says as a stranger's.

The server holds the App key, so it does not read the files of a change itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot import cache, conduct, process
from bot.report.read import load
from bot.sandbox import CUDA_VARIABLES
from bot.serve.hearing import Fetch, Hearing, JudgeFailed, ended
from bot.serve.order import Order, dump
from bot.verdict import Outcome, Report, Verdict
from modelwarden import ROOT

GRACE = 1.0  # seconds a child has to end its sandboxes
_UNJUDGED = (Outcome.PENDING, Outcome.SKIP, Outcome.ERROR)


def judge(
    order: Order,
    objects: Fetch,
    *,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
    say: Callable[[str], None] = lambda line: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Report:
    """Judge a change; `objects` brings contents that the mirror lacks, or raises BotError.

    `on_verdict` hears of each check as it ends, without its findings. Raises JudgeFailed where
    there is no answer, and what `objects` raises, but for contents that are missing or too large.
    """
    talk = Hearing(order, objects, on_verdict, say, cancelled)
    try:
        report = load(_run(order, talk))
    except OSError as error:
        raise JudgeFailed(f"judging cannot go on: {error.strerror}", "free some space") from error
    _compare(order, report)
    return report


def _compare(order: Order, report: Report) -> None:
    """Hold the report against what was asked: a well-formed one may be about something else."""
    change = report.change
    said = (change.repository, change.number, change.author, change.base, change.head)
    asked = (order.repository, order.number, order.author, order.base, order.head)
    names = {verdict.check for verdict in report.verdicts}
    if said != asked or names != {*order.checks, *order.waiting, conduct.NAME}:
        raise JudgeFailed("the report is about something else", "run it again, or report this")
    for verdict in report.verdicts:
        if verdict.check in order.waiting and verdict.outcome not in _UNJUDGED:
            raise JudgeFailed(f"{verdict.check} was judged unasked", "report this")


def _run(order: Order, talk: Hearing) -> bytes:
    with tempfile.TemporaryDirectory(prefix="modelwarden-", ignore_cleanup_errors=True) as place:
        empty, scratch, written = Path(place, "empty"), Path(place, "tmp"), Path(place, "order")
        empty.mkdir()
        scratch.mkdir()
        written.write_bytes(dump(order))
        life, alive = os.pipe()  # nothing is ever written: it ends when we do
        try:
            line = (sys.executable, "-I", "-B", str(ROOT / "modelwarden.py"), "_judge")
            with (
                ThreadPoolExecutor(1, "objects") as fetcher,
                process.child(
                    (*line, str(written), str(life)),
                    env=_environment(scratch, order.variables),
                    cwd=empty,
                    talks=True,
                    fds=(life,),
                ) as child,
            ):
                try:
                    return talk.listen(child, fetcher)
                finally:
                    _end(child)
        finally:
            os.close(life)
            os.close(alive)


def _environment(scratch: Path, variables: tuple[str, ...]) -> dict[str, str]:
    names = ("PATH", "MODELWARDEN_ADVISORIES", *CUDA_VARIABLES, *variables)
    kept = {k: os.environ[k] for k in names if k in os.environ}
    # What `watch` keeps for the checks is found where this process finds it, home or not.
    facts = cache.default_path()
    kept |= {"XDG_CACHE_HOME": str(facts.parents[1])} if facts is not None else {}
    return kept | {"LANG": "C.UTF-8", "HOME": str(scratch), "TMPDIR": str(scratch)}


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to end, so that its sandboxes go with it; leaving `process.child` makes it."""
    if ended(child, 0) is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        ended(child, GRACE)
