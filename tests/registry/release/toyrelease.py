"""A release of eight steps with real effects, killed wherever it is told to be, then run again.

Run as a program it prints, as JSON, what the world was after each kill and the runs that followed.
Children are forked from one small process, so that a hundred kills take seconds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from registry.release import running
from registry.release.journal import Journal, opened
from registry.release.steps import Facts, Tell
from registry.release.story import Bound

BOUND = Bound("acme/toy", "1.0.0", "c" * 40, "p")
NAMES = ("fetch", "intake", "manifest", "claim", "sign", "upload", "record", "announce")


class Fault:
    """Kills this process at the n-th point it passes, none for 0."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0

    def point(self) -> bool:
        """Count; return whether this is the last moment."""
        self.passed += 1
        return self.passed == self.at

    def __call__(self) -> None:
        if self.point():
            os.kill(os.getpid(), signal.SIGKILL)


class Fragile(Journal):
    """A journal that is killed before a line, in the middle of it, and after it."""

    fault: Fault

    def write(self, data: bytes) -> None:
        self.fault()
        if self.fault.point():
            os.pwrite(self.fd, data[: len(data) // 2], self.end)
            os.kill(os.getpid(), signal.SIGKILL)
        super().write(data)
        self.fault()


class FileStep:
    """Makes one file in two moves; what it holds depends on the steps before."""

    def __init__(self, world: Path, name: str, fault: Fault) -> None:
        self.world, self.name, self.fault = world, name, fault

    def about(self) -> str:
        return f"write {self.name}.txt"

    def _content(self, known: Mapping[str, Facts]) -> str:
        return "".join(facts["id"][-1] for facts in known.values()) + self.name[0]

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        self.fault()
        path = self.world / f"{self.name}.txt"
        if path.exists() and path.read_text() == self._content(known):
            return {"id": self._content(known)}
        return None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        with (self.world / "effects").open("a") as effects:
            self.fault()
            part = self.world / f"{self.name}.part"
            part.write_text("x")
            self.fault()
            part.write_text(self._content(known))
            self.fault()
            effects.write(f"{self.name}\n")
        part.rename(self.world / f"{self.name}.txt")
        self.fault()
        return {"id": self._content(known)}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        self.fault()
        (self.world / f"{self.name}.part").unlink(missing_ok=True)
        self.fault()
        (self.world / f"{self.name}.txt").unlink(missing_ok=True)
        self.fault()


class RowStep(FileStep):
    """Adds a row to a database that would take a second one as gladly."""

    def about(self) -> str:
        return f"add a row for {self.name}"

    def _run(self, statement: str, *values: str) -> list[tuple[str]]:
        with closing(sqlite3.connect(self.world / "rows.db")) as rows, rows:
            rows.execute("CREATE TABLE IF NOT EXISTS rows (name TEXT, id TEXT)")
            return rows.execute(statement, values).fetchall()

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        self.fault()
        found = self._run("SELECT id FROM rows WHERE name = ?", self.name)
        return {"id": found[0][0]} if found else None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        self.fault()
        self._run("INSERT INTO rows VALUES (?, ?)", self.name, self._content(known))
        self.fault()
        return {"id": self._content(known)}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        self.fault()
        self._run("DELETE FROM rows WHERE name = ?", self.name)
        self.fault()


def steps(world: Path, fault: Fault) -> list[FileStep]:
    """Return the eight steps, every other one with a row."""
    kinds = (FileStep, RowStep)
    return [kinds[n % 2](world, name, fault) for n, name in enumerate(NAMES)]


def once(world: Path, at: int, *, back: bool = False) -> int:
    """Run the release, or take it back, in a child that dies at a point; return points passed.

    -1: it was killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            fault = Fault(at)
            with opened(world / "staging", BOUND) as plain:
                journal = Fragile(plain.path, plain.story, plain.end, plain.fd)
                journal.fault = fault
                if back:
                    running.undo(steps(world, fault), journal)
                else:
                    running.run(steps(world, fault), journal, lambda line: None)
            os.write(writer, f"{fault.passed}".encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    said = os.read(reader, 20)
    os.close(reader)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return -1
    assert os.WEXITSTATUS(status) == 0, f"child ended with {status}"
    return int(said)


def state(world: Path) -> dict[str, object]:
    """Return all effects: files with their content, rows, leftovers."""
    files = {path.name: path.read_text() for path in sorted(world.glob("*.txt"))}
    parts = sorted(path.name for path in world.glob("*.part"))
    rows: list[tuple[str, str]] = []
    if (world / "rows.db").exists():
        with closing(sqlite3.connect(world / "rows.db")) as found:
            rows = found.execute("SELECT name, id FROM rows ORDER BY rowid").fetchall()
    return {"files": files, "rows": rows, "parts": parts}


def main(top: Path) -> None:
    """Kill at every point of a run and of an undo; twice at points drawn by a fixed seed."""
    world = top / "whole"
    world.mkdir()
    points = once(world, 0)
    want = state(world)
    back = once(world, 0, back=True)
    none = state(world)
    draw = random.Random(6)
    twice = [(draw.randint(1, points), draw.randint(1, points)) for _ in range(20)]
    wrong: list[list[object]] = []
    killed = 0
    for number, kills in enumerate([*((n,) for n in range(1, points + 1)), *twice]):
        world = top / f"run{number}"
        world.mkdir()
        for at in kills:
            killed += once(world, at) < 0
        assert once(world, 0) > 0
        if state(world) != want:
            wrong.append(["run", kills, state(world)])
        again = once(world, 0)
        if state(world) != want or again > 2 * len(NAMES):
            wrong.append(["again", kills, again])
        shutil.rmtree(world)
    for at in range(1, back + 1):
        world = top / f"back{at}"
        world.mkdir()
        once(world, (at * 7) % points + 1)  # taken back from wherever it was killed
        killed += once(world, at, back=True) < 0
        once(world, 0, back=True)
        if state(world) != none:
            wrong.append(["undo", at, state(world)])
        if at % 4 == 0 and once(world, 0) and state(world) != want:
            wrong.append(["after undo", at, state(world)])
        shutil.rmtree(world)
    print(json.dumps({"points": points, "back": back, "killed": killed, "wrong": wrong,
                      "want": want, "none": none}))  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
