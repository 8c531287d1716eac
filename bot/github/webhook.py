"""Bytes and headers of a webhook in, a `Delivery` out. Nothing of the body is parsed here.

`admit` looks at the headers alone, before a byte of the body is read; `verify` then holds the
body against the signature, in constant time, under every secret that is valid at the moment.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from bot.errors import TooLarge
from bot.github.errors import Forged, Malformed
from bot.serve.contract import Delivery

LIMIT = 25_000_000  # bytes: GitHub delivers nothing larger

_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_EVENT = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_LENGTH = re.compile(r"[0-9]{1,12}")
_OURS = frozenset(
    ("content-length", "content-type", "x-github-delivery", "x-github-event",
     "x-hub-signature", "x-hub-signature-256")
)  # fmt: skip

UNSIGNED = "give the webhook of the GitHub App the same secret as this server"
NOT_GITHUB = "only GitHub may send here, with content type application/json"


def admit(headers: Mapping[str, str], *, limit: int = LIMIT) -> None:
    """Refuse by the headers alone what `verify` would refuse anyway; read the body after it.

    Raises Forged where no SHA-256 signature is given, TooLarge by the announced length,
    Malformed for everything else GitHub would not send.
    """
    _read(headers, limit)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: tuple[str, ...],
    *,
    limit: int = LIMIT,
    now: float = 0.0,
) -> Delivery:
    """Return the delivery whose signature holds under one of the secrets.

    `now` is when it came, in seconds since the epoch. Raises Forged, TooLarge or Malformed.
    """
    given = _read(headers, limit)
    if len(body) > limit:
        raise TooLarge(f"a delivery of more than {limit:,} bytes", NOT_GITHUB)
    if not secrets or not all(secrets):
        raise Forged("no webhook secret is set, so nothing can be believed", UNSIGNED)
    announced = given.get("content-length")
    if announced is not None and int(announced) != len(body):
        raise Malformed(f"{len(body):,} bytes came, {int(announced):,} were announced", NOT_GITHUB)
    holds = False
    for secret in secrets:  # all of them, always: which one held is nobody's business
        holds |= hmac.compare_digest(signature(body, secret), given["x-hub-signature-256"])
    if not holds:
        raise Forged("the signature does not hold under any of our secrets", UNSIGNED)
    return Delivery(given["x-github-delivery"], given["x-github-event"], bytes(body), now)


def signature(body: bytes, secret: str) -> str:
    """Return what GitHub sends as `X-Hub-Signature-256` for this body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _read(headers: Mapping[str, str], limit: int) -> dict[str, str]:
    """Our headers, each once and in its form. The signature comes first: who is not GitHub
    learns nothing more."""
    given: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower in given:
            raise Malformed(f"the header {lower} is given twice", NOT_GITHUB)
        if lower in _OURS:
            given[lower] = value
    said = given.get("x-hub-signature-256")
    if said is None:
        old = "only the old SHA-1 signature" if "x-hub-signature" in given else "no signature"
        raise Forged(f"a delivery with {old}", UNSIGNED)
    if not _SIGNATURE.fullmatch(said):
        raise Forged("a signature that is none: sha256= and 64 hex digits are due", UNSIGNED)
    length = given.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        raise Malformed("a Content-Length that is no number", NOT_GITHUB)
    if int(length) > limit:
        raise TooLarge(f"a delivery of {int(length):,} bytes, more than {limit:,}", NOT_GITHUB)
    kind = given.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Malformed(f"content type {kind!r:.60}, not application/json", NOT_GITHUB)
    for name, form in (("x-github-delivery", _ID), ("x-github-event", _EVENT)):
        if not form.fullmatch(given.get(name, "")):
            raise Malformed(f"the header {name} is missing or no such thing", NOT_GITHUB)
    return given
