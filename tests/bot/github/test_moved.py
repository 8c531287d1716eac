"""A repository that was renamed while a job was under way: it is found by its id, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.github import appside
from bot.github.client import GitHub
from bot.github.errors import NotFound
from bot.github.repository import Repository
from bot.github.values import Repo
from tests.githubfake.people import pem, private_key

STAMP = "2026-01-02T03:04:05Z"
TOKEN = {"token": "ghs_" + "a" * 36, "expires_at": "2999-01-02T03:04:05Z"}
PAGES = 3


class Renamed(BaseHTTPRequestHandler):
    """Repository 7 is no longer called acme/old: reads are answered 301, writes 307."""

    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url, where = urlsplit(self.path), f"http://{self.headers['Host']}"
        self.server.asked.append(f"{self.command} {self.path}")
        headers, status, body = {}, 200, b"{}"
        if url.path.endswith("/access_tokens"):
            status, body = 201, json.dumps(TOKEN).encode()
        elif url.path.startswith("/repos/acme/old/"):
            status = 301 if self.command == "GET" else 307
            rest = self.path.removeprefix("/repos/acme/old/")
            headers["Location"] = f"{where}/repositories/{self.server.id}/{rest}"
        elif url.path == "/repositories/7/issues/1/comments":
            page = int(parse_qs(url.query)["page"][0])
            body = json.dumps([comment(page, "x")]).encode()
            more = f'<{where}{url.path}?page={page + 1}>; rel="next"'
            headers |= {"Link": more} if page < PAGES else {}
        elif url.path == "/repositories/7/issues/comments/5":
            body = json.dumps(comment(5, json.loads(sent)["body"])).encode()
        self.send_response_only(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = _answer


def comment(number: int, text: str) -> dict[str, object]:
    return {"id": number, "body": text, "created_at": STAMP, "updated_at": STAMP}


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Renamed)
        self.asked: list[str] = []
        self.id = 7


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def api(server: Server) -> Iterator[Repository]:
    hub = GitHub(1, pem(private_key()), url=f"http://127.0.0.1:{server.server_address[1]}")
    yield hub.at(Repo(7, "acme/old", 1))
    hub.close()


def test_every_page_is_read_where_it_is_now(server: Server, api: Repository) -> None:
    assert [found.id for found in api.comments(1)] == [1, 2, 3]
    pages = [line for line in server.asked if "/repositories/7/" in line]
    assert all("per_page=100" in line for line in pages) and len(pages) == PAGES


def test_a_write_goes_where_it_is_now(server: Server, api: Repository) -> None:
    assert api.update_comment(5, "hello").body == "hello"


def test_another_repository_is_never_taken_for_it(server: Server, api: Repository) -> None:
    server.id = 8
    with pytest.raises(NotFound):
        list(api.comments(1))
    assert not [line for line in server.asked if "/repositories/" in line]


@pytest.mark.parametrize(
    ("location", "due"),
    [
        ("https://api.github.com/repositories/7/pulls/1?page=2", "/repositories/7/pulls/1"),
        ("https://ghe.example.org/api/v3/repositories/7/pulls", "/repositories/7/pulls"),
        ("/repositories/7", "/repositories/7"),
        ("https://api.github.com/repositories/77/pulls", ""),
        ("https://api.github.com/repositories/8/repositories/7x", ""),
        ("https://api.github.com/repos/acme/new/pulls", ""),
        ("https://evil.example.org/x", ""),
        ("", ""),
    ],
)
def test_where_it_is_now(location: str, due: str) -> None:
    assert appside.moved(location, 7) == due


def test_no_repository_is_never_moved() -> None:
    assert appside.moved("/repositories/0/x", 0) == ""
