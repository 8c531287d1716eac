"""What a bill says of a licence is valid, or that nothing is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from license_expression import get_spdx_licensing

from registry.bom.licensing import NOASSERTION, said
from registry.licenses.names import FAMILIES, HUB_IDS
from registry.licenses.texts import spdx_ids


@pytest.mark.parametrize(
    ("text", "how", "expression"),
    [
        ("MIT", "id", "MIT"),
        ("mit", "id", "MIT"),
        ("MIT or Apache-2.0", "expression", "MIT OR Apache-2.0"),
        ("gemma", "name", "LicenseRef-gemma"),
        ("gemma WITH Classpath-exception-2.0", "expression",
         "LicenseRef-gemma WITH Classpath-exception-2.0"),
        ("other WITH Classpath-exception-2.0", "unknown", NOASSERTION),
        ("LicenseRef-Acme", "name", "LicenseRef-Acme"),
        ("bsd", "name", "LicenseRef-bsd"),
        ("MIT AND (gemma OR openrail++)", "expression",
         "MIT AND (LicenseRef-gemma OR LicenseRef-openrail-plus-plus)"),
        ("", "unknown", NOASSERTION),
        ("NOASSERTION", "unknown", NOASSERTION),
        ("NONE", "unknown", NOASSERTION),
        ("unknown", "unknown", NOASSERTION),
        ("MIT OR other", "unknown", NOASSERTION),
        ("MIT AND", "unknown", NOASSERTION),
        ("see the file", "unknown", NOASSERTION),
        ("MIT " * 2_000, "unknown", NOASSERTION),
    ],
)  # fmt: skip
def test_what_is_said(text: str, how: str, expression: str) -> None:
    assert (said(text).how, said(text).expression) == (how, expression)


_LEAVES = st.sampled_from([*spdx_ids(), *HUB_IDS, *FAMILIES, "LicenseRef-x", "other", "rubbish!"])
_ANY = st.recursive(
    _LEAVES,
    lambda inner: st.tuples(inner, st.sampled_from(["AND", "OR", "WITH", ""]), inner).map(
        lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
    ),
    max_leaves=4,
)


@cache
def licensing() -> Any:
    return get_spdx_licensing()


@settings(deadline=None)  # the library's first index takes a second
@given(_ANY | st.text())
def test_an_expression_is_valid_and_read_again_says_the_same(text: str) -> None:
    found = said(text)
    again = said(found.text)
    assert (again.how == "unknown") == (found.how == "unknown")
    assert again.expression == found.expression
    if found.how != "unknown":
        keys = licensing().license_keys(found.expression)
        known = {*licensing().known_symbols, *spdx_ids()}
        assert all(key in known or key.startswith("LicenseRef-") for key in keys)
