from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.registry.licenses.fakeindex import FakeIndex, serving


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serving() as server:
        yield server
