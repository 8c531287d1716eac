import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.errors import BadKey, Refused, Unreadable
from security.seal import armor, chunks, header, hybrid, identities, scrypt, x25519
from security.seal.identities import (
    generate,
    identity,
    read_identities,
    read_recipients,
    recipient,
    write_identity,
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases of these tests cost a millisecond, not most of a second."""
    monkeypatch.setattr(identities, "ScryptRecipient", lambda p: scrypt.ScryptRecipient(p, 10))


def private(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("post_quantum", [True, False])
def test_a_made_key_is_written_and_read(tmp_path: Path, post_quantum: bool) -> None:
    secret, public = generate(post_quantum)
    assert public.startswith("age1pq1" if post_quantum else "age1")
    path = tmp_path / "key"
    write_identity(path, secret)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (found,) = read_identities(path)
    assert isinstance(found, identities.NATIVE)
    assert found.secret() == secret and str(found.recipient) == public
    comment, named, text = path.read_text().splitlines()
    assert comment.startswith("# created: 2") and named == f"# public key: {public}"
    assert text == secret


def test_the_default_is_post_quantum() -> None:
    assert generate()[1].startswith("age1pq1")


def test_never_replaces_a_key(tmp_path: Path) -> None:
    path = private(tmp_path / "key", "precious")
    with pytest.raises(Refused):
        write_identity(path, generate(False)[0])
    assert path.read_text() == "precious"


def test_behind_a_passphrase(tmp_path: Path) -> None:
    secret, _ = generate()
    path = tmp_path / "key"
    write_identity(path, secret, b"correct horse")
    data = path.read_bytes()
    assert armor.is_armored(data) and b"SECRET" not in data
    (found,) = read_identities(path, lambda: b"correct horse")
    assert isinstance(found, hybrid.HybridIdentity) and found.secret() == secret
    binary = private(tmp_path / "binary", armor.dearmor(data))
    assert len(read_identities(binary, lambda: b"correct horse")) == 1
    with pytest.raises(BadKey, match="wrong passphrase"):
        read_identities(path, lambda: b"wrong")
    with pytest.raises(BadKey, match="behind a passphrase"):
        read_identities(path)


def test_a_passphrase_is_not_asked_for_in_vain(tmp_path: Path) -> None:
    path = private(tmp_path / "key", generate(False)[0])
    assert read_identities(path, lambda: pytest.fail("asked"))


def test_a_key_file_sealed_to_somebody_is_not_opened(tmp_path: Path) -> None:
    made = x25519.generate()
    file_key = os.urandom(16)
    head = header.build(file_key, [made.recipient])
    path = private(tmp_path / "key", head + chunks.seal_bytes(file_key, b"x"))
    with pytest.raises(BadKey, match="not with a passphrase"):
        read_identities(path, lambda: b"x")


def test_a_damaged_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "key"
    write_identity(path, generate()[0], b"x")
    data = armor.dearmor(path.read_bytes())
    for changed in (data[:-1], data[:-1] + bytes([data[-1] ^ 1]), data[:100], data + b"x"):
        with pytest.raises(BadKey, match="key"):
            read_identities(private(path, changed), lambda: b"x")
        with pytest.raises(BadKey, match="key"):
            read_identities(private(path, armor.armor(changed)[:-5]), lambda: b"x")


def test_several_keys_comments_and_empty_lines(tmp_path: Path) -> None:
    lines = ["# mine", "", generate()[0], "  ", "#" + generate()[0], generate(False)[0] + " \t"]
    path = private(tmp_path / "keys", "\r\n".join(lines))
    assert [type(i) for i in read_identities(path)] == [
        hybrid.HybridIdentity,
        x25519.X25519Identity,
    ]


def test_lists_of_recipients(tmp_path: Path) -> None:
    public = [generate()[1], generate(False)[1]]
    path = private(tmp_path / "team", "# team\n" + "\n\n".join(public), 0o644)
    assert [str(r) for r in read_recipients(path)] == public


# Of the specification, so that it is the same for every worker.
SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
BAD = [
    ("holds no key", ""),
    ("holds no key", "# only a comment\n"),
    (":2: not a key", f"{SECRET}\n\xff"),
    (":1: not a key", "AGE-PLUGIN-YUBIKEY-1"),
    (":3: .*checksum", f"# x\n\n{SECRET[:-1]}Q"),
    (":1: ", PUBLIC),
    (":1: ", f"{SECRET} {SECRET}"),
    (":1: ", f"\ufeff{SECRET}"),
    (":1: ", f"{SECRET}\0"),
]


@pytest.mark.parametrize(("why", "text"), BAD)
def test_a_bad_line_is_named_not_shown(tmp_path: Path, why: str, text: str) -> None:
    path = private(tmp_path / "keys", text)
    with pytest.raises(BadKey, match=why) as caught:
        read_identities(path)
    assert str(path) in caught.value.message and SECRET[20:40] not in caught.value.message


# The fixture only makes passphrases cheap: once is as good as each time.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_keys_or_refused(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.raises(BadKey):
        read_identities(private(Path(folder) / "key", data), lambda: b"x")
    with tempfile.TemporaryDirectory() as folder, pytest.raises(BadKey):
        read_recipients(private(Path(folder) / "key", data))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o660])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path / "keys", SECRET, mode)
    with pytest.raises(BadKey, match="others"):
        read_identities(path)


def test_a_secret_key_is_no_recipient(tmp_path: Path) -> None:
    for text in (SECRET, SECRET.lower(), generate()[0]):
        with pytest.raises(BadKey, match="a secret key where") as caught:
            recipient(text)
        assert text not in f"{caught.value} {caught.value.hint}"


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        read_recipients(tmp_path / "absent")
    with pytest.raises(Unreadable, match="regular"):
        read_recipients(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable, match="regular"):
        read_recipients(tmp_path / "pipe")
    with pytest.raises(BadKey, match="more than"):
        read_recipients(private(tmp_path / "big", "#" * (identities.LIMIT + 1)))


@pytest.mark.parametrize("text", ["", "age1", "ssh-ed25519 AAAA", "age1yubikey1qqqq", "x" * 9999])
def test_what_is_no_key_at_all(text: str) -> None:
    with pytest.raises(BadKey):
        identity(text)
    with pytest.raises(BadKey):
        recipient(text)


@pytest.mark.skipif(not shutil.which("age-keygen"), reason="age is not installed")
def test_age_reads_our_key_files(tmp_path: Path) -> None:
    secret, public = generate(False)
    write_identity(tmp_path / "key", secret)
    command = ["age-keygen", "-y", str(tmp_path / "key")]
    assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == public
    made = subprocess.run(["age-keygen"], capture_output=True).stdout
    assert len(read_identities(private(tmp_path / "theirs", made))) == 1
