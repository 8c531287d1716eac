from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import policy
from bot.check import Check
from bot.errors import PolicyError
from bot.policy import POLICY_LIMIT, POLICY_PATH
from tests.bot import toycheck

CHECKS = (cast(Check, toycheck),)
RULES = {rule.id: rule for rule in toycheck.RULES}


def load(data: bytes | str) -> policy.Policy:
    raw = data.encode() if isinstance(data, str) else data
    return policy.load(raw, POLICY_PATH, "the test", CHECKS, RULES)


def test_a_full_policy() -> None:
    used = load(
        "version: 1\ntoy:\n  word: worse\n  words: [a, b]\nlevels: {toy/bad: note}\n"
        "waive:\n  - rule: toy/bad\n    until: 2027-01-31\n    reason: because\n"
    )
    assert used.section("toy").words == ("a", "b")
    assert used.levels == {"toy/bad": "note"}
    assert used.waivers[0].until.isoformat() == "2027-01-31"
    assert used.waiver_lines == (7,)


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\n", "\ufeffversion: 1\n"])
def test_an_empty_policy_is_the_default(text: str) -> None:
    assert load(text).root.model_dump() == policy.default(CHECKS).root.model_dump()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tpy: {}\n", ":1: unknown key 'tpy'; did you mean 'toy'?"),
        ("version: 1\ntoy:\n  wrod: x\n", ":3: unknown key 'toy.wrod'; did you mean 'word'?"),
        ("version: 1\nzzzzzz: 1\n", ":2: unknown key 'zzzzzz'; known keys: levels, release, toy"),
        ("version: 2\n", ":1: version: "),
        ("toy:\n  word: [1]\n", ":2: toy.word: Input should be a valid string"),
        ("toy:\n  enabled: perhaps\n", ":2: toy.enabled: "),
        ("levels:\n  toy/bad: fatal\n", ":2: levels.toy/bad: "),
        ("levels:\n  toy/bda: note\n", ":2: unknown rule 'toy/bda'; did you mean 'toy/bad'?"),
        ("waive:\n  - {rule: toy/bad, until: soon, reason: x}\n", ":2: waive.0.until: "),
        ("waive:\n  - {rule: toy/bad, until: 2027-01-01}\n", ":2: waive.0.reason: is required"),
        ("waive:\n  - rule: toy/bad\n    unitl: 1\n", ":3: unknown key 'waive.0.unitl'"),
        ("waive:\n  - {rule: no, until: 2027-01-01, reason: x}\n", ":2: unknown rule 'no'"),
        ("- a\n- b\n", ":1: the file: must hold keys with values"),
        ("toy:\n", ":1: toy: must hold keys with values; {} for the defaults"),
        ("waive: {}\n", ":1: waive: must be a list"),
        (
            "version: 1\nwaive:\n  - {rule: toy/bad, until: 2026-02-31, reason: x}\n",
            ":3: '2026-02-31' is no timestamp: ",
        ),
        (
            "waive:\n  - {rule: toy/bad, until: 5, reason: x}\n",
            ":2: waive.0.until: must be a date, YYYY-MM-DD",
        ),
        ("1: {}\n", ":1: 1: must be a word"),
        ("a: 1\na: 2\n", ":2: duplicate key 'a'"),
        ("a: &x 1\nb: *x\n", ":2: YAML aliases are not accepted"),
        ("a: [1\n", ":2: "),
        ("a: !!python/object/apply:os.system [x]\n", ":1: the tag 'tag:yaml.org,2002:python"),
        ("a: \0\n", ":1: holds a NUL byte"),
        ("[" * 100, "nested too deeply"),
        ("? [1, 2]\n: x\n", ":1: a mapping key must be a plain value"),
        ("--- 1\n--- 2\n", "expected a single document"),
    ],
)
def test_errors_name_line_key_and_nearest_key(text: str, said: str) -> None:
    with pytest.raises(PolicyError) as raised:
        load(text)
    assert raised.value.message.startswith(POLICY_PATH)
    assert said in raised.value.message.split("\n")[0]


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(PolicyError) as raised:
        load("a: 1\nb: 2\ntoy: {c: 3}\n")
    assert [line.split("'")[1] for line in raised.value.message.split("\n")] == ["toy.c", "a", "b"]


def test_a_bomb_is_refused_before_it_grows() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    with pytest.raises(PolicyError, match="aliases"):
        load(bomb)


@pytest.mark.parametrize("data", [b"x" * (POLICY_LIMIT + 1), b"\xff\xfea\0", b"\xff"])
def test_unreadable(data: bytes) -> None:
    with pytest.raises(PolicyError, match=r"modelwarden\.yml"):
        load(data)


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_loads_or_is_refused(text: str | bytes) -> None:
    try:
        load(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    except PolicyError as error:
        assert error.hint
