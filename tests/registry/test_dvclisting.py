"""Listings of folders over a real DVC remote that counts what is read from it."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from registry import dvclisting, objects
from registry.dvclisting import Listing, listings, sizes
from registry.pointers import DVC_LIMIT, Member, Pointer, PointerKind
from registry.project import Project


class Remote:
    """A DVC remote over HTTP: a folder, and every path that was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.looked = folder, list[str](), list[str]()
        remote = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                remote.asked.append(self.path.lstrip("/"))
                super().do_GET()

            def do_HEAD(self) -> None:
                remote.looked.append(self.path.lstrip("/"))
                super().do_HEAD()

            def log_message(self, *_: object) -> None: ...

        folder.mkdir()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.thread = threading.Thread(target=self.server.serve_forever)

    def put(self, members: dict[str, str], *, legacy: bool = False) -> Pointer:
        """Store files and their listing; return the pointer of the folder."""
        rows = [
            {"md5": self._put(text.encode()), "relpath": name} for name, text in members.items()
        ]
        data = json.dumps(rows).encode()
        return Pointer("data", PointerKind.DVC_FOLDER, self._put(data, ".dir", legacy), 9, legacy)

    def _put(self, data: bytes, end: str = "", legacy: bool = False) -> str:
        digest = hashlib.md5(data).hexdigest()
        path = objects.dvc_object(self.folder, digest, folder=bool(end), legacy=legacy)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return digest

    @property
    def config(self) -> bytes:
        url = f"http://127.0.0.1:{self.server.server_port}"
        return f"[core]\nremote = one\n['remote \"one\"']\nurl = {url}\n".encode()


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    remote = Remote(tmp_path / "remote")
    remote.thread.start()
    yield remote
    remote.server.shutdown()
    remote.thread.join()
    remote.server.server_close()


def project(remote: Remote | None, tmp_path: Path, **more: Any) -> Project:
    return Project((tmp_path / "cache",), remote.config if remote else None, **more)


def member(name: str, text: str) -> Member:
    return Member(name, hashlib.md5(text.encode()).hexdigest())


def test_only_the_listings_are_read(remote: Remote, tmp_path: Path) -> None:
    new, old = remote.put({"a": "1", "b/c": "2"}), remote.put({"a": "1"}, legacy=True)
    at = project(remote, tmp_path)
    found = listings(at, (new, old, new), fetch=True)
    assert [one.doubt for one in found] == ["", "", ""]
    assert found[0] == found[2] == Listing((member("a", "1"), member("b/c", "2")))
    assert found[1].members == (member("a", "1"),)
    names = {
        f"files/md5/{new.digest[:2]}/{new.digest[2:]}.dir",
        f"{old.digest[:2]}/{old.digest[2:]}.dir",
    }
    assert set(remote.asked) == names  # two small files, and none of what they list
    # What is at hand is not asked for again.
    remote.asked.clear()
    assert listings(at, (new, old), fetch=True) == found[:2]
    assert remote.asked == []


def test_nothing_is_read_where_nobody_may(remote: Remote, tmp_path: Path) -> None:
    pointer = remote.put({"a": "1"})
    (one,) = listings(project(remote, tmp_path), (pointer,), fetch=False)
    assert (one.doubt, remote.asked) == ("it is not at hand", [])


def test_what_does_not_come_is_said(remote: Remote, tmp_path: Path) -> None:
    here = remote.put({"a": "1"})
    away = Pointer("data", PointerKind.DVC_FOLDER, "ab" * 16, 9)
    nothing = Pointer("data", PointerKind.DVC_FOLDER, "", 9)
    found = listings(project(remote, tmp_path), (away, here, nothing), fetch=True)
    assert [one.doubt for one in found] == [
        "the remote does not show it", "", "no digest is recorded"
    ]  # fmt: skip
    assert found[1].members


@pytest.mark.parametrize(
    ("data", "doubt"),
    [
        (b"[", "other bytes"),
        (b" " * (DVC_LIMIT + 1), "it has more than 5,000,000 bytes, or no size"),
    ],
)
def test_a_listing_that_lies_is_said(
    remote: Remote, tmp_path: Path, data: bytes, doubt: str
) -> None:
    pointer = remote.put({"a": "1"})
    objects.dvc_object(remote.folder, pointer.digest, folder=True).write_bytes(data)
    (one,) = listings(project(remote, tmp_path), (pointer,), fetch=True)
    assert doubt in one.doubt and not one.members


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ('[{"md5": "x", "relpath": "a"}]', "no md5"),
        ('[{"md5": "' + "a" * 32 + '", "relpath": "../a"}]', "unsafe name"),
        ("{}", "is not a list"),
        ("[" * 100, "cannot be read"),
    ],
)
def test_a_hostile_listing_of_the_right_digest_is_said(
    tmp_path: Path, text: str, doubt: str
) -> None:
    digest = hashlib.md5(text.encode()).hexdigest()
    path = objects.dvc_object(tmp_path / "cache", digest, folder=True)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    pointer = Pointer("data", PointerKind.DVC_FOLDER, digest, 9)
    (one,) = listings(project(None, tmp_path), (pointer,), fetch=True)
    assert doubt in one.doubt and not one.members


@pytest.mark.parametrize(
    ("config", "doubt"),
    [
        (None, "the base has no .dvc/config"),
        (b"", "the base names no DVC remote"),
        (b"\xff", "cannot be read"),
        (b"['remote \"one\"']\nurl = http://127.0.0.1:9/\n", "cannot be asked"),
        (b"['remote \"one\"']\nurl = nosuch://x/\n", "nosuch"),
    ],
)
def test_without_a_remote_it_is_said(tmp_path: Path, config: bytes | None, doubt: str) -> None:
    pointer = Pointer("data", PointerKind.DVC_FOLDER, "ab" * 16, 9)
    (one,) = listings(Project((tmp_path / "cache",), config), (pointer,), fetch=True)
    assert doubt in one.doubt
    assert "\n" not in one.doubt and str(tmp_path) not in one.doubt


def test_a_silent_remote_is_given_up(tmp_path: Path) -> None:
    pointer = Pointer("data", PointerKind.DVC_FOLDER, "ab" * 16, 9)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, says nothing
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        at = Project((tmp_path / "cache",), f"['remote \"one\"']\nurl = {url}\n".encode())
        (one,) = listings(at, (pointer,), fetch=True, stall=2)
    assert "nothing was heard of it for 2 s" in one.doubt


def test_many_are_bounded(remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvclisting, "MAX_FETCHED", 2)
    monkeypatch.setattr(dvclisting, "MAX_MEMBERS", 3)
    pointers = [remote.put({f"{n}/{m}": "x" for m in range(2)}) for n in range(3)]
    found = listings(project(remote, tmp_path), pointers, fetch=True)
    assert [one.doubt for one in found] == [
        "", "the changed folders list more than 3 files", "more than 2 are not at hand"
    ]  # fmt: skip
    assert len(set(remote.asked)) == 2


def test_sizes_are_asked_for_and_nothing_is_read(remote: Remote, tmp_path: Path) -> None:
    remote.put({"a": "1", "b": "22"})
    one, two, away = (member("", text).digest for text in ("1", "22", "333"))
    at = project(remote, tmp_path)
    here = objects.dvc_object(tmp_path / "cache", one)
    here.parent.mkdir(parents=True)
    here.write_text("1")
    assert sizes(at, (one, two, away), fetch=False) == {one: 1}
    assert remote.looked == []
    assert sizes(at, (one, two, away), fetch=True) == {one: 1, two: 2}
    # (of what HEAD did not show, the HTTP client asks again by GET)
    assert {path.rpartition("/")[2] for path in remote.asked} == {away[2:]}
    assert len(set(remote.looked)) == 2
    assert sizes(project(None, tmp_path), (two,), fetch=True) == {}
    nowhere = Project((), b"['remote \"one\"']\nurl = http://127.0.0.1:9/\n")
    assert sizes(nowhere, (two,), fetch=True) == {}
