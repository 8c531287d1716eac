"""Write tests/vectors/oms: bundles that must be refused, each for a stated reason, and good ones.

Run from the root of the repository as `python -m tests.security.sign.hostile`; every run makes
new keys, of which only the public parts are kept. Nothing else is to be edited by hand there.
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

from security.hashing import measure
from security.identity import ED25519, MLDSA65
from security.manifest import Manifest
from security.sign import certificates, dsse, signing
from tests.security.sign import authority, hostile_bundles, hostile_statements
from tests.security.sign.making import b64, dumped, folder, said, signer, wrapped
from tests.security.sign.spoiling import Spoil, Vector, World, envelope, put

ROOT = Path(__file__).parents[2] / "vectors/oms"


def cosigned(world: World) -> list[Vector]:
    """Bundles with several signatures, spoiled."""
    data = signing.sign_manifest(world.manifest, "model", [world.key, world.edwards, world.quantum])
    good = json.loads(data)
    found = [
        Vector("cosigned", "", "", data),
        Vector("edwards", "", "", signing.sign_manifest(world.manifest, "model", [world.edwards])),
    ]

    def bad(name: str, error: str, reason: str, spoil: Spoil) -> None:
        spoiled = copy.deepcopy(good)
        spoil(spoiled["dsseEnvelope"]["signatures"])
        found.append(Vector(f"cosigned-{name}", error, reason, dumped(spoiled)))

    other = b64(world.other.sign(b"other"))
    bad("second-without-keyid", "Malformed", "no keyid", lambda s: s[1].update(keyid=""))
    bad("second-spoiled", "Tampered", "does not fit", lambda s: s[1].update(sig=b64(b"\0" * 64)))
    bad("second-other", "Tampered", "does not fit", lambda s: s[2].update(sig=other))
    bad("second-twice", "Malformed", "is there twice", lambda s: s.append(s[1]))
    hint = world.key.public.hint
    again = b64(world.key.sign(dsse.pae(dsse.IN_TOTO, dumped(world.statement))))
    bad(
        "first-again",
        "Malformed",
        "one key has signed twice",
        lambda s: s.append({"sig": again, "keyid": hint}),
    )
    bad("swapped", "Tampered", "does not fit", lambda s: _swap_signatures(s))
    bad("first-dropped", "Malformed", "not the hint", lambda s: s.pop(0))
    return found


def certified(world: World) -> list[Vector]:
    """Bundles by certificate; the time of verification is that of tests.security.sign.authority."""
    root, day = world.root, authority.DAY
    middle = authority.middle(root)
    found: list[Vector] = []

    def add(name: str, error: str, reason: str, *chain: authority.Issued) -> None:
        from security.sign import keys

        pem = b"".join(each.pem for each in chain)
        by = certificates.certify(keys.load_signer(chain[0].key_pem), pem)
        data = signing.sign_manifest(world.manifest, "model", [by])
        found.append(Vector(f"certificate-{name}" if error else name, error, reason, data))

    leaf = authority.leaf(middle)
    add("certificate", "", "", leaf, middle)
    add("certificate-with-root", "", "", leaf, middle, root)
    add("without-middle", "Untrusted", "does not hold", leaf)
    add("of-another-root", "Untrusted", "does not hold", authority.leaf(authority.root()))
    early = authority.leaf(middle, end=authority.NOW - day / 2)
    add("expired", "Untrusted", "not valid", early, middle)
    late = authority.leaf(middle, start=authority.NOW + day / 2)
    add("not-yet", "Untrusted", "not valid", late, middle)
    for name, options in {
        "expired-authority": {"end": authority.NOW - day / 2},
        "no-authority": {"authority": False},
        "no-authority-usage": {"key_usage": authority.usage(sign=True)},
        "server-authority": {"purposes": [authority.SERVER]},
    }.items():
        bad = authority.middle(root, **options)  # type: ignore[arg-type]
        reason = "not for signing code" if name == "server-authority" else "does not hold"
        add(name, "Untrusted", reason, authority.leaf(bad), bad)
    short = authority.middle(root, length=0)
    below = authority.middle(short, "below")
    add("path-length", "Untrusted", "path length", authority.leaf(below), below, short)
    server = authority.leaf(middle, purposes=[authority.SERVER])
    add("for-servers", "Untrusted", "signing code", server, middle)
    issuing = authority.leaf(middle, key_usage=authority.usage(issue=True))
    add("for-issuing", "Untrusted", "digital signatures", issuing, middle)
    silent = authority.leaf(middle, key_usage=None, purposes=[])
    add("for-nothing", "Untrusted", "does not say", silent, middle)
    made = json.loads(found[0].data)
    made["dsseEnvelope"]["signatures"][0]["sig"] = b64(world.key.sign(b"x"))
    found.append(Vector("certificate-other-key", "Tampered", "does not fit", dumped(made)))
    return found


def good(world: World) -> list[Vector]:
    """Spellings of others that are accepted."""
    payload = dumped(world.statement)
    made = wrapped(payload, world.key)
    first = made["dsseEnvelope"]["signatures"][0]
    found = [
        Vector("plain", "", "", signing.sign_manifest(world.manifest, "model", [world.key])),
        Vector("indented", "", "", json.dumps(made, indent=2).encode()),
    ]

    def also(name: str, spell: Spoil) -> None:
        spelled = copy.deepcopy(made)
        spell(spelled)
        found.append(Vector(name, "", "", dumped(spelled)))

    old = {"rawBytes": b64(world.key.public.pem.encode()), "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    also("old-key", lambda b: b["verificationMaterial"].update(publicKey=old))
    also("no-log", lambda b: b["verificationMaterial"].pop("tlogEntries"))
    for name, keyid in {"null": None, "hint": world.key.public.hint}.items():
        signatures = [{**first, "keyid": keyid}]
        also(f"keyid-{name}", put(envelope, signatures=signatures))
    also("keyid-absent", lambda b: b["dsseEnvelope"]["signatures"][0].pop("keyid"))
    silent = copy.deepcopy(world.statement)
    silent["predicate"]["serialization"].pop("ignore_paths")
    found.append(Vector("ignored-absent", "", "", dumped(wrapped(dumped(silent), world.key))))
    turned = copy.deepcopy(world.statement)
    turned["predicate"]["resources"].reverse()
    entries = tuple(reversed(world.manifest.entries))
    turned["subject"][0]["digest"]["sha256"] = Manifest(entries).root
    found.append(Vector("other-order", "", "", dumped(wrapped(dumped(turned), world.key))))
    for name, algorithm, size in (
        ("shards", "sha256", 8),
        ("shards-1.1.1", "sha256-sharded-8", 8.0),
    ):
        shards = measure(world.model, shard=8)
        statement = copy.deepcopy(world.statement)
        listed = [
            {"name": e.path, "algorithm": algorithm, "digest": e.digest} for e in shards.entries
        ]
        statement["predicate"]["resources"] = listed
        statement["predicate"]["serialization"] |= {"method": "shards", "shard_size": size}
        statement["subject"][0]["digest"]["sha256"] = shards.root
        found.append(Vector(name, "", "", dumped(wrapped(dumped(statement), world.key))))
    return found


def _swap_signatures(signatures: list[dict[str, Any]]) -> None:
    signatures[1]["sig"], signatures[2]["sig"] = signatures[2]["sig"], signatures[1]["sig"]


def main() -> None:
    for name in ("model", "good", "bad"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
        (ROOT / name).mkdir(parents=True)
    model = folder(
        ROOT / "model", **{"config.json": b'{"layers": 2}\n', "weights.bin": bytes(range(20))}
    )
    manifest = measure(model)
    world = World(
        model, manifest, said(manifest), signer(), signer(number=1), signer(ED25519),
        signer(MLDSA65), authority.root(),
    )  # fmt: skip
    for part, key in {"key": world.key, "edwards": world.edwards, "quantum": world.quantum}.items():
        (ROOT / f"{part}.pem").write_text(key.public.pem)
    (ROOT / "root.pem").write_bytes(world.root.pem)
    makers = (hostile_statements.statements, hostile_bundles.envelopes, cosigned, certified, good)
    vectors = [vector for make in makers for vector in make(world)]
    assert len({v.name for v in vectors}) == len(vectors)
    for vector in vectors:
        (ROOT / ("bad" if vector.error else "good") / f"{vector.name}.sig").write_bytes(vector.data)
    expected = {v.name: [v.error, v.reason] for v in vectors if v.error}
    (ROOT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
