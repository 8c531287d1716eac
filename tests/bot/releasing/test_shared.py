"""What steps of one run share: a proof of a folder lasts as long as no file of it changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.releasing.shared import Shared
from security.errors import Tampered, Unreadable

FILES = {"model.safetensors": b"weights", "a/config.json": b"{}", "model.sig": b"signed"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).write_bytes(data)
    return tmp_path / "x"


def prover() -> tuple[list[int], Callable[[], Any]]:
    """Proofs by number, and what makes the next one."""
    made: list[int] = []

    def prove() -> Any:
        made.append(len(made))
        return made[-1]

    return made, prove


def test_an_unchanged_folder_is_proven_once(folder: Path) -> None:
    shared, (made, prove) = Shared(), prover()
    assert [proven(shared, folder, prove) for _ in range(3)] == [0, 0, 0]
    assert made == [0]


def test_another_folder_or_run_is_proven_anew(folder: Path, tmp_path: Path) -> None:
    shared, (made, prove) = Shared(), prover()
    shared.proven(folder, prove)
    folder.rename(tmp_path / "y")
    shared.proven(tmp_path / "y", prove)
    Shared().proven(tmp_path / "y", prove)
    assert made == [0, 1, 2]


def proven(shared: Shared, folder: Path, prove: Callable[[], Any]) -> Any:
    """What is held as the proof: here a number."""
    return shared.proven(folder, prove)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["written", "with its old time", "replaced", "gone", "linked"])
def test_whatever_changes_is_proven_anew(folder: Path, name: str, how: str) -> None:
    shared, (made, prove) = Shared(), prover()
    path = folder / name
    times = (path.stat().st_atime_ns, 10**18)  # long ago: the change below is in another tick
    os.utime(path, ns=times)
    shared.proven(folder, prove)
    if how == "gone":
        path.unlink()
    elif how == "linked":
        path.with_name("other").hardlink_to(path)
    elif how == "replaced":
        path.with_name("new").write_bytes(FILES[name])
        path.with_name("new").replace(path)
    else:
        path.write_bytes(FILES[name].upper() + b"x")
        os.utime(path, ns=times) if how == "with its old time" else None
    assert proven(shared, folder, prove) == 1
    assert made == [0, 1]


def test_a_new_file_is_seen(folder: Path) -> None:
    shared, (made, prove) = Shared(), prover()
    shared.proven(folder, prove)
    (folder / "more").write_bytes(b"")
    shared.proven(folder, prove)
    assert made == [0, 1]


def test_what_is_no_file_is_no_folder_to_prove(folder: Path) -> None:
    (folder / "link").symlink_to("model.sig")
    with pytest.raises(Unreadable, match="symbolic link"):
        Shared().proven(folder, prover()[1])


def test_a_proof_that_fails_is_not_kept(folder: Path) -> None:
    shared, (_, prove) = Shared(), prover()

    def tampered() -> Any:
        raise Tampered("a file is not what was signed", "fetch it again")

    with pytest.raises(Tampered):
        shared.proven(folder, tampered)
    assert proven(shared, folder, prove) == 0


def test_what_changes_while_it_is_proven_is_proven_anew(folder: Path) -> None:
    shared, (made, prove) = Shared(), prover()

    def slow() -> Any:
        (folder / "more").write_bytes(b"")
        return prove()

    shared.proven(folder, slow)
    assert proven(shared, folder, prove) == 1
    assert made == [0, 1]
