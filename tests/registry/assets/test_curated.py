from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.assets import curated
from registry.assets.curated import Curated
from registry.assets.curatednames import expression, generator_license, is_generator
from registry.errors import BadProvenance

SHARED = Path(__file__).parents[4] / "shared/data/audit/provenance"
needs_data = pytest.mark.skipif(not SHARED.exists(), reason="shared/data/audit is not here")
ROW = {
    "Hugging Face URL": "https://huggingface.co/datasets/org/d/viewer/x",
    "Licenses": [{"License": "CC BY-NC 4.0"}, {"License": "OpenAI"}],
    "Model Generated": ["OpenAI GPT-4", "templates"],
    "Inferred Metadata": {"HF Dataset": "", "HF Yaml License": "MIT License"},
    "Collection": "C",
}


def folder(path: Path, **files: object) -> Path:
    path.mkdir()
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (path / f"{name}.json").write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("CC BY-NC 4.0", "CC-BY-NC-4.0"),
        ("CC BY SA", ""),
        ("CC BY-NC-SA", ""),
        ("CDLA Sharing 1.0", "CDLA-Sharing-1.0"),
        ("GNU General Public License v3.0", "GPL-3.0-only"),
        ("Llama 2", "llama2"),
        ("OpenAI", "LicenseRef-OpenAI"),
        ("Unspecified", ""),
        ("", ""),
        ("Custom", ""),
        ("Nobody's own; terms", "LicenseRef-Nobody-s-own-terms"),
        ("\u202e", ""),
    ],
)
def test_names_of_licences(name: str, found: str) -> None:
    assert expression(name) == found


def test_generators() -> None:
    assert generator_license("Llama-2-70b-chat-hf") == "llama2"
    assert generator_license("OpenAI GPT-4") == ""
    assert [is_generator(n) for n in ("OpenAI GPT-4", "templates", "", "Other")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_an_import_keeps_what_was_found_with_its_date(tmp_path: Path) -> None:
    found = curated.summaries(folder(tmp_path / "in", a={"x": ROW, "y": ROW}, b="", c="[1]"))
    assert [name for name, _ in found.unread] == ["b.json", "c.json"]
    expected = Curated("org/d", ("CC-BY-NC-4.0", "LicenseRef-OpenAI"), (), "MIT",
                       ("OpenAI GPT-4",), "C")  # fmt: skip
    assert found.entries == (expected,)
    assert expected.license == "CC-BY-NC-4.0 AND LicenseRef-OpenAI" and expected.differs
    path = tmp_path / "cache" / "provenance.json"
    day = curated.save(path, found.entries, "in")
    book = curated.load(path)
    assert book.imported == day and book.of("ORG/D") == (expected,)
    assert path.stat().st_mode & 0o222 == 0
    assert curated.save(path, (), "again") == day and curated.load(path).of("org/d") == ()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 2}', '{"format": 1, "entries": [{"name": 1}]}', "\0"],
)
def test_a_damaged_file_is_no_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "provenance.json"
    path.write_text(text)
    with pytest.raises(BadProvenance):
        curated.load(path)
    assert curated.load(tmp_path / "none.json").of("org/d") == ()


def test_a_folder_without_summaries_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadProvenance):
            curated.summaries(path)


@needs_data
def test_the_real_collection() -> None:
    found = curated.summaries(SHARED / "data_summaries")
    assert [name for name, _ in found.unread] == ["Dynosaur.json"]
    by_name = {one.name: one for one in found.entries}
    assert len(found.entries) == 796
    lmsys = by_name["lmsys/lmsys-chat-1m"]
    assert "llama2" in lmsys.licenses and "OpenAI GPT-4" in lmsys.generators
    magpie = by_name["Magpie-Align/Magpie-Pro-300K-Filtered"]
    assert magpie.licenses == ("llama3",) and magpie.generators == ("Llama-3-70B-Instruct",)


@needs_data
def test_hub_tags_of_the_real_collection_against_what_was_found() -> None:
    rows = []
    for path in (SHARED / "data_summaries").glob("*.json"):
        if path.stat().st_size:
            rows += json.loads(path.read_bytes()).values()
    assert len(rows) == 2_282
    tags = [(row.get("Inferred Metadata") or {}).get("HF Yaml License") or "" for row in rows]
    said = [[one["License"] for one in row["Licenses"]] for row in rows]
    assert sum(not tag for tag in tags) == 574
    assert sum(bool(t) and t not in s for t, s in zip(tags, said, strict=True)) == 645
    # Read as licences, fewer of them contradict: a tag may be one name of what was found, and
    # where either says nothing there is nothing to compare.
    contradicting = sum(
        bool(expression(t)) and bool(found) and expression(t) not in found
        for t, s in zip(tags, said, strict=True)
        if (found := {expression(n) for n in s} - {""}) is not None
    )
    assert contradicting > 100


@needs_data
def test_every_name_of_the_collections_table_is_read_or_left_open() -> None:
    names = json.loads((SHARED / "license_classes.json").read_bytes())
    free = {n for n, (use, _, _) in names.items() if use == "All"}
    for name in names:
        found = expression(name)
        if "NC" in found or found.startswith("LicenseRef"):
            continue
        assert not found or name in free, (name, found)
