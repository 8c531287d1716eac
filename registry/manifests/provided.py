"""Which distribution provides which module: by name, by reviewed tables, by what is installed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

# Modules of the standard library that other versions of Python have.
_OTHERS = frozenset({
    "annotationlib", "asynchat", "asyncore", "compression", "distutils", "imp", "smtpd",
    "tomllib", "zoneinfo",
})  # fmt: skip
# Always there where Python packages are installed or built.
_GIVEN = frozenset({"setuptools", "pkg_resources", "pip", "__main__", "__future__"})
_AFFIXES = ("python-", "py-", "py", "-python", "-py", "-python3")


def is_standard(module: str) -> bool:
    """Whether a top-level module comes with Python, whichever version."""
    return module in sys.stdlib_module_names or module in _OTHERS or module in _GIVEN


@functools.cache
def _modules() -> dict[str, tuple[str, ...]]:
    text = Path(__file__).with_name("modules.txt").read_text("ascii")
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {row[0]: tuple(row[1:]) for row in rows}


@functools.cache
def _tools() -> tuple[str, ...]:
    text = Path(__file__).with_name("tools.txt").read_text("ascii")
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return tuple(name for row in rows for name in row)


def providers(module: str) -> tuple[str, ...]:
    """Return the distributions that are known to provide a module, the usual one first."""
    return _modules().get(module, ())


def is_needed_unseen(name: str) -> bool:
    """Whether a distribution (canonical name) does its work without being imported by name.

    Plugins, command line tools, stubs, and what other libraries load when it is there.
    """
    return any(fnmatchcase(name, pattern) for pattern in _tools())


@functools.lru_cache(maxsize=4096)
def _plain(module: str) -> str:
    return canonicalize_name(module).strip("-")


def provides(name: str, module: str) -> bool:
    """Whether a distribution (canonical name) may provide a module, by names and tables."""
    if name.startswith("types-") or name.endswith("-stubs"):
        return False
    plain = _plain(module)
    if not plain:
        return False
    if name == plain or name in providers(module) or name.startswith(f"{plain}-"):
        return True
    flat = name.replace("-", "")
    return flat == plain.replace("-", "") or any(
        name == (a + plain if a[-1] == "-" or a == "py" else plain + a) for a in _AFFIXES
    )


def installed(folders: Iterable[Path], name: str) -> frozenset[str]:
    """Return the top-level modules of a distribution that is installed in one of the folders."""
    places = [str(folder) for folder in folders]
    found = set[str]()
    for one in distributions(name=name, path=places):
        try:
            text = one.read_text("top_level.txt")
            files = [] if text else (one.files or [])
        except (OSError, ValueError):
            continue
        found.update((text or "").split())
        for file in files:
            if len(file.parts) > 1 or file.suffix in (".py", ".so", ".pyd"):
                found.add(file.parts[0].partition(".")[0])
    return frozenset(name for name in found if name.isidentifier())
