"""From a key to a verified model, by the commands alone; what was tampered with is named."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from security.sign import keys
from security.sign.bundle import MAX_SIGNATURES
from tests.bot.keys.conftest import Warden, tensors

PEER = Path(sys.executable).with_name("model_signing")


def test_a_key_pair(warden: Warden, tmp_path: Path) -> None:
    done = warden("keys", "generate", "my.key", "--no-passphrase", "--format", "json")
    said = done.json()
    assert done.code == 0
    assert stat.S_IMODE((tmp_path / "my.key").stat().st_mode) == 0o600
    private = (tmp_path / "my.key").read_text()
    log = (tmp_path / "state/modelwarden/audit.jsonl").read_text()
    assert private.split("\n")[1] not in done.out + log
    shown = warden("keys", "show", "my.key.pub", "--format", "json").json()
    assert shown[0]["hint"] == said["hint"]
    assert warden("keys", "show", "my.key").code == 2  # never a private one
    again = warden("keys", "generate", "my.key", "--no-passphrase")
    assert (again.code, private) == (2, (tmp_path / "my.key").read_text())


@pytest.mark.parametrize("kind", ["ecdsa-p256", "ecdsa-p384", "ed25519", "ml-dsa-65"])
def test_signed_and_verified(warden: Warden, model: Path, kind: str) -> None:
    warden("keys", "generate", "my.key", "--kind", kind, "--no-passphrase")
    signed = warden("keys", "sign", model, "--key", "my.key", "--format", "json").json()
    assert (signed["files"], signed["read"]) == (4, signed["bytes"])
    done = warden("verify", model, "--key", "my.key.pub", "--format", "json")
    assert done.code == 0
    assert done.json()["root"] == signed["root"]
    assert done.json()["signers"][0]["kind"] == kind


def test_the_reference_agrees(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "generate", "pq.key", "--kind", "ml-dsa-65", "--no-passphrase")
    done = warden("keys", "sign", model, "--key", key, "--key", "pq.key", "--release", "1.0.0")
    assert done.code == 0
    command: list[str | Path] = [PEER, "verify", "key", model, "--signature", model / "model.sig",
               "--public_key", f"{key}.pub"]  # fmt: skip
    theirs = subprocess.run(command, capture_output=True, text=True)
    assert theirs.returncode == 0, theirs.stderr


def test_a_passphrase_is_asked_for_and_never_shown(
    warden: Warden, model: Path, tmp_path: Path
) -> None:
    word = tmp_path / "word"
    word.write_text("correct horse battery\n")
    word.chmod(0o600)
    assert warden("keys", "generate", "my.key", "--passphrase-file", word).code == 0
    assert "ENCRYPTED" in (tmp_path / "my.key").read_text()
    assert warden("keys", "sign", model, "--key", "my.key", "--passphrase-file", word).code == 0
    nobody = warden("keys", "sign", model, "--key", "my.key", "--force")
    assert (nobody.code, "--passphrase-file" in nobody.err) == (2, True)
    word.write_text("another one\n")
    wrong = warden("keys", "sign", model, "--key", "my.key", "--force", "--passphrase-file", word)
    assert (wrong.code, "wrong passphrase" in wrong.err, "another" in wrong.err) == (2, True, False)
    word.chmod(0o644)
    loose = warden("keys", "sign", model, "--key", "my.key", "--force", "--passphrase-file", word)
    assert (loose.code, "chmod 600" in loose.err) == (2, True)


def test_tampering_names_file_and_tensor(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "sign", model, "--key", key)
    path = model / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-110] ^= 1  # the last tensor but one
    path.write_bytes(data)
    done = warden("verify", model, "--key", f"{key}.pub")
    assert (done.code, "model.safetensors" in done.err, "tensor head" in done.err) == (
        1,
        True,
        True,
    )
    path.unlink()
    assert "is not there" in warden("verify", model, "--key", f"{key}.pub").err


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda m: (m / "extra.bin").write_bytes(b"x"), 1, "was not signed"),
        (lambda m: (m / "model.sig").write_bytes(b""), 3, "model.sig"),
        (lambda m: (m / "model.sig").unlink(), 3, "model.sig"),
        (lambda m: (m / "link.json").symlink_to("config.json"), 3, "link.json"),
        (lambda m: os.mkfifo(m / "pipe"), 3, "pipe"),
        (lambda m: (m / "new\nline").write_bytes(b"x"), 1, "new\\nline"),
    ],
)
def test_what_is_wrong_is_one_error_that_names_it(
    warden: Warden, model: Path, key: Path, spoil: object, code: int, words: str
) -> None:
    warden("keys", "sign", model, "--key", key)
    assert callable(spoil)
    spoil(model)
    done = warden("verify", model, "--key", f"{key}.pub")
    assert (done.code, words in done.err, done.out) == (code, True, "")
    assert len(done.err.splitlines()) == 2


def test_another_key(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "sign", model, "--key", key)
    warden("keys", "generate", "other.key", "--no-passphrase")
    assert warden("verify", model, "--key", "other.key.pub").code == 1
    assert warden("verify", model).code == 2
    assert warden("verify", model, "--key", key).code == 2  # a private key is no public one


def test_one_changed_file_is_read(warden: Warden, tmp_path: Path, key: Path) -> None:
    folder = tmp_path / "hundred"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number:02}.safetensors").write_bytes(tensors({"w": os.urandom(10_000)}))
    old = tmp_path.stat().st_mtime - 100
    for path in folder.iterdir():
        os.utime(path, (old, old))
    _wait_for_a_tick(tmp_path)
    first = warden("keys", "sign", folder, "--key", key, "--format", "json").json()
    assert first["read"] == first["bytes"]
    (folder / "42.safetensors").write_bytes(tensors({"w": os.urandom(10_000)}))
    size = (folder / "42.safetensors").stat().st_size
    again = warden("keys", "sign", folder, "--key", key, "--force", "--format", "json").json()
    assert (again["read"], again["root"] == first["root"]) == (size, False)
    assert warden("verify", folder, "--key", f"{key}.pub").code == 0


def _wait_for_a_tick(folder: Path) -> None:
    """Files whose times are too fresh are read again: let the clock move on."""
    import time

    time.sleep(0.2)


def test_nothing_is_replaced_unasked(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "sign", model, "--key", key)
    before = (model / "model.sig").read_bytes()
    assert warden("keys", "sign", model, "--key", key).code == 2
    assert (model / "model.sig").read_bytes() == before
    assert warden("keys", "sign", model, "--key", key, "--add").code == 2  # it has signed
    assert (model / "model.sig").read_bytes() == before


def test_a_second_signature_of_the_same_content(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "sign", model, "--key", key, "--release", "1.0.0")
    warden("keys", "generate", "bob.key", "--kind", "ed25519", "--no-passphrase")
    done = warden("keys", "sign", model, "--key", "bob.key", "--add", "--release", "1.0.0")
    assert done.code == 0
    for name in ("release.key.pub", "bob.key.pub"):
        found = warden("verify", model, "--key", name, "--format", "json").json()
        assert (found["version"], len(found["attestations"])) == ("1.0.0", 1)
    (model / "config.json").write_text("{}")
    warden("keys", "generate", "eve.key", "--no-passphrase")
    spoilt = warden("keys", "sign", model, "--key", "eve.key", "--add", "--release", "1.0.0")
    assert (spoilt.code, "config.json" in spoilt.err) == (1, True)


def test_as_many_keys_as_a_signature_has_room_for(
    warden: Warden, model: Path, tmp_path: Path
) -> None:
    words: list[str] = []
    for number in range(MAX_SIGNATURES):
        (tmp_path / f"{number}.key").write_bytes(keys.generate())
        (tmp_path / f"{number}.key").chmod(0o600)
        words += ["--key", f"{number}.key"]
    done = warden("keys", "sign", model, *words, "--format", "json")
    assert done.code == 0
    hints = done.json()["keys"]
    last = warden("keys", "audit", "--format", "json").json()["list"][-1]
    said = dict(last["details"])
    assert [said[f"key{n}"] for n in range(1, 13)] == hints[:12]
    assert said["more"].split(", ") == [hint[:16] for hint in hints[12:]]


def test_what_is_flagged_is_not_signed(warden: Warden, model: Path, key: Path) -> None:
    (model / "old.bin").write_bytes(pickle.dumps(os.system))
    done = warden("keys", "sign", model, "--key", key, "--scan")
    assert (done.code, "old.bin" in done.err, "system" in done.err) == (1, True, True)
    assert not (model / "model.sig").exists()
    log = warden("keys", "audit", "--format", "json").json()
    assert [(e["action"], e["outcome"]) for e in log["list"]][-1] == ("sign", "refused")


def test_scans_without_a_signature(warden: Warden, model: Path) -> None:
    assert warden("verify", model, "--scan-only").code == 0
    (model / "old.bin").write_bytes(pickle.dumps(os.system))
    done = warden("verify", model, "--scan-only", "--format", "json")
    assert (done.code, done.json()["outcome"]) == (1, "fail")
    assert done.json()["threats"][0]["place"] == "old.bin"


def test_statements(warden: Warden, model: Path, key: Path, tmp_path: Path) -> None:
    warden("keys", "sign", model, "--key", key, "--release", "1.0.0", "--scan")
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "x"}]}
    (tmp_path / "bom.json").write_text(json.dumps(bom))
    attest = ("keys", "attest", model, "--key", key, "--type")
    assert warden(*attest, "bom", "--predicate", "bom.json").code == 0
    assert warden(*attest, "licence", "--predicate", "bom.json").code == 2  # another kind
    assert warden(*attest, "bom").code == 2
    done = warden("verify", model, "--key", f"{key}.pub")
    assert done.code == 0
    assert "bom stated by release.key.pub: 1 component" in done.out
    assert "scan stated by release.key.pub: pass" in done.out
    found = warden("verify", model, "--key", f"{key}.pub", "--format", "json").json()
    assert [a["doubt"] for a in found["attestations"]] == ["", "", ""]
    (model / "model.intoto.jsonl").write_bytes(b"{}\n")
    doubted = warden("verify", model, "--key", f"{key}.pub", "--no-memory")
    assert (doubted.code, "not believed" in doubted.out) == (0, True)


def test_odd_statements_are_shown_as_they_are(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "sign", model, "--key", key)
    odd = {"buildDefinition": 1, "runDetails": ["\x1b[2J"]}
    (model.parent / "odd.json").write_text(json.dumps(odd))
    attest = ("keys", "attest", model, "--key", key, "--type", "provenance")
    assert warden(*attest, "--predicate", "odd.json").code == 0
    done = warden("verify", model, "--key", f"{key}.pub")
    assert (done.code, "provenance stated by" in done.out, "\x1b" in done.out) == (0, True, False)


def test_an_older_version_is_refused(warden: Warden, model: Path, key: Path) -> None:
    verify = ("verify", model, "--key", f"{key}.pub")
    warden("keys", "sign", model, "--key", key, "--release", "1.1.0")
    assert warden(*verify).code == 0
    kept = {name: (model / name).read_bytes() for name in ("model.sig", "model.intoto.jsonl")}
    (model / "README.md").write_text("# Tiny 2\n")
    warden("keys", "sign", model, "--key", key, "--force", "--release", "1.2.0")
    assert warden(*verify).code == 0
    (model / "README.md").write_text("# Tiny\n")
    for name, data in kept.items():
        (model / name).write_bytes(data)
    done = warden(*verify)
    assert (done.code, "1.2.0" in done.err) == (1, True)
    assert warden(*verify, "--no-memory").code == 0
    (model / "model.intoto.jsonl").unlink()  # which version it is, is hidden
    done = warden(*verify)
    assert (done.code, "nothing states its version" in done.err) == (1, True)
    renamed = model.rename(model.with_name("tiny-new"))  # nor by the folder's name
    assert warden("verify", renamed, *verify[2:]).code == 1


def test_a_folder_is_not_taken_for_what_it_is_called(
    warden: Warden, model: Path, key: Path
) -> None:
    warden("keys", "sign", model, "--key", key, "--artifact", "acme/tiny")
    verify = ("verify", model, "--key", f"{key}.pub", "--artifact")
    assert warden(*verify, "acme/tiny").code == 0
    for name in ("tiny", "acme/small", "evil/acme/tiny"):
        done = warden(*verify, name)
        assert (done.code, "signed as acme/tiny" in done.err) == (1, True)


def test_nobody_joins_in_what_is_made_for_another_name(
    warden: Warden, model: Path, key: Path
) -> None:
    warden("keys", "generate", "eve.key", "--no-passphrase")
    warden("keys", "sign", model, "--key", "eve.key", "--artifact", "large")
    add = ("keys", "sign", model, "--key", key, "--add")
    done = warden(*add)
    assert (done.code, "made for large, not tiny" in done.err) == (2, True)
    assert warden(*add, "--artifact", "large").code == 0


def test_nobody_joins_in_a_version_unasked(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "generate", "eve.key", "--no-passphrase")
    warden("keys", "sign", model, "--key", "eve.key", "--release", "9.0.0")
    before = (model / "model.sig").read_bytes()
    done = warden("keys", "sign", model, "--key", key, "--add")
    assert (done.code, "others state version 9.0.0" in done.err) == (2, True)
    assert (model / "model.sig").read_bytes() == before


def test_what_is_scanned_is_what_is_spoken_of(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "generate", "eve.key", "--no-passphrase")
    card = model / "README.md"
    kept = card.read_bytes()
    card.write_text("# Evil\n")
    warden("keys", "sign", model, "--key", "eve.key")
    card.write_bytes(kept)  # what the reviewer has is harmless, what the bundle names is not
    done = warden("keys", "attest", model, "--type", "scan", "--key", key)
    assert (done.code, "README.md is not what was signed" in done.err) == (1, True)
    assert not (model / "model.intoto.jsonl").exists()
