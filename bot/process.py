"""Children of this process: none outlives its block, and `stop_all` ends them on Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.errors import CouldNotTell

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()
_stopping = threading.Event()


@contextlib.contextmanager
def child(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    talks: bool = False,
    fds: tuple[int, ...] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a child in a session of its own; leaving the block kills its whole group.

    It reads nothing; what it prints on stdout and stderr comes through one pipe, `stdout`.
    One that `talks` has a pipe to `stdin` too, and nowhere for errors. It inherits `fds`.
    """
    process: subprocess.Popen[bytes] | None = None
    try:
        with _lock:
            if _stopping.is_set():
                raise CouldNotTell("interrupted", "run it again")
            process = subprocess.Popen(
                argv,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if talks else subprocess.STDOUT,
                pass_fds=fds,
                start_new_session=True,
            )
            _running.add(process)
        yield process
    finally:
        if process is not None:
            _end(process)


def stop_all() -> None:
    """Kill every running child and start no more: the caller is about to leave.

    Blocks of other threads then see their child dead, clean up and end.
    """
    _stopping.set()
    with _lock:
        for process in _running:
            _kill(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    _kill(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    with _lock:
        _running.discard(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The group is named by its first process, which is not reaped before `_end` waits for it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
