"""Every real payload of GitHub through the running server: accepted, settled, and over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from bot.github.webhook import signature
from tests.bot.serve.stack import Stack, running
from tests.githubfake import FakeGitHub, examples
from tests.githubfake.repository import Repository

PAYLOADS = tuple(examples.payloads())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made:
        yield made
        assert not made.violations


@pytest.fixture
def repo(hub: FakeGitHub) -> Repository:
    return hub.repository("acme/tiny")


@pytest.fixture
def stack(tmp_path: Path, hub: FakeGitHub, repo: Repository) -> Iterator[Stack]:
    with running(tmp_path, hub) as made:
        yield made


def through(payload: dict[str, Any], installation: int, app: int) -> dict[str, Any]:
    """The payload as if our App had been told: most examples are from hooks without an App."""
    told = json.loads(json.dumps(payload)) | {"installation": {"id": installation}}
    for name in ("check_run", "check_suite"):
        if name in told:
            told[name]["app"] = {"id": app}
    return told  # type: ignore[no-any-return]


def send(stack: Stack, payloads: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    """Deliver them all, wait for what they lead to; return the note of each by its id."""
    secret = stack.hub.app.secret

    def one(number: int) -> str:
        event, payload = payloads[number]
        body, id = json.dumps(payload).encode(), str(UUID(int=number))
        headers = {
            "content-type": "application/json", "x-github-event": event,
            "x-github-delivery": id, "x-hub-signature-256": signature(body, secret),
        }  # fmt: skip
        answer = client.post(f"{stack.url}/webhook", content=body, headers=headers)
        assert answer.status_code == 202, (event, answer.text)
        return id

    with httpx.Client(timeout=20) as client, ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(one, range(len(payloads))))
    stack.settle()
    notes = {id: note for id, _, note in stack.parts.records.notes(1000)}
    assert set(notes) == set(ids) and all(notes.values())
    return notes


def settled(stack: Stack) -> None:
    """No job is left, none ended without its work, nothing is open."""
    assert [(job.kind, job.why) for job in stack.parts.engine.dead_letters()] == []
    assert stack.parts.records.stale_runs(2e10) == ()


def test_each_is_settled(stack: Stack) -> None:
    assert len(PAYLOADS) == 329
    notes = send(stack, list(PAYLOADS))
    settled(stack)
    assert sum(note.startswith("ignored: ") for note in notes.values()) > 250
    assert not [note for note in notes.values() if "malformed" in note]


def test_each_is_settled_where_our_app_was_told(
    stack: Stack, hub: FakeGitHub, repo: Repository
) -> None:
    ours = hub.installation(repo)
    assert ours is not None
    told = [
        (event, through(payload, ours.id, hub.app.id))
        for event, payload in PAYLOADS
        if event in hub.app.events or event.startswith("installation")
    ]
    notes = send(stack, told)
    settled(stack)
    acted = {note.partition(" ")[0] for note in notes.values() if not note.startswith("ignored")}
    assert acted >= {"judge", "history", "reconcile", "stop", "rerun"}
    assert repo.runs == {} and repo.comments == {}  # they are about others
