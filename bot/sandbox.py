"""The only starter of sandboxes: one bounded child, read-only inputs, one JSON answer out.

Files beside the answer are lost, but for those that the caller picks and judges itself.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import selectors
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import process
from bot.errors import CouldNotTell
from bot.walls import LADDER, Box, Rung
from modelwarden import ROOT
from security import strictjson

PROTECTIONS = ("network", "filesystem", "secrets", "memory", "time", "processes")
REMEDY = (
    "install bubblewrap (and let it make user namespaces), or shorten `regression.require` in "
    "the policy"
)
ANSWER = "answer.json"
TAIL_LINES = 40
LINE_BYTES = 2_000
MAPPED_BYTES = 16 << 30  # address space for libraries, beyond private memory and inputs
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "USER": "sandbox",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that wait must not spin: on a machine with fewer free cores than threads, which is
    # every busy CI runner, that makes scoring four times slower.
    "OMP_WAIT_POLICY": "PASSIVE",
}
_MISBEHAVED = "the model or its loader misbehaved; look at the model files of the change"
CUDA_VARIABLES = ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")


class SandboxFailed(CouldNotTell):
    """The child did not hand out a usable answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one child: wall-clock seconds, bytes of private memory, bytes of the answer and
    of any file beside it."""

    seconds: float
    memory: int
    output: int = 64 << 20
    file: int = 0


@dataclass(frozen=True, slots=True)
class Protection:
    """What holds on this machine, found out by trying, and by which rung of the ladder."""

    rung: str
    holds: tuple[str, ...]

    def missing(self, required: Sequence[str]) -> tuple[str, ...]:
        """Return the required protections that do not hold."""
        return tuple(name for name in required if name not in self.holds)


@dataclass(frozen=True, slots=True)
class Result:
    """The answer: bounded strict JSON, hostile all the same; `said` is the tail of its output."""

    answer: bytes
    said: str
    seconds: float
    rung: str


@functools.cache
def probe() -> Protection:
    """Return the strongest rung that works here and what it holds, tried once per process."""
    for rung in LADDER:
        with contextlib.suppress(SandboxFailed):
            if rung.present:
                return trial(rung)
    return Protection("", ())


def trial(rung: Rung) -> Protection:
    """Try every protection from inside one rung. Raises SandboxFailed where it cannot start."""
    with (
        tempfile.TemporaryDirectory(prefix="modelwarden-") as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        secret = Path(folder, "secret")
        secret.write_text("planted", encoding="utf-8")
        facts = {"port": str(listener.getsockname()[1]), "secret": str(secret)}
        facts["parent"] = str(os.getpid())
        facts["environment"] = hashlib.sha256(_own_environment()).hexdigest()
        script = (str(ROOT / "bot" / "trial.py"), json.dumps(facts))
        limits = Limits(seconds=20, memory=512 << 20, output=10_000)
        answer = run(script, inputs=(), limits=limits, rung=rung).answer
    held = {*json.loads(answer)["holds"], "time"}  # the clock is ours, whatever the rung
    return Protection(rung.name, tuple(name for name in PROTECTIONS if name in held))


def _own_environment() -> bytes:
    path = Path("/proc/self/environ")
    return path.read_bytes() if path.exists() else b""


def run(
    script: Sequence[str],
    *,
    inputs: Sequence[Path],
    limits: Limits,
    cuda: bool = False,
    progress: Callable[[str], None] | None = None,
    rung: Rung | None = None,
    take: Callable[[bytes, int], None] | None = None,
) -> Result:
    """Run `python -I script... OUTPUT` in the strongest sandbox there is and read OUTPUT.

    `inputs` are visible read-only at their own absolute paths; no other path of the caller is,
    as far as the rung can hide it. `take`, where given, gets the answer and a descriptor of the
    folder it lay in, to `pick` files from while that is there. Raises SandboxFailed; nothing is
    left behind, ever.
    """
    chosen = rung or next((r for r in LADDER if r.name == probe().rung), LADDER[-1])
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="modelwarden-", ignore_cleanup_errors=True) as folder:
        box = Box(tuple(inputs), Path(folder, "out"), Path(folder, "scratch"), cuda)
        box.output.mkdir()
        box.scratch.mkdir()
        line = _line(chosen, box, script, limits)
        # Held open, so that a child which swaps the folder for a link gains nothing.
        opened = os.open(box.output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with process.child(line, env=_environment(box), cwd=box.scratch) as child:
                said = _listen(child, began + limits.seconds, progress)
                code = _wait(child, began + limits.seconds, limits)
            if code:
                raise SandboxFailed(_how(code, said, limits), "see what it said, or raise a limit")
            answer = _answer(opened, limits.output)
            if take is not None:
                take(answer, opened)
        finally:
            os.close(opened)
    return Result(answer, "\n".join(said), time.monotonic() - began, chosen.name)


def _line(rung: Rung, box: Box, script: Sequence[str], limits: Limits) -> tuple[str, ...]:
    python = (sys.executable, "-I", "-B")
    bounds = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": 1024,
        "RLIMIT_FSIZE": max(limits.output, limits.file) + 1,
        "RLIMIT_CPU": int(limits.seconds) * (os.cpu_count() or 1) + 1,
        "RLIMIT_DATA": limits.memory,
    }
    if not box.cuda:  # a CUDA context reserves address space without end
        bounds["RLIMIT_AS"] = limits.memory + MAPPED_BYTES + _size(box.inputs)
    confine = (*python, str(ROOT / "bot" / "confine.py"), json.dumps(bounds))
    return (*rung.line(box), *confine, *python, *script, str(box.output / ANSWER))


def _size(inputs: Sequence[Path]) -> int:
    files = (f for path in inputs for f in (path, *path.rglob("*")) if f.is_file())
    return sum(f.stat().st_size for f in files)


def _environment(box: Box) -> dict[str, str]:
    scratch = str(box.scratch)
    places = {"TMPDIR": scratch, "HF_HOME": scratch, "TORCHINDUCTOR_CACHE_DIR": scratch}
    passed = {k: os.environ[k] for k in CUDA_VARIABLES if box.cuda and k in os.environ}
    return ENVIRONMENT | places | passed


def _listen(
    child: subprocess.Popen[bytes], until: float, progress: Callable[[str], None] | None
) -> list[str]:
    """Pass lines on as they come and return the last ones; ends with the child or the time."""
    assert child.stdout is not None
    lines: list[str] = []
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            if not selector.select(left):
                continue
            data = os.read(child.stdout.fileno(), 65_536)
            *whole, rest = (rest + data).split(b"\n")
            if not data or len(rest) > LINE_BYTES:
                whole, rest = [*whole, rest], b""
            for text in filter(None, map(_printable, whole)):
                lines = [*lines[1 - TAIL_LINES :], text]
                if progress:
                    progress(text)
            if not data:
                break
    return lines


def _printable(line: bytes) -> str:
    text = line[:LINE_BYTES].decode("utf-8", "replace").rstrip()
    return "".join(c if c.isprintable() else " " for c in text)


def _wait(child: subprocess.Popen[bytes], until: float, limits: Limits) -> int:
    try:
        return child.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        message = f"not finished after {limits.seconds:g} s; stopped"
        raise SandboxFailed(message, "raise the time limit or score fewer items") from None


def _how(code: int, said: list[str], limits: Limits) -> str:
    """Say in one line how the child ended; a wall reports a signal as 128 and its number."""
    number = -code if code < 0 else code - 128
    names = {s.value: s.name for s in signal.Signals}
    how = f"ended by {names[number]}" if number in names else f"ended with exit code {code}"
    bound = f"memory limit {limits.memory / (1 << 30):.2g} GiB"
    return f"the sandboxed process {how} ({bound})" + (f": {said[-1][:300]}" if said else "")


def pick(folder: int, name: str, limit: int) -> int:
    """Open a file that a child left, for what it is, a stranger's: regular, alone, bounded.

    Returns a descriptor. Raises SandboxFailed.
    """
    what = "answer" if name == ANSWER else name
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        raise SandboxFailed(f"no readable {what}: {error.strerror}", _MISBEHAVED) from error
    facts = os.fstat(opened)
    fault = ""
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        fault = f"{what} is not a plain file"
    elif facts.st_size > limit:
        fault = f"{what} of {facts.st_size:,} bytes, over {limit:,}"
    if fault:
        os.close(opened)
        raise SandboxFailed(fault, _MISBEHAVED)
    return opened


def _answer(folder: int, limit: int) -> bytes:
    with os.fdopen(pick(folder, ANSWER, limit), "rb") as file:
        data = file.read(limit + 1)
    try:
        strictjson.loads(data, limit=limit)
    except strictjson.StrictJSONError as error:
        raise SandboxFailed(f"the answer is not strict JSON: {error}", _MISBEHAVED) from error
    return data
