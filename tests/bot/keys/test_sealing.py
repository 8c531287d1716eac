"""Sealed and opened by the commands, and by stock readers; recipients that change."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from pathlib import Path

import pyrage
import pytest

from tests.bot.keys.conftest import Warden, tensors


@pytest.fixture
def mine(warden: Warden, tmp_path: Path) -> Path:
    """A classic identity, which stock readers know; its recipient is beside it."""
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    return tmp_path / "mine.age"


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same."""
    return subprocess.run(["diff", "-r", one, other], capture_output=True).returncode == 0


def recipient(identity: Path) -> str:
    return identity.with_name(f"{identity.name}.pub").read_text().strip()


def test_a_folder_there_and_back(warden: Warden, model: Path, mine: Path, tmp_path: Path) -> None:
    done = warden("keys", "seal", model, "--to", recipient(mine), "--output", "sealed",
                  "--format", "json")  # fmt: skip
    assert done.json()["files"] == 4
    assert warden("keys", "open", "sealed", "--identity", mine, "--output", "back").code == 0
    assert same(model, tmp_path / "back")
    secret = next(x for x in mine.read_text().splitlines() if not x.startswith("#"))
    data = (tmp_path / "sealed/config.json.age").read_bytes()
    opened = pyrage.decrypt(data, [pyrage.x25519.Identity.from_str(secret)])
    assert opened == (model / "config.json").read_bytes()


def test_hybrid_recipients_from_a_file(warden: Warden, model: Path, tmp_path: Path) -> None:
    warden("keys", "generate", "pq.age", "--no-passphrase", "--kind", "age")
    weights = model / "model.safetensors"
    assert warden("keys", "seal", weights, "--recipients", "pq.age.pub").code == 0
    sealed = model / "model.safetensors.age"
    assert b"mlkem768x25519" in sealed.read_bytes()[:400]
    assert warden("keys", "open", sealed, "--identity", "pq.age", "--output", "w").code == 0
    assert (tmp_path / "w").read_bytes() == weights.read_bytes()


def test_a_passphrase(warden: Warden, model: Path, tmp_path: Path) -> None:
    word = tmp_path / "word"
    word.write_text("correct horse battery\n")
    word.chmod(0o600)
    path = model / "config.json"
    seal = warden(
        "keys", "seal", path, "--passphrase", "--passphrase-file", word, "--output", "s.age"
    )
    assert seal.code == 0
    assert warden("keys", "open", "s.age", "--passphrase-file", word).code == 0
    assert (tmp_path / "s").read_bytes() == path.read_bytes()
    word.write_text("wrong horse battery\n")
    wrong = warden("keys", "open", "s.age", "--passphrase-file", word, "--output", "t")
    assert (wrong.code, (tmp_path / "t").exists()) == (2, False)


def test_recipients_change_in_place(
    warden: Warden, model: Path, mine: Path, tmp_path: Path
) -> None:
    warden("keys", "generate", "new.age", "--kind", "age-x25519", "--no-passphrase")
    warden("keys", "seal", model, "--to", recipient(mine), "--output", "sealed")
    before = {p: p.read_bytes()[4096:] for p in sorted((tmp_path / "sealed").rglob("*.age"))}
    done = warden("keys", "rewrap", "sealed", "--identity", mine, "--to",
                  recipient(tmp_path / "new.age"), "--format", "json")  # fmt: skip
    assert done.json()["files"] == 4
    assert before == {
        p: p.read_bytes()[4096:] for p in sorted((tmp_path / "sealed").rglob("*.age"))
    }
    assert warden("keys", "open", "sealed", "--identity", mine, "--output", "a").code == 2
    assert not (tmp_path / "a").exists()
    assert warden("keys", "open", "sealed", "--identity", "new.age", "--output", "b").code == 0
    assert same(model, tmp_path / "b")


def test_what_somebody_put_there_is_not_signed_with_the_rest(
    warden: Warden, model: Path, mine: Path, key: Path, tmp_path: Path
) -> None:
    warden("keys", "seal", model, "--to", recipient(mine), "--output", "sealed", "--key", key)
    rewrap = ("keys", "rewrap", "sealed", "--identity", mine, "--to", recipient(mine))
    assert warden(*rewrap, "--key", key).code == 0
    assert warden("verify", "sealed", "--key", f"{key}.pub").code == 0
    bundle = tmp_path / "sealed/model.sig"
    kept = bundle.read_bytes()
    evil = tmp_path / "sealed/evil.bin.age"  # anybody can seal to a public key
    warden("keys", "seal", model / "config.json", "--to", recipient(mine), "--output", evil)
    done = warden(*rewrap, "--key", key)
    assert (done.code, "evil.bin.age is there but was not signed" in done.err) == (1, True)
    bundle.unlink()
    assert warden(*rewrap, "--key", key).code == 2
    assert not bundle.exists()
    bundle.write_bytes(kept)
    evil.unlink()
    assert warden(*rewrap, "--key", key).code == 0


def test_encrypted_anew(warden: Warden, model: Path, mine: Path, tmp_path: Path) -> None:
    warden(
        "keys", "seal", model / "model.safetensors", "--to", recipient(mine), "--output", "s.age"
    )
    before = (tmp_path / "s.age").read_bytes()
    done = warden("keys", "rewrap", "s.age", "--identity", mine, "--to", recipient(mine),
                  "--reencrypt")  # fmt: skip
    assert done.code == 0
    assert (tmp_path / "s.age").read_bytes()[4112:] != before[4112:]
    assert warden("keys", "open", "s.age", "--identity", mine, "--output", "w").code == 0


def test_one_tensor(warden: Warden, mine: Path, tmp_path: Path) -> None:
    values = {"a": os.urandom(3_000_000), "b": os.urandom(70_000), "c": os.urandom(3_000_000)}
    (tmp_path / "big.safetensors").write_bytes(tensors(values))
    warden("keys", "seal", "big.safetensors", "--to", recipient(mine))
    done = warden("keys", "open", "big.safetensors.age", "--identity", mine, "--tensor", "b",
                  "--output", "b.safetensors", "--format", "json")  # fmt: skip
    assert done.json()["read"] < 600_000
    data = (tmp_path / "b.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert list(json.loads(data[8 : 8 + length])) == ["b"]
    assert data[8 + length :] == values["b"]
    nothing = warden("keys", "open", "big.safetensors.age", "--identity", mine, "--tensor", "z",
                     "--output", "z")  # fmt: skip
    assert (nothing.code, (tmp_path / "z").exists()) == (3, False)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("seal", "nowhere", "--to", "age1x"), 2, "nowhere"),
        (("seal", "tiny"), 2, "--recipients"),
        (("seal", "tiny", "--to", "age1x"), 2, "key"),
        (("open", "tiny", "--output", "x"), 2, "sealed"),
        (("open", "tiny/config.json", "--output", "x", "--identity", "mine.age"), 3, "age v1"),
        (("open", "tiny/config.json", "--identity", "mine.age"), 2, "--output"),
        (("rewrap", "tiny", "--identity", "mine.age", "--to", "age1x"), 2, ".age"),
    ],
)
def test_what_cannot_be_done(
    warden: Warden, model: Path, mine: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = warden("keys", *words)
    assert (done.code, said in done.err, len(done.err.splitlines())) == (code, True, 2)
    assert {p.name for p in model.parent.iterdir()} == {
        "tiny", "mine.age", "mine.age.pub", "state"
    }  # fmt: skip


def test_both_are_signed_in_one_pass(
    warden: Warden, model: Path, mine: Path, key: Path, tmp_path: Path
) -> None:
    seal = ("keys", "seal", model, "--to", recipient(mine), "--key", key, "--scan")
    assert warden(*seal, "--output", "sealed").code == 0
    assert warden("verify", "sealed", "--key", f"{key}.pub").code == 0  # a mirror, without a key
    assert warden("keys", "open", "sealed", "--identity", mine, "--output", "back").code == 0
    assert warden("verify", "back", "--key", f"{key}.pub").code == 0
    assert not (model / "model.sig").exists()
    with (tmp_path / "sealed/config.json.age").open("ab") as file:
        file.write(b"x")
    assert warden("verify", "sealed", "--key", f"{key}.pub").code == 1
    one = ("keys", "seal", model / "config.json", "--to", recipient(mine), "--key", key)
    assert warden(*one, "--output", "one.age").code == 0
    assert warden("verify", "one.age", "--key", f"{key}.pub").code == 0
    assert (
        warden("keys", "open", "one.age", "--identity", mine, "--output", "config.json").code == 0
    )
    assert warden("keys", "open", "config.json.sig.age", "--identity", mine).code == 0
    assert warden("verify", "config.json", "--key", f"{key}.pub").code == 0


def test_what_is_flagged_is_not_sealed(warden: Warden, model: Path, mine: Path) -> None:
    (model / "old.bin").write_bytes(pickle.dumps(os.system))
    done = warden("keys", "seal", model, "--to", recipient(mine), "--scan", "--output", "sealed")
    assert (done.code, "old.bin" in done.err) == (1, True)
    assert not Path("sealed").exists()


def test_the_log_names_the_keys_that_signed(warden: Warden, model: Path, mine: Path) -> None:
    key, to = ("--key", "release.key"), ("--to", recipient(mine))
    made = warden("keys", "generate", "release.key", "--no-passphrase", "--format", "json")
    assert warden("keys", "seal", model, *to, "--output", "sealed", *key).code == 0
    assert warden("keys", "rewrap", "sealed", "--identity", mine, *to, *key).code == 0
    *_, seal, rewrap = warden("keys", "audit", "--format", "json").json()["list"]
    assert (seal["action"], rewrap["action"]) == ("seal", "rewrap")
    for entry in (seal, rewrap):
        assert dict(entry["details"])["key1"] == made.json()["hint"]
    assert len(dict(rewrap["details"])["root"]) == 64


def test_a_sealed_release_is_remembered_beside_the_plain_one(
    warden: Warden, model: Path, mine: Path, tmp_path: Path
) -> None:
    warden("keys", "generate", "k.key", "--no-passphrase")
    stated = ("--key", "k.key", "--artifact", "acme/small", "--release", "1.0.0")
    assert warden("keys", "sign", model, *stated).code == 0
    warden("keys", "seal", model, "--to", recipient(mine), "--output", "sealed")
    assert warden("keys", "sign", "sealed", *stated).code == 0
    for _ in range(2):  # neither is the other one with other content
        assert warden("verify", "sealed", "--key", "k.key.pub").code == 0
        assert warden("verify", model, "--key", "k.key.pub").code == 0
    (tmp_path / "sealed/config.json.age").unlink()
    assert warden("keys", "sign", "sealed", "--force", *stated).code == 0
    assert "seen before with other content" in warden("verify", "sealed", "--key", "k.key.pub").err
