"""The journal of a release: whole lines, one writer, one release; anything else is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import Lost, ReleaseError, StoreFailed
from registry.release import journal
from registry.release.journal import opened, read
from registry.release.story import Bound

ROOT = Path(__file__).parents[3]
BOUND = Bound("acme/small", "1.0.0", "c" * 40, "plan")
HEADER = json.dumps({"format": 1, "artifact": "acme/small", "version": "1.0.0",
                     "commit": "c" * 40, "plan": "plan"}).encode()  # fmt: skip


def lines(*found: dict[str, Any]) -> bytes:
    return b"".join(line + b"\n" for line in (HEADER, *(json.dumps(f).encode() for f in found)))


def begin(step: str) -> dict[str, Any]:
    return {"event": "begin", "step": step}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    with opened(tmp_path, BOUND) as found:
        found.begin("fetch")
        found.done("fetch", {"root": "a" * 64, "count": "3"})
        found.begin("sign")
        found.failed("sign", "expired\nkey")
        story = found.story
    assert read(tmp_path) == story
    told = story.of("fetch")
    assert told and told.facts == (("count", "3"), ("root", "a" * 64))
    assert story.trouble == "failed at sign: expired?key"
    with opened(tmp_path, BOUND) as again:
        assert again.story == story


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_line_is_not_there(tmp_path: Path, cut: int) -> None:
    with opened(tmp_path, BOUND) as found:
        found.begin("fetch")
        before = found.story
        found.done("fetch", {"a": "b"})
    path = tmp_path / "journal.jsonl"
    size = path.stat().st_size
    last = len(path.read_bytes().splitlines(keepends=True)[-1])
    os.truncate(path, size - min(cut, last - 1))
    assert read(tmp_path) == before
    with opened(tmp_path, BOUND) as again:
        again.done("fetch", {"a": "c"})
    story = read(tmp_path)
    told = story and story.of("fetch")
    assert told and told.facts == (("a", "c"),)


def test_a_long_torn_line_leaves_nothing_behind(tmp_path: Path) -> None:
    with opened(tmp_path, BOUND) as found:
        found.begin("fetch")
        found.done("fetch", {"a": "b" * 5_000})
    path = tmp_path / "journal.jsonl"
    os.truncate(path, path.stat().st_size - 1)
    with opened(tmp_path, BOUND) as again:
        again.failed("fetch", "away")
    story = read(tmp_path)
    assert story
    assert story.trouble == "failed at fetch: away"


@pytest.mark.parametrize(
    "data",
    [
        b"no newline at all",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        HEADER.replace(b'"format": 1', b'"format": 2') + b"\n",
        HEADER.replace(b'"format": 1', b'"format": true') + b"\n",
        HEADER.replace(b'"format": 1, ', b"") + b"\n",
        HEADER.replace(b'"plan": "plan"', b'"plan": 7') + b"\n",
        HEADER.replace(b'"plan"', b'"plan": "a", "plan"', 1) + b"\n",
        HEADER[:-1] + b', "more": "x"}\n',
        lines({"event": "begin"}),
        lines({"event": "begin", "step": "Bad Name"}),
        lines({"event": "begin", "step": "x", "why": ""}),
        lines({"event": "begin", "step": ["x"]}),
        lines({"event": ["begin"], "step": "x"}),
        lines({"event": "boom", "step": "x"}),
        lines({"event": "done", "step": "x", "facts": {}}),  # never begun
        lines(begin("x"), {"event": "done", "step": "x"}),
        lines(begin("x"), {"event": "done", "step": "x", "facts": []}),
        lines(begin("x"), {"event": "done", "step": "x", "facts": {"a": 1}}),
        lines(begin("x"), {"event": "done", "step": "x", "facts": {"a\n": ""}}),
        lines(begin("x"), {"event": "done", "step": "x", "facts": {"a": "b" * 20_001}}),
        lines(begin("x"), {"event": "failed", "step": "x", "why": 1}),
        lines(*(begin(f"s{n}") for n in range(101))),
        lines(begin("x")) + b"\n" + lines(begin("x")),
        lines(begin("x")) + b"\xff\n",
        HEADER + b"\n" + b"[" * 10_000 + b"\n",
        HEADER + b"\n" + b'{"event": "begin", "step": "' + b"x" * 600_000 + b'"}\n',
    ],
)
def test_no_journal(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "journal.jsonl").write_bytes(data)
    for reads in (lambda: read(tmp_path), lambda: opened(tmp_path, BOUND).__enter__()):
        with pytest.raises(ReleaseError, match="journal"):
            reads()
    assert (tmp_path / "journal.jsonl").read_bytes() == data  # nothing of it is thrown away


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_story_or_an_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "journal.jsonl").write_bytes(HEADER + b"\n" + data)
        try:
            read(Path(folder))
        except ReleaseError as error:
            assert error.hint


def test_a_journal_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "journal.jsonl").open("wb") as file:
        file.truncate(journal.LIMIT + 1)
    with pytest.raises(ReleaseError, match="more than"):
        read(tmp_path)


def test_a_journal_that_grows_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LIMIT", 400)
    with opened(tmp_path, BOUND) as found, pytest.raises(ReleaseError, match="too large"):
        for _ in range(20):
            found.begin("x")
    assert read(tmp_path)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Bound("acme/small", "1.0.1", "c" * 40, "plan"), "1.0.0 at cccccccccccc, not of"),
        (Bound("acme/small", "1.0.0", "d" * 40, "plan"), "not of acme/small 1.0.0 at dddd"),
        (Bound("acme/small", "1.0.0", "c" * 40, "else"), "begun with another plan"),
    ],
)
def test_a_journal_of_another_release(tmp_path: Path, other: Bound, words: str) -> None:
    with opened(tmp_path, BOUND) as found:
        found.begin("fetch")
    with pytest.raises(ReleaseError, match=words), opened(tmp_path, other):
        pass
    with opened(tmp_path, BOUND) as found:
        found.undo("fetch")
        found.undone("fetch")
    with opened(tmp_path, other) as found:  # nothing of the other is left
        assert (found.story.bound, found.story.steps) == (other, ())


def test_links_and_pipes_are_no_journals(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(HEADER + b"\n")
    (tmp_path / "journal.jsonl").symlink_to("elsewhere")
    with pytest.raises(StoreFailed), opened(tmp_path, BOUND):
        pass
    (tmp_path / "journal.jsonl").unlink()
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(ReleaseError, match="not a regular file"):
        read(tmp_path)


def test_two_processes_exclude_each_other(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from registry.release.journal import opened;"
        "from registry.release.story import Bound;"
        "bound = Bound('acme/small', '1.0.0', 'c' * 40, 'plan');"
        "lock = opened(Path(sys.argv[1]), bound); lock.__enter__(); print('in', flush=True);"
        "sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert child.stdout and child.stdout.readline() == b"in\n"
        with pytest.raises(Lost, match=f"another process works on this release .{child.pid}"):
            opened(tmp_path, BOUND).__enter__()
        assert read(tmp_path)  # a status needs no lock
        assert journal.holder(tmp_path) == str(child.pid)
    finally:
        child.kill()
        child.communicate()
    with opened(tmp_path, BOUND):  # a killed process holds nothing
        pass


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailed, match="file"), opened(tmp_path / "file", BOUND):
        pass


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; import registry.release.running, registry.release.gate,"
        " registry.release.assets, registry.release.versions;"
        "print(sorted({'torch', 'mlflow', 'dvc', 'numpy', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
