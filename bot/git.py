"""The only caller of git. Reads objects; never checks out, never runs hooks, filters or drivers.

Lazy fetching of partial clones is off too: a check must not touch the network. `fetch` alone may,
and only from the one address it is given.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from bot.errors import RepositoryError, TooLarge, UsageError

CHUNK = 1 << 20  # bytes

_OFF = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null",
    "diff.external=", "protocol.allow=never", "protocol.ext.allow=never", "gpg.program=false",
    "gpg.x509.program=false", "log.showSignature=false", "core.quotePath=false",
    "advice.graftFileDeprecated=false",
)  # fmt: skip
_FLAGS = ("--no-pager", "--literal-pathspecs", *(word for off in _OFF for word in ("-c", off)))


_UNWANTED = re.compile(r"GIT_.*|MODELWARDEN_.*|.*(?:TOKEN|SECRET|PASSWORD|PRIVATE_KEY).*", re.I)


def environment(keep: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the environment git runs in: ours, without secrets and GIT_ variables not in `keep`.

    Reading objects needs neither; other processes of this user can see the environment.
    """
    # HOME stays: the user's safe.directory is the consent to read another owner's clone.
    kept = {k: v for k, v in os.environ.items() if k in keep or not _UNWANTED.fullmatch(k)}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0", "GIT_ATTR_NOSYSTEM": "1", "LC_ALL": "C",
    }  # fmt: skip


def run(
    folder: Path,
    *words: str,
    limit: int = CHUNK,
    env: Mapping[str, str] | None = None,
    asked: bytes = b"",
) -> tuple[int, bytes, str]:
    """Run git in `folder`; return (exit status, output, first line of its errors).

    It reads `asked`. Raises TooLarge beyond `limit` bytes, UsageError without git, MemoryError.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as question:
        question.write(asked)
        question.seek(0)
        with start(folder, words, stdin=question, stderr=errors, env=env) as process:
            assert process.stdout is not None
            output = _read(process.stdout, limit)
            if len(output) > limit:
                process.kill()
        if len(output) > limit:
            raise TooLarge(f"git {words[0]} prints more than {limit:,} bytes", "split the change")
        first = _first(errors)
    if process.returncode and "ut of memory" in first:
        raise MemoryError(first)
    return process.returncode, output, first


def _read(pipe: IO[bytes], limit: int) -> bytes:
    """Read to the end, or a little past `limit`; memory follows what is there."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0 and (part := pipe.read(min(left, CHUNK))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def start(
    folder: Path,
    words: Sequence[str],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    fds: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start git, with `before` in a session of its own. Raises UsageError, RepositoryError."""
    try:
        return subprocess.Popen(
            [*before, *["git", *_FLAGS, *words]], cwd=folder, env=env or environment(),
            stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            pass_fds=fds, start_new_session=bool(before or fds),
        )  # fmt: skip
    except (FileNotFoundError, NotADirectoryError) as error:
        if folder.is_dir():
            raise UsageError("git is not installed", "install git 2.31 or newer") from error
        raise RepositoryError(f"{folder} is not a folder", "pass --repo DIR") from error


@contextlib.contextmanager
def stream(folder: Path, blob: str) -> Iterator[IO[bytes]]:
    """Open a blob of any size as a pipe; leaving early ends the process."""
    process = start(folder, ("cat-file", "blob", blob))
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def lines(folder: Path, *words: str) -> Generator[bytes, None, None]:
    """Yield git's lines; leaving early ends it. Raises TooLarge beyond CHUNK, RepositoryError."""
    with tempfile.TemporaryFile() as errors, start(folder, words, stderr=errors) as process:
        assert process.stdout is not None
        try:
            while line := process.stdout.readline(CHUNK):
                if len(line) == CHUNK:
                    raise TooLarge(f"git {words[0]} prints too long a line", "run: git fsck")
                yield line
            if process.wait():
                raise RepositoryError(_first(errors), "run: git fsck, git fetch --refetch")
        finally:
            process.kill()


def _first(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read(2000).decode("utf-8", "replace").strip().split("\n")[0]


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
                self._process = start(self._folder, ("cat-file", self._mode), stdin=subprocess.PIPE)
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


# The network


@dataclass(frozen=True, slots=True)
class Remote:
    """An address without user or password, and the token that its host is shown."""

    url: str
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme not in (("https", "http") if loopback else ("https",)) or "@" in self.url:
            raise UsageError("not an address that a token may go to", "use https://HOST/OWNER/NAME")
        if not re.fullmatch(r"[\x21-\x7e]{6,2000}", self.url) or not _TOKEN.fullmatch(self.token):
            raise UsageError("an address or token with odd characters", "use them as GitHub says")

    @property
    def configuration(self) -> bytes:
        """The settings that hold the token; git sends it to this host alone, unasked."""
        parts = urlsplit(self.url)
        basic = b64encode(f"x-access-token:{self.token}".encode()).decode()
        header = f"\textraHeader = Authorization: Basic {basic}\n" if self.token else ""
        host = f'[http "{parts.scheme}://{parts.netloc}/"]\n'
        return f"{host}{header}[credential]\n\thelper =\n".encode()


_TOKEN = re.compile(r"[A-Za-z0-9_.~+/=-]{0,4000}")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PASSED = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", *_PROXIES, *map(str.upper, _PROXIES))
# Objects are not checked by fsck: nothing is checked out, and old histories hold odd trees.
_FETCH = (
    "protocol.version=2", "http.followRedirects=false", "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60", "transfer.bundleURI=false", "fetch.recurseSubmodules=false",
    "gc.auto=0", "maintenance.auto=false", "core.bigFileThreshold=16m", "pack.threads=2",
    "core.askPass=", "remote.origin.promisor=true", "remote.origin.partialCloneFilter=blob:none",
)  # fmt: skip
POLL = 0.2  # seconds between two looks at what a fetch has done


def fetch(
    folder: Path,
    remote: Remote,
    *words: str,
    names: Sequence[str] = (),
    stop: Callable[[], str] = lambda: "",
) -> tuple[int, str]:
    """Fetch into a bare repository, without blobs that nobody names; (exit status, its last words).

    `words` are refspecs, `names` objects; `stop` is asked all the time, and ends it with a reason.
    """
    # The token is on no command line, in no file and in no environment, all of which others
    # can read: git reads it from memory that has no name.
    secret = os.memfd_create("git", 0)
    try:
        os.write(secret, remote.configuration)
        scheme = urlsplit(remote.url).scheme
        options = [*_FETCH, f"protocol.{scheme}.allow=always", f"remote.origin.url={remote.url}"]
        if names:  # as git itself fetches what a partial clone lacks: without saying what it has
            options.append("fetch.negotiationAlgorithm=noop")
        flags = [word for option in options for word in ("-c", option)]
        flags += ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--filter=blob:none"]
        flags += ["--no-auto-gc", "--no-auto-maintenance", "--recurse-submodules=no"]
        env = {k: v for k in _PASSED if (v := os.environ.get(k))} | {
            "GIT_CONFIG_GLOBAL": f"/proc/self/fd/{secret}", "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C",
            "GIT_GRAFT_FILE": "/dev/null", "HOME": "/nonexistent",
        }  # fmt: skip
        process = start(
            folder, [*flags, *(("--stdin",) if names else ()), "origin", *words], env=env,
            stdin=subprocess.PIPE, stderr=subprocess.STDOUT, fds=(secret,),
            before=("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else (),
        )  # fmt: skip
    finally:
        os.close(secret)
    return _watch(process, "".join(f"{name}\n" for name in names).encode(), stop)


def _watch(
    process: subprocess.Popen[bytes], asked: bytes, stop: Callable[[], str]
) -> tuple[int, str]:
    assert process.stdin is not None and process.stdout is not None
    said, reason, ended = b"", "", False
    feeder = threading.Thread(target=_feed, args=(process.stdin, asked))
    feeder.start()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while not ended and not (reason := stop()):
                if selector.select(POLL):
                    data = os.read(process.stdout.fileno(), 4096)
                    said, ended = (said + data)[-4000:], not data
    finally:
        if not ended:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        feeder.join()
        process.stdout.close()
    return (-1, reason) if reason else (status, said.decode("utf-8", "replace"))


def _feed(pipe: IO[bytes], data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(data)
