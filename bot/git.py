"""The only caller of git. Reads objects; never checks out, never runs hooks, filters or drivers.

Lazy fetching of partial clones is off too: a check must not touch the network.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from bot.errors import RepositoryError, TooLarge, UsageError

CHUNK = 1 << 20  # bytes

_OFF = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null",
    "diff.external=", "protocol.allow=never", "protocol.ext.allow=never", "gpg.program=false",
    "gpg.x509.program=false", "log.showSignature=false", "core.quotePath=false",
)  # fmt: skip
_FLAGS = ("--no-pager", "--literal-pathspecs", *(word for off in _OFF for word in ("-c", off)))


def environment(keep: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the environment git runs in: ours, without any GIT_ variable not in `keep`."""
    # HOME stays: the user's safe.directory is the consent to read another owner's clone.
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in keep}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0", "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C",
    }  # fmt: skip


def run(
    folder: Path, *words: str, limit: int = CHUNK, env: Mapping[str, str] | None = None
) -> tuple[int, bytes, str]:
    """Run git in `folder`; return (exit status, output, first line of its errors).

    Raises TooLarge when it prints more than `limit` bytes, UsageError where git is missing.
    """
    with tempfile.TemporaryFile() as errors:
        with _start(folder, words, stderr=errors, env=env) as process:
            assert process.stdout is not None
            output = _read(process.stdout, limit)
            if len(output) > limit:
                process.kill()
        if len(output) > limit:
            raise TooLarge(f"git {words[0]} prints more than {limit:,} bytes", "split the change")
        errors.seek(0)
        first = errors.read(2000).decode("utf-8", "replace").strip().split("\n")[0]
    return process.returncode, output, first


def _read(pipe: IO[bytes], limit: int) -> bytes:
    """Read to the end, or a little past `limit`; memory follows what is there."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := pipe.read(min(left, CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _start(
    folder: Path,
    words: Sequence[str],
    *,
    stdin: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["git", *_FLAGS, *words], cwd=folder, env=env or environment(),
            stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    except (FileNotFoundError, NotADirectoryError) as error:
        if folder.is_dir():
            raise UsageError("git is not installed", "install git 2.31 or newer") from error
        raise RepositoryError(f"{folder} is not a folder", "pass --repo DIR") from error


@contextlib.contextmanager
def stream(folder: Path, blob: str) -> Iterator[IO[bytes]]:
    """Open a blob of any size as a pipe; leaving early ends the process."""
    process = _start(folder, ("cat-file", "blob", blob))
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


class Batch:
    """One `git cat-file` process that answers many questions."""

    def __init__(self, folder: Path, mode: str) -> None:
        self._folder, self._mode = folder, mode
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, name: str, *, content: bool) -> tuple[str, int, bytes] | None:
        """Return (type, size, content or b"") of an object, or None where it is missing."""
        if "\n" in name:
            return None
        with self._lock:
            if self._process is None:
                self._process = _start(
                    self._folder, ("cat-file", self._mode), stdin=subprocess.PIPE
                )
            return self._answer(self._process, name, content=content)

    def _answer(
        self, process: subprocess.Popen[bytes], name: str, *, content: bool
    ) -> tuple[str, int, bytes] | None:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:  # git gave up, as it does on objects a partial clone left out
            self._stop()
        words = line.decode("utf-8", "replace").rsplit(" ", 2)
        if len(words) != 3 or not words[2].strip().isdigit():
            return None
        size = int(words[2])
        return words[1], size, process.stdout.read(size + 1)[:size] if content else b""

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()
