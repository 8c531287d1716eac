"""Calls to MLflow, made in a process of their own.

Why a child: importing MLflow takes 2 to 3 s, prints, warns and starts threads; a database that is
locked or a host that swallows packets holds its caller for minutes, and only a process can be
ended in time, wherever it hangs. It is started at the first call and serves all that follow.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from registry.errors import StoreFailed
from registry.mlflow.advice import explain

CHILD = Path(__file__).resolve().parent / "child.py"
START = 60.0  # s more for loading MLflow: 3 at best
MIGRATE = 10.0  # s more for connecting, which may make a database: 2 at best
ANSWER = 100_000_000  # bytes
_PASSED = frozenset({
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy",
    "no_proxy",
})  # fmt: skip
_PREFIXES = ("MLFLOW_", "AWS_", "AZURE_", "GOOGLE_", "PG")
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD")


class Calls:
    """One MLflow, at `uri`; a call that takes longer than `timeout` seconds ends its process."""

    def __init__(self, uri: str, artifacts: Path, timeout: float) -> None:
        self._uri, self._artifacts, self._timeout = uri, artifacts, timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Calls] | None = None
        self._lock = threading.Lock()
        self._rest = b""
        self._loading = False

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        return re.sub(r"//[^@/]*@", "//", self._uri.partition("?")[0])

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Return what the child answers. Raises StoreFailed."""
        with self._lock:
            if self._process is None:
                self._start()
            if self._loading:
                self._open()
            found = self._ask(name, 0.0, **arguments)
        if "error" in found:
            raise self._failed(found["error"])
        return found["ok"]

    def warm(self) -> None:
        """Start the child, and let it load MLflow while its caller does other things."""
        with self._lock:
            if self._process is None:
                self._start()

    def close(self) -> None:
        """End the child, if there is one; the next call starts another."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        try:
            room = tempfile.TemporaryDirectory(prefix="modelwarden-mlflow-")
            process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-W", "ignore", str(CHILD)],
                cwd=room.name,
                env=_environment(room.name, self._timeout),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us; the child ends when we do
            )
        except OSError as error:
            what = f"MLflow at {self.shown}: its process cannot be started: {error.strerror}"
            raise StoreFailed(what, "free memory or disk space, then run it again") from error
        self._process, self._rest = process, b""
        self._end = weakref.finalize(self, _end, process, room)
        self._loading = True
        self._send("load", artifacts=self._artifacts.as_uri())

    def _open(self) -> None:
        found = self._hear(START)
        if "error" not in found:
            place = self._artifacts.as_uri()
            found = self._ask("open", MIGRATE, uri=self._uri, artifacts=place)
        if "error" in found:
            self._stop()
            raise self._failed(found["error"])
        self._loading = False

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._process = self._end = None

    def _ask(self, name: str, more: float, /, **arguments: Any) -> dict[str, Any]:
        self._send(name, **arguments)
        return self._hear(more)

    def _send(self, name: str, /, **arguments: Any) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise self._failed(["gone", "", ""])
        line = json.dumps({"call": name, "with": arguments}).encode() + b"\n"
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BaseException as error:
            self._stop()
            if isinstance(error, OSError):
                raise self._failed(["gone", "", ""]) from error
            raise

    def _hear(self, more: float) -> dict[str, Any]:
        process = self._process
        if process is None:
            raise self._failed(["gone", "", ""])
        try:
            answer = self._line(process, time.monotonic() + self._timeout + more)
            found = json.loads(answer)
        except BaseException as error:  # interrupted too: the next answer would be of this call
            self._stop()
            if isinstance(error, OSError | ValueError):
                raise self._failed(["gone", "", ""]) from error
            raise
        if not isinstance(found, dict):
            raise self._failed(["gone", "", ""])
        return found

    def _line(self, process: subprocess.Popen[bytes], until: float) -> bytes:
        if process.stdout is None:
            raise OSError("no pipe")
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not ready.select(max(0.0, until - time.monotonic())):
                    raise self._failed(["timeout", "", f"{self._timeout:g}"])
                more = os.read(process.stdout.fileno(), 1 << 20)
                if not more or len(self._rest) > ANSWER:
                    raise OSError("no answer")
                self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _failed(self, error: list[str]) -> StoreFailed:
        kind, code, text = error
        message, hint = explain(kind, code, self._clean(text), self.shown)
        return StoreFailed(f"MLflow at {self.shown}: {message}", hint)

    def _clean(self, text: str) -> str:
        """Return a text without any secret that we know of, on one line."""
        parts = urlsplit(self._uri)
        secrets = [parts.password, unquote(parts.password or ""), parts.query]
        secrets += [os.environ.get(name) for name in _SECRETS]
        for secret in secrets:
            if secret:
                text = text.replace(secret, "***")
        return "".join(c if c.isprintable() else " " for c in text)


def _environment(room: str, timeout: float) -> dict[str, str]:
    passed = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED or name.startswith(_PREFIXES)
    }
    return passed | {
        "TMPDIR": room,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(max(1, int(timeout) - 1)),  # it tells before we end it
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # a repeated POST would make a second run
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "PGCONNECT_TIMEOUT": str(max(2, int(timeout) - 1)),
        "GIT_PYTHON_REFRESH": "quiet",
    }


def _end(process: subprocess.Popen[bytes], room: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    room.cleanup()
