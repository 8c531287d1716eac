"""The judging child of a server scans and compares as the command line does, in its bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.checks.weights.test_diffs import BASE, NAME, THREE, noisy, stored
from tests.bot.checks.weights.test_intake import ESCAPE, evil, harmless
from tests.bot.serve.test_judging import Desk, by_hand, same
from tests.bot.serve.test_judging import desk as desk
from tests.gitrepo import Repo

ONLY = ("weights",)


@pytest.mark.parametrize("what", ["noise", "pickles", "template"])
def test_the_server_says_what_the_command_says(
    desk: Desk, repo: Repo, tmp_path: Path, what: str
) -> None:
    canary = tmp_path / "canary"
    base = repo.commit({"README.md": "x", NAME: stored(BASE), "m/config.json": "{}"})
    changes: dict[str, dict[str, bytes | str]] = {
        "noise": {NAME: stored(noisy(BASE, *THREE))},
        "pickles": {"m/a.bin": evil(canary), "m/b.pt": harmless()},
        "template": {"m/chat_template.jinja": ESCAPE},
    }
    head = repo.commit(changes[what])
    # The memory of a small server: a dry run and numpy have to do with it.
    report = desk.judge(repo, base, head, checks=ONLY, memory=1 << 30)
    same(report, by_hand(repo, base, head, ONLY))
    shown = {row[0] for v in report.verdicts for e in v.exhibits for row in getattr(e, "rows", ())}
    assert shown == (set(THREE) if what == "noise" else set())
    assert not canary.exists()
