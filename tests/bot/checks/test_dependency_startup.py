"""Wheels that run code when Python starts."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.checks.dependencies import Settings, collect, judge
from bot.finding import Finding
from tests.fakes import FakeWorld

R = "requirements.txt"
CODE = "import os; os.system('x')\n"


def wheel(folder: Path, version: str, files: dict[str, str | bytes], name: str = "rich") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for member, text in {f"{name}/__init__.py": "", **files}.items():
            out.writestr(member, text)
    return path


def review(folder: Path, base: str, head: str) -> tuple[Finding, ...]:
    root = SimpleNamespace(licenses=SimpleNamespace(wheels=(str(folder),)))
    settings = Settings(imports="off").among(root)
    world = FakeWorld({R: base}, {R: head})
    found = judge(collect(world.change(), world, settings), settings)
    return tuple(f for f in found if f.rule == "dependencies/startup-code")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"rich.pth": CODE}, "rich.pth"),
        ({"rich-2.data/purelib/a.pth": CODE}, "rich-2.data/purelib/a.pth"),
        ({"rich-2.data/platlib/a.pth": CODE}, "rich-2.data/platlib/a.pth"),
        ({"./a.pth": CODE}, "./a.pth"),
        ({"rich/../a.pth": CODE}, "rich/../a.pth"),
        ({"a.pth": "\ufeffimport os"}, "a.pth"),
        ({"a.pth": "folder\rimport\tos"}, "a.pth"),
        ({"a.pth": "folder\n" * 20_000}, "a.pth"),  # more than is read
        ({"a.pth": b"\xff\xfe\nimport os\n"}, "a.pth"),
        ({"a\x1b[2J.pth": CODE}, r"a\x1b[2J.pth"),
        ({"a.pth": "folder\nother/folder\n"}, ""),
        ({"a.pth": ""}, ""),
        ({"rich/a.pth": CODE}, ""),
        ({"rich-2.data/data/a.pth": CODE}, ""),
        ({"a.pth.txt": CODE}, ""),
    ],
)
def test_a_file_that_python_runs_is_told(
    files: dict[str, str | bytes], told: str, tmp_path: Path
) -> None:
    wheel(tmp_path, "2", files)
    found = review(tmp_path, "numpy==1", "numpy==1\nrich==2")
    assert [(f.message, f.location.line) for f in found] == (
        [(f"rich 2 runs {told} at start-up", 2)] if told else []
    )


def test_what_the_version_before_had_is_no_news(tmp_path: Path) -> None:
    wheel(tmp_path, "1.0", {"a.pth": CODE})
    wheel(tmp_path, "2", {"a.pth": CODE + CODE, "b.pth": CODE})
    assert [f.message for f in review(tmp_path, "rich==1", "rich==2")] == [
        "rich 2 runs b.pth at start-up"
    ]
    assert len(review(tmp_path, "", "rich==2.0")) == 2
    assert review(tmp_path, "rich==2", "rich==2") == ()
    assert review(tmp_path, "", "rich>=2") == ()
    assert review(tmp_path, "", "numpy==2") == ()


def test_wheels_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "rich-2-py3-none-any.whl").write_bytes(b"no zip")
    (tmp_path / "no-wheel-name.whl").write_bytes(b"")
    (tmp_path / "numpy-2-py3-none-any.whl").mkdir()
    assert review(tmp_path, "", "rich==2\nnumpy==2") == ()
    assert review(tmp_path / "missing", "", "rich==2") == ()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    wheel(tmp_path, "2", {"a.pth": b"\0" * 50_000_000})
    assert len(review(tmp_path, "", "rich==2")) == 1
