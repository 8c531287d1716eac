"""Whether a syntax tree calls setup, or would: it imports what packages are built with."""

from __future__ import annotations

import ast

_BUILDERS = frozenset({"setuptools", "distutils", "skbuild"})


def builds(tree: ast.Module) -> int:
    """Return the line that imports what packages are built with, 0 for none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] in _BUILDERS for name in names):
                return node.lineno
    return 0


def is_setup(node: ast.AST) -> bool:
    """Whether a node calls something named setup."""
    if not isinstance(node, ast.Call):
        return False
    found = node.func
    return (found.attr if isinstance(found, ast.Attribute) else getattr(found, "id", "")) == "setup"
