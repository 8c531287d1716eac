from __future__ import annotations

from collections.abc import Iterator

import pytest

from security.scan.dryrun import Booth


@pytest.fixture(scope="module")
def booth() -> Iterator[Booth]:
    with Booth() as made:
        yield made
