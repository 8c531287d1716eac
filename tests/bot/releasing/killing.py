"""The command in a process of its own, which SIGKILL ends at a place of our choice."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot import cli
from registry.release import journal
from tests.bot.releasing.project import Project

CHANGES = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate", "subprocess.Popen")
_WRITING = os.O_WRONLY | os.O_RDWR


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_event(event: str, step: str, *, torn: bool = False) -> Callable[[Path], None]:
    """Die when the journal says that; `torn`: when half of its line is written."""

    def plant(place: Path) -> None:
        write = journal.Journal.write

        def written(self: journal.Journal, data: bytes) -> None:
            if f'"event":"{event}"'.encode() in data and f'"step":"{step}"'.encode() in data:
                if torn:
                    os.pwrite(self.fd, data[: len(data) // 2], self.end)
                else:
                    write(self, data)
                die()
            write(self, data)

        journal.Journal.write = written  # type: ignore[method-assign]

    return plant


def at_change(number: int) -> Callable[[Path], None]:
    """Die before the change of this number that the process makes to the world; tell how many."""

    def plant(place: Path) -> None:
        seen = 0

        def hook(event: str, args: tuple[Any, ...]) -> None:
            nonlocal seen
            writes = event == "open" and isinstance(args[2], int) and args[2] & _WRITING
            if event in CHANGES or writes:
                seen += 1
                if seen == number:
                    die()
                if not number:
                    counted.append(event)

        counted: list[str] = []
        sys.addaudithook(hook)
        if not number:
            ending.append(lambda: (place / "changes").write_text(str(len(counted))))

    return plant


def at_push(number: int) -> Callable[[Path], None]:
    """Die before the push of this number."""

    def plant(place: Path) -> None:
        seen = 0

        def hook(event: str, args: tuple[Any, ...]) -> None:
            nonlocal seen
            if event == "subprocess.Popen" and "push" in args[1] and "--atomic" in args[1]:
                seen += 1
                if seen == number:
                    die()

        sys.addaudithook(hook)

    return plant


ending: list[Callable[[], object]] = []


def start(at: Project, plant: Callable[[Path], None] | None, *words: object) -> int:
    """Begin a command in a clone; return its process. What it says lies in `said` there."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.setsid()
        said = os.open(at.place / f"said-{at.name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.chdir(at.path)
        sys.argv = ["modelwarden", *map(str, words)]
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        if plant:
            plant(at.place)
        code = cli.main()
        sys.stdout.flush()
        for each in ending:
            each()
    finally:
        os._exit(code)


def ended(process: int) -> int:
    """Wait for a process; return its exit code, -9 where it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def killed(at: Project, plant: Callable[[Path], None], *words: object) -> int:
    """Run `release run` with the clone's key until it is killed; return how it ended."""
    return ended(start(at, plant, "release", "run", "--key", at.key(), *words))
