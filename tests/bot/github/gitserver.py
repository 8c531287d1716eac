"""Git over HTTP on loopback for one bare repository, with tokens that can end."""

from __future__ import annotations

import contextlib
import threading
import time
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from tests.githubfake import backend
from tests.gitrepo import Repo


class GitServer:
    """Use as a context manager. `asked` lists (method, path, whether the token was taken)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tokens = {"ghs_first0000000000000000"}
        self.asked: list[tuple[str, str, bool]] = []
        self.slow = 0.0
        self.moved = ""
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/acme/tiny.git"

    def publish(self, repo: Repo) -> None:
        """Copy a repository there, bare, as GitHub serves it."""
        place = self.root / "acme" / "tiny.git"
        if not place.exists():
            repo.git("clone", "-q", "--bare", str(repo.path), str(place))
            bare = Repo.__new__(Repo)
            bare.path = place
            for name in ("allowFilter", "allowAnySHA1InWant"):
                bare.git("config", f"uploadpack.{name}", "true")
        repo.git("push", "-q", "--mirror", "--force", str(place))

    def takes(self, header: str) -> bool:
        good = {b64encode(f"x-access-token:{t}".encode()).decode() for t in self.tokens}
        kind, _, value = header.partition(" ")
        return kind.lower() == "basic" and value in good

    def __enter__(self) -> GitServer:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self.answer(b"")

            def do_POST(self) -> None:
                self.answer(self.body())

            def body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", "0")))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def answer(self, body: bytes) -> None:
                known = outer.takes(self.headers.get("Authorization", ""))
                outer.asked.append((self.command, self.path, known))
                time.sleep(outer.slow)
                path, _, query = self.path.partition("?")
                headers = {name.lower(): value for name, value in self.headers.items()}
                if outer.moved:
                    status, found, data = 301, {"Location": outer.moved + self.path}, b""
                elif not known:
                    status, found, data = 401, {"WWW-Authenticate": 'Basic realm="GitHub"'}, b""
                else:
                    status, found, data = backend.run(
                        outer.root, self.command, path, query, headers, body
                    )
                self.send_response(status)
                for name, value in found.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # a fetch that was ended
                    self.wfile.write(data)

            def log_message(self, format: str, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
