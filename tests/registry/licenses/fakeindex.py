"""A package index on this machine, made of literals."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

_TYPES = {"/simple/": "application/vnd.pypi.simple.v1+json", "/pypi/": "application/json"}


class FakeIndex(ThreadingHTTPServer):
    """Serves `pages`, and ranges of them where `ranges` says so; remembers what it was asked.

    `moved` holds redirects, `lengths` the Content-Length to state instead of the true one, `spans`
    the Content-Range to state, `broken` the status to answer with.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.lengths: dict[str, int] = {}
        self.spans: dict[str, str] = {}
        self.broken: dict[str, int] = {}
        self.ranges = True
        self.asked: list[str] = []
        self.sent = 0  # bytes of bodies

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple/"

    def publish(
        self, name: str, version: str, fields: str, *, digest: str = "", yanked: bool = False
    ) -> None:
        """Add a wheel with these metadata fields beside it to a project."""
        file = f"{name}-{version}-py3-none-any.whl"
        data = f"Name: {name}\nVersion: {version}\n{fields}\n\n".encode()
        self.pages[f"/files/{file}.metadata"] = data
        sha256 = digest or hashlib.sha256(data).hexdigest()
        self.list_file(name, file, {"core-metadata": {"sha256": sha256}, "yanked": yanked})

    def publish_wheel(self, name: str, wheel: Path | bytes, file: str = "") -> str:
        """Add a wheel without metadata beside it; return its path on the server."""
        file = file or (wheel.name if isinstance(wheel, Path) else f"{name}-1.0-py3-none-any.whl")
        data = wheel.read_bytes() if isinstance(wheel, Path) else wheel
        self.pages[f"/files/{file}"] = data
        self.list_file(name, file, {"size": len(data)})
        return f"/files/{file}"

    def list_file(self, name: str, file: str, more: dict[str, object]) -> None:
        """Add a row to a project's page."""
        page = json.loads(self.pages.get(f"/simple/{name}/", b'{"files": []}'))
        page["files"].append({"filename": file, "url": f"/files/{file}"} | more)
        self.pages[f"/simple/{name}/"] = json.dumps(page).encode()


@contextmanager
def serving() -> Iterator[FakeIndex]:
    """Serve an index until the block ends."""
    server = FakeIndex()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: FakeIndex

    def do_GET(self) -> None:
        index, path = self.server, unquote(self.path)
        index.asked.append(path)
        if target := index.moved.get(path):
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        body = index.pages.get(path)
        status = index.broken.get(path, 404 if body is None else 200)
        body = body or b""
        first, last = self._range(len(body))
        if status == 200 and index.ranges and last >= 0:
            status = 206
        self.send_response(status)
        if status == 206:
            span = f"bytes {first}-{last}/{len(body)}"
            self.send_header("Content-Range", index.spans.get(path, span))
            body = body[first : last + 1]
        kind = next((t for start, t in _TYPES.items() if path.startswith(start)), "x/y")
        self.send_header("Content-Type", index.types.get(path, kind))
        self.send_header("Content-Length", str(index.lengths.get(path, len(body))))
        self.end_headers()
        index.sent += len(body)
        self.wfile.write(body)

    def _range(self, size: int) -> tuple[int, int]:
        """Return the first and last byte that are asked for, (0, -1) for no range."""
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return 0, -1
        first, last = asked.groups()
        if not first:
            return max(size - int(last), 0), size - 1
        return int(first), min(int(last), size - 1)

    def log_message(self, format: str, *args: object) -> None:
        pass
