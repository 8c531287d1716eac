from __future__ import annotations

import pytest

from bot.change import SUBMODULE, SYMLINK, TreeEntry
from bot.survey import Survey, survey
from tests.fakes import commit

SIGNED = "T\n\nSigned-off-by: Ada <ada@example.org>\n"


def surveyed(*paths: str, mode: str = "100644") -> Survey:
    return survey(tuple(TreeEntry(path, mode, "0" * 40) for path in paths), ())


@pytest.mark.parametrize(
    ("paths", "models"),
    [
        (("a/model.safetensors", "a/config.json", "b/x.safetensors", "c/config.json"), ("a",)),
        (("b/x.safetensors.dvc", "a/y.safetensors", "c/config.json"), ("a", "b")),
        (("model.bin", "config.json"), ()),
    ],
)
def test_a_folder_with_a_configuration_is_the_likelier_model(
    paths: tuple[str, ...], models: tuple[str, ...]
) -> None:
    assert surveyed(*paths).models == models


@pytest.mark.parametrize(
    ("path", "lock", "suite", "dvc"),
    [
        ("sub/uv.lock", True, False, False),
        ("pylock.toml", True, False, False),
        ("constraints-dev.txt", True, False, False),
        ("constraints.in", False, False, False),
        ("requirements.txt", False, False, False),
        ("eval/held.jsonl", False, True, False),
        ("data/Tests/a.jsonl", False, True, False),
        ("data/train.jsonl", False, False, False),
        ("eval/held.json", False, False, False),
        ("sub/dvc.yaml", False, False, True),
        ("data.dvc", False, False, True),
        ("dvc.txt", False, False, False),
    ],
)
def test_files_are_known_by_their_names(path: str, lock: bool, suite: bool, dvc: bool) -> None:
    expected = Survey((), (path,) * suite, (path,) * lock, dvc)
    assert surveyed(path) == expected
    assert surveyed(path, mode=SYMLINK) == surveyed(path, mode=SUBMODULE) == Survey()


def test_what_is_found_is_said_in_lines() -> None:
    found = survey((), (commit(SIGNED), commit("T\n", number=1)))
    assert found.lines() == ("found 1 of 2 recent commits signed off",)
    assert survey((), (commit(SIGNED),)).lines() == ("found 1 of 1 recent commit signed off",)
    assert Survey().lines() == ("found an empty repository",)
    assert surveyed("uv.lock", "eval/a.jsonl").lines() == (
        "found evaluation suites: eval/a.jsonl",
        "found lock files: uv.lock",
    )
