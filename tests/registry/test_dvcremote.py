"""DVC remotes: a folder and a real S3, whole, garbled, full, closed and away."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from registry import dvc, dvcask, dvcremote
from registry.dvcconfig import DvcConfig, Remote
from registry.dvcremote import Stored
from registry.errors import (
    CorruptWeights,
    MissingWeights,
    PointerError,
    RegistryError,
    StoreFailed,
    UnsafeWeights,
)
from registry.pointers import Pointer, PointerKind
from tests.motoserver import KEYS, S3, s3

FILES = {"a": b"first", "sub/b": b"second" * 1000, "again": b"first"}


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def put(
    cache: Path, data: bytes, suffix: str = "", *, digest: str = "", legacy: bool = False
) -> str:
    digest = digest or md5(data)
    root = cache if legacy else cache / "files" / "md5"
    path = root / digest[:2] / (digest[2:] + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return digest


def folder(cache: Path, files: dict[str, bytes], *, legacy: bool = False) -> Pointer:
    rows = [{"md5": put(cache, data, legacy=legacy), "relpath": p} for p, data in files.items()]
    rows.sort(key=lambda row: row["relpath"])
    listing = put(cache, json.dumps(rows, sort_keys=True).encode(), ".dir", legacy=legacy)
    return Pointer("m", PointerKind.DVC_FOLDER, listing, -1, legacy)


@dataclass(frozen=True)
class Store:
    """A remote as the tests see it: `config` for us, and its objects by path."""

    config: DvcConfig
    place: Path | None
    bucket: Any = None

    def names(self) -> list[str]:
        if self.place is not None:
            return sorted(
                str(p.relative_to(self.place)) for p in self.place.rglob("*") if p.is_file()
            )
        found = self.bucket[0].list_objects_v2(Bucket=self.bucket[1], Prefix="in/")
        return sorted(one["Key"].removeprefix("in/") for one in found.get("Contents", ()))

    def write(self, name: str, data: bytes | None) -> None:
        if self.place is not None:
            path = self.place / name
            path.unlink(missing_ok=True)
            if data is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            return
        client, bucket = self.bucket
        if data is None:
            client.delete_object(Bucket=bucket, Key=f"in/{name}")
        else:
            client.put_object(Bucket=bucket, Key=f"in/{name}", Body=data)

    def put(self, digest: str, data: bytes | None) -> None:
        self.write(f"files/md5/{digest[:2]}/{digest[2:]}", data)


def configured(url: str, **options: str) -> DvcConfig:
    return DvcConfig("", (Remote("one", tuple(sorted({"url": url, **options}.items()))),))


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with s3() as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    place = tmp_path / "remote"
    place.mkdir()
    return Store(configured(str(place)), place)


def on_s3(server: S3, request: pytest.FixtureRequest) -> Store:
    keys = request.getfixturevalue("monkeypatch")
    for name, value in (
        KEYS | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"}
    ).items():
        keys.setenv(name, value)
    bucket = "b-" + md5(request.node.name.encode())[:12]
    server.client().create_bucket(Bucket=bucket)
    config = configured(f"s3://{bucket}/in", endpointurl=server.url)
    return Store(config, None, (server.client(), bucket))


def base_config(config: DvcConfig) -> bytes:
    lines = []
    for remote in config.remotes:
        lines += [f"['remote \"{remote.name}\"']", *(f"{k} = {v}" for k, v in remote.options)]
    return "\n".join(lines).encode()


def bring(pointer: Pointer, store: Store, cache: Path) -> None:
    dvc.fetch((pointer,), base_config(store.config), None, None, cache)


def test_there_and_back(store: Store, tmp_path: Path) -> None:
    cache, other = tmp_path / "cache", tmp_path / "other"
    pointers = (folder(cache, FILES),)
    before = dvcremote.state(pointers, store.config, cache)
    # The same bytes under two names are one object.
    assert [(one.object.path, one.there) for one in before] == [
        ("m", False), ("m/a", False), ("m/sub/b", False)
    ]  # fmt: skip
    moved: list[tuple[str, int]] = []
    sent = dvcremote.push(
        pointers, store.config, cache, progress=lambda path, count: moved.append((path, count))
    )
    assert {one.object.path: one.size for one in sent} == dict(moved)
    assert {"m/a": 5, "m/sub/b": 6000}.items() <= dict(moved).items()
    after = dvcremote.state(pointers, store.config, tmp_path / "empty", full=True)
    assert [(one.object.path, one.size) for one in after][1:] == [("m/a", 5), ("m/sub/b", 6000)]
    assert all(one.there for one in after)
    assert dvcremote.push(pointers, store.config, cache) == ()

    bring(pointers[0], store, other)
    assert {p.relative_to(other): p.read_bytes() for p in other.rglob("*") if p.is_file()} == {
        p.relative_to(cache): p.read_bytes() for p in cache.rglob("*") if p.is_file()
    }

    store.write("files/md5/ab/README", b"not an object")
    store.write("notes.txt", b"neither")
    listed = sorted(dvcremote.listing(store.config), key=lambda one: one.id)
    assert listed == sorted(
        (Stored(one.object.id, one.size) for one in after), key=lambda one: one.id
    )
    dvcremote.remove(listed[1:], store.config)
    dvcremote.remove(listed, store.config)  # what is gone is no error
    assert list(dvcremote.listing(store.config)) == []
    assert store.names() == ["files/md5/ab/README", "notes.txt"]


def test_an_s3(server: S3, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    store, cache, other = on_s3(server, request), tmp_path / "cache", tmp_path / "other"
    assert list(dvcremote.listing(store.config)) == []  # a bucket, and nothing in it
    pointer, digest = folder(cache, FILES), md5(FILES["sub/b"])
    sent = dvcremote.push((pointer,), store.config, cache)
    assert [one.object.path for one in sent] == ["m", "m/a", "m/sub/b"]
    store.put(digest, FILES["sub/b"][:-1] + b"X")
    with pytest.raises(CorruptWeights, match=f"m/sub/b: DVC object {digest}: other bytes"):
        bring(pointer, store, other)
    store.put(digest, b"half")
    sent = dvcremote.push((pointer,), store.config, cache)
    assert [one.object.path for one in sent] == ["m/sub/b"]
    bring(pointer, store, other)
    assert (other / f"files/md5/{digest[:2]}/{digest[2:]}").read_bytes() == FILES["sub/b"]
    store.write("files/md5/ab/README", b"not an object")
    listed = tuple(dvcremote.listing(store.config))
    assert {one.id for one in listed} == {pointer.digest + ".dir", md5(b"first"), digest}
    dvcremote.remove(listed, store.config)
    assert store.names() == ["files/md5/ab/README"]


def test_what_is_garbled_missing_or_short_in_the_remote(store: Store, tmp_path: Path) -> None:
    cache, other = tmp_path / "cache", tmp_path / "other"
    pointer = folder(cache, FILES)
    dvcremote.push((pointer,), store.config, cache)
    digest = md5(FILES["sub/b"])

    store.put(digest, FILES["sub/b"][:-1] + b"X")
    for act in (
        lambda: bring(pointer, store, other),
        lambda: dvcremote.state((pointer,), store.config, cache, full=True),
    ):
        with pytest.raises(CorruptWeights, match=f"m/sub/b: DVC object {digest}: other bytes"):
            act()
    garbled = other / "files" / "md5" / digest[:2] / digest[2:]
    assert not garbled.exists()

    store.put(digest, None)
    with pytest.raises(
        MissingWeights, match=f"m/sub/b: DVC object {digest}: not in remote"
    ) as lost:
        bring(pointer, store, other)
    assert "dvc push" in lost.value.hint
    held = dvcremote.state((pointer,), store.config, cache)
    assert [one.object.path for one in held if not one.there] == ["m/sub/b"]

    store.put(digest, b"half")
    assert [one.object.path for one in dvcremote.push((pointer,), store.config, cache)] == [
        "m/sub/b"
    ]
    bring(pointer, store, other)
    assert garbled.read_bytes() == FILES["sub/b"]


def test_a_cache_that_is_corrupt_or_lacks_something_sends_nothing(
    store: Store, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    pointer = folder(cache, FILES)
    digest = put(cache, b"garbled", digest=md5(FILES["sub/b"]))
    with pytest.raises(CorruptWeights, match=f"m/sub/b: object {digest}"):
        dvcremote.push((pointer,), store.config, cache)
    (cache / "files" / "md5" / digest[:2] / digest[2:]).unlink()
    with pytest.raises(MissingWeights, match=f"m/sub/b: DVC object {digest} is neither in"):
        dvcremote.push((pointer,), store.config, cache)
    assert store.names() == []


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b'[{"md5": "%s", "relpath": "../a"}]' % (b"0" * 32), PointerError, "m: .*unsafe name"),
        (b'[{"md5": "nothing", "relpath": "a"}]', PointerError, "m: .*no md5 for 'a'"),
        (b'[{"md5": "%s.dir", "relpath": "a"}]' % (b"0" * 32), PointerError, "m: .*no md5"),
        (b"{}", PointerError, "m: .*not a list"),
        (b" " * 5_000_001 + b"[]", UnsafeWeights, "m: .*a listing of more than 5,000,000 bytes"),
        (b'[{"md5": "%s", "relpath": "a"}]' % (b"0" * 32), MissingWeights, "m/a: DVC object 000"),
    ],
)
def test_a_listing_that_lies(
    data: bytes, error: type[RegistryError], reason: str, tmp_path: Path
) -> None:
    place, cache = tmp_path / "remote", tmp_path / "cache"
    pointer = Pointer("m", PointerKind.DVC_FOLDER, put(place, data, ".dir"), -1)
    store = Store(configured(str(place)), place)
    with pytest.raises(error, match=reason):
        bring(pointer, store, cache)
    if error is not MissingWeights:
        with pytest.raises(error, match=reason):
            dvcremote.state((pointer,), store.config, tmp_path / "empty")
    assert not [p for p in cache.rglob("*") if p.is_file() and p.suffix != ".dir"]


def test_a_listing_at_hand_that_is_another(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    pointer = folder(cache, FILES)
    put(cache, b"[]", ".dir", digest=pointer.digest)
    (tmp_path / "remote").mkdir()
    store = Store(configured(str(tmp_path / "remote")), tmp_path / "remote")
    for act in (
        lambda: dvcremote.state((pointer,), store.config, cache),
        lambda: dvcremote.push((pointer,), store.config, cache),
        lambda: bring(pointer, store, cache),
    ):
        with pytest.raises(CorruptWeights, match=f"m: object {pointer.digest}"):
            act()
    assert store.names() == []


def test_the_layout_of_dvc_2_has_its_own_place(tmp_path: Path) -> None:
    cache, place = tmp_path / "cache", tmp_path / "remote"
    place.mkdir()
    store = Store(configured(str(place)), place)
    pointer = folder(cache, FILES, legacy=True)
    assert len(dvcremote.push((pointer,), store.config, cache)) == 3
    assert all(not name.startswith("files/") for name in store.names())
    assert all(one.there for one in dvcremote.state((pointer,), store.config, cache))
    assert not any(
        one.there for one in dvcremote.state((replace(pointer, legacy=False),), store.config, cache)
    )
    listed = tuple(dvcremote.listing(store.config))
    assert [one.legacy for one in listed] == [True] * 3
    bring(pointer, store, tmp_path / "other")
    dvcremote.remove(listed, store.config)
    assert store.names() == []


def test_dvc_and_we_agree(tmp_path: Path) -> None:
    project, place = tmp_path / "project", tmp_path / "remote"
    project.mkdir()
    environment = dict(os.environ, DVC_NO_ANALYTICS="1")

    def run(*words: str) -> None:
        command = [sys.executable, "-m", "dvc", *words, "--quiet"]
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)

    run("init", "--no-scm")
    run("remote", "add", "--default", "one", str(place))
    for path, data in FILES.items():
        (project / "m" / path).parent.mkdir(parents=True, exist_ok=True)
        (project / "m" / path).write_bytes(data)
    run("add", "m")
    cache = project / ".dvc" / "cache"
    store = Store(configured(str(place)), place)
    pointer = folder(tmp_path / "expected", FILES)
    assert len(dvcremote.push((pointer,), store.config, cache)) == 3  # what `dvc add` wrote
    shutil.rmtree(cache)
    shutil.rmtree(project / "m")
    run("pull")
    assert {path: (project / "m" / path).read_bytes() for path in FILES} == FILES

    shutil.rmtree(place)
    run("push")
    held = dvcremote.state((pointer,), store.config, tmp_path / "empty", full=True)
    assert [one.there for one in held] == [True] * 3


def test_no_such_place_is_no_empty_one(
    store: Store, server: S3, request: pytest.FixtureRequest
) -> None:
    assert list(dvcremote.listing(store.config)) == []
    on_s3(server, request)
    for config in (
        configured(f"{store.place}-gone"),
        configured("s3://no-such-bucket/in", endpointurl=server.url),
    ):
        with pytest.raises(StoreFailed, match="remote 'one' cannot be listed"):
            list(dvcremote.listing(config))


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port that accepts and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_remote_that_is_away_or_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    pointer = folder(tmp_path / "cache", FILES)
    # What was given as a secret is never told on, even where it is the very reason.
    config = configured("http://127.0.0.1:9/in", password="127.0.0.1")
    with pytest.raises(
        StoreFailed, match=r"m.*: remote 'one' cannot be asked .*refused|failed"
    ) as caught:
        dvcremote.state((pointer,), config, tmp_path / "cache")
    assert "127.0.0.1" not in str(caught.value) + caught.value.hint
    with silent() as port:
        config = configured("s3://bucket/in", endpointurl=f"http://127.0.0.1:{port}")
        with pytest.raises(StoreFailed, match="nothing was heard of it for 2 s"):
            dvcremote.push((pointer,), config, tmp_path / "cache", stall=2)


def test_no_right_to_it(server: S3, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    store = on_s3(server, request)
    pointer = folder(tmp_path / "cache", FILES)
    server.free(0)
    try:
        with pytest.raises(
            StoreFailed, match=r"m.*: remote 'one' cannot be asked .Forbidden"
        ) as caught:
            dvcremote.state((pointer,), store.config, tmp_path / "cache")
    finally:
        server.free(10**9)
    assert "right" in caught.value.hint
    assert not any(secret in str(caught.value) for secret in KEYS.values())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield place
    subprocess.run(["umount", place], check=True)


def test_full_disks_and_closed_ones(tmp_path: Path, small_disk: Path) -> None:
    cache = tmp_path / "cache"
    pointer = folder(cache, {"a": b"a" * 10_000, "b": bytes(2 << 20)})
    full = Store(configured(str(small_disk)), small_disk)
    # Both are sent at once: whichever of them meets the full disk first is named.
    with pytest.raises(StoreFailed, match=r"m/[ab]: DVC object \w+: .*No space left") as caught:
        dvcremote.push((pointer,), full.config, cache)
    assert "make room" in caught.value.hint
    small = md5(b"a" * 10_000)
    assert [n for n in full.names() if not n.endswith(small[2:])] == []  # no listing, nothing cut

    there = Store(configured(str(tmp_path / "remote")), tmp_path / "remote")
    dvcremote.push((pointer,), there.config, cache)
    with pytest.raises(StoreFailed, match=r"m/[ab]: DVC object \w+: .*No space left"):
        bring(pointer, there, small_disk / "cache")
    assert not list(small_disk.rglob(md5(bytes(2 << 20))[2:]))

    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreFailed, match=r"m.*: .*Read-only") as closed:
        dvcremote.push((pointer,), full.config, cache)
    assert "right" in closed.value.hint


KILLED = """
import os, signal, sys
from pathlib import Path
from registry import dvcremote
from tests.registry.test_dvcremote import configured, folder
cache, place = map(Path, sys.argv[1:])
def progress(path, count):
    os.kill(os.getpid(), signal.SIGKILL)
files = {str(n): bytes([n]) * 3_000_000 for n in range(12)}
dvcremote.push((folder(cache, files),), configured(str(place)), cache, progress=progress)
"""


def test_killed_on_the_way_it_goes_on_where_it_was(tmp_path: Path) -> None:
    cache, place = tmp_path / "cache", tmp_path / "remote"
    place.mkdir()
    command = [sys.executable, "-c", KILLED, str(cache), str(place)]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    pointer = folder(cache, {str(n): bytes([n]) * 3_000_000 for n in range(12)})
    store = Store(configured(str(place)), place)
    # It is the child that writes, and it ends with us; what is there is whole.
    first = {name: (place / name).stat().st_mtime_ns for name in store.names()}
    assert first
    assert all(md5((place / name).read_bytes()) == name[-33:].replace("/", "") for name in first)
    sent = dvcremote.push((pointer,), store.config, cache)
    assert 0 < len(sent) <= 13 - len(first)
    assert first.items() <= {n: (place / n).stat().st_mtime_ns for n in store.names()}.items()
    assert len(store.names()) == 13
    assert dvcremote.push((pointer,), store.config, cache) == ()


WAITS = """
import sys
from pathlib import Path
from registry import dvcremote
from tests.registry.test_dvcremote import configured
list(dvcremote.listing(configured(sys.argv[1])))
"""


def test_killed_while_a_remote_is_silent_it_leaves_nobody_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/in"
        with subprocess.Popen([sys.executable, "-c", WAITS, url]) as parent:
            asking, _ = server.accept()
            parent.kill()
        with asking:
            asking.settimeout(30)
            while asking.recv(10_000):  # its question, and then that it is gone
                pass


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"url": "s3://bucket/in", "version_aware": "true"}, "keeps versions"),
        ({"url": "nosuch://x/"}, "nosuch"),
        ({"url": "/tmp", "verify": "perhaps"}, "verify"),
    ],
)
def test_remotes_that_cannot_be_used(options: dict[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match=reason):
        list(dvcremote.listing(configured(options.pop("url"), **options)))


def test_an_lfs_pointer_or_none_is_no_dvc_object(tmp_path: Path) -> None:
    config = configured(str(tmp_path))
    for pointer in (
        Pointer("a", PointerKind.LFS, "0" * 64, 1),
        Pointer("a", PointerKind.DVC, "", 1),
    ):
        with pytest.raises(PointerError, match="a: no DVC object"):
            dvcremote.state((pointer,), config, tmp_path)


def test_a_child_that_dies_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    child.write_text("import sys\nsys.exit('no such thing at ssh://me:hidden@host/x')\n")
    monkeypatch.setattr(dvcask, "CHILD", child)
    with pytest.raises(StoreFailed, match="no such thing") as caught:
        list(dvcremote.listing(configured(str(tmp_path))))
    assert "hidden" not in str(caught.value)
    child.write_text("print('x' * 3_000_000)\n")
    with pytest.raises(StoreFailed):
        list(dvcremote.listing(configured(str(tmp_path))))
