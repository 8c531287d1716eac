from __future__ import annotations

import gzip
import json
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from registry.licenses.matching import match
from registry.licenses.texts import TEXT_LIMIT, identify, spdx_ids

ROOT = Path(__file__).parents[3]
LIST = ROOT.parent / "shared/data/audit/spdx/spdx-licenses.json.gz"
AI = ROOT.parent / "shared/data/audit/ai-licenses"
INDEX = AI / "index.json"
needs_list = pytest.mark.skipif(not LIST.exists(), reason="the SPDX licence list is not at hand")
COMMON = (
    "MIT BSD-2-Clause BSD-3-Clause Apache-2.0 ISC MPL-2.0 GPL-2.0-only GPL-3.0-only LGPL-2.1-only"
    " LGPL-3.0-only AGPL-3.0-only CC0-1.0 CC-BY-4.0 CC-BY-SA-4.0 Unlicense 0BSD Zlib BSL-1.0"
)
MIT = """\
MIT License

Copyright (c) 2024 Ada Lovelace

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
# Texts with a statement of copyright or a title of a form of its own between their words.
ODD = {"CAL-1.0", "JasPer-2.0", "OPUBL-1.0", "SMAIL-GPL", "libpng-2.0"}
HOLDER = "Copyright (c) 2024 Ada Lovelace"


@pytest.fixture(scope="module")
def licences() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(gzip.decompress(LIST.read_bytes()))
    return found


@pytest.mark.parametrize(
    "holder",
    [
        HOLDER,
        "Copyright 2018- The Example Project team. All rights reserved.",
        "Copyright © 2019-2024, Example GmbH and its affiliates\nCopyright (C) 2020 J. Doe <j@x>",
        "Copyright (c) 2015 sindre",
        "(c) 2024 Example Software Foundation, Inc. <https://example.org/>",
        "Copyright: 2003-2010, Ada Lovelace, Grace Hopper, and\n    contributors",
        "",
    ],
)
def test_any_holder_is_the_same_licence(holder: str) -> None:
    assert identify(MIT.replace(HOLDER, holder)) == ("MIT",)


@pytest.mark.parametrize(
    "altered",
    [
        MIT + "\nThe Software may not be used for commercial purposes.\n",
        MIT.replace(HOLDER, HOLDER + "\n\nNo commercial use."),
        MIT.replace(HOLDER, HOLDER + ". No commercial use."),
        MIT.replace(HOLDER, HOLDER + ". Sale Banned. Hobby Projects Alone."),
        MIT.replace(HOLDER, HOLDER + ". Fee Due From Companies."),
        MIT.replace(HOLDER, HOLDER + " (Not-For-Profit Organizations)"),
        MIT.replace(HOLDER, HOLDER + ". Military deployment of any kind excluded."),
        MIT.replace(HOLDER, HOLDER + "\nOnly for members of the Example Club."),
        MIT.replace("MIT License", "MIT License with Commons Clause"),
        MIT.replace("without restriction", "with restriction"),
        MIT.replace("sublicense, ", ""),
        MIT.replace("SHALL THE\nAUTHORS", "SHALL, IF YOU MUST ASK, THE\nAUTHORS"),
        MIT[: len(MIT) // 2],
        MIT + MIT,
        "",
        "\n",
        "See LICENSE.",
    ],
)
def test_an_altered_text_is_unknown(altered: str) -> None:
    assert identify(altered) == ()


def test_layout_does_not_count() -> None:
    words = MIT.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n")
    prefixed = "\n".join(f" * {line}" for line in MIT.splitlines())
    assert identify(words) == identify(f"/*\n{prefixed}\n */\n") == ("MIT",)
    assert identify(MIT.replace("\n", "\r\n")) == ("MIT",)
    assert identify(MIT.replace("NONINFRINGEMENT", "NON-INFRINGEMENT")) == ("MIT",)
    assert identify(MIT.replace('"', "”")) == ("MIT",)


def test_long_and_hostile_texts_end_soon() -> None:
    started = time.perf_counter()
    assert identify("x" * (TEXT_LIMIT + 1)) == ()
    for piece in (
        "copyright (c) ",
        "neither the name of ",
        "in no event shall ",
        "( ",
        "_",
        "<",
        "a) ",
    ):
        assert identify((piece * TEXT_LIMIT)[: TEXT_LIMIT // 4]) == ()
    assert time.perf_counter() - started < 10


def test_our_own_licence_is_known() -> None:
    assert identify((ROOT / "LICENSE").read_text()) == ("Apache-2.0",)


@needs_list
def test_every_text_is_known_by_its_id(licences: dict[str, dict[str, Any]]) -> None:
    # One in nine, and the common ones; benchmarks/licensetexts.py tries all of them.
    tried = {*spdx_ids()[::9], *COMMON.split()}
    missed = {id for id in tried if id not in identify(licences[id]["text"])}
    assert missed <= ODD
    assert set(COMMON.split()) <= set(spdx_ids())


@pytest.mark.skipif(not AI.exists(), reason="the AI licence texts are not at hand")
def test_texts_of_ai_licences_are_never_taken_for_another() -> None:
    families = {row["file"]: row["expected_family"] for row in json.loads(INDEX.read_text())}
    wrong = {}
    for file, family in families.items():
        found = match((AI / file).read_text(errors="replace"))
        names = {name.lower() for one in found for name in (one.family, *one.ids)}
        if not any(name.startswith(family.lower()[:4]) for name in names):
            wrong[file] = names
    assert wrong == {}
    assert identify((AI / "deepfloyd-if-code.txt").read_text()) == ()  # MIT and one clause
    assert identify((AI / "yi-model.txt").read_text()) == ("Apache-2.0",)


def perturbed(text: str) -> dict[str, str]:
    paragraphs = text.split("\n\n")
    return {
        "wrapped at 60": "\n\n".join(textwrap.fill(p, 60) for p in paragraphs),
        "wrapped at 100": "\n\n".join(textwrap.fill(p, 100) for p in paragraphs),
        "one line a paragraph": "\n\n".join(" ".join(p.split()) for p in paragraphs),
        "hash comments": "\n".join("# " + line for line in text.splitlines()),
        "slash comments": "\n".join("// " + line for line in text.splitlines()),
        "star comments": "/*\n" + "\n".join(" * " + line for line in text.splitlines()) + "\n */",
        "another holder": "Copyright (c) 2031 Zoë Example and contributors\n\n" + text,
        "markdown": "# License\n\n" + text,
    }


@needs_list
@pytest.mark.parametrize("id", COMMON.split())
def test_perturbed_texts_are_known(id: str, licences: dict[str, dict[str, Any]]) -> None:
    text = licences[id]["text"]
    missed = [how for how, t in perturbed(text).items() if id not in identify(t)]
    assert missed == []


@needs_list
@pytest.mark.parametrize("id", COMMON.split())
def test_an_added_clause_is_noticed(id: str, licences: dict[str, dict[str, Any]]) -> None:
    text = licences[id]["text"]
    clause = "You may not use this work for any commercial purpose."
    half = text.find("\n\n", len(text) // 2)
    for altered in (
        f"{text}\n\n{clause}",
        f"{clause}\n\n{text}",
        text[:half] + f"\n\n{clause}" + text[half:],
    ):
        assert identify(altered) == ()
