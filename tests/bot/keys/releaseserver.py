"""A web server on this machine that gives out the assets of a release, well or badly."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], bool]  # whether it answered; else the file is given out


class Handler(BaseHTTPRequestHandler):
    """Gives out `files` below /r/, ranges too; `odd` names answer by themselves."""

    protocol_version = "HTTP/1.1"
    server: Site

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def do_GET(self) -> None:
        self.server.seen.append((self.name, self.headers.get("Range", "")))
        odd = self.server.odd.get(self.name)
        if odd and odd(self):
            return
        data = self.server.files.get(self.name)
        if data is None or not self.path.startswith("/r/"):
            self.give(404, b"none")
            return
        at = self.headers.get("Range", "")
        if at and self.server.ranges:
            start = int(at.removeprefix("bytes=").removesuffix("-"))
            said = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self.give(206, data[start:], {"Content-Range": said})
        else:
            self.give(200, data)

    def give(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(data))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


class Site(ThreadingHTTPServer):
    """What is served, how, and what was asked for: (name, range)."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.odd: dict[str, Answer] = {}
        self.ranges = True
        self.seen: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/r/"

    @property
    def asked(self) -> Counter[str]:
        return Counter(name for name, _ in self.seen)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up are part of the tests


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Site]:
    """Serve until the block ends."""
    with Site(files) as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            site.shutdown()
            thread.join()


def lying(length: int) -> Answer:
    """Announce another length than comes."""

    def answer(handler: Handler) -> bool:
        data = handler.server.files[handler.name]
        handler.close_connection = True
        handler.give(200, data, {"Content-Length": str(length)})
        return True

    return answer


def endless(handler: Handler) -> bool:
    """Never end, and never say how much it is."""
    handler.send_response(200)
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    for _ in range(2_000):
        handler.wfile.write(bytes(1 << 20))
    return True


def redirecting(address: str) -> Answer:
    """Send to another address."""

    def answer(handler: Handler) -> bool:
        handler.give(302, b"", {"Location": address})
        return True

    return answer


def failing(status: int, times: int) -> Answer:
    """Fail so many times, then give the file."""
    left = [times]

    def answer(handler: Handler) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        handler.give(status, b"busy")
        return True

    return answer


def dying(after: int, times: int = 1) -> Answer:
    """Hang up after so many bytes of each answer, so many times."""
    left = [times]

    def answer(handler: Handler) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        at = handler.headers.get("Range", "")
        start = int(at.removeprefix("bytes=").removesuffix("-")) if at else 0
        data = handler.server.files[handler.name]
        handler.send_response(206 if at else 200)
        if at:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start : start + after])
        handler.close_connection = True
        return True

    return answer
