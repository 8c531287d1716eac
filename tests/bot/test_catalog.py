from __future__ import annotations

import importlib.metadata
from types import SimpleNamespace

import pytest

from bot import catalog
from bot.errors import UsageError
from bot.ruledoc import show
from tests.bot import toycheck


class Installed:
    """An entry point that gives what it is told to."""

    def __init__(self, name: str, gives: object) -> None:
        self.name, self.gives = name, gives

    def load(self) -> object:
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


def plugin(monkeypatch: pytest.MonkeyPatch, gives: object) -> None:
    found = [Installed("extra", gives)]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)


def test_a_plugin_brings_its_check_and_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(monkeypatch, toycheck)
    assert [c.NAME for c in catalog.checks(["extra"])][-1] == "toy"
    assert "toy/bad" not in show(None, "text")
    assert "A file says bad." in show("toy/bad", "text", plugins=["extra"])


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (ModuleNotFoundError("No module\nnamed 'x'"), "does not load: No module?named 'x'"),
        (AttributeError("no attribute"), "does not load: no attribute"),
        (SyntaxError("bad"), "does not load: bad"),
        (SimpleNamespace(NAME="x"), "is no check: it has no VERSION, RULES, Settings"),
        (catalog.CHECKS[0], "there is a check 'contributors' already"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, gives: object, said: str
) -> None:
    plugin(monkeypatch, gives)
    with pytest.raises(UsageError) as raised:
        catalog.checks(["extra"])
    assert said in raised.value.message
    assert "--plugin extra" in raised.value.hint


@pytest.mark.parametrize(
    ("rule", "offered"),
    [
        ("weights/pickle", "levels: {weights/pickle: note}    # off, note, warning or failure\n"),
        ("weights/undecided", "levels: {weights/undecided: failure}    # no other: "),
    ],
)
def test_an_explained_rule_offers_only_levels_that_count(rule: str, offered: str) -> None:
    assert offered in show(rule, "text")


def test_listed_rules_stand_in_columns() -> None:
    lines = show(None, "text").splitlines()
    starts = {
        line.index(rule.finds) for line, rule in zip(lines, catalog.rules().values(), strict=True)
    }
    assert len(starts) == 1


def test_a_plugin_named_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(monkeypatch, toycheck)
    assert len(catalog.checks(["extra", "extra"])) == len(catalog.CHECKS) + 1
