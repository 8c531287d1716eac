"""The one caller of DVC: what a remote is asked to do with objects that are named by digest.

DVC's configuration can name commands that it runs (credential helpers of remotes), so DVC never
sees a change: a child of our own (`dvcchild.py`) has an empty folder to work in, and a
configuration made from the BASE commit's `.dvc/config`, which the maintainers merged and which is
trusted to name such commands.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lab.errors import without_paths
from registry import objects
from registry.dvcconfig import DvcConfig, chosen, options
from registry.errors import (
    CorruptWeights,
    MissingWeights,
    RegistryError,
    StoreFailed,
    UnsafeWeights,
)
from registry.pointers import DVC_LIMIT

STALL = 600.0  # seconds in which nothing is heard of a remote
LINE = 1_000_000  # bytes of one report
CHILD = Path(__file__).with_name("dvcchild.py")
Progress = Callable[[str, int], None]  # what, and how many bytes of it went since the last call
_PASSED = {
    "HOME", "PATH", "LANG", "USER", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}  # fmt: skip
_PASSED_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "OSS_")
_SECRET = re.compile(r"secret|token|password|passphrase|connection_string|access_key|sas|_key$")
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_CANNOT = {
    "stat": "be asked",
    "prove": "be read",
    "get": "be read",
    "put": "be written to",
    "remove": "be changed",
    "listing": "be listed",
}
_AT = {"get": "come from", "prove": "are in", "put": "are in the cache, or came to"}
_HINTS = {
    "missing": "run 'dvc push' where the file was made, to a remote in the base's .dvc/config",
    "denied": "give whoever runs this the right to it, then run it again",
    "full": "make room there and run it again: what is there already is not sent again",
    "away": "see that the remote can be reached, then run it again: what is there stays",
}


@dataclass(frozen=True, slots=True)
class Object:
    """One object: `path` is the tracked file it is of, `id` its md5, with ".dir" for a listing."""

    path: str
    id: str
    legacy: bool = False

    @property
    def digest(self) -> str:
        """The md5 alone."""
        return self.id.removesuffix(".dir")

    def within(self, cache: Path) -> Path:
        """Return where it is in a cache folder."""
        folder = self.id.endswith(".dir")
        return objects.dvc_object(cache, self.digest, folder=folder, legacy=self.legacy)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one object: its bytes, -1 where the remote does not tell, None: not there."""

    number: int
    size: int | None
    object: str = ""  # of a listing
    legacy: bool = False
    time: int = -1  # of a listing: when it was written, in seconds


def ask(
    config: DvcConfig,
    do: str,
    wanted: Sequence[tuple[Object, Path | None]] = (),
    *,
    remote: str = "",
    check: bool = True,
    stall: float = STALL,
    progress: Progress | None = None,
) -> Iterator[Answer]:
    """Have the remote do one thing (stat, prove, get, put, remove, listing) to objects.

    What is put is read back, unless `check` is false: then its size alone is held against it. A
    folder's listing is put after all others and removed before them. Raises StoreFailed,
    MissingWeights, CorruptWeights or UnsafeWeights at the first object it cannot be done to; where
    it is only asked for (stat, remove), a missing object is an answer.
    """
    name = chosen(config, remote)
    if importlib.util.find_spec("dvc") is None:
        raise StoreFailed(
            f"the DVC remote {name!r} cannot be asked: DVC is not installed",
            "install modelwarden with its dvc extra",
        )
    whole = options(config)
    job = {
        "do": do,
        "remote": name,
        "config": whole,
        "limit": DVC_LIMIT,
        "check": check,
        "objects": [(one.id, one.legacy, str(path or "")) for one, path in wanted],
    }
    heard, moved = False, [0] * len(wanted)
    for report in _reports(job, stall, _secrets(whole)):
        match report:
            case ["done", int(number), int(size)]:
                if progress is not None and size > moved[number]:
                    progress(wanted[number][0].path, size - moved[number])
                yield Answer(number, size)
            case ["absent", int(number)]:
                yield Answer(number, None)
            case ["object", str(found), int(size), bool(legacy), int(time_)]:
                yield Answer(-1, size, found, legacy, time_)
            case ["moved", int(number), int(count)]:
                moved[number] += count
                if progress is not None and count:
                    progress(wanted[number][0].path, count)
            case ["failed", int(number), str(kind), str(text)]:
                about = wanted[number][0] if number >= 0 else None
                raise _failed(do, name, about, kind, text)
            case ["end"]:
                heard = True
            case ["lost", str(text)]:
                raise _failed(do, name, None, "away", text)
    if not heard:
        raise _failed(do, name, None, "away", "the program that asks it ended")


def environment(workspace: Path) -> dict[str, str]:
    """Return what DVC may know of ours in a throw-away workspace: how to reach its remotes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
    return kept | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(workspace / "site")}


def _failed(do: str, remote: str, about: Object | None, kind: str, text: str) -> RegistryError:
    what = f"{about.path}: DVC object {about.id}: " if about else ""
    if kind == "corrupt":
        return CorruptWeights(
            f"{what}other bytes (digest {text}) {_AT[do]} remote {remote!r}",
            "delete it there and push it from a clone where it is intact",
        )
    if kind == "large":
        return UnsafeWeights(
            f"{what}{text} in remote {remote!r}", "track folders of fewer files, or pack them"
        )
    message = f"{what}remote {remote!r} cannot {_CANNOT[do]} ({text})"
    if kind == "missing" and do in ("get", "prove"):
        return MissingWeights(f"{what}not in remote {remote!r} ({text})", _HINTS["missing"])
    hint = _HINTS["away" if kind == "missing" else kind]
    return StoreFailed(message, hint)


def _reports(job: Mapping[str, Any], stall: float, secrets: frozenset[str]) -> Iterator[list[Any]]:
    with (
        tempfile.TemporaryDirectory(prefix="modelwarden-dvc-") as workspace,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, "-I", "-B", str(CHILD)],
            cwd=workspace,
            env=environment(Path(workspace)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        ) as child,
    ):
        assert child.stdin is not None and child.stdout is not None
        try:
            with suppress(BrokenPipeError):
                child.stdin.write(json.dumps(job).encode() + b"\n")
                child.stdin.flush()
            ended = False
            for line in _lines(child.stdout, stall):
                report = json.loads(line)
                ended = ended or report[0] in ("end", "failed")
                yield [_clean(w, secrets) if isinstance(w, str) else w for w in report]
            if not ended:
                yield ["lost", _clean(_last(said), secrets)]
        except TimeoutError:
            yield ["lost", f"nothing was heard of it for {stall:g} s"]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _lines(source: IO[bytes], stall: float) -> Iterator[bytes]:
    rest = b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(source, selectors.EVENT_READ)
        until = time.monotonic() + stall
        while True:
            if not waiting.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            piece = os.read(source.fileno(), 65_536)
            if not piece or len(rest) > LINE:
                return
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
            until = time.monotonic() + stall


def _last(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - 4096))
    lines = said.read().decode("utf-8", "replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it ended at once")


def _secrets(config: Mapping[str, Any]) -> frozenset[str]:
    found = {
        value
        for remote in config["remote"].values()
        for key, value in remote.items()
        if _SECRET.search(key)
    }
    found |= {v for k, v in os.environ.items() if _SECRET.search(k.lower()) and "PATH" not in k}
    return frozenset(value for value in found if len(value) >= 6)


def _clean(text: str, secrets: frozenset[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    text = _USER.sub("***@", without_paths(text))
    return "".join(c for c in text if c.isprintable())[:300]
