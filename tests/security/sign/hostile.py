"""Write tests/vectors/oms: bundles that must be refused, each for a stated reason, and good ones.

Run from the root of the repository as `python -m tests.security.sign.hostile`; every run makes
new keys, of which only the public parts are kept. Nothing else is to be edited by hand there.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from security.hashing import measure
from security.identity import ED25519, MLDSA65
from security.manifest import Manifest
from security.sign import certificates, dsse, signing
from security.sign.keys import KeySigner
from tests.security.sign import authority
from tests.security.sign.making import b64, dumped, folder, said, signer, wrapped

ROOT = Path(__file__).parents[2] / "vectors/oms"
Statement = dict[str, Any]


@dataclass(frozen=True)
class World:
    model: Path
    manifest: Manifest
    statement: Statement
    key: KeySigner
    other: KeySigner
    edwards: KeySigner
    quantum: KeySigner
    root: authority.Issued


@dataclass(frozen=True)
class Vector:
    name: str
    error: str  # "" for a good one
    reason: str
    data: bytes


def statements(world: World) -> list[Vector]:
    """Spoiled statements, truly signed by the trusted key."""
    found: list[Vector] = []

    def bad(name: str, reason: str, spoil: Callable[[Statement], object], error: str = "") -> None:
        statement = copy.deepcopy(world.statement)
        spoil(statement)
        data = dumped(wrapped(dumped(statement), world.key))
        found.append(Vector(name, error or "Malformed", reason, data))

    def raw(name: str, reason: str, payload: bytes) -> None:
        found.append(Vector(name, "Malformed", reason, dumped(wrapped(payload, world.key))))

    def files(statement: Statement) -> list[dict[str, Any]]:
        return statement["predicate"]["resources"]

    def made(statement: Statement) -> dict[str, Any]:
        return statement["predicate"]["serialization"]

    bad("two-subjects", "one subject", lambda s: s["subject"].append(s["subject"][0]))
    bad("no-subject", "one subject", lambda s: s.update(subject=[]))
    bad("subject-without-name", "no name", lambda s: s["subject"][0].update(name=""))
    bad("subject-sha512", "no SHA-256", lambda s: s["subject"][0].update(digest={"sha512": "00"}))
    upper = world.manifest.root.upper()
    bad("subject-upper", "no SHA-256", lambda s: s["subject"][0].update(digest={"sha256": upper}))
    zero = {"sha256": "0" * 64}
    bad("wrong-root", "root digest", lambda s: s["subject"][0].update(digest=zero))
    bad("swapped-digests", "root digest", lambda s: _swap(files(s)))
    bad("subject-extra", "unknown key", lambda s: s["subject"][0].update(also="x"))
    bad("statement-v0.1", "_type", lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"))
    bad("predicate-v1.1", "v1.1", lambda s: s.update(predicateType=s["predicateType"][:-1] + "1"))
    old = "https://model_signing/Digests/v0.1"
    bad("predicate-digests-v0.1", "no proper encoding", lambda s: s.update(predicateType=old))
    bad("statement-extra", "unknown key", lambda s: s.update(extra=1))
    bad("predicate-extra", "unknown key", lambda s: s["predicate"].update(extra=1))
    bad("predicate-list", "not a JSON object", lambda s: s.update(predicate=[]))
    bad("no-predicate", "no predicate", lambda s: s.pop("predicate"))
    bad("no-files", "resources", lambda s: files(s).clear())
    bad("listed-twice", "twice", lambda s: files(s).append(files(s)[0]))
    bad("file-is-text", "not a JSON object", lambda s: files(s).append("x"))
    bad("file-without-name", "no name", lambda s: files(s)[0].pop("name"))
    for name, path in {
        "absolute": "/etc/passwd",
        "parent": "../weights.bin",
        "inner-parent": "a/../weights.bin",
        "dot": "./weights.bin",
        "doubled-slash": "a//b",
        "trailing-slash": "a/",
        "empty": "",
        "nul": "a\0b",
        "half-pair": "a\udc80",
        "dot-among-files": "..",
    }.items():
        bad(f"path-{name}", "name|canonical|path", lambda s, p=path: files(s)[0].update(name=p))
    for name, value in {
        "upper": files(world.statement)[0]["digest"].upper(),
        "short": "00" * 31,
        "odd": "0" * 63,
        "long": "00" * 64,
        "spaced": " " + "0" * 63,
        "number": 5,
        "null": None,
        "wide-digits": "\uff10" * 64,
    }.items():
        bad(f"digest-{name}", "lower-case hex", lambda s, v=value: files(s)[0].update(digest=v))
    bad("algorithm-other", "algorithm", lambda s: files(s)[0].update(algorithm="blake3"))
    bad(
        "algorithm-sharded", "algorithm", lambda s: files(s)[0].update(algorithm="sha256-sharded-8")
    )
    for name, tensors in {"list": [], "upper": {"t": "AB" * 32}, "short": {"t": ""}}.items():
        note = {"annotations": {"tensors": tensors}}
        bad(f"tensors-{name}", "tensor", lambda s, n=note: files(s)[0].update(n))
    bad("hash-md5", "hash_type", lambda s: made(s).update(hash_type="md5"))
    bad("hash-blake2b", "hash_type", lambda s: made(s).update(hash_type="blake2b"))
    bad("method-unknown", "method", lambda s: made(s).update(method="tree"))
    bad("method-extra", "unknown key", lambda s: made(s).update(also=1))
    bad("links-text", "allow_symlinks", lambda s: made(s).update(allow_symlinks="false"))
    bad("links-number", "allow_symlinks", lambda s: made(s).update(allow_symlinks=0))
    bad("links-absent", "allow_symlinks", lambda s: made(s).pop("allow_symlinks"))
    bad("files-with-shards", "shard_size", lambda s: made(s).update(shard_size=8))
    bad("shards-without-size", "shard_size", lambda s: made(s).update(method="shards"))
    for name, size in {
        "zero": 0, "negative": -1, "fraction": 1.5, "true": True, "text": "8", "null": None,
        "huge": 1 << 80, "list": [8],
    }.items():  # fmt: skip
        spoil = {"method": "shards", "shard_size": size}
        bad(f"shard-size-{name}", "shard_size", lambda s, m=spoil: made(s).update(m))
    for name, part in {
        "none": "a", "text": "a:0:x", "backwards": "a:8:8", "between": "a:4:8", "long": "a:0:9",
        "signed": "a:+0:8", "padded": "a:00:8", "pathless": ":0:8", "parent": "../a:0:8",
        "wide": "a:0:\uff18",
    }.items():  # fmt: skip
        bad(f"shard-range-{name}", "range|canonical", lambda s, p=part: _shard(s, p))
    for name, path in {
        "pattern": "*.bin", "absolute": "/tmp", "parent": "../x", "number": 5, "empty": "",
    }.items():  # fmt: skip
        bad(f"ignored-{name}", "path|pattern", lambda s, p=path: made(s)["ignore_paths"].append(p))
    bad("ignored-text", "ignore_paths", lambda s: made(s).update(ignore_paths="model.sig"))
    hidden = made(world.statement)["ignore_paths"]
    bad("ignored-listed", "both", lambda s: made(s).update(ignore_paths=[*hidden, "weights.bin"]))
    hides = [*hidden, "extra.py"]
    bad("hides-a-file", "leaves out", lambda s: made(s).update(ignore_paths=hides), "Untrusted")
    bad("file-is-missing", "was signed", lambda s: _grow(s), "Tampered")
    bad("file-is-unsigned", "was not signed", lambda s: _shrink(s), "Tampered")
    bad("file-is-another", "not what was signed", lambda s: _change(s), "Tampered")

    text = dumped(world.statement)
    raw("duplicate-key", "duplicate key", text.replace(b"{", b'{"_type":"x",', 1))
    raw("duplicate-inner-key", "duplicate", text.replace(b'"method":', b'"method":"x","method":'))
    raw("not-a-number", "NaN", text.replace(b'"allow_symlinks":false', b'"allow_symlinks":NaN'))
    raw(
        "infinite",
        "shard_size",
        text.replace(b'"method":"files"', b'"method":"shards","shard_size":1e999'),
    )
    deep = b'"annotations":' + b"[" * 100 + b"]" * 100 + b',"name"'
    raw("deep", "deeper", text.replace(b'"name"', deep, 1))
    raw("deeper", "deeper", b"[" * 100_000)
    raw("digits", "strict JSON", b'{"_type":' + b"9" * 5000 + b"}")
    raw("trailing", "strict JSON", text + b"x")
    raw("two-documents", "strict JSON", text + text)
    raw("truncated", "strict JSON", text[:-1])
    raw("byte-order-mark", "strict JSON", b"\xef\xbb\xbf" + text)
    raw("utf-16", "strict JSON", text.decode().encode("utf-16"))
    raw("not-utf-8", "UTF-8", text.replace(b"config", b"conf\xff", 1))
    raw("single-quotes", "strict JSON", text.replace(b'"', b"'"))
    raw("a-list", "not a JSON object", b"[" + text + b"]")
    raw("nothing", "strict JSON", b"")
    return found


def envelopes(world: World) -> list[Vector]:
    """Good statements in spoiled bundles."""
    payload, key = dumped(world.statement), world.key
    good = wrapped(payload, key)
    found: list[Vector] = []

    def bad(name: str, error: str, reason: str, spoil: Callable[[dict[str, Any]], object]) -> None:
        spoiled = copy.deepcopy(good)
        spoil(spoiled)
        found.append(Vector(name, error, reason, dumped(spoiled)))

    def raw(name: str, error: str, reason: str, data: bytes) -> None:
        found.append(Vector(name, error, reason, data))

    def envelope(bundle: dict[str, Any]) -> dict[str, Any]:
        return bundle["dsseEnvelope"]

    def first(bundle: dict[str, Any]) -> dict[str, Any]:
        return bundle["dsseEnvelope"]["signatures"][0]

    def material(bundle: dict[str, Any]) -> dict[str, Any]:
        return bundle["verificationMaterial"]

    def signed(data: bytes, by: KeySigner = key) -> str:
        return b64(by.sign(data))

    unfit = ("Tampered", "does not fit")
    text = dsse.IN_TOTO.encode()
    for name, bare in {
        "none": payload,
        "base64": b64(payload).encode(),
        "v0.2.0": f"DSSEV1 {len(text)} {dsse.IN_TOTO} {len(payload)} {payload!r}".encode(),
        "other-type": dsse.pae("application/json", payload),
        "no-type": b"DSSEv1 0  %d %b" % (len(payload), payload),
        "longer": b"DSSEv1 %d %b %d %b" % (len(text), text, len(payload) + 1, payload),
        "space-in-it": dsse.pae(dsse.IN_TOTO, payload + b" "),
    }.items():
        bad(f"encoding-{name}", *unfit, lambda b, d=bare: first(b).update(sig=signed(d)))
    bad("payload-respelled", *unfit, lambda b: envelope(b).update(payload=b64(payload + b"\n")))
    bad("payload-indented", *unfit, lambda b: envelope(b).update(payload=b64(
        json.dumps(world.statement, indent=1).encode())))  # fmt: skip
    for name, spelled in {
        "urlsafe": b64(payload + b"\xff\xfe\xff" * 3).replace("/", "_").replace("+", "-"),
        "unpadded": b64(payload + b" " * (4 - len(payload) % 3)).rstrip("="),
        "lines": b64(payload)[:64] + "\n" + b64(payload)[64:],
        "space": " " + b64(payload),
        "spare-bits": "QR==",
        "unicode": "\uff21" * 4,
        "number": 5,
        "null": None,
    }.items():
        bad(
            f"base64-{name}",
            "Malformed",
            "payload is",
            lambda b, t=spelled: envelope(b).update(payload=t),
        )
    wrong = wrapped(payload, key, kind="application/json")
    raw("payload-type", "Malformed", "payloadType", dumped(wrong))
    bad("payload-type-respelled", "Malformed", "payloadType", lambda b: envelope(b).update(
        payloadType="application/vnd.in-toto+JSON"))  # fmt: skip
    bad("signatures-none", "Malformed", "1 to 16", lambda b: envelope(b).update(signatures=[]))
    many = [{"sig": b64(bytes([n] * 64)), "keyid": f"{n:064x}"} for n in range(17)]
    bad("signatures-many", "Malformed", "1 to 16", lambda b: envelope(b).update(signatures=many))
    bad("signature-empty", "Malformed", "no kind", lambda b: first(b).update(sig=""))
    bad("signature-long", "Malformed", "no kind", lambda b: first(b).update(sig=b64(b"0" * 4000)))
    bad("signature-zero", *unfit, lambda b: first(b).update(sig="MAYCAQACAQA="))
    bad("signature-null", "Malformed", "base64", lambda b: first(b).update(sig=None))
    bad("signature-extra", "Malformed", "unknown key", lambda b: first(b).update(cert="x"))
    over = dsse.pae(dsse.IN_TOTO, payload)
    bad(
        "signature-of-another-key", *unfit, lambda b: first(b).update(sig=signed(over, world.other))
    )
    bad("signature-of-another-kind", *unfit, lambda b: first(b).update(
        sig=signed(over, world.edwards)))  # fmt: skip
    bad("keyid-other", "Malformed", "not the hint", lambda b: first(b).update(keyid="ab" * 32))
    bad("keyid-text", "Malformed", "keyid", lambda b: first(b).update(keyid="release key"))
    bad("keyid-number", "Malformed", "keyid", lambda b: first(b).update(keyid=5))
    hint = key.public.hint
    for name, value in {
        "upper": hint.upper(), "short": hint[:-1], "empty": "", "null": None, "list": [hint],
        "newline": f"{hint}\n",
    }.items():  # fmt: skip
        bad(f"hint-{name}", "Malformed", "hint", lambda b, v=value: material(b).update(
            publicKey={"hint": v}))  # fmt: skip
    bad("hint-of-a-stranger", "Untrusted", "no trusted key", lambda b: material(b).update(
        publicKey={"hint": "ab" * 32}))  # fmt: skip
    bad("hint-of-another-key", *unfit, lambda b: material(b).update(
        publicKey={"hint": world.edwards.public.hint}))  # fmt: skip
    raw(
        "signed-by-a-stranger", "Untrusted", "no trusted key", dumped(wrapped(payload, world.other))
    )
    old = {"rawBytes": b64(world.other.public.pem.encode())}
    bad(
        "raw-key-of-a-stranger",
        "Untrusted",
        "no trusted",
        lambda b: material(b).update(publicKey=old),
    )
    same = {"rawBytes": b64(key.public.pem.encode())}
    details = {**same, "keyDetails": "PKIX_ECDSA_P384_SHA_384"}
    bad(
        "raw-key-details",
        "Malformed",
        "keyDetails",
        lambda b: material(b).update(publicKey=details),
    )
    both = {**same, "hint": hint}
    bad(
        "raw-key-and-hint", "Malformed", "unknown key", lambda b: material(b).update(publicKey=both)
    )
    bad("raw-key-garbage", "Malformed", "rawBytes", lambda b: material(b).update(
        publicKey={"rawBytes": "AAAA"}))  # fmt: skip
    bad("no-key", "Malformed", "one of", lambda b: material(b).pop("publicKey"))
    chain = {"certificates": [{"rawBytes": "MAA="}]}
    bad(
        "key-and-chain",
        "Malformed",
        "one of",
        lambda b: material(b).update(x509CertificateChain=chain),
    )
    bad("material-extra", "Malformed", "unknown key", lambda b: material(b).update(key="x"))
    bad("log-entries", "Malformed", "log entries", lambda b: material(b).update(tlogEntries=[{}]))
    stamps = {"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]}
    bad(
        "times",
        "Malformed",
        "times",
        lambda b: material(b).update(timestampVerificationData=stamps),
    )
    alone: dict[str, Any] = {"certificate": {"rawBytes": "MAA="}}
    bad("keyless-without-log", "Malformed", "tlogEntries", lambda b: b.update(
        verificationMaterial=alone))  # fmt: skip
    logged = {**alone, "tlogEntries": [{}]}
    bad("keyless-nobody", "Untrusted", "nobody is trusted", lambda b: b.update(
        verificationMaterial=logged))  # fmt: skip
    bad("media-type-v0.2", "Malformed", "mediaType", lambda b: b.update(
        mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"))  # fmt: skip
    bad("bundle-extra", "Malformed", "unknown key", lambda b: b.update(messageSignature={}))
    for gone in ("mediaType", "verificationMaterial", "dsseEnvelope"):
        bad(f"no-{gone}", "Malformed", f"no {gone}", lambda b, k=gone: b.pop(k))
    for gone in ("payload", "payloadType", "signatures"):
        bad(f"no-{gone}", "Malformed", f"no {gone}", lambda b, k=gone: envelope(b).pop(k))
    raw("bundle-duplicate-key", "Malformed", "duplicate", b'{"mediaType":"x",' + dumped(good)[1:])
    raw("bundle-trailing", "Malformed", "not a bundle", dumped(good) + b"{}")
    raw("bundle-truncated", "Malformed", "not a bundle", dumped(good)[:-1])
    raw("bundle-empty", "Malformed", "not a bundle", b"")
    raw("bundle-list", "Malformed", "not a JSON object", b"[" + dumped(good) + b"]")
    raw("bundle-deep", "Malformed", "deeper", b'{"mediaType":' * 30 + b"0" + b"}" * 30)
    raw("bundle-parts", "TooLarge", "parts", b"[" + b"0," * 30_000 + b"0]")
    return found


def cosigned(world: World) -> list[Vector]:
    """Bundles with several signatures, spoiled."""
    data = signing.sign_manifest(world.manifest, "model", [world.key, world.edwards, world.quantum])
    good = json.loads(data)
    found = [
        Vector("cosigned", "", "", data),
        Vector("edwards", "", "", signing.sign_manifest(world.manifest, "model", [world.edwards])),
    ]

    def bad(name: str, error: str, reason: str, spoil: Callable[[list[Any]], object]) -> None:
        spoiled = copy.deepcopy(good)
        spoil(spoiled["dsseEnvelope"]["signatures"])
        found.append(Vector(f"cosigned-{name}", error, reason, dumped(spoiled)))

    other = b64(world.other.sign(b"other"))
    bad("second-without-keyid", "Malformed", "no keyid", lambda s: s[1].update(keyid=""))
    bad("second-spoiled", "Tampered", "does not fit", lambda s: s[1].update(sig=b64(b"\0" * 64)))
    bad("second-other", "Tampered", "does not fit", lambda s: s[2].update(sig=other))
    bad("second-twice", "Malformed", "twice", lambda s: s.append(s[1]))
    hint = world.key.public.hint
    again = b64(world.key.sign(dsse.pae(dsse.IN_TOTO, dumped(world.statement))))
    bad("first-again", "Malformed", "twice", lambda s: s.append({"sig": again, "keyid": hint}))
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
        bad = authority.middle(root, **options)
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

    def also(name: str, spell: Callable[[dict[str, Any]], object]) -> None:
        spelled = copy.deepcopy(made)
        spell(spelled)
        found.append(Vector(name, "", "", dumped(spelled)))

    old = {"rawBytes": b64(world.key.public.pem.encode()), "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    also("old-key", lambda b: b["verificationMaterial"].update(publicKey=old))
    also("no-log", lambda b: b["verificationMaterial"].pop("tlogEntries"))
    for name, keyid in {"null": None, "hint": world.key.public.hint}.items():
        signatures = [{**first, "keyid": keyid}]
        also(f"keyid-{name}", lambda b, s=signatures: b["dsseEnvelope"].update(signatures=s))
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


def _swap(files: list[dict[str, Any]]) -> None:
    files[0]["digest"], files[1]["digest"] = files[1]["digest"], files[0]["digest"]


def _swap_signatures(signatures: list[dict[str, Any]]) -> None:
    signatures[1]["sig"], signatures[2]["sig"] = signatures[2]["sig"], signatures[1]["sig"]


def _rooted(statement: Statement) -> None:
    import hashlib

    files = statement["predicate"]["resources"]
    joined = b"".join(bytes.fromhex(each["digest"]) for each in files)
    statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(joined).hexdigest()


def _grow(statement: Statement) -> None:
    more = {"name": "z", "algorithm": "sha256", "digest": "00" * 32}
    statement["predicate"]["resources"].append(more)
    _rooted(statement)


def _shrink(statement: Statement) -> None:
    statement["predicate"]["resources"].pop()
    _rooted(statement)


def _change(statement: Statement) -> None:
    statement["predicate"]["resources"][0]["digest"] = "00" * 32
    _rooted(statement)


def _shard(statement: Statement, name: str) -> None:
    statement["predicate"]["resources"][0]["name"] = name
    statement["predicate"]["serialization"] |= {"method": "shards", "shard_size": 8}


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
    makers = (statements, envelopes, cosigned, certified, good)
    vectors = [vector for make in makers for vector in make(world)]
    assert len({v.name for v in vectors}) == len(vectors)
    for vector in vectors:
        (ROOT / ("bad" if vector.error else "good") / f"{vector.name}.sig").write_bytes(vector.data)
    expected = {v.name: [v.error, v.reason] for v in vectors if v.error}
    (ROOT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
