"""Writes are whole or not there: on any file system, on a full one, and when we are killed."""

import fcntl
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security import storing
from security.errors import BadKey, Refused, Unreadable, WriteFailed
from tests.security.seal.sealing import child, everything, names


@pytest.fixture(params=["unnamed", "named"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of writing: without a name, and where the file system cannot do that."""
    storing._sweep.cache_clear()
    if request.param == "named":
        monkeypatch.setattr(storing, "_TMPFILE", 0)  # opening a folder to write then fails
    return str(request.param)


@pytest.mark.usefixtures("way")
class TestWriting:
    @settings(
        deadline=None,
        max_examples=20,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.binary(max_size=300), st.binary(max_size=300))
    def test_new_and_over(self, tmp_path: Path, one: bytes, two: bytes) -> None:
        for data in (one, two):
            storing.write(tmp_path / "f", data)
            assert (tmp_path / "f").read_bytes() == data
        assert names(tmp_path) == ["f"]

    def test_not_over(self, tmp_path: Path) -> None:
        storing.write(tmp_path / "f", b"a", overwrite=False)
        with pytest.raises(Refused, match="f is there already"):
            storing.write(tmp_path / "f", b"b", overwrite=False)
        with (
            pytest.raises(Refused, match="g is there already"),
            storing.replacing(tmp_path / "g", overwrite=False),
        ):
            (tmp_path / "g").write_bytes(b"another was faster")
        assert everything(tmp_path) == b"aanother was faster"
        assert names(tmp_path) == ["f", "g"]

    def test_nothing_is_seen_before_the_end(self, tmp_path: Path, way: str) -> None:
        with storing.replacing(tmp_path / "f") as fd:
            os.write(fd, b"half")
            assert not (tmp_path / "f").exists()
            assert len(names(tmp_path)) == (way == "named")
            assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
        assert names(tmp_path) == ["f"]

    @pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Unreadable])
    def test_an_error_leaves_nothing(self, tmp_path: Path, error: type[BaseException]) -> None:
        (tmp_path / "f").write_bytes(b"old")
        arguments = ("a", "b") if error is Unreadable else ()
        with pytest.raises(error), storing.replacing(tmp_path / "f") as fd:
            os.write(fd, b"half")
            raise error(*arguments)
        assert everything(tmp_path) == b"old"
        assert names(tmp_path) == ["f"]

    @pytest.mark.parametrize("there", ["file", "nothing", "itself"])
    def test_a_link_is_replaced_and_not_followed(self, tmp_path: Path, there: str) -> None:
        target, link = tmp_path / "target", tmp_path / "link"
        if there == "file":
            target.write_bytes(b"mine")
        link.symlink_to("link" if there == "itself" else target)
        with pytest.raises(Refused):
            storing.write(link, b"new", overwrite=False)
        storing.write(link, b"new")
        assert not link.is_symlink()
        assert link.read_bytes() == b"new"
        assert (target.read_bytes() if target.exists() else b"mine") == b"mine"

    def test_a_hard_link_keeps_its_content(self, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"old")
        (tmp_path / "other").hardlink_to(tmp_path / "f")
        storing.write(tmp_path / "f", b"new")
        assert (tmp_path / "other").read_bytes() == b"old"

    @pytest.mark.parametrize(
        ("umask", "mode", "wanted"),
        [
            (0o022, 0o644, 0o644),
            (0o077, 0o644, 0o600),
            (0o000, 0o666, 0o666),
            (0o000, 0o600, 0o600),
            (0o027, 0o755, 0o750),
        ],
    )
    def test_modes(self, tmp_path: Path, umask: int, mode: int, wanted: int) -> None:
        before = os.umask(umask)
        try:
            storing.write(tmp_path / "f", b"", mode=mode)
            storing.write(tmp_path / "f", b"", mode=mode)
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == wanted

    def test_places_that_do_not_go(self, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(Refused, match="folder is a folder"):
            storing.write(tmp_path / "folder", b"")
        for place in ("absent/f", "file/f", "x" * 300):
            with pytest.raises(WriteFailed, match=place):
                storing.write(tmp_path / place, b"")
        assert names(tmp_path) == ["file", "folder"]

    def test_many_at_once(self, tmp_path: Path) -> None:
        def work(data: bytes) -> None:
            for _ in range(20):
                storing.write(tmp_path / "f", data * 10_000)

        threads = [threading.Thread(target=work, args=(c,)) for c in (b"a", b"b", b"c")]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            if (tmp_path / "f").exists():
                found = (tmp_path / "f").read_bytes()
                assert len(found) == 10_000
                assert len(set(found)) == 1
        assert names(tmp_path) == ["f"]

    def test_one_write_does_not_sweep_another(self, tmp_path: Path) -> None:
        with storing.replacing(tmp_path / "f") as fd:
            os.write(fd, b"slow")
            storing._sweep.cache_clear()
            storing.write(tmp_path / "g", b"")
            storing.write(tmp_path / "g", b"")
        assert (tmp_path / "f").read_bytes() == b"slow"

    def test_a_full_disk(self, tmp_path: Path, small_disk: Path) -> None:
        (small_disk / "f").write_bytes(b"old")
        with pytest.raises(WriteFailed, match="No space left"):
            storing.write(small_disk / "f", bytes(2 << 20))
        assert everything(small_disk) == b"old"
        assert names(small_disk) == ["f"]
        del tmp_path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield place
    subprocess.run(["umount", place], check=True)


KILLED = """
import os, signal, sys
from pathlib import Path
from security import storing
path, named, at, overwrite = sys.argv[1:]
count, at = 0, int(at)
def counted(real):
    def call(*given, **options):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **options)
    return call
for name in ("pwrite", "fsync", "link", "unlink", "rename", "replace", "fchmod"):
    setattr(os, name, counted(getattr(os, name)))
if named == "named":
    storing._TMPFILE = 0
storing.write(Path(path), b"new", overwrite=bool(overwrite))
print(count)
"""


def test_killed_at_every_step(tmp_path: Path, way: str) -> None:
    for old in (b"", b"old"):
        for at in range(1, 100):
            place = tmp_path / f"{old.decode()}{at}"
            place.mkdir()
            if old:
                (place / "f").write_bytes(old)
            ended = child(KILLED, place / "f", way, str(at), "1" if old else "")
            if ended.returncode == 0:
                assert at == int(ended.stdout) + 1 > 5
                break
            assert ended.returncode == -signal.SIGKILL, ended.stderr
            found = (place / "f").read_bytes() if (place / "f").exists() else b""
            assert found in (old, b"new")
            left = [name for name in names(place) if name != "f"]
            if way == "unnamed" and not old:
                assert not left  # it never had another name
            storing._sweep.cache_clear()
            storing.write(place / "f", b"next")  # removes what a killed one left
            assert names(place) == ["f"]
            assert everything(place) == b"next"


def test_what_is_in_use_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "_TMPFILE", 0)
    storing._sweep.cache_clear()
    held, stale = tmp_path / ".modelwarden-a.tmp", tmp_path / ".modelwarden-b.tmp"
    others = [tmp_path / ".other.tmp", tmp_path / ".modelwarden-c"]
    for path in (held, stale, *others):
        path.write_bytes(b"x")
    (tmp_path / ".modelwarden-d.tmp").symlink_to(others[0])
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        storing.write(tmp_path / "f", b"")
    assert names(tmp_path) == [
        ".modelwarden-a.tmp",
        ".modelwarden-c",
        ".modelwarden-d.tmp",
        ".other.tmp",
        "f",
    ]


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(storing, "_TMPFILE", 0)
    monkeypatch.setattr(os, "link", link)
    storing.write(tmp_path / "f", b"a", overwrite=False)
    storing.write(tmp_path / "f", b"b")
    assert everything(tmp_path) == b"b"
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_private_files(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    storing.write(path, b"secret", mode=mode)
    assert storing.read_private(path) == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601, 0o777])
def test_private_files_that_are_not(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    path.chmod(mode)
    with pytest.raises(BadKey, match=f"key may be read by others .mode {mode:04o}") as caught:
        storing.read_private(path)
    assert caught.value.hint == f"chmod 600 {path}"
    assert "secret" not in str(caught.value)


def test_private_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir(0o700)
    for name in ("fifo", "folder"):
        with pytest.raises(BadKey, match=f"{name} is not a regular file"):
            storing.read_private(tmp_path / name)
    for name in ("absent", "loop"):
        with pytest.raises(Unreadable, match=name):
            storing.read_private(tmp_path / name)
    storing.write(tmp_path / "big", bytes(storing.PRIVATE_LIMIT + 1), mode=0o600)
    with pytest.raises(BadKey, match="more than 1,000,000 bytes"):
        storing.read_private(tmp_path / "big")
