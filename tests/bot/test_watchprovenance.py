from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.watchcli import watch
from bot.watchprovenance import SHOWN, provenance
from registry.errors import BadProvenance

ROW = {"Hugging Face URL": "https://huggingface.co/datasets/org/d", "Licenses": []}


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_an_import_is_told_and_then_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data_summaries"
    folder.mkdir()
    assert provenance(update_=None, format_="text") == 0
    assert capsys.readouterr().out.startswith("nothing is kept in ")
    (folder / "a.json").write_text(json.dumps({"a": ROW, "b": {}}))
    for number in range(SHOWN + 2):
        (folder / f"x{number:02}.json").write_text("")
    assert provenance(update_=folder, format_="text") == 0
    out, err = capsys.readouterr()
    assert out.startswith("1 data set of the hub imported on ") and "1 entries without" in out
    assert len(err.splitlines()) == SHOWN + 1 and err.endswith("not read: 2 more\n")
    assert provenance(update_=None, format_="json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["names"], told["source"]) == (1, "data_summaries") and told["imported"]


def test_a_folder_of_something_else_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    with pytest.raises(BadProvenance):
        provenance(update_=tmp_path, format_="text")


def test_the_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(watch, ["provenance", "--update", str(tmp_path / "none")])
    assert done.exit_code == 2 and "does not exist" in done.output
    done = CliRunner().invoke(watch, ["provenance"], standalone_mode=False)
    assert done.output.startswith("nothing is kept in ")
