"""Who may not be believed: the second signer's eyes, the ledger, the trust file, the policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot.releasing.job import Job
from bot.releasing.ledger.book import GitBook
from bot.releasing.steps import hub
from registry.release import values
from registry.release.ledger import APPROVE, CLAIM, RELEASE, New, Tag
from security import hashing
from security.errors import Tampered
from security.manifest import Entry
from security.sign import bundle, signing, statement
from security.sign.keys import load_signer
from security.trust import releases, rotation
from tests.bot.releasing.clones import git
from tests.bot.releasing.project import A, Project, model, policy, trust
from tests.bot.releasing.running import Warden

PENDING = f"pending/{A}/1.0.0/"
TRUST, POLICY = ".github/trust.toml", ".github/modelwarden.yml"


def book(at: Project) -> GitBook:
    return GitBook(at.path, "modelwarden-releases", "origin")


def put(
    at: Project, files: Mapping[str, bytes | None], *news: New, tags: tuple[Tag, ...] = ()
) -> None:
    """Write to the ledger as whoever can push, without a key."""
    held = book(at)
    held.append(news, files, expect=held.ledger().head, tags=tags)


def held(at: Project, path: str) -> bytes:
    found = book(at)
    found.ledger()
    data = found.file(path, 100_000_000)
    assert data is not None
    return data


def signer(at: Project, name: str):  # type: ignore[no-untyped-def]
    return load_signer(at.key(name).read_bytes())


def guarded(at: Project, **said: object) -> None:
    at.commit({TRUST: trust(at), POLICY: policy(**said, tag="x-{version}")})


# The second of two people signs what is shown, and nothing else


def test_approve_signs_what_it_has_proven_and_nothing_else(alice: Project, warden: Warden) -> None:
    guarded(alice, approvals=1)
    assert warden.release(alice).code
    mallory, first = signer(alice, "mallory"), signer(alice, "alice")
    sig, said = held(alice, PENDING + "model.sig"), held(alice, PENDING + "model.intoto.jsonl")
    contents = statement.read(bundle.read(sig).envelope.payload)
    root = contents.manifest.root
    lines = said.splitlines()

    def line(name: str, of: str, kind: str, what: Mapping[str, object]) -> bytes:
        return signing.attest(name, of, kind, what, [first]).rstrip(b"\n")

    newer = {"version": "9.9.9", "previous": None}
    scan = next(x for x in lines if b"scan:v1" in signed(x))
    clean = json.loads(signing.read_attestation(scan).predicate) | {"files": 1}
    hostile: dict[str, tuple[bytes, bytes]] = {
        "another root": (sig, b"\n".join([*lines, line(A, "0" * 64, releases.RELEASE, newer)])),
        "another version": (sig, b"\n".join([*lines[1:], line(A, root, releases.RELEASE, newer)])),
        "a second version": (sig, b"\n".join([*lines, line(A, root, releases.RELEASE, newer)])),
        "another artifact": (
            sig, b"\n".join([*lines, line("acme/x", root, releases.RELEASE, newer)]),
        ),
        "a licence": (sig, b"\n".join([*lines, line(A, root, "urn:modelwarden:licence:v1",
                                                    {"licences": ["MIT"]})])),
        "another scan": (sig, b"\n".join(
            x if x != scan else line(A, root, "urn:modelwarden:scan:v1", clean) for x in lines
        )),
        "fewer": (sig, lines[0]),
        "named otherwise": (signing.sign_manifest(contents.manifest, "acme/x", [first]), said),
        "signed by a stranger": (signing.sign_manifest(contents.manifest, A, [mallory]), said),
    }  # fmt: skip
    for what, (one, other) in hostile.items():
        put(alice, {PENDING + "model.sig": one, PENDING + "model.intoto.jsonl": other + b"\n"})
        done = warden(alice, "release", "approve", "1.0.0", "--key", alice.key("bob"))
        assert done.code, what
        assert held(alice, PENDING + "model.sig") == one, what
        assert "approve" not in alice.actions(), what
    put(alice, {PENDING + "model.sig": sig, PENDING + "model.intoto.jsonl": said})
    done = warden(alice, "release", "approve", "1.0.0", "--key", alice.key("bob"))
    assert done.code == 0, done.err
    assert root in done.out


def signed(line: bytes) -> bytes:
    return bundle.read(line).envelope.payload


def test_approve_refuses_documents_in_place_of_the_model(alice: Project, warden: Warden) -> None:
    """The first of the two is not honest: what is signed is not the model of the commit."""
    guarded(alice, approvals=1)
    assert warden.release(alice).code
    folder = next(alice.staging.glob("*/tiny"))
    document = values.read(held(alice, PENDING + "release/release.json"))
    config = (folder / "config.json").read_bytes().replace(b"1e-06", b"1e-02")
    assert config != (folder / "config.json").read_bytes()
    bad = replace(document, outputs=(*document.outputs, entry("config.json", config)))
    for path, data in (("config.json", config), ("release/release.json", values.dump(bad))):
        (folder / path).unlink()
        (folder / path).write_bytes(data)
    whole = hashing.measure(folder)
    first = [signer(alice, "alice")]
    lines = held(alice, PENDING + "model.intoto.jsonl").splitlines()
    anew = [signing.read_attestation(one) for one in lines]
    said = [
        signing.attest(A, whole.root, c.predicate_type, json.loads(c.predicate), first)
        for c in anew
    ]
    put(alice, {
        PENDING + "model.sig": signing.sign_manifest(whole, A, first),
        PENDING + "model.intoto.jsonl": b"".join(one.rstrip(b"\n") + b"\n" for one in said),
        PENDING + "release/release.json": values.dump(bad), PENDING + "config.json": config,
    })  # fmt: skip
    done = warden(alice, "release", "approve", "1.0.0", "--key", alice.key("bob"))
    assert done.code and "config.json" in done.error
    assert "approve" not in alice.actions()


def entry(path: str, data: bytes) -> Entry:
    import hashlib

    return Entry(path, len(data), hashlib.sha256(data).hexdigest())


def test_one_person_is_not_two_by_a_key_that_nobody_knows(alice: Project, warden: Warden) -> None:
    guarded(alice, approvals=1)
    stray = ("release", "run", "--key", alice.key("mallory"))
    assert warden(alice, *stray).code
    warden(alice, "release", "approve", "1.0.0", "--key", alice.key("alice"))
    done = warden(alice, *stray)
    assert done.code
    assert "release" not in alice.actions()


def test_what_others_hand_back_is_what_was_handed_to_them(alice: Project, warden: Warden) -> None:
    """Statements that wait in the ledger are taken back only as they were made."""
    guarded(alice, approvals=1)
    assert warden.release(alice).code
    assert warden(alice, "release", "approve", "1.0.0", "--key", alice.key("bob")).code == 0
    lines = held(alice, PENDING + "model.intoto.jsonl").splitlines(keepends=True)
    put(alice, {PENDING + "model.intoto.jsonl": b"".join(lines[1:])})
    done = warden.release(alice)
    assert done.code and "release" not in alice.actions()


# The words and the people of the base


def test_a_trust_file_is_followed_only_where_its_people_signed(
    alice: Project, warden: Warden
) -> None:
    guarded(alice)
    assert warden.release(alice).code == 0
    mallory = alice.key("mallory").with_suffix(".key.pub").read_text()
    old = trust(alice)
    bob = alice.key("bob").with_suffix(".key.pub").read_text()
    forged = trust(alice, version=2).replace(bob, mallory)
    for files in ({TRUST: forged}, {TRUST: old.replace(bob, mallory)}):
        alice.commit(files)
        done = warden(alice, "release", "run", "--key", alice.key("mallory"))
        assert done.code and "trust.toml" in done.error, done.err
    git(alice.path, "rm", "-q", TRUST)
    alice.commit({"notes.txt": "gone"})
    done = warden(alice, "release", "run", "--key", alice.key("mallory"))
    assert done.code and "trust.toml" in done.error
    new = trust(alice, version=2, members=("alice",))
    sig = rotation.sign(new.encode(), [signer(alice, "alice")])
    alice.commit({TRUST: new, f"{TRUST}.sig": sig})
    done = warden.release(alice)
    assert done.code == 0, done.err


def test_another_name_or_branch_is_no_way_round_the_policy(alice: Project, warden: Warden) -> None:
    alice.commit({TRUST: trust(alice), POLICY: policy(who=["alice"])})
    assert warden.release(alice).code == 0
    bob = ("release", "run", "--key", alice.key("bob"))
    for said in ({"artifact": "acme/tiny-two"}, {"branch": "ledger"}, {"remote": ""}):
        alice.commit({POLICY: policy(**said, who=["bob"], tag="x-{version}")})
        done = warden(alice, *bob)
        assert done.code, said
    assert alice.actions().count("release") == 1


def test_what_is_required_and_waived_is_in_the_ledger(alice: Project, warden: Warden) -> None:
    alice.commit({POLICY: policy(required=["ci"])})
    assert warden.release(alice).code
    done = warden.release(alice, "--waive", "ci=the runner is away")
    assert done.code == 0, done.err
    waived = [one["details"] for one in alice.log() if one["action"] == "waive"]
    assert [(one["check"], "runner is away" in one["reason"]) for one in waived] == [("ci", True)]


# A ledger that somebody without a key can write to


def forge(at: Project, version: str, commit: str, root: str, sig: bytes | None) -> None:
    """Write a release that nobody made, beside a signature that somebody gave."""
    last = [one for one in at.log() if one["action"] == "release"][-1]["details"]["version"]
    document = values.read(held(at, f"releases/{A}/{last}.json"))
    made = replace(document, version=version, tag=f"v{version}", commit=commit)
    said = {"version": version, "commit": commit, "holder": "run-1"}
    out = said | {"root": root, "tag": f"v{version}", "document": made.digest}
    base = f"releases/{A}/{version}"
    put(at, {f"{base}.json": values.dump(made), f"{base}.sig": sig},
        New("alice", CLAIM, A, said), New("alice", RELEASE, A, out),
        tags=(Tag(f"v{version}", commit, "forged"),))  # fmt: skip


def test_a_release_that_nobody_signed_is_no_release(
    alice: Project, warden: Warden, tmp_path: Path
) -> None:
    guarded(alice)
    assert warden.release(alice).code == 0
    plain = tmp_path / "signed"  # an old folder of the same people, under the same name
    plain.mkdir()
    for name, data in model().items():
        (plain / name).write_bytes(data)
    whole = hashing.measure(plain)
    old = signing.sign_manifest(whole, A, [signer(alice, "alice")])
    sig = held(alice, f"releases/{A}/1.0.0.sig")
    root = statement.read(signed(sig)).manifest.root
    head = alice.head()
    forge(alice, "1.0.1", head, root, None)
    forge(alice, "1.0.2", head, root, sig)
    forge(alice, "1.0.3", head, whole.root, old)
    for number in range(1, 4):
        version = f"1.0.{number}"
        done = warden(alice, "release", "verify", version)
        assert done.code and "verified" not in done.out, version
        done = warden(alice, "release", "promote", version, "champion", "--expect", "")
        assert done.code and "promote" not in alice.actions()[3:], version
        target = tmp_path / f"got-{version}"
        done = warden(alice, "release", "get", version, "--output", target)
        assert done.code and not target.exists(), version
    done = warden(alice, "release", "verify", "1.0.0")
    assert done.code == 0, done.err


def test_a_base_that_nobody_signed_judges_nothing(alice: Project, warden: Warden) -> None:
    alice.commit({TRUST: trust(alice), POLICY: policy(who=["alice"])})
    assert warden.release(alice).code == 0
    weak = alice.commit({POLICY: policy(who=["bob"])})
    sig = held(alice, f"releases/{A}/1.0.0.sig")
    forge(alice, "1.0.1", weak, statement.read(signed(sig)).manifest.root, sig)
    alice.commit({"notes.txt": "more"})
    done = warden(alice, "release", "run", "--key", alice.key("bob"))
    assert done.code and "1.0.1" in done.error
    assert alice.actions().count("release") == 2


def test_show_tells_approvals_that_are_proven_from_those_that_are_said(
    alice: Project, warden: Warden
) -> None:
    guarded(alice, approvals=1)
    assert warden.release(alice).code
    assert warden(alice, "release", "approve", "1.0.0", "--key", alice.key("bob")).code == 0
    assert warden.release(alice).code == 0
    said = {"version": "1.0.0", "how": "signature"}
    put(alice, {}, New("carol", APPROVE, A, said), New("dan", APPROVE, A, said | {"how": "review"}))
    done = warden(alice, "release", "show", "1.0.0")
    told = {line.split(" at ")[0]: line for line in done.out.splitlines() if "approved by" in line}
    assert "not proven" not in told["approved by bob"]
    assert "not proven" in told["approved by carol"] and "not proven" in told["approved by dan"]
    found = warden(alice, "release", "show", "1.0.0", "--format", "json").json()["approvals"]
    assert {one["person"]: one["proven"] for one in found} == {
        "bob": True,
        "carol": False,
        "dan": False,
    }


def test_previous_is_no_way_round_the_verdict(alice: Project, warden: Warden) -> None:
    assert warden.release(alice).code == 0
    promote = ("release", "promote")
    assert warden(alice, *promote, "1.0.0", "champion", "--expect", "").code == 0
    alice.weigh(model(2, lm_head=0.0))
    waived = ("regressed", "answers-lost", "less-likely", "slice-worse")
    words = [word for rule in waived for word in ("--waive", f"regression/{rule}=a trial")]
    done = warden.release(alice, "--version", "2.0.0", *words)
    assert done.code == 0, done.err
    assert warden(alice, *promote, "2.0.0", "champion", "--expect", "1.0.0").code
    done = warden(alice, *promote, "2.0.0", "previous", "--expect", "")
    assert done.code, done.out
    assert "2.0.0" not in warden(alice, "release", "rollback", "champion", "--reason", "x").out


# What a model's own files are called


@pytest.mark.parametrize(
    "name", ["model.sig", "model.intoto.jsonl", "MODEL_CARD.md", "release/notes.md"]
)
def test_a_models_file_is_not_taken_for_ours(alice: Project, warden: Warden, name: str) -> None:
    files = model() | {name: b"mine\n"} | ({"README.md": b"# mine\n"} if "CARD" in name else {})
    alice.weigh(files)
    done = warden.release(alice)
    assert done.code and name.split("/")[0] in done.error, done.out
    assert not alice.actions()


def test_one_file_is_not_named_twice(alice: Project, warden: Warden) -> None:
    """In git for whoever reviews, and by DVC for whoever gets it."""
    git(alice.path, "config", "advice.addIgnoredFile", "false")
    path = alice.path / "model" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b'{"model_type": "llama"}')
    git(alice.path, "add", "-f", "model/config.json")
    alice.commit({"notes.txt": "two"})
    done = warden.release(alice)
    assert done.code and "config.json" in done.error, done.out


def test_what_goes_out_is_what_was_signed(alice: Project, tmp_path: Path) -> None:
    """A file that is written to between the proof and the upload."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"{}")
    whole = hashing.measure(folder)
    (folder / "model.sig").write_bytes(signing.sign_manifest(whole, A, [signer(alice, "alice")]))
    (folder / "model.intoto.jsonl").write_bytes(b"")
    job = SimpleNamespace(published=folder, staging=tmp_path, artifact=A, version="1.0.0", jobs=1)
    assert hub._published(cast(Job, job)).index.files
    (folder / "config.json").write_bytes(b"{ }")
    with pytest.raises(Tampered, match="not those that were signed"):
        hub._published(cast(Job, job))


def test_a_later_rule_does_not_undo_what_was_released(alice: Project, warden: Warden) -> None:
    alice.commit({TRUST: trust(alice)})
    assert warden.release(alice).code == 0
    for later, code in (
        (trust(alice, threshold=2, version=2), 0),
        (trust(alice, threshold=1, version=3, revoked="alice"), 1),
    ):
        sig = rotation.sign(later.encode(), [signer(alice, "alice"), signer(alice, "bob")])
        alice.commit({TRUST: later, f"{TRUST}.sig": sig})
        done = warden(alice, "release", "verify", "1.0.0")
        assert done.code == code, done.err


def test_what_came_before_the_trust_file_is_proven_by_a_key(alice: Project, warden: Warden) -> None:
    assert warden.release(alice).code == 0
    alice.commit({TRUST: trust(alice, threshold=2)})
    done = warden(alice, "release", "verify", "1.0.0")
    assert (done.code, "--key FILE.pub" in done.error) == (1, True)
    public = alice.key().with_suffix(".key.pub")
    assert warden(alice, "release", "verify", "1.0.0", "--key", public).code == 0
