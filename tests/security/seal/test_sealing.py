"""Sealed files: read by the stock tools, whole or not there, and nothing left behind."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.errors import Malformed, NoMatch, Refused, Tampered, Unreadable, WriteFailed
from security.seal import armor, hybrid, sealing
from security.seal.header import Identity, Recipient
from security.seal.scrypt import ScryptIdentity, ScryptRecipient
from tests.security.seal.sealing import ALICE, BOB, CHUNK, EVE, child, everything, marked, names

AGE = shutil.which("age")
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK, 16 * CHUNK + 1, 40 * CHUNK + 7]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "plain"
    path.write_bytes(marked(3_000_000))
    return path


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    sealing.seal(tmp_path / "a", tmp_path / "a.age", [ALICE.recipient, BOB.recipient])
    for identity in (ALICE, BOB):
        sealing.open_sealed(tmp_path / "a.age", tmp_path / "b", [EVE, identity], overwrite=True)
        assert (tmp_path / "b").read_bytes() == data
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.age").stat().st_size == 4096 + 16 + size + 16 * max(1, -(-size // CHUNK))


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_reads_ours_and_we_its(tmp_path: Path, size: int) -> None:
    theirs = pyrage.x25519.Identity.from_str(ALICE.secret())
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    for room in (0, 4096, 8192):  # rage takes 7 s to read a header of 64 KiB
        sealing.seal(
            tmp_path / "a", tmp_path / "ours", [ALICE.recipient], header_size=room, overwrite=True
        )
        assert pyrage.decrypt((tmp_path / "ours").read_bytes(), [theirs]) == data
    (tmp_path / "theirs").write_bytes(pyrage.encrypt(data, [theirs.to_public()]))
    sealing.open_sealed(tmp_path / "theirs", tmp_path / "b", [ALICE])
    assert (tmp_path / "b").read_bytes() == data


@pytest.mark.skipif(AGE is None, reason="no `age` on the path")
@pytest.mark.parametrize("size", SIZES)
def test_age_reads_ours_and_we_its(tmp_path: Path, size: int) -> None:
    assert AGE
    data = os.urandom(size)
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "key").write_text(ALICE.secret() + "\n")
    sealing.seal(tmp_path / "a", tmp_path / "ours", [ALICE.recipient, BOB.recipient])
    told = subprocess.run(
        [AGE, "-d", "-i", tmp_path / "key", tmp_path / "ours"], capture_output=True, check=True
    )
    assert told.stdout == data
    subprocess.run(
        [AGE, "-r", str(ALICE.recipient), "-o", tmp_path / "theirs", tmp_path / "a"], check=True
    )
    sealing.open_sealed(tmp_path / "theirs", tmp_path / "b", [ALICE])
    assert (tmp_path / "b").read_bytes() == data


def test_armoured_files_are_opened(tmp_path: Path) -> None:
    theirs = pyrage.x25519.Identity.from_str(ALICE.secret())
    data = os.urandom(CHUNK + 1)
    (tmp_path / "a").write_bytes(pyrage.encrypt(data, [theirs.to_public()], armored=True))
    sealing.open_sealed(tmp_path / "a", tmp_path / "b", [ALICE])
    assert (tmp_path / "b").read_bytes() == data
    (tmp_path / "a").write_bytes(armor.armor(b"not age"))
    with pytest.raises(Malformed, match="not an age v1 file"):
        sealing.open_sealed(tmp_path / "a", tmp_path / "c", [ALICE])


def test_hybrid_and_passphrase(plain: Path) -> None:
    target, out = plain.with_name("sealed"), plain.with_name("out")
    secret, phrase = hybrid.generate(), b"correct horse"
    ways: list[tuple[Recipient, Identity, int]] = [
        (secret.recipient, secret, 4096),
        (ScryptRecipient(phrase, 10), ScryptIdentity(lambda: phrase), 0),
    ]
    for recipient, identity, room in ways:
        sealing.seal(plain, target, [recipient], header_size=room, overwrite=True)
        sealing.open_sealed(target, out, [identity], overwrite=True)
        assert out.read_bytes() == plain.read_bytes()


def test_two_seals_share_no_byte_of_the_payload(plain: Path) -> None:
    one, two = plain.with_name("1"), plain.with_name("2")
    for path in (one, two):
        sealing.seal(plain, path, [ALICE.recipient])
    a, b = one.read_bytes()[4096:], two.read_bytes()[4096:]
    assert sum(x == y for x, y in zip(a, b, strict=True)) < len(a) / 200


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_damage_writes_nothing(tmp_path: Path, draw: st.DataObject) -> None:
    source, target, out = tmp_path / "p", tmp_path / "s.age", tmp_path / "out"
    size = draw.draw(st.sampled_from([0, 1, CHUNK, 20 * CHUNK + 3]))
    source.write_bytes(marked(size))
    sealing.seal(source, target, [ALICE.recipient], overwrite=True)
    data = bytearray(target.read_bytes())
    at = draw.draw(st.integers(0, len(data) - 1))
    kind = draw.draw(st.sampled_from(["flip", "cut", "more"]))
    if kind == "flip":
        data[at] ^= 1 << draw.draw(st.integers(0, 7))
    elif kind == "cut":
        del data[at:]
    else:
        data += bytes(1 + at)
    target.write_bytes(data)
    source.unlink()
    with pytest.raises((Tampered, Malformed, NoMatch)) as caught:
        sealing.open_sealed(target, out, [ALICE])
    assert str(target) in caught.value.message
    assert names(tmp_path) == ["s.age"]


def test_refusals_leave_everything_as_it_was(plain: Path, tmp_path: Path) -> None:
    target, out = tmp_path / "s.age", tmp_path / "out"
    with pytest.raises(Refused, match="nobody to seal to"):
        sealing.seal(plain, target, [])
    sealing.seal(plain, target, [ALICE.recipient])
    before = target.read_bytes()
    with pytest.raises(Refused, match="there already"):
        sealing.seal(plain, target, [BOB.recipient])
    with pytest.raises(NoMatch):
        sealing.open_sealed(target, out, [EVE])
    with pytest.raises(NoMatch):
        sealing.open_sealed(target, out, [])
    assert target.read_bytes() == before
    assert names(tmp_path) == ["plain", "s.age"]


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    odd = tmp_path / "new\nline"
    for name in ("fifo", "folder", "loop", "absent"):
        with pytest.raises(Unreadable, match=name):
            sealing.seal(tmp_path / name, tmp_path / "t", [ALICE.recipient])
        with pytest.raises(Unreadable, match=name):
            sealing.open_sealed(tmp_path / name, tmp_path / "t", [ALICE])
    with pytest.raises(Unreadable, match=r"new\\nline"):
        sealing.seal(odd, tmp_path / "t", [ALICE.recipient])
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("change", ["append", "truncate", "touch", "inside"])
def test_a_source_that_changes_meanwhile(plain: Path, change: str) -> None:
    def meddle(done: int, _: int) -> None:
        if done <= 1 << 20:
            with plain.open("r+b") as file:
                if change == "append":
                    file.seek(0, 2)
                    file.write(b"x")
                elif change == "truncate":
                    file.truncate(2_000_000)
                elif change == "inside":
                    file.write(b"X")
            if change == "touch":
                os.utime(plain, (1, 1))

    with pytest.raises(Unreadable, match=r"changed|cut short"):
        sealing.seal(plain, plain.with_name("t"), [ALICE.recipient], progress=meddle, jobs=1)
    assert names(plain.parent) == ["plain"]


KILLED = """
import os, signal, sys
from pathlib import Path
from security.seal import sealing, x25519
work, source, target, key, at = sys.argv[1:]
key = x25519.identity(key)
def die(done, _):
    if done >= int(at):
        os.kill(os.getpid(), signal.SIGKILL)
if work == "seal":
    sealing.seal(Path(source), Path(target), [key.recipient], progress=die, jobs=2, overwrite=True)
else:
    sealing.open_sealed(Path(source), Path(target), [key], progress=die, jobs=2, overwrite=True)
"""


@pytest.mark.parametrize("at", [1, 1_500_000, 3_000_000])
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("work", ["seal", "open"])
def test_killed_in_the_middle(tmp_path: Path, work: str, at: int, there: bool) -> None:
    folder = tmp_path / "target"
    folder.mkdir()
    plain, sealed, target = tmp_path / "plain", tmp_path / "sealed", folder / "t"
    plain.write_bytes(marked(3_000_000))
    sealing.seal(plain, sealed, [ALICE.recipient])
    if there:
        target.write_bytes(b"old")
    source = plain if work == "seal" else sealed
    ended = child(KILLED, work, source, target, ALICE.secret(), str(at))
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert everything(folder) == (b"old" if there else b"")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(small_disk: Path, plain: Path) -> None:
    sealed = plain.with_name("sealed")
    sealing.seal(plain, sealed, [ALICE.recipient])
    (small_disk / "t").write_bytes(b"old")
    with pytest.raises(WriteFailed, match=r"disk/t: cannot be written \(No space left"):
        sealing.seal(plain, small_disk / "t", [ALICE.recipient], overwrite=True)
    with pytest.raises(WriteFailed, match="No space left"):
        sealing.open_sealed(sealed, small_disk / "t", [ALICE], overwrite=True, jobs=2)
    assert everything(small_disk) == b"old"
    assert os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize > 1 << 20


LIMITED = """
import resource, sys
from pathlib import Path
from security.errors import WriteFailed
from security.seal import sealing, x25519
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
source, target, key = sys.argv[1:]
try:
    sealing.open_sealed(Path(source), Path(target), [x25519.identity(key)])
except WriteFailed as error:
    print(error)
"""


def test_a_target_that_may_not_grow(plain: Path) -> None:
    sealed, folder = plain.with_name("sealed"), plain.with_name("folder")
    sealing.seal(plain, sealed, [ALICE.recipient])
    folder.mkdir()
    ended = child(LIMITED, sealed, folder / "t", ALICE.secret())
    assert "cannot be written (File too large)" in ended.stdout, ended.stderr
    assert names(folder) == []


def test_a_sealed_file_may_be_sealed_onto_its_source(plain: Path) -> None:
    data = plain.read_bytes()
    sealing.seal(plain, plain, [ALICE.recipient], overwrite=True)
    assert b"plaintext" not in everything(plain.parent)
    sealing.open_sealed(plain, plain, [ALICE], overwrite=True)
    assert plain.read_bytes() == data
