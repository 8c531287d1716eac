from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.serve import web
from tests.bot.serve.serving import OLD, SECRET, Served, headers, serve


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, limit=100_000) as running:
        yield running


def kept(served: Served) -> list[str]:
    return [d.id for d in served.records.waiting(100)]


def raw(served: Served, data: bytes, seconds: float = 5.0) -> bytes:
    """Send bytes as they are and read until the server closes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                answer += part
        return answer


def test_a_delivery_is_durable_before_it_is_acknowledged(served: Served) -> None:
    answer = served.deliver(b'{"action": "opened"}')
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    (delivery,) = served.records.waiting(10)
    assert (delivery.event, delivery.body) == ("pull_request", b'{"action": "opened"}')
    assert abs(delivery.received_at - time.time()) < 60
    assert len(served.woken) == 1


def test_the_same_delivery_twice_is_one(served: Served) -> None:
    served.deliver()
    again = served.deliver()
    assert (again.status_code, again.json()) == (202, {"accepted": "seen"})
    assert len(kept(served)) == len(served.woken) == 1


def test_the_secret_before_still_holds_while_it_is_replaced(served: Served) -> None:
    body = b"{}"
    assert served.client.post("/webhook", content=body, headers=headers(body, OLD)).is_success


OLD_KIND = "sha1=" + hmac.new(SECRET.encode(), b"{}", hashlib.sha1).hexdigest()
GOOD = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("changes", "status", "why"),
    [
        ({"x_hub_signature_256": None}, 401, "forged"),
        ({"x_hub_signature_256": None, "x_hub_signature": OLD_KIND}, 401, "forged"),
        ({"x_hub_signature_256": OLD_KIND}, 401, "forged"),
        ({"x_hub_signature_256": "sha256=" + "0" * 64}, 401, "forged"),
        ({"x_hub_signature_256": GOOD}, 401, "forged"),
        ({"x_hub_signature_256": "sha256=" + GOOD.upper()}, 401, "forged"),
        ({"x_github_delivery": None}, 400, "malformed"),
        ({"x_github_event": "../../etc"}, 400, "malformed"),
        ({"content_type": "application/x-www-form-urlencoded"}, 400, "malformed"),
    ],
)
def test_refused(served: Served, changes: dict[str, str | None], status: int, why: str) -> None:
    answer = served.deliver(b"{}", **changes)
    assert (answer.status_code, answer.json()) == (status, {"accepted": False, "why": why})
    assert not kept(served) and not served.woken


def test_a_body_that_was_changed_on_its_way(served: Served) -> None:
    answer = served.client.post("/webhook", content=b'{"a":1}', headers=headers(b"{}"))
    assert answer.status_code == 401 and not kept(served)


def test_an_oversized_body_by_its_length(served: Served) -> None:
    assert served.deliver(b" " * 100_001).status_code == 413
    assert served.deliver(b" " * 100_000).status_code == 202


def test_an_oversized_body_that_announces_no_length(served: Served) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 10_000
            yield b" " * 10_000

    given = headers(b"{}")
    with contextlib.suppress(httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        answer = served.client.post("/webhook", content=chunks(), headers=given)
        assert answer.status_code == 413
    assert sent < 20_000_000  # nobody read on: what is beyond went nowhere
    assert not kept(served)
    assert 'outcome="too_large"' in served.client.get("/metrics").text


def test_a_slow_body(tmp_path: Path) -> None:
    with serve(tmp_path, seconds=0.3) as served:
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers(b"{}").items())
        start = f"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n{lines}\r\n{{"
        answer = raw(served, start.encode())
        assert answer.startswith(b"HTTP/1.1 408 ") and b"connection: close" in answer
        assert not kept(served) and served.deliver().status_code == 202


def test_without_a_signature_no_body_is_read(served: Served) -> None:
    start = "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n"
    answer = raw(served, start.encode())  # no byte of the body ever comes
    assert answer.startswith(b"HTTP/1.1 401 ") and b"connection: close" in answer


def test_slow_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LATE", 0.2)
    with serve(tmp_path) as served:
        assert raw(served, b"POST /webhook HTT") == b""
        assert raw(served, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET ").endswith(b"alive\n")


def test_headers_without_end(served: Served) -> None:
    answer = raw(served, b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000)
    assert answer.startswith(b"HTTP/1.1 400 ") or not answer


def test_a_sender_that_goes_away(served: Served) -> None:
    lines = "".join(f"{k}: {v}\r\n" for k, v in headers(b"{}").items())
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = f"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n{lines}\r\n{{"
        connection.sendall(head.encode())
    assert served.deliver().status_code == 202


def test_bodies_of_all_requests_together_are_bounded(tmp_path: Path) -> None:
    with serve(tmp_path, held=1_000) as served:
        answer = served.deliver(b" " * 2_000)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        for number in range(3):  # what one took is free again for the next
            sent = served.deliver(b" " * 900, x_github_delivery=f"{number:08d}-cc78")
            assert sent.status_code == 202


def test_many_at_once_are_all_kept(served: Served) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def one(number: int) -> int:
        return served.deliver(b"{}", x_github_delivery=f"{number:08d}-cc78").status_code

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(200))) == {202}
    assert len(served.records.waiting(1000)) == 200


def test_a_full_database(served: Served, tmp_path: Path) -> None:
    served.deliver()
    file = tmp_path / "modelwarden.db"
    with contextlib.closing(sqlite3.connect(file)) as database:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
    served.records.close()

    from sqlalchemy import event

    def full(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(served.records._engine, "connect", full)
    body = os.urandom(60_000)
    answer = served.deliver(body, x_github_delivery="11111111-full")
    assert (answer.status_code, answer.json()["why"]) == (503, "not_stored")
    event.remove(served.records._engine, "connect", full)
    served.records.close()
    again = served.deliver(body, x_github_delivery="11111111-full")
    assert (again.status_code, again.json()) == (202, {"accepted": True})


def test_a_database_that_is_away(served: Served, tmp_path: Path) -> None:
    served.deliver()
    served.records.close()
    for file in tmp_path.glob("modelwarden.db*"):
        file.unlink()
    (tmp_path / "modelwarden.db").mkdir()
    assert served.deliver(b"{}", x_github_delivery="22222222-away").status_code == 503
    ready = served.client.get("/readyz")
    assert ready.status_code == 503
    assert "the database does not answer" in ready.json()["reasons"]
    assert str(tmp_path) not in ready.text
    assert served.client.get("/healthz").text == "alive\n"
    assert served.client.get("/").status_code == 503


def test_readiness(served: Served) -> None:
    answer = served.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_every_answer_is_strict(served: Served) -> None:
    for path in ("/", "/healthz", "/nowhere", "/queue", "/webhook", "/metrics", "/r/a/b"):
        given = served.client.get(path).headers
        assert given["content-security-policy"].startswith("default-src 'none'; style-src 'sha256")
        assert "frame-ancestors 'none'" in given["content-security-policy"]
        assert given["x-content-type-options"] == "nosniff"
        assert given["referrer-policy"] == "no-referrer"
        assert "server" not in given and given["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET", "PATCH"])
def test_the_webhook_takes_posts_alone(served: Served, method: str) -> None:
    assert served.client.request(method, "/webhook").status_code == 405


@pytest.mark.parametrize("path", ["/", "/queue", "/r/a/b", "/r/a/b/pull/1", "/metrics"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_are_read_only(served: Served, path: str, method: str) -> None:
    assert served.client.request(method, path).status_code == 405


def test_a_running_request_is_finished_when_the_server_stops(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers(b"{}").items())
        start = f"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n{lines}\r\n{{"
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
            connection.sendall(start.encode())
            deadline = time.monotonic() + 5
            while not served.server.server_state.tasks and time.monotonic() < deadline:
                time.sleep(0.01)
            served.server.should_exit = True
            time.sleep(0.3)
            connection.sendall(b"}")
            assert connection.recv(1000).startswith(b"HTTP/1.1 202 ")
        assert len(kept(served)) == 1
