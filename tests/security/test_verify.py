from __future__ import annotations

import copy
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.errors import (
    Malformed,
    Refused,
    SecurityError,
    Tampered,
    TooLarge,
    Unreadable,
    Untrusted,
)
from security.hashing import LEFT_OUT, measure
from security.identity import ED25519, MLDSA65, P256, Identity
from security.manifest import Manifest
from security.sign import bundle, signing
from security.trust.single import KeyTrust
from security.verify import Verified, read_signed, verify
from tests.security.sign.making import dumped, folder, said, signer, wrapped
from tests.security.sign.trusts import Everyone

TRUST = KeyTrust(signer().public, "release")
SCAN = "urn:modelwarden:scan:v1"


def weights(**tensors: bytes) -> bytes:
    header, at = {}, 0
    for name, data in tensors.items():
        header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(tensors.values())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    files = {
        "config.json": b"{}",
        "a/one.safetensors": weights(head=b"1234", tail=b"56"),
        "a/two.safetensors": weights(head=b"7890", tail=b"56"),
        "sub/.git/config": b"x",
        ".github/workflow": b"y",
    }
    return signed(folder(tmp_path / "model", **files))


def signed(root: Path, *kinds: str, ignored: tuple[str, ...] = ()) -> Path:
    manifest = measure(root, ignored=(*LEFT_OUT, *ignored))
    by = [signer(kind) for kind in kinds or (P256,)]
    (root / "model.sig").write_bytes(signing.sign_manifest(manifest, root.name, by))
    return root


def say(root: Path, predicate: dict[str, Any], digest: str = "", *kinds: str) -> None:
    by = [signer(kind) for kind in kinds or (P256,)]
    line = signing.attest("model", digest or measure(root).root, SCAN, predicate, by)
    with (root / "model.intoto.jsonl").open("ab") as file:
        file.write(line + b"\n")


def test_a_folder_is_verified(model: Path) -> None:
    say(model, {"verdict": "clean"})
    seen: list[tuple[int, int]] = []
    found = verify(model, trust=TRUST, progress=lambda done, of: seen.append((done, of)))
    assert found.name == "model" and found.root == model
    assert found.manifest.entries == measure(model).entries
    assert found.signers == (Identity("release", "key", P256, signer().public.hint),)
    assert seen and seen[-1][0] == seen[-1][1]
    (scan,) = found.claims(SCAN)
    assert json.loads(scan.predicate) == {"verdict": "clean"} and not found.claims("urn:other")


ONE = "a/one.safetensors"
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (lambda m: (m / "config.json").write_bytes(b"{]"), r"config\.json"),
    "a longer file": (lambda m: (m / "config.json").write_bytes(b"{} "), r"config\.json"),
    "an empty file": (lambda m: (m / "config.json").write_bytes(b""), r"config\.json"),
    "a missing file": (lambda m: (m / "config.json").unlink(), r"config\.json.*not there"),
    "an unlisted file": (lambda m: (m / "run.py").write_bytes(b""), r"run\.py.*not signed"),
    "an unlisted file below": (lambda m: (m / "a/run.py").write_bytes(b""), r"a/run\.py"),
    "an unlisted hidden file": (lambda m: (m / ".env").write_bytes(b""), r"\.env"),
    "another case": (lambda m: (m / "config.json").rename(m / "Config.json"), "(?i)config"),
    "a renamed file": (lambda m: (m / "a").rename(m / "b"), "not signed|not there"),
    "swapped shards": (lambda m: swap(m / ONE, m / "a/two.safetensors"), "tensor head"),
    "a tensor": (
        lambda m: (m / "a/one.safetensors").write_bytes(weights(head=b"1234", tail=b"57")),
        r"a/one\.safetensors.*: tensor tail$",
    ),
    "a header": (
        lambda m: spoil(m / "a/one.safetensors", b'"U8"', b'"I8"'), r"one\.safetensors.*header"
    ),
    "git below": (lambda m: (m / "sub/.git/config").write_bytes(b"z"), r"sub/\.git/config"),
    "a folder as signature": (lambda m: aside(m), r"model\.sig is a folder"),
    "a name like a signature": (lambda m: (m / "model.sig2").write_bytes(b""), r"model\.sig2"),
    "a signature below": (lambda m: (m / "a/model.sig").write_bytes(b""), r"a/model\.sig"),
}  # fmt: skip


def swap(one: Path, other: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def spoil(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def aside(model: Path) -> None:
    (model / "model.sig").rename(model.parent / "aside.sig")
    folder(model, **{"model.sig/run.py": b"evil"})


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named(name: str, model: Path) -> None:
    change, message = CHANGES[name]
    change(model)
    aside = model.parent / "aside.sig"
    with pytest.raises(Tampered, match=message):
        verify(model, trust=TRUST, bundle=aside if aside.exists() else None)


def test_what_lies_in_ignored_folders_may_change(model: Path) -> None:
    (model / ".github/workflow").write_bytes(b"other")
    assert verify(model, trust=TRUST)


def test_a_link_is_refused(model: Path) -> None:
    (model / "config.json").rename(model / "real.json")
    (model / "config.json").symlink_to("real.json")
    with pytest.raises(SecurityError, match=r"config\.json"):
        verify(model, trust=TRUST)


def test_signed_ignores_need_leave(model: Path) -> None:
    folder(model, **{"cache/x": b"1"})
    signed(model, ignored=("cache",))
    with pytest.raises(Untrusted, match=r"model\.sig: the signature leaves out cache"):
        verify(model, trust=TRUST)
    assert verify(model, trust=replace(TRUST, left_out=("cache",)))


def test_leave_is_not_given_to_what_was_signed_later(model: Path) -> None:
    """Trust allows to leave out; a signature that says what it leaves out decides."""
    folder(model, **{"cache/x": b"1"})
    with pytest.raises(Tampered, match="cache/x"):
        verify(model, trust=replace(TRUST, left_out=("cache",)))


def test_another_key_is_not_trusted(model: Path) -> None:
    with pytest.raises(Untrusted, match=r"model\.sig: signed by no trusted key, but by"):
        verify(model, trust=KeyTrust(signer(ED25519).public))


def test_the_signature_comes_before_the_files(model: Path) -> None:
    (model / "config.json").write_bytes(b"changed")
    (model / "model.sig").write_bytes((model / "model.sig").read_bytes()[:-1])
    with pytest.raises(Malformed, match=r"model\.sig: not a bundle"):
        verify(model, trust=TRUST)


@dataclass(frozen=True)
class Strict(Everyone):
    """Asks for two signers, for one artifact, in one year."""

    def allow(
        self, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
    ) -> None:
        if (action, artifact, now.year) != ("release", "org/model", 2026) or len(signers) < 2:
            raise Untrusted(f"{action} {artifact} {now.year} {len(signers)}", "ask")


def test_trust_is_asked_with_all_it_needs(model: Path) -> None:
    signed(model, P256, MLDSA65)
    kinds = (P256, ED25519, MLDSA65)
    trust = Strict(tuple((kind, signer(kind).public) for kind in kinds))
    now = datetime(2026, 6, 1, tzinfo=UTC)
    found = verify(model, trust=trust, artifact="org/model", now=now)
    assert [each.name for each in found.signers] == [P256, MLDSA65]
    for asked, when in (("org/other", now), ("org/model", now.replace(year=2027))):
        with pytest.raises(Untrusted, match="release"):
            verify(model, trust=trust, artifact=asked, now=when)
    signed(model, MLDSA65)
    with pytest.raises(Untrusted, match="release org/model 2026 1"):
        verify(model, trust=trust, artifact="org/model", now=now)


def test_every_attestation_is_shown(model: Path) -> None:
    say(model, {"n": 1})
    say(model, {"n": 2}, "cd" * 32)
    say(model, {"n": 3}, "", MLDSA65)
    with (model / "model.intoto.jsonl").open("ab") as file:
        file.write(b"nothing\n")
    found = verify(model, trust=TRUST)
    assert [bool(each.doubt) for each in found.attestations] == [False, True, True, True]
    assert [json.loads(each.predicate) for each in found.claims(SCAN)] == [{"n": 1}]


def test_attestations_fit_the_root_digest_that_was_signed(model: Path) -> None:
    """The reference lists files in an order of its own, and so digests them in that order."""
    manifest = measure(model)
    statement = said(manifest)
    statement["predicate"]["resources"].reverse()
    root = Manifest(tuple(reversed(manifest.entries))).root
    statement["subject"][0]["digest"]["sha256"] = root
    (model / "model.sig").write_bytes(dumped(wrapped(dumped(statement))))
    say(model, {"n": 1}, root)
    say(model, {"n": 2}, manifest.root)
    found = verify(model, trust=TRUST)
    assert found.manifest.root == root != manifest.root
    assert [bool(each.doubt) for each in found.attestations] == [False, True]


def test_attestations_that_cannot_be_read_stop_it(model: Path) -> None:
    beside = model / "model.intoto.jsonl"
    os.mkfifo(beside)
    with pytest.raises(Unreadable, match="not a regular file"):
        verify(model, trust=TRUST)
    beside.unlink()
    beside.symlink_to("nowhere")
    with pytest.raises(Unreadable, match=r"model\.intoto\.jsonl"):
        verify(model, trust=TRUST)
    beside.unlink()
    beside.write_bytes(b"\n" * 2000)
    with pytest.raises(TooLarge, match=r"model\.intoto\.jsonl: more than"):
        verify(model, trust=TRUST)


def test_the_bundle_may_lie_elsewhere(model: Path) -> None:
    other = model.parent / "elsewhere.sig"
    (model / "model.sig").rename(other)
    assert verify(model, trust=TRUST, bundle=other)
    inside = model / "a/own.sig"
    other.rename(inside)
    assert verify(model, trust=TRUST, bundle=inside)
    with pytest.raises(Unreadable, match=r"model\.sig"):
        verify(model, trust=TRUST)


def test_a_single_file(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"12345")
    data = signing.sign_manifest(measure(file), file.name, [signer()])
    (tmp_path / "weights.bin.sig").write_bytes(data)
    found = verify(file, trust=TRUST)
    with found.hold(".") as held:
        assert Path(held.path).read_bytes() == b"12345"
    file.write_bytes(b"12346")
    with pytest.raises(Tampered):
        verify(file, trust=TRUST)


def test_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="nowhere is not there"):
        verify(tmp_path / "nowhere", trust=TRUST)
    with pytest.raises(Unreadable, match=r"model\.sig: No such file"):
        verify(tmp_path, trust=TRUST)


def test_a_bundle_that_is_no_file_or_too_large(model: Path) -> None:
    sig = model.parent / "x.sig"
    for fifo in (True, False):
        os.mkfifo(sig) if fifo else sig.mkdir()
        with pytest.raises(Unreadable, match=r"regular|directory"):
            verify(model, trust=TRUST, bundle=sig)
        sig.rmdir() if sig.is_dir() else sig.unlink()
    with sig.open("wb") as file:
        file.truncate(bundle.LIMIT + 1)
    with pytest.raises(TooLarge, match=r"x\.sig"):
        verify(model, trust=TRUST, bundle=sig)


def test_held_bytes_are_the_verified_ones(model: Path) -> None:
    found = verify(model, trust=TRUST)
    with found.hold("config.json", private=True) as held:
        (model / "config.json").write_bytes(b"evil")
        assert Path(held.path).read_bytes() == b"{}"
    with pytest.raises(Tampered, match=r"config\.json"), found.hold("config.json"):
        pass
    with found.hold("a/one.safetensors") as held:
        assert held.tensor("head") == b"1234"
    for path in ("model.sig", "run.py", "../model/config.json", ".github/workflow", ""):
        with pytest.raises(Refused, match="not signed"):
            found.hold(path)


def test_ranges_only_are_not_held(model: Path) -> None:
    root = Path(__file__).parents[1] / "vectors/oms"
    from security.sign import keys

    public = keys.read_public((root / "key.pem").read_bytes())
    found = verify(root / "model", trust=KeyTrust(public), bundle=root / "good/shards.sig")
    with pytest.raises(Refused, match="ranges"):
        found.hold(found.manifest.entries[0].path)


def test_nobody_else_makes_a_verified(model: Path) -> None:
    found = verify(model, trust=TRUST)
    parts = (found.manifest, found.name, found.root, found.signers, (), 0)
    for make in (
        lambda: Verified(*parts, object()),
        lambda: Verified(*parts, None),
        lambda: replace(found, name="other", maker=object()),
        lambda: copy.copy(found),
        lambda: copy.deepcopy(found),
        lambda: pickle.dumps(found),
    ):
        with pytest.raises(TypeError):
            make()
    with pytest.raises((TypeError, ValueError)):
        replace(found, root=Path("/"))  # type: ignore[call-arg]
    with pytest.raises(FrozenInstanceError):
        found.name = "other"  # type: ignore[misc]


@given(st.data())
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_changed_byte_of_any_signed_file_is_refused(model: Path, data: st.DataObject) -> None:
    names = [
        "config.json",
        "a/one.safetensors",
        "a/two.safetensors",
        "sub/.git/config",
        "model.sig",
    ]
    path = model / data.draw(st.sampled_from(names))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    flipped = before[at] ^ data.draw(st.integers(1, 255))
    path.write_bytes(before[:at] + bytes([flipped]) + before[at + 1 :])
    try:
        with pytest.raises(SecurityError):
            verify(model, trust=TRUST, jobs=1)
    finally:
        path.write_bytes(before)


def test_a_statement_is_read_without_files(model: Path) -> None:
    found = read_signed((model / "model.sig").read_bytes(), TRUST)
    assert found.contents.name == "model" and found.signers[0].name == "release"
    assert {entry.size for entry in found.contents.manifest.entries} == {-1}
