"""Which files of a change could run code, by their names."""

from __future__ import annotations

import pytest

from bot.change import SUBMODULE, SYMLINK, Change, FileChange, TreeEntry
from bot.talk.executables import executables


def changed(path: str, mode: str = "100644", deleted: bool = False) -> FileChange:
    entry = TreeEntry(path, mode, "a" * 40)
    return FileChange(path, entry, None) if deleted else FileChange(path, None, entry)


def change(*files: FileChange) -> Change:
    return Change("acme/tiny", "b" * 40, "c" * 40, "b" * 40, files)


@pytest.mark.parametrize(
    ("path", "inside", "outside"),
    [
        ("modeling.py", "Python code", ""),
        ("MODELING.PY", "Python code", ""),
        ("modeling.pyc", "Python code", ""),
        ("kernel.so", "compiled", ""),
        ("pytorch_model.bin", "pickle", ""),
        ("pytorch_model.bin.dvc", "pickle", ""),
        ("model.pt", "pickle", ""),
        ("model.pkl.gz", "pickle", ""),
        ("config.json", "auto_map", ""),
        ("tokenizer_config.json", "auto_map", ""),
        ("generation_config.json", "auto_map", ""),
        ("tokenizer.json", "tokenizer", ""),
        ("chat_template.jinja", "chat template", ""),
        ("chat_template.json", "chat template", ""),
        ("model.gguf", "chat template", ""),
        ("model.keras", "readers may run code", ""),
        ("a.ipynb", "notebook", ""),
        ("x.pth", "every start", "every start"),
        ("sitecustomize.py", "every start", "every start"),
        ("usercustomize.py", "every start", "every start"),
        ("conftest.py", "pytest", "pytest"),
        ("model.safetensors", "", ""),
        ("README.md", "", ""),
        ("vocab.txt", "", ""),
    ],
)
def test_names(path: str, inside: str, outside: str) -> None:
    for place, why in (("models/a/", inside), ("models/ab/", outside), ("", outside)):
        found = executables(change(changed(place + path)), "models/a")
        assert [p for p, _ in found] == ([place + path] if why else [])
        assert all(why in said for _, said in found)
    assert bool(executables(change(changed("x/" + path)), "")) == bool(inside)


@pytest.mark.parametrize("mode", [SYMLINK, SUBMODULE])
def test_what_points_elsewhere_is_named(mode: str) -> None:
    for path in ("m/model.safetensors", "m"):
        ((found, why),) = executables(change(changed(path, mode)), "m")
        assert found == path
        assert "not seen here" in why
    assert executables(change(changed("other", mode)), "m") == ()


def test_the_models_own_come_first_and_deleted_ones_not_at_all() -> None:
    files = (changed("a/conftest.py"), changed("m/z.py"), changed("m/a.py", deleted=True))
    assert [p for p, _ in executables(change(*files), "m")] == ["m/z.py", "a/conftest.py"]
