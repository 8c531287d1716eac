"""Webhook deliveries: signed, sent by a thread, recorded, held, shuffled, doubled, re-sent."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.githubfake.hub import FakeGitHub

Json = dict[str, Any]


@dataclass(eq=False)
class Delivery:
    id: int
    guid: str
    event: str
    action: str | None
    payload: bytes
    installation_id: int | None
    repository_id: int | None
    redelivery: bool = False
    delivered: float = 0.0
    duration: float = 0.0
    status_code: int = 0
    status: str = "pending"
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


class Hooks:
    """One queue and one sender; `deliveries` lists every attempt, the oldest first."""

    def __init__(self, hub: FakeGitHub) -> None:
        self.hub = hub
        self.deliveries: list[Delivery] = []
        self.timeout = 10.0
        self._queue: deque[Delivery] = deque()
        self._changed = threading.Condition()
        self._held = self._busy = self._stopped = False
        self._doubles: list[bool] = []
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="hooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._queue.clear()
            self._changed.notify_all()
        self._thread.join(self.timeout + 5)

    # What a test does to deliveries

    def hold(self) -> None:
        with self._changed:
            self._held = True

    def release(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def shuffle(self, seed: int) -> None:
        with self._changed:
            waiting = list(self._queue)
            random.Random(seed).shuffle(waiting)
            self._queue = deque(waiting)

    def duplicate(self, times: int, fresh: bool) -> None:
        self._doubles += [fresh] * times

    def lose(self, times: int) -> None:
        self._lost += times

    def flush(self, timeout: float) -> None:
        with self._changed:
            done = self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)
        assert done, f"{len(self._queue)} deliveries unanswered after {timeout} s"

    # Making and sending

    def put(self, event: str, payload: Json) -> None:
        installation = payload.get("installation") or {}
        repository = payload.get("repository") or {}
        made = Delivery(
            self.hub.next_id(), str(uuid.uuid4()), event, payload.get("action"),
            json.dumps(payload).encode(), installation.get("id"), repository.get("id"),
        )  # fmt: skip
        self._add(made)
        if self._doubles:
            fresh = self._doubles.pop(0)
            self._add(self._again(made, str(uuid.uuid4()) if fresh else made.guid, False))

    def again(self, delivery: Delivery) -> None:
        """What the redelivery button does: the same GUID under a new id."""
        self._add(self._again(delivery, delivery.guid, True))

    def _again(self, of: Delivery, guid: str, redelivery: bool) -> Delivery:
        return Delivery(self.hub.next_id(), guid, of.event, of.action, of.payload,
                        of.installation_id, of.repository_id, redelivery)  # fmt: skip

    def _add(self, delivery: Delivery) -> None:
        with self._changed:
            self.deliveries.append(delivery)
            self._queue.append(delivery)
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                ready = lambda: self._stopped or (self._queue and not self._held)  # noqa: E731
                self._changed.wait_for(ready)
                if self._stopped:
                    return
                delivery = self._queue.popleft()
                self._busy = True
            try:
                self._send(delivery)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _send(self, delivery: Delivery) -> None:
        app = self.hub.app
        delivery.delivered = self.hub.clock.now()
        digest = hmac.new(app.secret.encode(), delivery.payload, hashlib.sha256).hexdigest()
        delivery.request_headers = {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/0a1b2c3",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": str(app.id + 1000),
            "X-GitHub-Hook-Installation-Target-ID": str(app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": "sha1="
            + hmac.new(app.secret.encode(), delivery.payload, hashlib.sha1).hexdigest(),
            "X-Hub-Signature-256": f"sha256={digest}",
        }
        if self._lost:
            self._lost -= 1
            delivery.status = "failed to connect to host"
            return
        started = time.monotonic()
        where = urlsplit(app.hook_url)
        connection = http.client.HTTPConnection(where.netloc, timeout=self.timeout)
        try:
            path = (where.path or "/") + (f"?{where.query}" if where.query else "")
            connection.request("POST", path, delivery.payload, delivery.request_headers)
            answer = connection.getresponse()
            delivery.response_body = answer.read(65536).decode("utf-8", "replace")
            delivery.response_headers = dict(answer.getheaders())
            delivery.status_code = answer.status
            good = 200 <= answer.status < 300
            delivery.status = "OK" if good else f"Invalid HTTP Response: {answer.status}"
        except TimeoutError:
            delivery.status = "timed out"
        except (OSError, http.client.HTTPException):
            delivery.status = "failed to connect to host"
        finally:
            connection.close()
            delivery.duration = time.monotonic() - started


def render(hub: FakeGitHub, of: Delivery, full: bool = False) -> Json:
    made: Json = {
        "id": of.id, "guid": of.guid, "delivered_at": hub.clock.stamp(of.delivered),
        "redelivery": of.redelivery, "duration": round(of.duration, 2), "status": of.status,
        "status_code": of.status_code, "event": of.event, "action": of.action,
        "installation_id": of.installation_id, "repository_id": of.repository_id,
        "throttled_at": None,
    }  # fmt: skip
    if full:
        made |= {
            "url": hub.app.hook_url,
            "request": {"headers": of.request_headers, "payload": json.loads(of.payload)},
            "response": {"headers": of.response_headers, "payload": of.response_body},
        }
    return made
