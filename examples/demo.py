"""Build a real model project, propose a good and a bad change to it, judge both, release the good.

    python examples/demo.py [--output FOLDER] [--keep]

Exit code 0 if the good change passed and the bad one failed in each of CHECKS.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot import process
from examples.branches import POLICY, improve, propose_bad, propose_good
from examples.project import ADA, ROOT, Project, Say, Stopped, clock, start
from examples.releasing import VERSION, release, without_mlflow

CHECKS = ("contributors", "dependencies", "advisories", "licenses", "weights", "regression",
          "community")  # fmt: skip
STEPS = (200, 320)  # of training, for main and for the good change


@dataclass(frozen=True, slots=True)
class Review:
    """What Modelwarden said about one branch."""

    branch: str
    code: int
    text: str
    data: Any

    def outcome(self, check: str) -> str:
        """Return one check's outcome, "missing" where there is none."""
        found = [v["outcome"] for v in self.data["verdicts"] if v["check"] == check]
        return found[0] if found else "missing"


@contextmanager
def at_once() -> Iterator[ThreadPoolExecutor]:
    """Give threads to work in; when one part stops, so does every command of the others."""
    with ThreadPoolExecutor() as pool:
        try:
            yield pool
        except (KeyboardInterrupt, Stopped):
            process.stop_all()
            raise


def build(folder: Path, say: Say) -> Project:
    """Return the project with the branches main, good and bad.

    Two models are trained at once, one for main and one for the good change; each is committed
    only when what it builds upon is.
    """
    say("writing the project and training two models (main, and one for the good change)")
    policy = without_mlflow(POLICY)
    main = start(folder / "tiny-llm", folder / "scratch", say, policy, STEPS[0])
    good = main.clone("good")
    with at_once() as pool:
        trained = pool.submit(improve, good, STEPS[1])
        main.pipeline()
        main.commit(ADA, "Train the first model", sign_off=ADA.sign_off)
        say("main is trained and committed; damaging a copy of its weights for the bad change")
        bad = main.clone("bad")
        bad.run("dvc", "checkout", "--quiet")
        propose_bad(bad)
        trained.result()
    good.follow(main)
    propose_good(good)
    return main


def review(project: Project, branch: str, reports: Path, say: Say) -> Review:
    """Run `modelwarden check` on a branch and read what it wrote. Raises Stopped."""
    html, data = reports / f"{branch}.html", reports / f"{branch}.json"
    for old in (html, data):
        old.unlink(missing_ok=True)
    command = ["modelwarden", "check", "--base", "main"]
    command += ["--head", branch, "--report", str(html), "--report", str(data)]
    code, said = project.call(*command)
    if not data.exists():
        raise Stopped(f"{' '.join(command)}\n{said}")
    say(f"  {branch}: exit code {code}")
    return Review(branch, code, said, json.loads(data.read_text("utf-8")))


def surprises(good: Review, bad: Review) -> list[str]:
    """Return what differs from a good change that passes and a bad one that fails in CHECKS."""
    found = [f"{r.branch}: exit code {r.code}, not {expected}"
             for r, expected in ((good, 0), (bad, 1)) if r.code != expected]  # fmt: skip
    found += [f"good: {v['check']} says {v['outcome']}"
              for v in good.data["verdicts"] if v["outcome"] not in ("pass", "skip")]  # fmt: skip
    found += [f"good: {c} says {good.outcome(c)}" for c in CHECKS if good.outcome(c) != "pass"]
    found += [f"bad: {c} says {bad.outcome(c)}" for c in CHECKS if bad.outcome(c) != "fail"]
    return list(dict.fromkeys(found))


def near(path: Path) -> Path:
    """Return a path as somebody would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def show(good: Review, bad: Review, reports: Path) -> None:
    """Print both reports and where they lie."""
    for each in (good, bad):
        print(f"\n{'=' * 30} the {each.branch} change {'=' * 30}\n\n{each.text.rstrip()}")
    print("\nOpen these in a browser; they need no network:")
    for each in (good, bad):
        print(f"  {near(reports / each.branch)}.html")


def conclude(good: Review, bad: Review) -> int:
    """Say whether all went as it should, and what to type next; return the exit code."""
    different = surprises(good, bad)
    for line in different:
        print(f"demo: not as expected: {line}", file=sys.stderr)
    if different:
        return 1
    print(f"\nAs planned: the good change passes, the bad one fails in {', '.join(CHECKS)}.")
    print(f"The good one is merged and out as {VERSION}; docs/releasing.md goes on from there.")
    print("Next, on the branch you work on in a repository of your own:")
    print(f"  {near(Path(sys.executable).parent / 'modelwarden')} check --repo PATH")
    return 0


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Judge two changes of a real small LLM project.")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "demo-reports", help="for the reports"
    )
    parser.add_argument("--keep", action="store_true", help="keep the project that is judged")
    return parser.parse_args(words)


def run(options: argparse.Namespace, folder: Path, say: Say) -> int:
    """Build, judge and show; return the exit code. Raises Stopped."""
    project = build(folder, say)
    say("judging both changes: modelwarden check --base main --head good (and bad)")
    with at_once() as pool:
        jobs = [pool.submit(review, project, b, options.output, say) for b in ("good", "bad")]
        good, bad = (job.result() for job in jobs)
    lineage = "" if surprises(good, bad) else release(project, "good", say)
    show(good, bad, options.output)
    if lineage:
        print(f"\n{'=' * 30} what was released {'=' * 30}\n\n{lineage.rstrip()}")
    if options.keep:
        print(f"\nThe project that was judged: {project.folder}")
    return conclude(good, bad)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Let a request to end work as Ctrl-C does."""
    raise KeyboardInterrupt


def main(words: Sequence[str]) -> int:
    """Run the demo; return its exit code."""
    signal.signal(signal.SIGTERM, interrupt)
    options = arguments(words)
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if options.keep:
            folder = Path(tempfile.mkdtemp(prefix="modelwarden-demo-"))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modelwarden-")))
        try:
            return run(options, folder, clock())
        except Stopped as stop:
            print(f"demo: {stop}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("demo: stopped", file=sys.stderr)
            return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
