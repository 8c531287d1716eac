from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.licenses.matching import references


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Licensed under the Apache License, Version 2.0 (the "License");', "Apache-2.0"),
        ("# SPDX-License-Identifier: GPL-2.0-or-later OR MIT */", "GPL-2.0-or-later OR MIT"),
        ("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception",
         "Apache-2.0 WITH LLVM-exception"),
        ("see LICENSE under MIT terms", "MIT"),
        ("This project is MIT licensed.", "MIT"),
        ("## License\n\nMIT", "MIT"),
        ("dual licensed under the MIT license or the Apache License, Version 2.0",
         "MIT OR Apache-2.0"),
        ("licensed under either of Apache License, Version 2.0 or MIT license at your option",
         "Apache-2.0 OR MIT"),
        ("under the terms of the GNU Lesser General Public License as published by the Free"
         " Software Foundation; either\n# version 2.1 of the License, or (at your option) any"
         " later version.", "LGPL-2.1-or-later"),
        ("under the GNU General Public License, version 2, as published", "GPL-2.0-only"),
        ("subject to the terms of the Mozilla Public License, v. 2.0. If a copy", "MPL-2.0"),
        ("governed by a BSD-style license that can be found in LICENSE", "bsd"),
        ("Released under the Creative Commons Attribution-NonCommercial 4.0 International License",
         "CC-BY-NC-4.0"),
        ("The model is licensed under CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("Llama 3.1 is licensed under the Llama 3.1 Community License", "llama3.1"),
    ],
)  # fmt: skip
def test_names_of_licences_are_read(text: str, expected: str) -> None:
    assert [id for id, _ in references(text)] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "released under zero conditions",
        "MIT is a university",
        "SPDX-License-Identifier:",
        "SPDX-License-Identifier: (MIT OR",
        "apache helicopters under fire",
        "x" * 5_000 + " licensed under the MIT license",
    ],
)
def test_what_names_none_is_none(text: str) -> None:
    assert references(text) == ()


def test_each_has_its_line() -> None:
    text = "# a\n# SPDX-License-Identifier: MIT\n\n# licensed under the ISC license\n"
    assert references(text) == (("MIT", 2), ("ISC", 4))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=600))
def test_any_text_is_read(text: str) -> None:
    assert all(line >= 1 and id for id, line in references(f"licensed under {text} or {text}"))
