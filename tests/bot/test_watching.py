from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.watching import SHOWN, licenses
from tests.registry.licenses.fakeindex import FakeIndex, serving


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serving() as server:
        yield server


def repository(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    (folder / "requirements.txt").write_text("".join(f"{name}\n" for name in names))
    git = ["git", "-C", str(folder), "-c", "user.name=A", "-c", "user.email=a@b.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Start"]):
        subprocess.run([*git, *command], check=True)
    return folder


@pytest.mark.parametrize(("missing", "more"), [(SHOWN, 0), (SHOWN + 3, 3)])
def test_failures_are_told_but_not_endlessly(
    index: FakeIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: int,
    more: int,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    index.publish("there", "1.0", "License-Expression: MIT")
    names = [f"gone{number:02}" for number in range(missing)]
    repo = repository(tmp_path / "repo", ["there", *names])
    asked = {"update_": True, "repo": repo, "rev": "HEAD", "index": index.url, "format_": "text"}
    assert licenses(**asked) == 3  # type: ignore[arg-type]
    out, err = capsys.readouterr()
    assert out.startswith(f"1 of {missing + 1} packages fetched, 0 without a clear licence")
    told = [f"  not fetched: {name}: no project page" for name in names[:SHOWN]]
    assert err.splitlines() == told + ([f"  not fetched: {more} more"] if more else [])
    assert index.url not in err
    assert licenses(**{**asked, "update_": False}) == 0  # type: ignore[arg-type]
    told_last = capsys.readouterr().out.splitlines()[-1]
    assert told_last.endswith(f": {missing} of {missing + 1} packages; --update fetches them")
