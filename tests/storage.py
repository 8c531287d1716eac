"""Where GitHub keeps the archives of runs: an address of its own, which is shown no token."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Storage:
    """`put` gives the address of some bytes; `shown` lists every Authorization that came."""

    url: str
    kept: list[bytes] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)

    def put(self, data: bytes) -> str:
        self.kept.append(data)
        return f"{self.url}/{len(self.kept) - 1}"


@contextlib.contextmanager
def storage() -> Iterator[Storage]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            made.shown.append(self.headers.get("Authorization"))
            data = made.kept[int(self.path[1:])]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Storage(f"http://localhost:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
