"""Steps are run once, whatever kills the run; what was begun is taken back, the last first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from registry.errors import Blocked, ReleaseError, StoreFailed
from registry.release import running
from registry.release.journal import Journal, opened, read
from registry.release.steps import Facts, Tell
from registry.release.story import Bound

ROOT = Path(__file__).parents[3]
BOUND = Bound("acme/small", "1.0.0", "c" * 40, "plan")


@dataclass
class World:
    """What steps have made, by name, and what was asked of them."""

    made: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)


@dataclass
class Made:
    """A step that puts its facts into the world; `fails` is raised by what it names."""

    name: str
    world: World
    facts: dict[str, str] = field(default_factory=lambda: {"id": "1"})
    fails: dict[str, BaseException] = field(default_factory=dict)

    def about(self) -> str:
        return f"make {self.name}"

    def _call(self, what: str) -> None:
        self.world.calls.append(f"{what} {self.name}")
        if what in self.fails:
            raise self.fails[what]

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        self._call("look")
        return self.world.made.get(self.name)

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        self._call("do")
        self.world.made[self.name] = self.facts | {"after": ",".join(known)}
        return self.world.made[self.name]

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        self._call("undo")
        self.world.calls.append(f"known {','.join(known)} facts {facts and facts['id']}")
        self.world.made.pop(self.name, None)


def three(world: World) -> list[Made]:
    return [Made(name, world) for name in ("one", "two", "three")]


def run(folder: Path, steps: list[Made]) -> tuple[Mapping[str, Facts], list[str]]:
    said: list[str] = []
    with opened(folder, BOUND) as journal:
        return running.run(steps, journal, said.append), said


def test_steps_run_in_order_and_know_those_before(tmp_path: Path) -> None:
    world = World()
    known, said = run(tmp_path, three(world))
    assert known["three"] == {"id": "1", "after": "one,two"}
    assert world.calls == ["look one", "do one", "look two", "do two", "look three", "do three"]
    assert said == ["one: make one", "two: make two", "three: make three"]


def test_again_only_looks(tmp_path: Path) -> None:
    world = World()
    first, _ = run(tmp_path, three(world))
    world.calls.clear()
    size = (tmp_path / "journal.jsonl").stat().st_size
    again, said = run(tmp_path, three(world))
    assert (again, said[0]) == (first, "one: done before")
    assert world.calls == ["look one", "look two", "look three"]
    assert (tmp_path / "journal.jsonl").stat().st_size == size


def test_what_is_there_without_a_journal_is_not_made_again(tmp_path: Path) -> None:
    world = World()
    run(tmp_path / "lost", three(world))
    world.calls.clear()
    run(tmp_path / "new", three(world))
    assert not [call for call in world.calls if call.startswith("do")]


def test_what_is_gone_is_made_again_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    world = World()
    run(tmp_path, three(world))
    del world.made["two"]
    world.calls.clear()
    run(tmp_path, three(world))
    assert world.calls == ["look one", "look two", "do two", "look three"]


def test_other_facts_replace_those_of_the_journal(tmp_path: Path) -> None:
    world = World()
    run(tmp_path, three(world))
    world.made["one"]["id"] = "2"
    known, _ = run(tmp_path, three(world))
    story = read(tmp_path)
    assert story and known["one"]["id"] == "2"
    told = story.of("one")
    assert told and dict(told.facts or ())["id"] == "2"


@pytest.mark.parametrize(
    ("error", "raised", "why"),
    [
        (StoreFailed("the remote is away", "wait"), StoreFailed, "the remote is away"),
        (OSError(28, "No space left on device"), StoreFailed, "No space left on device"),
        (KeyboardInterrupt(), KeyboardInterrupt, "interrupted"),
        (ZeroDivisionError("token=hunter2"), ZeroDivisionError, "ZeroDivisionError"),
    ],
)
@pytest.mark.parametrize("where", ["look", "do"])
def test_a_failure_is_kept_and_gone_on_from(
    tmp_path: Path, error: BaseException, raised: type[BaseException], why: str, where: str
) -> None:
    world = World()
    steps = three(world)
    steps[1].fails[where] = error
    with pytest.raises(raised):
        run(tmp_path, steps)
    story = read(tmp_path)
    assert story
    assert story.trouble == f"failed at two: {why}"
    assert [each.state for each in running.plan(steps, story)] == ["done", f"failed: {why}",
                                                                  "planned"]  # fmt: skip
    steps[1].fails.clear()
    world.calls.clear()
    run(tmp_path, steps)
    assert world.calls == ["look one", "look two", "do two", "look three", "do three"]
    story = read(tmp_path)
    assert story
    assert story.trouble == ""


def test_a_failure_of_something_done_keeps_its_facts(tmp_path: Path) -> None:
    world = World()
    steps = three(world)
    run(tmp_path, steps)
    steps[0].fails["look"] = StoreFailed("away", "wait")
    with pytest.raises(StoreFailed):
        run(tmp_path, steps)
    world.calls.clear()
    with opened(tmp_path, BOUND) as journal:
        running.undo(steps, journal)
    assert "known  facts 1" in world.calls
    assert not world.made


def test_what_is_done_again_and_fails_is_not_known_by_its_old_facts(tmp_path: Path) -> None:
    world = World()
    steps = three(world)
    run(tmp_path, steps)
    del world.made["three"]
    steps[2].fails["do"] = StoreFailed("away", "wait")
    with pytest.raises(StoreFailed):
        run(tmp_path, steps)
    with opened(tmp_path, BOUND) as journal:
        running.undo(steps, journal)
    assert "known one,two facts None" in world.calls


def test_undo_is_in_reverse_and_only_of_what_was_begun(tmp_path: Path) -> None:
    world = World()
    steps = three(world)
    steps[1].fails["do"] = StoreFailed("away", "wait")
    with pytest.raises(StoreFailed):
        run(tmp_path, steps)
    world.calls.clear()
    with opened(tmp_path, BOUND) as journal:
        running.undo(steps, journal)
    assert world.calls == ["undo two", "known one facts None", "undo one", "known  facts 1"]
    story = read(tmp_path)
    assert story
    assert story.idle
    assert [each.state for each in running.plan(steps, story)] == ["taken back", "taken back",
                                                                  "planned"]  # fmt: skip


def test_an_undo_that_fails_can_be_called_again(tmp_path: Path) -> None:
    world = World()
    steps = three(world)
    run(tmp_path, steps)
    steps[1].fails["undo"] = StoreFailed("away", "wait")
    for _ in range(2):
        with opened(tmp_path, BOUND) as journal, pytest.raises(StoreFailed):
            running.undo(steps, journal)
    assert list(world.made) == ["one", "two"]
    story = read(tmp_path)
    assert story
    assert story.trouble == "failed at two: taking it back: away"
    steps[1].fails.clear()
    with opened(tmp_path, BOUND) as journal:
        running.undo(steps, journal)
        running.undo(steps, journal)  # of nothing
    assert not world.made
    run(tmp_path, steps)  # and it may be begun anew
    assert list(world.made) == ["one", "two", "three"]


def test_what_is_out_is_not_unmade(tmp_path: Path) -> None:
    world = World()
    steps = three(world)
    run(tmp_path, steps)
    with opened(tmp_path, BOUND) as journal, pytest.raises(Blocked, match=r"1\.0\.0 is out"):
        running.undo(steps, journal, final="two")
    assert len(world.made) == 3
    del world.made["two"]  # begun, but it did not come out
    with opened(tmp_path, BOUND) as journal:
        running.undo(steps, journal, final="two")
    assert not world.made


def test_a_journal_of_other_steps(tmp_path: Path) -> None:
    world = World()
    run(tmp_path, three(world))
    with pytest.raises(ReleaseError, match="a step two that"):
        run(tmp_path, [Made("one", world), Made("three", world)])
    with pytest.raises(ReleaseError, match="two steps of one name"):
        run(tmp_path, [Made("one", world), Made("one", world)])


@pytest.mark.parametrize(
    "facts",
    [
        {"id": "-----BEGIN PRIVATE KEY-----"},
        {"id": "AGE-SECRET-KEY-1QQ"},
        {"id": "x" * 30_000},
        {"bad\nname": "1"},
        {f"f{n}": "1" for n in range(300)},
    ],
)
def test_facts_that_are_not_kept(tmp_path: Path, facts: dict[str, str]) -> None:
    world = World()
    with pytest.raises(ReleaseError, match="no journal keeps"):
        run(tmp_path, [Made("one", world, facts)])
    data = (tmp_path / "journal.jsonl").read_text()
    assert "PRIVATE" not in data
    assert "AGE-SECRET" not in data


def test_a_full_disk_is_told_once(tmp_path: Path) -> None:
    class Full(Journal):
        def write(self, data: bytes) -> None:
            raise StoreFailed("no space for the journal", "make room")

    world = World()
    with opened(tmp_path, BOUND) as plain:
        full = Full(plain.path, plain.story, plain.end, plain.fd)
        with pytest.raises(StoreFailed, match="no space"):
            running.run(three(world), full, lambda line: None)
    assert not world.made  # what cannot be noted is not begun


def test_the_plan_of_nothing_begun() -> None:
    steps = three(World())
    first = running.plan(steps, None)[0]
    assert (first.name, first.about, first.state) == ("one", "make one", "planned")


def test_digests_tell_plans_apart() -> None:
    steps = three(World())
    made = {
        running.digest(steps),
        running.digest(steps[:2]),
        running.digest(steps, ""),
        running.digest(steps, "a", "b"),
        running.digest(steps, "ab"),
    }
    assert len(made) == 5


def test_killed_anywhere_all_is_there_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.registry.release.toyrelease", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["points"] >= 80  # every line before, half and after; every look; within every do
    assert found["killed"] >= found["points"] + found["back"]
    assert found["want"]["rows"] == [["intake", "fi"], ["claim", "fimc"], ["upload", "fimcsu"],
                                     ["announce", "fimcsura"]]  # fmt: skip
    assert found["none"] == {"files": {}, "rows": [], "parts": []}
