"""The finders agree, long lines are read in windows, hostile text costs what its length does."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from security.secrets import RULES, scan, scanning
from security.secrets.finding import PLAIN, RE2, best, with_literals, with_re2
from security.secrets.samples import expand

SAMPLES = tuple(t for rule in RULES for t in rule.samples)
PIECES = st.one_of(
    st.sampled_from(("@", "a", " ", "\n", "://", "eyJ", ".", "=", '"', "'", "sk-", "hf_", "+1", ":",
                     "-", "0", "password", "token: ", "\x00", "é")),
    st.integers(0, len(SAMPLES) * 5 - 1).map(
        lambda n: expand(SAMPLES[n % len(SAMPLES)], Random(n))
    ),
    st.text(max_size=8),
)  # fmt: skip


@given(st.lists(PIECES, max_size=30))
@example(["a@", "a@", "b.com"])
@settings(max_examples=150, deadline=None)
def test_finders_agree(parts: list[str]) -> None:
    pytest.importorskip("re2", reason="google-re2 is not installed")
    data = "".join(parts).encode("utf-8", "surrogatepass")
    assert scan(data, with_re2()) == scan(data, with_literals())
    # Nothing is missed by looking for anchors first: all rules tried give the same.
    assert scan(data, lambda text: tuple(range(len(RULES)))) == scan(data, with_literals())


def _corpus(size: int, ends: str) -> tuple[str, int]:
    random, planted = Random(7), 0
    parts: list[str] = []
    while sum(len(part) for part in parts) < size:
        words = ("".join(random.choices("abcdefghij ", k=random.randint(30, 200))),)
        parts.append(" ".join(words) + ends)
        if random.random() < 0.3:
            parts.append(" " + expand(random.choice(SAMPLES), random).replace("\n", " ") + ends)
            planted += 1
    return "".join(parts), planted


@pytest.mark.parametrize("ends", ["\n", " ; "])
def test_all_that_is_planted_is_found(ends: str) -> None:
    text, planted = _corpus(200_000, ends)
    found = scan(text.encode(), with_literals())
    assert len(found.hits) == planted
    if best()[0] == RE2:
        assert scan(text.encode(), with_re2()) == found


@pytest.mark.parametrize("shift", [0, 1, 20, 37, 38, 63, 64, 65, 500])
@pytest.mark.parametrize(
    "template", ["hf_{L34}", "{l8}@{l6}.com", "{jwt}", "51.15.2{d1}.9", "{card}"]
)
def test_a_value_across_windows_is_found_once(shift: int, template: str) -> None:
    value = expand(template, Random(4))
    data = b" " * (scanning.PIECE - shift) + value.encode() + b" " * 30_000
    for finder in (with_literals(), best()[1]):
        hits = scan(data, finder).hits
        assert [(h.line, h.column, h.length) for h in hits] == [
            (1, scanning.PIECE - shift + 1, len(value))
        ]


def test_more_than_are_told_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MAX_HITS", 3)
    random = Random(1)
    text = " ".join(expand("hf_{L34}", random) for _ in range(10)).encode()
    found = scan(text)
    assert len(found.hits) == 3
    assert found.more == (("huggingface-token", 7),)


def test_a_flood_of_values_ends_the_search_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MAX_HITS", 3)
    monkeypatch.setattr(scanning, "ENOUGH", 5)
    random = Random(1)
    line = b"a@kernel.org " * 2_000  # more than one piece
    text = line * 10 + expand("hf_{L34}", random).encode()
    found = scan(text)
    assert [h.rule for h in found.hits] == ["email"] * 3 + ["huggingface-token"]
    ((rule, more),) = found.more
    assert rule == "email"
    assert 2 <= more < 2_000


HOSTILE = [
    "a", "@", "a@", "a@a.", "a@b.com ", "password='\"", "eyJ", "eyJaaaaaaaa.", "://", "://a:b", "1",
    "4", "1.", "2001:", "+1", "+", "+1000000 ", "hf_", "-----BEGIN PRIVATE KEY-----", "api_key=",
    "api_key:    ", "secret_", "tel:", "4444 ", "AA00", "\n", "212-", "P<AAA", "sk-a-", "\\n", "{",
]  # fmt: skip


class _Counting:
    """Counts what the patterns are asked to look at, in bytes."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, text: bytes) -> tuple[int, ...]:
        self.calls += len(text)
        return with_literals_once(text)


with_literals_once = with_literals()


@pytest.mark.parametrize("part", HOSTILE)
def test_hostile_text_is_tried_once_a_run(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 40_000
    data = (part * (size // len(part))).encode()
    tries = 0
    real = scanning._candidates

    def counted(*args: object) -> object:
        nonlocal tries
        for match in real(*args):  # type: ignore[arg-type]
            tries += 1
            yield match

    monkeypatch.setattr(scanning, "_candidates", counted)
    counting = _Counting()
    scan(data, counting)
    assert counting.calls <= 2 * size  # windows overlap by a quarter
    assert tries <= size  # at most one match a byte, of all rules together


@pytest.mark.parametrize("data", [b"", b"\n", b"\0" * 100, b"\xff" * 100, b"\r\n\r\n"])
def test_odd_text_is_no_trouble(data: bytes) -> None:
    assert scan(data).hits == ()


def test_the_quickest_finder_is_named() -> None:
    assert best()[0] in (RE2, PLAIN)
