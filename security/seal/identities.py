"""Key files of age: identities, behind a passphrase or not, and lists of recipients."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from security import storing
from security.errors import BadKey, Malformed, NoMatch, Tampered, TooLarge
from security.seal import armor, chunks, header, x25519
from security.seal import hybrid as pq
from security.seal.header import Identity, Recipient
from security.seal.scrypt import ScryptIdentity, ScryptRecipient
from security.sign import reading

LIMIT = 1_000_000  # bytes of a recipients file: 500 hybrid keys
T = TypeVar("T")
NATIVE = pq.HybridIdentity | x25519.X25519Identity


def generate(hybrid: bool = True) -> tuple[str, str]:
    """Make an identity: its secret text, and the recipient to give to others."""
    made: NATIVE = pq.generate() if hybrid else x25519.generate()
    return made.secret(), str(made.recipient)


def identity(text: str) -> NATIVE:
    """Read a secret key. Raises BadKey, which shows nothing of it."""
    try:
        if text.startswith(pq.SECRET_PREFIX):
            return pq.identity(text)
        return x25519.identity(text)
    except Malformed as error:
        raise BadKey(error.message, error.hint) from None


def recipient(text: str) -> Recipient:
    """Read a public key. Raises BadKey."""
    if text.upper().startswith(x25519.SECRET_PREFIX):
        raise BadKey("a secret key where a recipient belongs", "give the key that begins with age1")
    try:
        if text.startswith(f"{pq.PREFIX}1"):
            return pq.recipient(text)
        return x25519.recipient(text)
    except Malformed as error:
        raise BadKey(error.message, error.hint) from None


def read_identities(
    path: Path, passphrase: Callable[[], bytes] | None = None
) -> tuple[Identity, ...]:
    """Read a key file of mode 0600, as age-keygen writes it; `passphrase` is asked if it has one.

    Raises BadKey, Unreadable.
    """
    data = storing.read_private(path)
    if armor.is_armored(data) or data.startswith(header.VERSION):
        data = _unlock(data, path, passphrase)
    return tuple(_each(data, path, identity))


def write_identity(path: Path, secret: str, passphrase: bytes | None = None) -> None:
    """Write a new key file, 0600, that age reads too: plain, or armoured behind a passphrase.

    Raises Refused where there is a file already, WriteFailed, BadKey.
    """
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    public = identity(secret).recipient
    data = f"# created: {created}\n# public key: {public}\n{secret}\n".encode("ascii")
    if passphrase is not None:
        data = _lock(data, passphrase)
    storing.write(path, data, mode=0o600, overwrite=False)


def read_recipients(path: Path) -> tuple[Recipient, ...]:
    """Read a list of public keys, one a line. Raises BadKey, Unreadable."""
    return tuple(_each(_read(path), path, recipient))


def _each(data: bytes, path: Path, read: Callable[[str], T]) -> list[T]:
    """Read the keys of a file: one a line, around them comments and empty lines."""
    found = []
    for number, line in enumerate(data.replace(b"\r\n", b"\n").split(b"\n"), 1):
        if not line.strip() or line.startswith(b"#"):
            continue
        try:
            found.append(read(line.decode("ascii").strip(" \t")))
        except UnicodeDecodeError:
            raise BadKey(f"{path}:{number}: not a key", "one key a line; comments: #") from None
        except BadKey as error:
            raise BadKey(f"{path}:{number}: {error.message}", error.hint) from None
    if not found:
        raise BadKey(f"{path} holds no key", "give the file that `modelwarden keys generate` wrote")
    return found


def _lock(data: bytes, passphrase: bytes) -> bytes:
    file_key = os.urandom(header.KEY_SIZE)
    head = header.build(file_key, [ScryptRecipient(passphrase)])
    return armor.armor(head + chunks.seal_bytes(file_key, data))


def _unlock(data: bytes, path: Path, passphrase: Callable[[], bytes] | None) -> bytes:
    name = str(path)
    if passphrase is None:
        raise BadKey(f"{name} is behind a passphrase", "run it where it can be asked for")
    try:
        if armor.is_armored(data):
            data = armor.dearmor(data, name)
        head = header.parse(data, name)
        if head.stanzas[0].type != "scrypt":
            raise BadKey(f"{name} is sealed, and not with a passphrase", "open it with age first")
        file_key = header.unseal(head, [ScryptIdentity(passphrase)])
        return chunks.open_bytes(name, file_key, data[head.size :])
    except NoMatch:
        raise BadKey(f"{name}: wrong passphrase", "give the one it was written with") from None
    except (Malformed, Tampered) as error:
        raise BadKey(error.message, error.hint) from None


def _read(path: Path) -> bytes:
    try:
        return reading.read(path, LIMIT, hint="name a file of recipients")
    except TooLarge as error:
        raise BadKey(error.message, error.hint) from None
