"""Fact files: what they may hold, and that every quote stands in the text it names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from registry.errors import BadFacts
from registry.licenses.terms import index, reading
from registry.licenses.terms.reading import FOLDER, digest, known, sheet, terms, words

ROOT = Path(__file__).parents[4]
AUDIT = ROOT.parent / "shared/data/audit"
SPDX = AUDIT / "spdx/spdx-licenses.json.gz"
FILES = sorted(FOLDER.glob("*.yml"))
needs_texts = pytest.mark.skipif(not SPDX.exists(), reason="the licence texts are not at hand")

GOOD = """\
ids:
  X-1.0: [{digest}]
aliases: {{x: X-1.0}}
name: X
nature: software
reviewed: 2026-11-22
clauses:
  - {{tag: notice, quote: keep this, where: section 1}}
terms:
  - {{ties: [links], answer: allowed}}
  - {{ties: [vendors, embeds], answer: conditions, clauses: [notice]}}
""".format(digest="ab" * 32)


def _texts() -> Iterator[str]:
    named = {id for path in FILES for id in sheet(path).ids}
    listed = json.loads(gzip.decompress(SPDX.read_bytes()))
    # The texts of exceptions are in the list with a licence that they go with.
    yield from (e["text"] for id, e in listed.items() if id in named or "-with-" in id)
    for path in (*AUDIT.glob("ai-licenses/**/*.txt"), *AUDIT.glob("modelgo/raw/*.tx*")):
        yield path.read_text(encoding="utf-8", errors="replace")


@cache
def texts() -> dict[str, str]:
    """Return the words of each text at hand, by digest, with a space at both ends."""
    return {digest(text): f" {' '.join(words(text))} " for text in _texts()}


@needs_texts
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_quote_stands_in_every_text(path: Path) -> None:
    facts = sheet(path)
    for id, digests in facts.ids.items():
        assert not [d for d in digests if d not in texts()], f"{id}: no text has this digest"
        for clause in facts.clauses:
            quote = f" {' '.join(words(clause.quote))} "
            assert any(quote in texts()[d] for d in digests), f"{id} does not say: {clause.quote}"


def test_the_index_is_what_the_files_say() -> None:
    stated = json.loads(reading.INDEX.read_text())
    assert stated == index.build(), "run: python -m registry.licenses.terms.index"


def test_only_the_file_asked_for_is_read() -> None:
    reading._sheet.cache_clear()
    reading._terms.cache_clear()
    assert terms("apache-2.0") == terms("Apache-2.0")
    assert reading._sheet.cache_info().currsize == 1
    assert terms("no-such-licence") is None
    assert "odbl-1.0" in known()


def test_a_good_file(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(GOOD)
    assert sheet(tmp_path / "x.yml").names() == ("x-1.0", "x")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: X", "name: X\nnote: hello", "note"),
        ("name: X\n", "", "name"),
        ("name: X", "name: ''", "name"),
        ("ab" * 32, "ab" * 31, "ids"),
        ("[" + "ab" * 32 + "]", "[]", "ids"),
        ("X-1.0: [", "'X 1.0': [", "ids"),
        ("ids:\n  X-1.0: [" + "ab" * 32 + "]", "ids: {}", "ids"),
        ("{x: X-1.0}", "{x: Y-1.0}", "none of the ids"),
        ("{x: X-1.0}", "{x-1.0: X-1.0}", "twice"),
        ("nature: software", "nature: hardware", "nature"),
        ("2026-11-22", "someday", "reviewed"),
        ("2026-11-22", "2026-02-31", "2026-02-31"),
        ("tag: notice", "tag: notices", "tag"),
        ("quote: keep this", "quote: ''", "quote"),
        ("ties: [links]", "ties: [includes]", "ties"),
        ("ties: [links]", "ties: []", "ties"),
        ("ties: [links]", "ties: [links, embeds]", "twice"),
        ("answer: allowed", "answer: 'yes'", "answer"),
        ("clauses: [notice]}", "clauses: [patent]}", "no clause quotes 'patent'"),
        ("answer: conditions, clauses: [notice]", "answer: conditions", "without a clause"),
        ("answer: conditions, clauses: [notice]", "answer: forbidden", "without a clause"),
        ("clauses: [notice]}", "clauses: [notice], spares_own: true}", "nothing is forbidden"),
        ("aliases: {x: X-1.0}", "aliases: &a {x: X-1.0}\ninto: *a", "aliases"),
        ("name: X", "name: X\nname: Y", "duplicate"),
        ("name: X", "name: \x00", "NUL"),
        ("name: X", "name: !!python/name:os.system X", "tag"),
        (GOOD, "", "valid dictionary"),
        (GOOD, "[]", "valid dictionary"),
        (GOOD, "{", ""),
        ("name: X", "name: " + "x" * reading.FILE_LIMIT, "more than"),
    ],
)
def test_a_file_that_is_not_one(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    (tmp_path / "x.yml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(BadFacts) as error:
        sheet(tmp_path / "x.yml")
    assert says in error.value.message
    assert error.value.hint


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadFacts):
        sheet(tmp_path / "x.yml")


def test_one_name_in_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.yml").write_text(GOOD)
    (tmp_path / "y.yml").write_text(GOOD)
    monkeypatch.setattr(index, "FOLDER", tmp_path)
    with pytest.raises(BadFacts, match=r"is in x\.yml too"):
        index.build()
