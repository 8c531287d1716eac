"""The files of a change that could run code once somebody loads its model, by their names."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

from bot.change import SUBMODULE, SYMLINK, Change, FileChange
from registry.modelconfig import CONFIG_NAMES
from security.sniff import is_pickle_name, may_run_code

_MODULES = (".py", ".pyc", ".pyo", ".pyw", ".pyx", ".pyz", ".whl", ".egg")
_LIBRARIES = (".so", ".pyd", ".dll", ".dylib")
_BY_ITSELF = {
    "sitecustomize.py": "Python runs it at every start",
    "usercustomize.py": "Python runs it at every start",
    "conftest.py": "pytest runs it wherever tests are collected",
}
# Names, not contents: each is a question to whoever approves.
_KINDS: tuple[tuple[Callable[[str], bool], str], ...] = (
    (lambda n: n.endswith(_MODULES), "Python code, which a configuration may name"),
    (lambda n: n.endswith(_LIBRARIES), "a compiled library"),
    (is_pickle_name, "a pickle by its name: loading it runs what it says"),
    (lambda n: n in CONFIG_NAMES, "may name code to import (auto_map)"),
    (
        lambda n: n.endswith((".jinja", ".jinja2")) or n.startswith("chat_template"),
        "a chat template, rendered as a program",
    ),
    (lambda n: n == "tokenizer.json", "rules of a tokenizer, read by native code"),
    (lambda n: n.endswith(".gguf"), "weights that may carry a chat template"),
    (lambda n: n.endswith(".ipynb"), "a notebook"),
    (may_run_code, "a format whose readers may run code"),
)


def executables(change: Change, folder: str) -> tuple[tuple[str, str], ...]:
    """Return (path, why) of what the change adds or alters and could run, the model's own first.

    `folder` is the model's ("" for the root). Outside of it only what programs run unasked is
    named. Names decide here; contents are what the check `weights` judges.
    """
    found = []
    for file in change.files:
        inside = not folder or file.path.startswith(folder + "/") or file.path == folder
        why = "" if file.deleted else _why(file, inside)
        if why:
            found.append((not inside, file.path, why))
    return tuple((path, why) for _, path, why in sorted(found))


def _why(file: FileChange, inside: bool) -> str:
    name = posixpath.basename(file.path).lower()
    mode = file.after.mode if file.after else ""
    if inside and mode in (SYMLINK, SUBMODULE):
        kind = "a symlink" if mode == SYMLINK else "a submodule"
        return f"{kind}: what it points at is not seen here"
    name = name.removesuffix(".dvc")
    if name in _BY_ITSELF:
        return _BY_ITSELF[name]
    if name.endswith(".pth") and not inside:
        return "Python runs its lines at every start, if it lies beside packages"
    if name.endswith(".pth"):
        return "a pickle by its name, or lines that Python runs at every start"
    if not inside:
        return ""
    return next((why for matches, why in _KINDS if matches(name)), "")
