from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from lab.scoring.rows import windows


@given(st.integers(2, 200), st.integers(2, 40), st.data())
def test_each_token_is_scored_once_with_all_the_context_there_is(
    length: int, window: int, data: st.DataObject
) -> None:
    scored = data.draw(st.integers(max(1, length - window), length - 1))
    ids = array("q", range(length))
    seen: list[int] = []
    for part, count in windows(ids, scored, window):
        assert 1 <= count < len(part) <= window + 1
        assert list(part) == list(range(part[0], part[-1] + 1))
        assert part[0] == 0 or len(part) == window + 1
        seen += part[-count:]
    assert seen == list(range(length - scored, length))
