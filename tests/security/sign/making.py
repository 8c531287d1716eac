"""Keys and bundles for tests: good ones, and any bytes signed and wrapped in any way."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from security.identity import P256
from security.manifest import Manifest
from security.sign import dsse, keys
from security.sign.bundle import MEDIA

SHARED = Path(__file__).parents[4] / "shared/data/oms"
REFERENCE = SHARED / "reference"


def signer(kind: str = P256, number: int = 0) -> keys.KeySigner:
    return _signer(kind, number)


@cache
def _signer(kind: str, number: int) -> keys.KeySigner:
    return keys.load_signer(keys.generate(kind))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def folder(root: Path, **files: bytes) -> Path:
    for name, data in (files or {"config.json": b"{}", "weights.bin": b"\0" * 1000}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def said(manifest: Manifest, name: str = "model") -> dict[str, Any]:
    """Return the statement of a manifest, to be spoiled."""
    from security.sign import statement

    found: dict[str, Any] = json.loads(statement.write(manifest, name))
    return found


def wrapped(
    payload: bytes,
    by: keys.KeySigner | None = None,
    *,
    kind: str = dsse.IN_TOTO,
    pae: Callable[[str, bytes], bytes] = dsse.pae,
) -> dict[str, Any]:
    """Return a bundle of any payload by one key, as JSON values, to be spoiled."""
    key = by or signer()
    return {
        "mediaType": MEDIA,
        "verificationMaterial": {"publicKey": {"hint": key.public.hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": b64(payload),
            "payloadType": kind,
            "signatures": [{"sig": b64(key.sign(pae(kind, payload))), "keyid": ""}],
        },
    }


def dumped(found: Any) -> bytes:
    return json.dumps(found, separators=(",", ":")).encode()
