"""Recipients change in place; whatever the moment of a crash, the old or the new ones open it."""

import fcntl
import os
import shutil
import signal
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import Malformed, NoMatch, Refused, Tampered, Unreadable
from security.seal import header, hybrid, journal, rewrap, sealing
from security.seal.header import Identity
from security.seal.journal import Journal
from security.seal.ranged import SealedFile
from tests.security.seal.sealing import ALICE, BOB, EVE, child, everything, marked, names

DATA = marked(200_000)
TO_BOB = [BOB.recipient]


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    path = tmp_path / "w.age"
    (tmp_path / "w").write_bytes(DATA)
    sealing.seal(tmp_path / "w", path, [ALICE.recipient])
    (tmp_path / "w").unlink()
    return path


def opens(path: Path, identity: Identity) -> bool:
    out = path.with_name("out")
    try:
        sealing.open_sealed(path, out, [identity])
    except NoMatch:
        return False
    assert out.read_bytes() == DATA
    out.unlink()
    return True


def stock(path: Path) -> bytes:
    """Open with a stock reader, which knows nothing of journals."""
    identity = pyrage.x25519.Identity.from_str(BOB.secret())
    opened: bytes = pyrage.decrypt(path.read_bytes(), [identity])
    return opened


def test_only_the_header_changes(sealed: Path) -> None:
    before, inode = sealed.read_bytes(), sealed.stat().st_ino
    rewrap.rewrap(sealed, [ALICE], [BOB.recipient, EVE.recipient])
    after = sealed.read_bytes()
    assert after[4096:] == before[4096:]
    assert after[:4096] != before[:4096]
    assert sealed.stat().st_ino == inode
    assert [opens(sealed, one) for one in (ALICE, BOB, EVE)] == [False, True, True]
    assert stock(sealed) == DATA
    assert names(sealed.parent) == ["w.age"]


def test_through_a_link(sealed: Path) -> None:
    link = sealed.parent / "sub" / "link.age"
    link.parent.mkdir()
    link.symlink_to(sealed)
    rewrap.rewrap(link, [ALICE], [BOB.recipient])
    assert link.is_symlink()
    assert opens(sealed, BOB)
    assert journal.beside(link) == sealed.with_name("w.age.rewrap")


def test_who_is_no_recipient_changes_nothing(sealed: Path) -> None:
    before = sealed.read_bytes()
    with pytest.raises(NoMatch):
        rewrap.rewrap(sealed, [EVE], [EVE.recipient])
    with pytest.raises(Refused, match="nobody"):
        rewrap.rewrap(sealed, [ALICE], [])
    assert sealed.read_bytes() == before


def test_no_room_offers_to_seal_again(sealed: Path) -> None:
    before, many = sealed.read_bytes(), [hybrid.generate().recipient] * 3
    with pytest.raises(Refused, match=r"needs 8,192 bytes, there is room for 4,096") as caught:
        rewrap.rewrap(sealed, [ALICE], many)
    assert "--reencrypt" in caught.value.hint
    assert sealed.read_bytes() == before
    one = hybrid.generate()
    rewrap.reencrypt(sealed, [ALICE], [one.recipient, *many])
    assert opens(sealed, one)


def test_a_file_of_a_stock_writer_has_no_room(tmp_path: Path) -> None:
    to = [pyrage.x25519.Recipient.from_str(str(ALICE.recipient))]
    path = tmp_path / "w.age"
    path.write_bytes(pyrage.encrypt(DATA, to))
    with pytest.raises(Refused, match="there is room for"):
        rewrap.rewrap(path, [ALICE], [BOB.recipient] * 10)  # rage leaves a little, by chance
    rewrap.reencrypt(path, [ALICE], [BOB.recipient])
    assert stock(path) == DATA


def test_sealed_again_has_another_key_and_payload(sealed: Path) -> None:
    def key() -> bytes:
        return header.unseal(header.parse(sealed.read_bytes()), [ALICE])

    before, old = sealed.read_bytes(), key()
    rewrap.reencrypt(sealed, [ALICE], [ALICE.recipient], jobs=2)
    assert key() != old
    assert sealed.read_bytes()[4096:4200] != before[4096:4200]
    assert opens(sealed, ALICE)


def test_sealing_again_refuses_damage_and_keeps_the_file(sealed: Path) -> None:
    data = bytearray(sealed.read_bytes())
    data[5000] ^= 1
    sealed.write_bytes(data)
    with pytest.raises(Tampered):
        rewrap.reencrypt(sealed, [ALICE], [BOB.recipient])
    assert everything(sealed.parent) == data


KILLED = """
import os, pathlib, signal, sys
from pathlib import Path
from security.seal import rewrap, x25519
path, old, new, at, how = sys.argv[1:]
count, at = 0, int(at)
def counted(real, half=None):
    def call(*given, **named):
        global count
        count += 1
        if count != at:
            return real(*given, **named)
        if how == "half" and half:
            half(real, *given)
        if how == "after":
            real(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return call
def half(real, fd, data, offset):
    real(fd, bytes(data)[: len(data) // 2], offset)
os.pwrite = counted(os.pwrite, half)
for name in ("fsync", "link", "unlink", "rename", "replace", "fchmod"):
    setattr(os, name, counted(getattr(os, name)))
old, new = x25519.identity(old), x25519.identity(new)
rewrap.rewrap(Path(path), [old], [new.recipient])
print(count)
"""


def test_a_crash_at_every_step(sealed: Path, tmp_path: Path) -> None:
    place = tmp_path / "crash"
    place.mkdir()
    copy = place / "w.age"
    seen: set[tuple[bool, bool]] = set()
    for at in range(1, 100):
        for how in ("before", "half", "after"):
            shutil.copy(sealed, copy)
            ended = child(KILLED, copy, ALICE.secret(), BOB.secret(), str(at), how)
            if ended.returncode == 0:
                assert at == int(ended.stdout) + 1 > 8  # every step was the last one once
                assert seen == {(True, False), (False, True)}
                return
            assert ended.returncode == -signal.SIGKILL, ended.stderr
            pending = journal.beside(copy).exists()
            found = opens(copy, ALICE), opens(copy, BOB)
            assert found in {(True, False), (False, True)}, (at, how)
            assert not pending or found == (False, True)
            seen.add(found)
            if found[1]:  # opening has finished it: stock readers see the same
                assert stock(copy) == DATA
            assert names(place) == ["w.age"]
            rewrap.rewrap(copy, [ALICE, BOB], [BOB.recipient])
            assert opens(copy, BOB)
    pytest.fail("never came to its end")


def torn(sealed: Path, written: int) -> Journal:
    """Leave a file as a lost power leaves it: a journal, and a header written in part."""
    data = sealed.read_bytes()
    key = header.unseal(header.parse(data), [ALICE])
    change = Journal(data[4096:4112], data[:4096], header.build(key, [BOB.recipient]))
    journal.beside(sealed).write_bytes(journal.encode(change))
    with sealed.open("r+b") as file:
        file.write(change.new[:written])
    return change


@pytest.mark.parametrize("written", [0, 1, 512, 2048, 4095, 4096])
def test_a_torn_header_is_read_from_the_journal_and_mended(sealed: Path, written: int) -> None:
    change = torn(sealed, written)
    with SealedFile(sealed, [BOB]) as file:
        assert file.read(0, 1 << 20) == DATA
    assert sealed.read_bytes()[:4096] == change.new
    assert names(sealed.parent) == ["w.age"]


def test_pages_may_be_written_in_any_order(sealed: Path) -> None:
    change = torn(sealed, 0)
    with sealed.open("r+b") as file:
        for at in (512, 1536, 3584):
            file.seek(at)
            file.write(change.new[at : at + 512])
    assert opens(sealed, BOB)
    assert stock(sealed) == DATA


def test_who_was_removed_opens_nothing_and_mends_nothing(sealed: Path) -> None:
    torn(sealed, 2048)
    before = everything(sealed.parent)
    with pytest.raises(NoMatch):
        sealing.open_sealed(sealed, sealed.with_name("out"), [ALICE])
    assert everything(sealed.parent) == before


def planted(sealed: Path, kind: str) -> bytes:
    data, key = sealed.read_bytes(), os.urandom(16)
    real = header.unseal(header.parse(data), [ALICE])
    nonce, old = data[4096:4112], data[:4096]
    good = journal.encode(Journal(nonce, old, header.build(real, [BOB.recipient])))
    other = header.build(key, [ALICE.recipient])
    return {
        "another file's key": journal.encode(Journal(nonce, old, other)),
        "another nonce": journal.encode(Journal(bytes(16), old, other)),
        "another old header": journal.encode(Journal(nonce, other, other)),
        "only the nonce": journal.encode(Journal(bytes(16), old, header.build(real, TO_BOB))),
        "only the old header": journal.encode(Journal(nonce, other, header.build(real, TO_BOB))),
        "flipped": good[:100] + bytes([good[100] ^ 1]) + good[101:],
        "cut": good[:-1],
        "more": good + b"\0",
        "empty": b"",
        "magic only": journal.MAGIC,
        "huge size": journal.MAGIC + struct.pack(">I", 2**32 - 1) + bytes(100),
        "huge": bytes(1 << 21),
        "no header": journal.encode(Journal(nonce, old, bytes(4096))),
        "header and more": journal.encode(
            Journal(nonce, old + b"x", header.build(real, [BOB.recipient]) + b"x")
        ),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "another file's key",
        "another nonce",
        "another old header",
        "only the nonce",
        "only the old header",
        "flipped",
        "cut",
        "more",
        "empty",
        "magic only",
        "huge size",
        "huge",
        "no header",
        "header and more",
    ],
)
def test_a_planted_journal_changes_nothing(sealed: Path, kind: str) -> None:
    place = journal.beside(sealed)
    place.write_bytes(planted(sealed, kind))
    before = everything(sealed.parent)
    for identity in (BOB, ALICE):
        with pytest.raises((Malformed, Tampered, NoMatch)) as caught:
            sealing.open_sealed(sealed, sealed.with_name("out"), [identity])
        with pytest.raises((Malformed, Tampered, NoMatch)):
            rewrap.rewrap(sealed, [identity], [EVE.recipient])
    assert everything(sealed.parent) == before
    assert f"move {place} away" in caught.value.hint
    place.unlink()
    assert opens(sealed, ALICE)


def test_a_journal_that_is_a_link(sealed: Path) -> None:
    secret = sealed.with_name("secret")
    secret.write_bytes(b"x")
    journal.beside(sealed).symlink_to(secret)
    with pytest.raises(Unreadable, match="rewrap"):
        opens(sealed, ALICE)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_journals_are_read_strictly(noise: bytes, at: int) -> None:
    good = journal.encode(Journal(bytes(16), HEADER, HEADER))
    assert journal.decode("j", good) == Journal(bytes(16), HEADER, HEADER)
    changed = good[:at] + noise + good[at + len(noise) :]
    if changed != good:
        with pytest.raises(Malformed):
            journal.decode("j", changed)
    with pytest.raises(Malformed):
        journal.decode("j", noise)


HEADER = header.build(bytes(16), [ALICE.recipient], size=0)


def test_sealing_anew_drops_what_belonged_to_the_old(sealed: Path) -> None:
    torn(sealed, 10)
    sealed.with_name("w").write_bytes(DATA)
    sealing.seal(sealed.with_name("w"), sealed, [EVE.recipient], overwrite=True)
    assert opens(sealed, EVE)


def test_one_at_a_time(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PATIENCE", 0.05)
    with sealed.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Refused, match=r"w\.age is in use"):
            rewrap.rewrap(sealed, [ALICE], [BOB.recipient])
        with pytest.raises(Refused, match=r"w\.age is in use"):
            opens(sealed, ALICE)
    assert opens(sealed, ALICE)


def test_a_file_that_is_replaced_while_we_wait(sealed: Path) -> None:
    other = sealed.with_name("other")
    other.write_bytes(sealed.read_bytes())
    before = sealed.read_bytes()
    with sealed.open("rb") as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = pool.submit(rewrap.rewrap, sealed, [ALICE], TO_BOB)
        time.sleep(0.1)
        other.replace(sealed)
        fcntl.flock(file, fcntl.LOCK_UN)
        with pytest.raises(Refused, match=r"w\.age was replaced meanwhile"):
            waiting.result()
    assert sealed.read_bytes() == before
    assert names(sealed.parent) == ["w.age"]


def test_readers_do_not_keep_a_change_waiting(sealed: Path) -> None:
    with SealedFile(sealed, [ALICE]) as file:
        rewrap.rewrap(sealed, [ALICE], [BOB.recipient])
        assert file.read(100_000, 100_000) == DATA[100_000:]


def test_where_nothing_may_be_written_the_journal_is_read(sealed: Path) -> None:
    torn(sealed, 2048)
    before, folder = everything(sealed.parent), str(sealed.parent)
    commands = (["--bind", folder, folder], ["-o", "remount,ro,bind", folder])
    if os.geteuid() or any(subprocess.run(["mount", *c], check=False).returncode for c in commands):
        pytest.skip("only root can mount a folder, and not everywhere")
    try:
        with SealedFile(sealed, [BOB]) as file:
            assert file.read(0, 1 << 20) == DATA
        with pytest.raises(Unreadable, match="Read-only file system"):
            rewrap.rewrap(sealed, [BOB], [ALICE.recipient])
    finally:
        subprocess.run(["umount", folder], check=True)
    assert everything(sealed.parent) == before


def test_a_file_that_cannot_be_written(sealed: Path) -> None:
    with pytest.raises(Unreadable, match="absent"):
        rewrap.rewrap(sealed.with_name("absent"), [ALICE], [BOB.recipient])
    limited = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from security.errors import WriteFailed\n"
        "from security.seal import rewrap, x25519\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "key = x25519.identity(sys.argv[2])\n"
        "try: rewrap.rewrap(Path(sys.argv[1]), [key], [key.recipient])\n"
        "except WriteFailed as error: print(error)\n"
    )
    before = everything(sealed.parent)
    ended = child(limited, sealed, ALICE.secret())
    assert "w.age.rewrap: cannot be written (File too large)" in ended.stdout, ended.stderr
    assert everything(sealed.parent) == before


VECTORS = Path(__file__).parents[2] / "vectors" / "rewrap"


def test_the_good_vector() -> None:
    data = (VECTORS / "good").read_bytes()
    found = journal.decode("good", data)
    assert found.nonce == bytes(range(16, 32))
    assert len(found.old) == len(found.new) == header.parse(found.new).size == 256
    assert journal.encode(found) == data


@pytest.mark.parametrize("path", sorted(VECTORS.glob("bad-*")), ids=lambda path: path.name)
def test_the_bad_vectors(path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        journal.decode(path.name, path.read_bytes())
    assert caught.value.message.startswith(path.name)
