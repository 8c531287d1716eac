"""What is installed is what is in the tree: every module and data file, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("bot", "lab", "registry", "security")
DATA = (".json", ".txt", ".yml", ".gz", ".c")


def test_the_wheel_holds_the_tree(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for part in PARTS:
        shutil.copytree(
            ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__", "*.so")
        )
    for name in ("modelwarden.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--wheel-dir", str(tmp_path), str(source)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    built = {name for name in packed if name.endswith(".so")}  # where there is a compiler
    assert {name.split(".")[0] for name in built} <= {
        "security/hashing/_sha256",
        "registry/tensorstore/_md5",
    }
    expected = {
        str(path.relative_to(ROOT))
        for part in PARTS
        for path in (ROOT / part).rglob("*")
        if path.suffix in (".py", *DATA)
    }
    assert packed - built == expected | {"modelwarden.py"}
