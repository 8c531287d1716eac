"""Spoiled statements, truly signed by the trusted key: vectors of tests/vectors/oms."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from tests.security.sign.making import dumped, wrapped
from tests.security.sign.spoiling import Spoil, Statement, Vector, World, files, made, one, put


def statements(world: World) -> list[Vector]:
    """Spoiled statements, truly signed by the trusted key."""
    found: list[Vector] = []

    def bad(name: str, reason: str, spoil: Spoil, error: str = "") -> None:
        statement = copy.deepcopy(world.statement)
        spoil(statement)
        data = dumped(wrapped(dumped(statement), world.key))
        found.append(Vector(name, error or "Malformed", reason, data))

    def raw(name: str, reason: str, payload: bytes) -> None:
        found.append(Vector(name, "Malformed", reason, dumped(wrapped(payload, world.key))))

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
    bad("listed-twice", "is listed twice", lambda s: files(s).append(files(s)[0]))
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
        bad(f"path-{name}", "canonical|not UTF-8|NUL", put(one, name=path))
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
        bad(f"digest-{name}", "lower-case hex", put(one, digest=value))
    bad("algorithm-other", "algorithm", lambda s: files(s)[0].update(algorithm="blake3"))
    bad(
        "algorithm-sharded", "algorithm", lambda s: files(s)[0].update(algorithm="sha256-sharded-8")
    )
    for name, tensors in {"list": [], "upper": {"t": "AB" * 32}, "short": {"t": ""}}.items():
        bad(f"tensors-{name}", "tensor", put(one, annotations={"tensors": tensors}))
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
        spoil = put(made, method="shards", shard_size=size)
        bad(f"shard-size-{name}", "shard_size", spoil)
    for name, part in {
        "none": "a", "text": "a:0:x", "backwards": "a:8:8", "between": "a:4:8", "long": "a:0:9",
        "signed": "a:+0:8", "padded": "a:00:8", "pathless": ":0:8", "parent": "../a:0:8",
        "wide": "a:0:\uff18",
    }.items():  # fmt: skip
        bad(f"shard-range-{name}", "no range|not a canonical", sharded(part))
    hidden = made(world.statement)["ignore_paths"]
    for name, ignored in {
        "pattern": "*.bin", "absolute": "/tmp", "parent": "../x", "number": 5, "empty": "",
    }.items():  # fmt: skip
        bad(
            f"ignored-{name}",
            "canonical|is no path|a pattern",
            put(made, ignore_paths=[*hidden, ignored]),
        )
    bad("ignored-text", "ignore_paths", lambda s: made(s).update(ignore_paths="model.sig"))
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


def _swap(files: list[dict[str, Any]]) -> None:
    files[0]["digest"], files[1]["digest"] = files[1]["digest"], files[0]["digest"]


def _rooted(statement: Statement) -> None:
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


def sharded(name: str) -> Spoil:
    def spoil(statement: Statement) -> None:
        del files(statement)[1:]
        one(statement)["name"] = name
        _rooted(statement)
        made(statement).update(method="shards", shard_size=8)

    return spoil
