"""Passphrases of age (C2SP age.md, the scrypt recipient type; RFC 7914)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from security.errors import BadKey, Malformed, TooLarge
from security.seal.header import HINT, Kind, Stanza, argument, decode

TYPE = "scrypt"
LABEL = b"age-encryption.org/v1/scrypt"
SALT, BODY = 16, 32  # bytes
WORK = 18  # log2 of the work factor we write: 256 MiB and about 0.6 s
MOST = 20  # the largest we read unless told otherwise: 1 GiB; age itself stops at 22
NUMBER = re.compile("[1-9][0-9]{0,4}", re.ASCII)
NONCE = bytes(12)


@dataclass(frozen=True, slots=True)
class ScryptRecipient:
    """A passphrase to seal with; alone in its file."""

    passphrase: bytes = field(repr=False)
    work: int = WORK
    kind: Kind = field(default="passphrase", init=False)

    def wrap(self, file_key: bytes) -> tuple[Stanza, ...]:
        """Wrap under a fresh salt. Raises BadKey for an empty passphrase."""
        salt = os.urandom(SALT)
        body = _cipher(self.passphrase, salt, self.work).encrypt(NONCE, file_key, None)
        return (Stanza(TYPE, (argument(salt), str(self.work)), body),)


@dataclass(frozen=True, slots=True)
class ScryptIdentity:
    """A passphrase to open with, asked for only when a file needs one.

    `most` bounds log2 of the work factor: each step doubles memory (20: 1 GiB) and time.
    """

    passphrase: Callable[[], bytes] = field(repr=False)
    most: int = MOST

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """Find the file key. Raises Malformed; TooLarge for a work factor beyond `most`."""
        if stanza.type != TYPE:
            return None
        if len(stanza.args) != 2 or len(stanza.body) != BODY:
            raise Malformed("a passphrase stanza of another shape", HINT)
        salt = decode(stanza.args[0], SALT, "a salt")
        if not NUMBER.fullmatch(stanza.args[1]):
            raise Malformed("a passphrase stanza whose work factor is no number", HINT)
        work = int(stanza.args[1])
        if work > self.most:
            raise TooLarge(
                f"its passphrase needs a work factor of 2^{work}, more than 2^{self.most}",
                "open it with age on a machine you can spare, and seal it again",
            )
        try:
            return _cipher(self.passphrase(), salt, work).decrypt(NONCE, stanza.body, None)
        except InvalidTag:
            return None


def _cipher(passphrase: bytes, salt: bytes, work: int) -> ChaCha20Poly1305:
    if not passphrase:
        raise BadKey("an empty passphrase", "give the passphrase the file was sealed with")
    try:
        key = Scrypt(salt=LABEL + salt, length=32, n=1 << work, r=8, p=1)
        return ChaCha20Poly1305(key.derive(passphrase))
    except MemoryError as error:
        size = (1 << work) >> 10
        raise TooLarge(f"a passphrase that needs {size:,} MiB of memory", "free some") from error
