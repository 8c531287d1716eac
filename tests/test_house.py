"""The measures of the house: direction of imports, sole callers, proportions."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("security", "lab", "registry", "bot")  # each may import those before it
FILES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]
MODULES = {n.removesuffix(".py").removesuffix("/__init__").replace("/", "."): n for n in NAMES}

MAX_LINES, MEDIAN_LINES = 300, 150
MAX_FUNCTION, MOST_FUNCTIONS = 60, 40
LONGER: dict[str, int] = {}  # path -> lines; its first lines say why

# Who may import what from outside: torch where models are loaded, and so on.
CALLERS: dict[str, str | tuple[str, ...]] = {
    "torch": "lab/",
    "transformers": "lab/",
    "safetensors": "lab/",
    "tokenizers": "lab/",
    "scipy": "lab/",
    "numpy": "lab/",
    "sacrebleu": "lab/",
    "jinja2": ("lab/harness/", "security/scan/"),
    "ray": "lab/",
    "cryptography": "security/",
    "sigstore": "security/",
    "pkcs11": "security/",
    "blake3": "security/",
    "license_expression": "registry/licenses/",
    "cvss": "registry/advisories/severity.py",
    "mlflow": "registry/mlflow/child.py",
    "dvc": "registry/dvc",
    "github": "bot/github/client.py",
    "dbos": "bot/jobs.py",
    "sqlalchemy": "bot/serve/records",
    "starlette": "bot/serve/",
    "uvicorn": "bot/serve/",
    "prometheus_client": "bot/serve/telemetry.py",
    "markdown_it": "bot/talk/",
}


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield (module, whether at the top of the file)."""
    tree = ast.parse(path.read_text())
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            if not all(name in MODULES for name in names):  # else only submodules are named
                yield node.module, id(node) in top
            yield from ((name, id(node) in top) for name in names)


@pytest.mark.parametrize("name", NAMES)
def test_imports_point_down(name: str) -> None:
    part = name.split("/")[0]
    above = PARTS[PARTS.index(part) + 1 :]
    assert not [m for m, _ in imports(ROOT / name) if m.split(".")[0] in above]


def test_no_circles() -> None:
    arrows = {
        module: {m for m, top in imports(ROOT / name) if top and m in MODULES and m != module}
        for module, name in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module not in done:
            for target in sorted(arrows[module]):
                visit(target, (*trail, module))
            done.add(module)

    for module in sorted(arrows):
        visit(module, ())


@pytest.mark.parametrize("name", NAMES)
def test_sole_callers(name: str) -> None:
    for module, _ in imports(ROOT / name):
        allowed = CALLERS.get(module.split(".")[0])
        assert allowed is None or name.startswith(allowed), f"{name} imports {module}"


@pytest.mark.parametrize(
    ("command", "caller"),
    [
        (r'\[\s*"git",', "bot/git.py"),
        (r'[\[(]\s*"bwrap",', "bot/walls.py"),
        (r'[\[(]\s*"unshare",', "bot/walls.py"),
        (r'"-m", "dvc",|[\[(]\s*"dvc",|"dvcchild.py"', "registry/dvcask.py"),
    ],
)
def test_outside_programs_have_one_caller(command: str, caller: str) -> None:
    assert [name for name in NAMES if re.search(command, (ROOT / name).read_text())] == [caller]


def test_files_are_short() -> None:
    lines = {name: len((ROOT / name).read_text().splitlines()) for name in NAMES}
    long = {name: count for name, count in lines.items() if count > LONGER.get(name, MAX_LINES)}
    assert not long
    assert statistics.median(lines.values()) <= MEDIAN_LINES


def test_functions_are_short() -> None:
    lengths = {}
    for name in NAMES:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths[f"{name}:{node.name}"] = (node.end_lineno or 0) - node.lineno + 1
    assert not {name: n for name, n in lengths.items() if n > MAX_FUNCTION}
    longish = [n for n in lengths.values() if n > MOST_FUNCTIONS]
    assert len(longish) <= len(lengths) / 10


def test_broad_excepts_are_reasoned() -> None:
    for name in NAMES:
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1):
            if "except Exception" in line or "except BaseException" in line:
                text = (ROOT / name).read_text().splitlines()
                reraises = "raise" in "".join(text[number : number + 5])
                assert reraises or "BLE001 - " in line, f"{name}:{number}"


@pytest.mark.parametrize(
    "command",
    [["--help"], ["check", "--help"], ["rules"], ["check", "--skip", "regression"]],
)
def test_heavy_libraries_stay_out(command: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['modelwarden'] + sys.argv[1:]\n"
        "import modelwarden\n"
        "try: modelwarden.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'mlflow', 'dvc', 'scipy', 'numpy', 'github', 'dbos',"
        " 'sqlalchemy', 'starlette'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
