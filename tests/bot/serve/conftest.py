"""Fixtures of the server's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bot.serve.crashing import Nest


@pytest.fixture(scope="session")
def nest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nest]:
    """Where servers come from that are processes of their own."""
    made = Nest(tmp_path_factory.mktemp("nest"))
    yield made
    made.close()
