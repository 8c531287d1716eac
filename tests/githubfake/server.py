"""The HTTP side: who asks, what is allowed, faults, limits, ETags, and git."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.githubfake import backend, faults, releaseside
from tests.githubfake.call import Refused
from tests.githubfake.people import Identity
from tests.githubfake.routing import Asked, answer

if TYPE_CHECKING:
    from tests.githubfake.hub import FakeGitHub

GIT = re.compile(
    r"/(?!repos/)(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git(?P<dot>/.*)|"
    r"(?P<bare>/info/refs|/git-(?:upload|receive)-pack))"
)
PREFIX = "/api/v3"


@dataclass
class Seen:
    """One request as it arrived. `auth` is app, installation, user, none, bad or basic (git)."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    auth: str
    headers: dict[str, str]
    status: int = 0


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 with kept connections, as clients of the real thing see it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms between its head and its body
    server: Listener

    def log_message(self, format: str, *args: object) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def _body(self) -> bytes | None:
        """What was sent; None where a fault ended the connection half-way."""
        size = int(self.headers.get("Content-Length") or 0)
        if size and self.server.cuts(self.command, self.path):
            self.rfile.read(size // 2)
            return None
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            data = self.rfile.read(size)
            if len(data) < size:  # whoever stops half-way has sent nothing
                raise ConnectionResetError
            return data
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _handle(self) -> None:
        body, url = self._body(), urlsplit(self.path)
        found = GIT.fullmatch(unquote(url.path))
        headers = {name.lower(): value for name, value in self.headers.items()}
        stored = releaseside.STORAGE.fullmatch(url.path)
        shown = releaseside.DOWNLOAD.fullmatch(unquote(url.path))
        if body is None:
            self.server.api(self.command, url.path, url.query, headers, b"", cut=True)
            sent = None
        elif stored:
            sent = self.server.storage(int(stored[1]), headers)
        elif shown:
            sent = self.server.download(shown, headers)
        elif found:
            sent = self.server.git(self.command, found, url.query, headers, body)
        else:
            sent = self.server.api(self.command, url.path, url.query, headers, body)
        if sent is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(*sent)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(data)


class Listener(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, hub: FakeGitHub) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.hub = hub
        self.connections: set[socket.socket] = set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is its own affair; anything else is a fault of the fake."""
        import sys
        import traceback

        if not isinstance(sys.exception(), ConnectionError):
            self.hub.violations.append(f"the fake failed: {traceback.format_exc()}")

    def _identify(self, headers: dict[str, str]) -> tuple[str, Identity | str]:
        """Kind of authorization, and who it is or why not."""
        hub = self.hub
        kind, _, value = headers.get("authorization", "").partition(" ")
        if not value:
            return "none", "Requires authentication"
        if kind.lower() == "basic":
            value = base64.b64decode(value).decode("utf-8", "replace").partition(":")[2]
        token = hub.tokens.get(value)
        if token is not None:
            name = "installation" if token.installation else "user"
            if token.expires <= hub.clock.now():
                return name, "Bad credentials"
            if token.installation and token.installation.suspended is not None:
                return name, "This installation has been suspended"
            return name, Identity(name, token.user, token)
        if value.count(".") == 2 and kind.lower() == "bearer":
            wrong = hub.app.verify(value, hub.skew)
            return "app", wrong or Identity("app", hub.app.owner)
        return "bad", "Bad credentials"

    def api(
        self, method: str, path: str, query: str, headers: dict[str, str], data: bytes, *,
        cut: bool = False,
    ) -> tuple[int, dict[str, str], bytes] | None:  # fmt: skip
        """Answer one API request; None hangs up."""
        hub = self.hub
        prefix = PREFIX if path.startswith(f"{PREFIX}/") else ""
        uploading = path.startswith(f"{releaseside.UPLOADS}/")
        path = unquote(path.removeprefix(releaseside.UPLOADS if uploading else prefix))
        files = uploading or headers.get("content-type") == "application/octet-stream"
        try:
            body = json.loads(data) if data and not files else None
        except ValueError:
            body = data
        auth, who = self._identify(headers)
        asked = dict(parse_qsl(query, keep_blank_values=True))
        seen = Seen(method, path, asked, body, auth, headers)
        hub.requests.append(seen)
        struck = self._fault(method, path)
        fault = struck.kind if struck else ""
        if self._hangs_up(struck):
            return None
        if fault == "slow":
            hub.stopping.wait(hub.slow)
        elif fault and fault not in (*faults.AFTER, "call-soon"):
            made = faults.answer(fault, int(time.time()) + hub.wait, hub.wait)
            return self._pack(seen, *made, "", prefix)
        key = who.key if isinstance(who, Identity) else "nobody"
        with hub.lock:
            about = Asked(method, path, asked, body, who, headers, data, uploading, cut)
            given = answer(hub, about)
        if struck and fault in ("drop-after-store", "call-after"):
            seen.status = given.status
            if fault == "call-after":
                struck.call()
            return None
        if fault in faults.AFTER:
            return self._pack(seen, *faults.answer(fault, 0), "", prefix)
        return self._pack(seen, given.status, given.headers, given.body, key, prefix)

    def cuts(self, method: str, path: str) -> bool:
        """Whether a fault ends this connection before all was sent."""
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.kind == faults.CUT and fault.strikes(method, urlsplit(path).path):
                    fault.times -= 1
                    fault.hits += 1
                    return True
        return False

    def storage(self, number: int, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """The bytes of an asset, for whoever has the address; no token belongs here."""
        hub = self.hub
        hub.requests.append(Seen("GET", f"/storage/{number}", {}, None, "none", headers, 200))
        if "authorization" in headers:
            hub.violations.append("the token was sent to the storage")
        every = (a for repo in hub.repositories.values() for r in repo.releases for a in r.assets)
        found = next((a for a in every if a.id == number), None)
        data = found.data if found else b""
        return 200 if found else 404, {"Content-Type": "application/octet-stream"}, data

    def download(
        self, found: re.Match[str], headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes] | None:
        """The web page's address of an asset of what is published: to where its bytes are."""
        hub, path = self.hub, found[0]
        hub.requests.append(Seen("GET", path, {}, None, "none", headers))
        struck = self._fault("GET", path)
        if self._hangs_up(struck):
            return None
        repo = hub.repositories.get(f"{found['owner']}/{found['name']}")
        with hub.lock:
            number = releaseside.downloaded(repo, found) if repo and not repo.private else None
        hub.requests[-1].status = 404 if number is None else 302
        if number is None:
            return 404, {"Content-Type": "text/plain"}, b"Not Found"
        port = hub.url.rpartition(":")[2]
        return 302, {"Location": f"http://localhost:{port}/storage/{number}"}, b""

    def _fault(self, method: str, path: str) -> faults.Fault | None:
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.kind != faults.CUT and fault.strikes(method, path):
                    fault.times -= 1
                    fault.hits += 1
                    return fault
        return None

    def _hangs_up(self, fault: faults.Fault | None) -> bool:
        """Whether a request is dropped before anything came of it."""
        if fault is not None and fault.kind == "call-soon":
            threading.Timer(faults.SOON, fault.call).start()
        if fault is not None and fault.kind == "call-before":
            fault.call()
        return fault is not None and fault.kind in ("drop", "call-before")

    def _pack(
        self, seen: Seen, status: int, headers: dict[str, str], body: Any, key: str, prefix: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Headers that every answer has, the ETag, and addresses below the prefix asked for."""
        hub, html = self.hub, isinstance(body, str)
        text = body if html else "" if body is None else json.dumps(body)
        sent = {
            "Server": "github.com",
            "Date": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + hub.skew)),
            "Content-Type": "text/html" if html else "application/json; charset=utf-8",
            "X-GitHub-Request-Id": uuid.uuid4().hex[:20].upper(),
            "X-GitHub-Media-Type": "github.v3; format=json",
        }
        if seen.method == "GET" and status == 200:
            tag = f'W/"{hashlib.sha256(text.encode()).hexdigest()}"'
            sent["ETag"] = tag
            if seen.headers.get("if-none-match") == tag:
                status, text = 304, ""
                hub.limits.refund(key)
        sent = (hub.limits.headers(key) if key else {}) | sent | headers
        if prefix:
            text = (
                text.replace(hub.url, hub.url + prefix)
                .replace(f'"clone_url": "{hub.url}{prefix}', f'"clone_url": "{hub.url}')
                .replace(f"{prefix}{releaseside.UPLOADS}", releaseside.UPLOADS)
            )
            sent = {k: v.replace(hub.url, hub.url + prefix) for k, v in sent.items()}
        seen.status = status
        return status, sent, text.encode()

    def git(
        self, method: str, found: re.Match[str], query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Serve fetches and pushes to whoever has a token that may read, or write, contents."""
        hub, rest = self.hub, found["dot"] or found["bare"]
        path, name = found[0], f"{found['owner']}/{found['name']}"
        auth, who = self._identify(headers)
        basic = headers.get("authorization", "").lower().startswith("basic ")
        seen = Seen(method, path, dict(parse_qsl(query)), None, "basic" if basic else auth, headers)
        hub.requests.append(seen)
        struck = self._fault(method, path)
        kind = struck.kind if struck else ""
        if self._hangs_up(struck):
            return None
        if kind == "slow":
            hub.stopping.wait(hub.slow)
        elif kind and kind != "call-soon":
            status, more, text = faults.answer(kind, 0)
            seen.status = status
            return status, {"Content-Type": "text/plain", **more}, str(text).encode()
        try:
            if not basic or not isinstance(who, Identity):
                challenge = {"WWW_Authenticate": 'Basic realm="GitHub"'}
                raise Refused(401, "Invalid username or token", **challenge)
            repo = hub.repositories.get(name)
            if name in hub.moved:
                place = f"{hub.url}/{hub.moved[name].full_name}.git{rest}?{query}"
                raise Refused(301, "Moved Permanently", Location=place)
            if repo is None or not may_read(repo, who, "contents:read"):
                raise Refused(404, "Repository not found.")
            pushes = "git-receive-pack" in (rest.rpartition("/")[2], seen.query.get("service"))
            if pushes and not may_read(repo, who, "contents:write"):
                raise Refused(403, f"Permission to {name}.git denied to {who.user.login}.")
        except Refused as no:
            seen.status = no.status
            return no.status, {"Content-Type": "text/plain", **no.headers}, str(no).encode()
        root = hub.folder / "bare"
        path = f"/{repo.bare.path.relative_to(root)}{rest}"
        user = who.user.login if pushes else ""
        status, more, data = backend.run(root, method, path, query, headers, body, user)
        seen.status = status
        return status, more, data


def may_read(repo: Any, who: Identity, need: str) -> bool:
    """Whether this identity may read the repository."""
    from tests.githubfake.rights import reaches

    return reaches(repo, who, need)


class Server:
    """The listener and its thread."""

    def __init__(self, hub: FakeGitHub) -> None:
        self._listener = Listener(hub)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.05,), name="github", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._listener.hub.stopping.set()
        self._listener.shutdown()
        for connection in list(self._listener.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._listener.server_close()
        self._thread.join()
