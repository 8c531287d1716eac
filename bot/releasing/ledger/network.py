"""What leaves the machine for a ledger: git to the operator's own remote, as they set it up.

Their credential helpers, ssh and addresses count; hooks of this repository do not run. Only
file, https and ssh are spoken, and http on this machine. Every call has a time limit.
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
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot import git
from bot.quoting import printable
from bot.report.neutral import redact
from registry.errors import ReleaseError, StoreFailed

SECONDS = 60.0  # of one call
_LISTED = 200_000_000  # bytes that a remote may say about its refs
_POLL = 0.2  # seconds
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/-]{0,99})")
_REF = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})\t(refs/[\x21-\x7e]+)")
_KEPT = re.compile(
    r"GIT_(?:AUTHOR|COMMITTER|CONFIG|SSH|SSL|ASKPASS)(?:_.*)?|(?:GH|GITHUB|GITHUB_ENTERPRISE)_TOKEN"
)
_USER = re.compile(r"(?<=://)[^/@\s]*@")
_ORPHAN = ("setpriv", "--pdeathsig", "KILL", "--")  # what we start ends when we are killed


def environment() -> dict[str, str]:
    """Return git's environment with what the operator says of identity, ssh and credentials."""
    return git.environment(tuple(name for name in os.environ if _KEPT.fullmatch(name)))


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote by its name in the configuration of the repository at `folder`."""

    folder: Path
    name: str
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ReleaseError(f"{self.name!a:.80} is no name of a remote", "name it as git does")

    def listed(self, *patterns: str) -> Mapping[str, str]:
        """Return refs of the remote and what they are; tags also as refs/tags/NAME^{}.

        Raises StoreFailed, ReleaseError where there is no such remote.
        """
        status, output, said = self._ask("ls-remote", self.name, *patterns)
        if status:
            raise self._failed("does not answer", said)
        found = (_REF.fullmatch(line) for line in output.splitlines())
        return {one[2].decode("ascii"): one[1].decode("ascii") for one in found if one}

    def fetch(self, refspecs: Sequence[str], *words: str) -> None:
        """Bring objects, whole ones also to a partial clone. Raises StoreFailed."""
        status, _, said = self._ask(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-filter", "--refmap=",
            "--no-auto-gc", "--no-auto-maintenance", "--recurse-submodules=no", *words,
            "--stdin", self.name, asked="".join(f"{one}\n" for one in refspecs).encode(),
        )  # fmt: skip
        if status:
            raise self._failed("cannot be fetched from", said)

    def push(self, refspecs: Sequence[tuple[str, str, str]]) -> str:
        """Push (object, ref, what the ref must be before, "" for nothing): all of it or nothing.

        Return "" or why it was refused. Raises StoreFailed where nothing was said in time.
        """
        leases = [f"--force-with-lease={ref}:{old}" for _, ref, old in refspecs]
        status, output, said = self._ask(
            "push", "--atomic", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags",
            "--recurse-submodules=no", *leases, self.name,
            *(f"{new}:{ref}" for new, ref, _ in refspecs),
        )  # fmt: skip
        if not status:
            return ""
        refused = [x for x in output.decode("utf-8", "replace").splitlines() if x[:1] == "!"]
        # Atomic: where one is refused, git says the same of all; the server's reason comes first.
        told = [x for x in refused if "atomic" not in x and "stale info" not in x]
        return _line("\n".join(told or refused).replace("\t", " ")) if refused else _line(said)

    def _ask(self, *words: str, asked: bytes = b"") -> tuple[int, bytes, str]:
        flags = [
            word for scheme in self._schemes() for word in ("-c", f"protocol.{scheme}.allow=always")
        ]
        before = _ORPHAN if shutil.which(_ORPHAN[0]) else ("env",)  # either: its own session
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as question:
            question.write(asked)
            question.seek(0)
            process = git.start(
                self.folder, [*flags, *words], stdin=question, stderr=errors,
                env=environment(), before=before,
            )  # fmt: skip
            output = self._watch(process, words[0])
            errors.seek(0)
            said = errors.read(8000).decode("utf-8", "replace")
        return process.returncode, output, said

    def _watch(self, process: subprocess.Popen[bytes], what: str) -> bytes:
        assert process.stdout is not None
        until, parts, size, ended = time.monotonic() + self.seconds, [], 0, False
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                while not ended and size <= _LISTED and time.monotonic() < until:
                    if selector.select(_POLL):
                        data = os.read(process.stdout.fileno(), 1 << 16)
                        parts.append(data)
                        size, ended = size + len(data), not data
            if ended:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(until - time.monotonic(), 1))
        finally:
            done = process.poll() is not None
            if not done:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            process.stdout.close()
        if not done:
            why = f"is not done after {self.seconds:g} s" if size <= _LISTED else "says too much"
            raise StoreFailed(f"git {what}: the remote {self.name} {why}", _LATE)
        return b"".join(parts)

    def _schemes(self) -> tuple[str, ...]:
        """Return what may be spoken with this remote. Raises ReleaseError for an odd one."""
        urls = self._urls("--all") + self._urls("--all", "--push")
        plain = [urlsplit(url).hostname for url in urls if url.startswith("http://")]
        local = plain and all(host in ("127.0.0.1", "::1", "localhost") for host in plain)
        return ("file", "https", "ssh", *(("http",) if local else ()))

    def _urls(self, *words: str) -> list[str]:
        status, output, _ = git.run(
            self.folder, "remote", "get-url", *words, self.name, env=environment()
        )
        found = output.decode("utf-8", "surrogateescape").splitlines()
        if status or not found:
            hint = "add it with git remote add, or name another as release.remote in the policy"
            raise ReleaseError(f"this repository has no remote {self.name}", hint)
        if len(found) > 1:
            what = f"the remote {self.name} has {len(found)} addresses"
            raise ReleaseError(what, "give releases one address: a version is claimed at one place")
        return found

    def _failed(self, what: str, said: str) -> StoreFailed:
        return StoreFailed(f"the remote {self.name} {what}: {_line(said)}", _AGAIN)


_AGAIN = "check the network, the address and the rights there, then run it again"
_LATE = "run it again: it looks first whether what was sent has arrived"


def _line(said: str) -> str:
    """Return the line that says why, without what could be a secret."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no reason given"]
    line = next((x for x in lines if x.startswith(("fatal:", "error:", "ERROR:"))), lines[0])
    return redact(printable(_USER.sub("", line)))[:300]
