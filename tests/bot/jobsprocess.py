"""A process that runs jobs, and what drives it from a test: one JSON object a line, both ways."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.errors import UsageError
from bot.github.errors import Limited, NotFound, Unavailable
from bot.serve import stepping

if TYPE_CHECKING:
    from bot.serve.contract import Plain, Steps

ROOT = Path(__file__).parents[2]


class Worker:
    """A process of jobs. `die` is kill -9."""

    def __init__(self, base: Path, url: str = "", **options: Any) -> None:
        asked = {"base": str(base), "url": url, **options}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bot.jobsprocess", json.dumps(asked)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.name: str = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"it ended with {self._process.wait()}")
        return json.loads(line)

    def ask(self, what: str, *arguments: Any, **named: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([what, arguments, named]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def wait_dead(self, seconds: float = 20) -> int:
        code = self._process.wait(seconds)
        self._close()
        return code

    def die(self) -> None:
        self._process.kill()
        self.wait_dead()

    def end(self) -> None:
        if self._process.poll() is None:
            self.ask("close")
            self.wait_dead()

    def _close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()


def until(done: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for something true and return it; time only bounds a failing test."""
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.03)
    return found


def write(path: str, line: str) -> None:
    """Append a line at once, whoever else writes."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, (line + "\n").encode())
    os.close(file)


def first(path: str) -> bool:
    """Whether this is asked for the first time, over all processes."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def trail(steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Do steps that each leave a line; die by kill -9 once at each point named in `die`."""
    file, names = str(payload["file"]), str(payload["steps"]).split()
    said: list[Plain] = []

    def point(name: str) -> None:
        if name in str(payload.get("die", "")).split() and first(f"{file}.{steps.key}.{name}"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name in str(payload.get("always", "")).split():
            os.kill(os.getpid(), signal.SIGKILL)

    for name in names:

        def act(name: str = name) -> Plain:
            point(f"before-{name}")
            write(file, f"{steps.key} {name}")
            write(f"{file}.pids", str(os.getpid()))
            time.sleep(float(str(payload.get("nap", 0))))
            if name == payload.get("gated"):
                until(Path(str(payload["gate"])).exists)
            point(f"after-{name}")
            return name

        said.append(steps.run(name, act))
        point(f"between-{name}")
    write(file, f"{steps.key} said {' '.join(map(str, said))}")
    return said


def busy(steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Hold the GPU for a while, and say so."""

    def act() -> Plain:
        who = f"{payload['author']} {payload['repo']} {os.getpid()}"
        write(str(payload["file"]), f"start {who}")
        time.sleep(0.1)
        write(str(payload["file"]), f"end {who}")
        return None

    return steps.run("busy", act)


def grumpy(steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Meet errors of GitHub, then die once: they are met again from what was kept."""
    file = str(payload["file"])

    def limited() -> Plain:
        if first(f"{file}.limited"):
            raise Limited("slow down", "wait", time.time() + 1)
        return "through"

    def away() -> Plain:
        if first(f"{file}.away"):
            raise Unavailable("502", "wait")
        return "back"

    def missing() -> Plain:
        write(file, "asked")
        raise NotFound("no such pull", "look")

    write(file, str(steps.run("limited", limited)))
    write(file, str(steps.run("away", away)))
    try:
        steps.run("missing", missing)
    except NotFound as error:
        write(file, f"{type(error).__name__} {error.message} {error.hint}")
    if first(f"{file}.died"):
        os.kill(os.getpid(), signal.SIGKILL)
    raise UsageError("enough", "stop")


def main() -> None:
    from bot.jobs import Engine
    from bot.serve.queueing import Limits, Pace
    from bot.serve.records import Records

    options = json.loads(sys.argv[1])
    base = Path(options["base"])
    stepping.FIRST = 0.2
    records = Records(options["url"] or f"sqlite:///{base}/records.db")
    engine = Engine(
        options["url"] or f"sqlite:///{base}/jobs.db",
        {"judge": trail, "measure": busy if options.get("busy") else trail, "grumpy": grumpy},
        records,
        base / options.get("folder", "state"),
        only=tuple(options.get("only", ("web", "gpu"))),
        limits=Limits(**options.get("limits", {})),
        pace=Pace(poll=0.05, beat=0.2, dead=options.get("dead", 60)),
        attempts=options.get("attempts", 20),
    )
    say(engine.worker)  # before it takes up what may kill it
    engine.start()
    for line in sys.stdin:
        what, arguments, named = json.loads(line)
        if what == "close":
            say(engine.close(5))
            records.close()
            break
        if what == "disk":  # how much of a file may be written
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (arguments[0] or most, most))
            say(None)
            continue
        said = getattr(engine, what)(*arguments, **named)
        if what in ("waiting", "dead_letters"):
            said = [[getattr(row, name) for name in row.__slots__] for row in said]
        say(said)


def say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
