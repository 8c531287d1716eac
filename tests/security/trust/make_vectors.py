"""Writes tests/vectors/trust and tests/vectors/audit anew, with new keys. Run from the root:
python -m tests.security.trust.make_vectors"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from security import auditentry, auditlog
from security.auditentry import Entry
from security.sign.dsse import Envelope, Signature
from security.trust import envelopes
from security.trust.rotation import TYPE, sign
from tests.security.trust.people import KEYS, NOW, key_table, role, signer, text, top

FOLDER = Path(__file__).parents[2] / "vectors"
TWO = role("owners", '"release", "rotate"', threshold=2)
ONE = ("alice-1", "bob-1")
GOOD = text(role(), keys=ONE)


def swap(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


FILES: dict[str, tuple[str | bytes, str]] = {
    "one-role.toml": (GOOD, ""),
    "two-people.toml": (text(TWO + 'also = ["ml-dsa-65"]', keys=(*ONE, "bob-pq")), ""),
    "revoked.toml": (
        text(
            role(),
            keys=("bob-1",),
            more=key_table("alice-1", 'revoked = 2027-01-10\nreason = "laptop stolen"'),
        ),
        "",
    ),
    "empty.toml": ("", "format is missing"),
    "format-2.toml": (swap("format = 1", "format = 2"), "format is not 1"),
    "latin-1.toml": (GOOD.encode() + b"# \xe9", "not UTF-8"),
    "key-twice.toml": (swap("version = 1", "version = 1\nversion = 2"), "overwrite"),
    "unknown-key.toml": (swap("threshold", "treshold"), "threshold is missing"),
    "unknown-table.toml": (GOOD + "[owners]\n", "unknown key 'owners'"),
    "version-0.toml": (swap("version = 1", "version = 0"), "version is not a whole"),
    "version-float.toml": (swap("version = 1", "version = 1.0"), "version is not a whole"),
    "expires-text.toml": (swap("2027-06-30", '"2027-06-30"'), "expires is not a date"),
    "expires-time.toml": (swap("2027-06-30", "2027-06-30T00:00:00Z"), "expires is not a date"),
    "no-expiry.toml": (swap("expires", "# expires"), "expires is missing"),
    "hidden-text.toml": (GOOD + "# \u202eeno", "U+202E"),
    "private-key.toml": (swap("BEGIN PUBLIC", "BEGIN PRIVATE"), "is a private key"),
    "stranger-owns.toml": (swap('owner = "bob"', 'owner = "eve"'), "is not in [people]"),
    "stranger-in-role.toml": (swap('"alice", "bob"', '"alice", "eve"'), "has 'eve'"),
    "person-twice.toml": (swap("[people.carol]", "[people.Bob]"), "is there twice"),
    "account-twice.toml": (swap("[people.carol]", '[people.carol]\naccount = "BOB"'), "twice"),
    "one-key-two-owners.toml": (
        GOOD + key_table("bob-1").replace('"bob"', '"alice"').replace("keys.bob-1", "keys.a2"),
        "is there twice",
    ),
    "threshold-0.toml": (swap("threshold = 1", "threshold = 0"), "threshold is not"),
    "threshold-out-of-reach.toml": (swap("threshold = 1", "threshold = 3"), "are 2 people"),
    "two-keys-are-not-two-people.toml": (
        text(role(members='"alice", "alice-1"', threshold=2), keys=ONE),
        "its members are 1 people",
    ),
    "rotate-below-release.toml": (
        text(role(threshold=2), role("keep", '"rotate"'), keys=ONE),
        "a release takes 2 people",
    ),
    "unknown-action.toml": (swap('"release"', '"relase"'), "unknown 'relase'"),
    "artifact-parent.toml": (swap('["acme/small"]', '["acme/../x"]'), "a . or a .."),
    "artifact-stars.toml": (swap('["acme/small"]', '["acme/**small"]'), "** beside"),
    "no-artifacts.toml": (swap('["acme/small"]', "[]"), "artifacts is not a list"),
    "hidden-below.toml": (GOOD + '[hidden]\n"acme" = ["a/b"]\n', "not one top-level name"),
    "deep.toml": ("a = " + "[\n" * 3000, "nested too deeply"),
    "long-line.toml": ("a" + ".a" * 600 + " = 1\n", "more than 1,000 characters"),
    "revoked-without-reason.toml": (
        text(role(), keys=("bob-1",), more=key_table("alice-1", "revoked = 2027-01-10")),
        "reason is missing",
    ),
    "keyless-without-issuer.toml": (
        GOOD + '[subjects.s]\nowner = "bob"\nmethod = "sigstore"\nsubject = "bob@acme.example"\n',
        "issuer is missing",
    ),
}


def steps() -> dict[str, tuple[bytes, bytes, str]]:
    """Return what may follow old.toml: name -> (file, signatures, why it is refused)."""
    few = tuple(name for name in KEYS if not name.endswith("-pq"))
    new = text(TWO, head=top(2), keys=few).encode()
    both, moved = ["alice-1", "bob-1"], role("owners", '"rotate"', '"alice", "carol"', threshold=2)

    def by(data: bytes, *names: str) -> bytes:
        return sign(data, [signer(name) for name in names])

    def case(why: str, *names: str, data: bytes = new) -> tuple[bytes, bytes, str]:
        return data, by(data, *names), why

    envelope = envelopes.read(by(new, *both), "new")
    one, two = envelope.signatures
    crossed = Envelope(TYPE, new, (Signature(one.sig, two.keyid), Signature(two.sig, one.keyid)))
    other = Envelope("application/vnd.in-toto+json", new, ())
    typed = tuple(Signature(signer(n).sign(other.signed), signer(n).public.hint) for n in both)
    fewer = text(moved, head=top(2), keys=few).encode()
    gone = key_table("alice-1", 'revoked = 2027-01-10\nreason = "stolen"')
    kept = tuple(name for name in few if name != "alice-1")
    revoked = text(TWO, head=top(2), keys=kept, more=gone).encode()
    return {
        "next": case("", *both),
        "skips-a-version": case("", *both, data=text(TWO, head=top(9), keys=few).encode()),
        "hands-over": case("", *both, "carol-1", data=fewer),
        "one-person": case("counted: alice", "alice-1"),
        "one-person-twice": case("counted: alice", "alice-1", "alice-pq"),
        "outsider": case("counted: alice", "alice-1", "carol-1"),
        "taken-over": case("trust.toml: to rotate", "alice-1", "carol-1", data=fewer),
        "given-away": case("(new): to rotate", *both, data=fewer),
        "revoked-by-itself": case("alice-1 was revoked", *both, data=revoked),
        "same-version": case("is not above 1", *both,
                             data=text(TWO, head=top(1), keys=few).encode()),
        "expired": case("expired on 2027-01-01", *both,
                        data=text(TWO, head=top(2, "2027-01-01"), keys=few).encode()),
        "other-bytes": (new + b"\n", by(new, *both), "are of other bytes"),
        "other-type": (new, envelopes.write(Envelope(other.payload_type, new, typed)), "of other"),
        "type-confused": (new, envelopes.write(Envelope(TYPE, new, typed)), "nobody is counted"),
        "crossed": (new, envelopes.write(crossed), "nobody is counted"),
        "twice": (new, envelopes.write(Envelope(TYPE, new, (one, one))), "one key signed twice"),
        "unsigned": (new, b'{"payload":"","payloadType":"x","signatures":[]}', "not 1 to 64"),
        "no-json": (new, b"-----BEGIN SIGNATURE-----\n", "trust.toml (new).sig: line 1"),
    }  # fmt: skip


def rewritten(lines: list[bytes], at: int, **words: object) -> list[bytes]:
    """Change a line, and write the hashes of all after it anew, as somebody without a key can."""
    found, before = lines[:at], json.loads(lines[at])["previous"]
    for number, line in enumerate(lines[at:]):
        values = json.loads(line) | (words if not number else {})
        values |= {"previous": before, "details": tuple(values["details"].items())}
        made, head = auditentry.written(Entry(**values))
        found.append(made)
        before = head.hash
    return found


def logs(path: Path) -> dict[str, tuple[bytes, str]]:
    """Return logs: name -> (bytes, why it is refused)."""
    key, stranger = signer("alice-1"), signer("carol-1")

    def act(outcome: str = "done") -> None:
        auditlog.append(
            path, actor="alice", action="release", artifact="acme/small",
            outcome="refused" if outcome == "refused" else "done", now=NOW,
        )  # fmt: skip

    act()
    act("refused")
    auditlog.checkpoint(path, key, NOW)
    act()
    auditlog.checkpoint(path, key, NOW)
    x = path.read_bytes().splitlines(keepends=True)
    auditlog.checkpoint(path, stranger, NOW)
    unknown = path.read_bytes()
    auditlog.checkpoint(path, key, NOW)
    covered = path.read_bytes()
    path.write_bytes(b"".join(x)[:-30])
    act()
    repaired = path.read_bytes()
    hint = {"keyid": key.public.hint}
    details = json.loads(unknown.splitlines()[6])["details"] | hint
    pretended = rewritten(
        unknown.splitlines(keepends=True), 6, actor=key.public.hint, details=details
    )
    spaced = x[1].replace(b'"actor":"alice"', b'"actor": "alice"')
    body = spaced[: spaced.rindex(b',"hash"')] + b"}"
    spaced = body[:-1] + b',"hash":"' + auditentry.digest(body).encode() + b'"}\n'
    hostile = {
        "edited": ([*x[:2], x[2].replace(b"refused", b"done"), *x[3:]], "line 3 was changed"),
        "rewritten": (rewritten(x, 2, outcome="done"), "line 4 is a forged checkpoint"),
        "one-rewritten": ([*x[:2], rewritten(x, 2, outcome="done")[2], *x[3:]], "line 4 does not"),
        "line-out": ([*x[:2], *x[3:]], "line 3 is entry 3"),
        "beginning-out": (x[1:], "line 1 is entry 1"),
        "swapped": ([x[0], x[2], x[1], *x[3:]], "line 2 is entry 2"),
        "doubled": ([*x[:2], x[1], *x[2:]], "line 3 is entry 1"),
        "cut": ([*x[:5], x[5][:50]], "line 6 has no end"),
        "no-newline": ([*x[:5], x[5][:-1]], "line 6 has no end"),
        "blank": ([*x[:2], b"\n", *x[2:]], "line 3 is not an entry"),
        "spaced": ([x[0], spaced], "line 2 is not written as"),
        "dos": ([line[:-1] + b"\r\n" for line in x], "line 1 was changed"),
        "zeros": ([*x, bytes(512)], "line 7 has no end"),
        "empty": ([], "is empty"),
        "pretended": (pretended, "line 7 is a forged checkpoint"),
    }
    good = {"good": b"".join(x), "covered": covered, "repaired": repaired}
    return {
        **{name: (data, "") for name, data in good.items()},
        "unknown-key": (unknown, "line 7 is a checkpoint by a key that was not given"),
        **{name: (b"".join(data), why) for name, (data, why) in hostile.items()},
    }


def main() -> None:
    """Write them all."""
    trust, audit = FOLDER / "trust", FOLDER / "audit"
    (trust / "rotation").mkdir(parents=True, exist_ok=True)
    audit.mkdir(exist_ok=True)
    expected = {}
    for name, (content, why) in FILES.items():
        (trust / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        expected[name] = why
    (trust / "rotation" / "old.toml").write_text(text(TWO))
    for name, (data, signatures, why) in steps().items():
        (trust / "rotation" / f"{name}.toml").write_bytes(data)
        (trust / "rotation" / f"{name}.toml.sig").write_bytes(signatures)
        expected[f"rotation/{name}.toml"] = why
    (trust / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    expected = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (data, why) in logs(Path(folder, "log")).items():
            (audit / f"{name}.jsonl").write_bytes(data)
            expected[f"{name}.jsonl"] = why
    (audit / "key.pem").write_text(signer("alice-1").public.pem)
    (audit / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
