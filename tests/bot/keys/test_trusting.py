"""A trust file at work: two of three sign, a key is stolen, the log shows who did what."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.keys.conftest import Warden

SOON = (datetime.now(UTC) + timedelta(days=90)).date()
PEOPLE = ("ada", "bob", "eve")


def document(folder: Path, version: int, people: tuple[str, ...] = PEOPLE, more: str = "") -> str:
    """Return a trust file in which two people together release, attest and rotate."""
    keys = "".join(
        f'[people.{n}]\naccount = "{n}"\n[keys.{n}-key]\nowner = "{n}"\npublic = """\n'
        f'{(folder / f"{n}.key.pub").read_text()}"""\n{more if n == "eve" else ""}'
        for n in people
    )
    members = ", ".join(f'"{n}"' for n in people)
    roles = "".join(
        f'[roles.{role}]\nactions = ["{role}"]\nmembers = [{members}]\nthreshold = {count}\n'
        'artifacts = ["tiny"]\n'
        for role, count in (("release", 2), ("rotate", 2), ("attest", 1), ("audit", 1))
    )
    head = f'format = 1\nproject = "tiny"\nversion = {version}\nexpires = {SOON}\n'
    return head + keys + roles


@pytest.fixture
def trust(warden: Warden, tmp_path: Path) -> Path:
    for name in PEOPLE:
        warden("keys", "generate", f"{name}.key", "--no-passphrase")
    path = tmp_path / "trust.toml"
    path.write_text(document(tmp_path, 1))
    return path


def test_two_of_three(warden: Warden, model: Path, trust: Path) -> None:
    verify = ("verify", model, "--trust", trust)
    warden("keys", "sign", model, "--key", "ada.key", "--release", "1.0.0")
    alone = warden(*verify)
    assert (alone.code, "1 of 2" in alone.err or "2" in alone.err) == (1, True)
    warden("keys", "sign", model, "--key", "bob.key", "--add", "--release", "1.0.0")
    done = warden(*verify, "--format", "json")
    assert (done.code, done.json()["version"]) == (0, "1.0.0")
    assert {s["name"] for s in done.json()["signers"]} == {"ada-key", "bob-key"}
    assert warden(*verify, "--artifact", "another").code == 1


def test_a_stolen_key(warden: Warden, model: Path, trust: Path, tmp_path: Path) -> None:
    warden("keys", "sign", model, "--key", "ada.key", "--key", "eve.key", "--release", "1.0.0")
    assert warden("verify", model, "--trust", trust).code == 0
    new = tmp_path / "new.toml"
    new.write_text(document(tmp_path, 2, more='revoked = 2026-11-01\nreason = "stolen"\n'))
    assert warden("keys", "endorse", new, "--key", "eve.key").code == 0
    assert warden("keys", "rotate", new, "--from", trust).code == 1
    assert warden("keys", "endorse", new, "--key", "ada.key").code == 0
    assert warden("keys", "endorse", new, "--key", "bob.key").code == 0
    done = warden("keys", "rotate", new, "--from", trust)
    assert (done.code, "eve-key" in done.out, "revoked" in done.out) == (0, True, True)
    refused = warden("verify", model, "--trust", new)
    assert (refused.code, "eve" in refused.err) == (1, True)
    warden("keys", "sign", model, "--key", "bob.key", "--add", "--release", "1.0.0")
    assert warden("verify", model, "--trust", new).code == 0
    old = warden("verify", model, "--trust", trust)  # the older file is not taken any more
    assert (old.code, "trust" in old.err) == (1, True)


def test_the_largest_trust_file_is_signed_by_several(
    warden: Warden, trust: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.toml"
    new.write_text(document(tmp_path, 2) + f"# {'x' * 900}\n" * 1_000)
    for name in ("ada", "bob"):
        assert warden("keys", "endorse", new, "--key", f"{name}.key").code == 0
    assert warden("keys", "rotate", new, "--from", trust).code == 0


def test_a_newer_trust_file_is_not_believed_by_its_number(
    warden: Warden, model: Path, trust: Path, tmp_path: Path
) -> None:
    warden("keys", "sign", model, "--key", "ada.key", "--key", "bob.key", "--release", "1.0.0")
    assert warden("verify", model, "--trust", trust).code == 0
    forged = tmp_path / "clone.toml"
    forged.write_text(document(tmp_path, 9).replace("threshold = 2", "threshold = 1"))
    verify = ("verify", model, "--trust", forged)
    done = warden(*verify)
    assert (done.code, "nobody of version 1 signed" in done.err) == (1, True)
    assert warden("keys", "endorse", forged, "--key", "ada.key").code == 0
    assert warden(*verify).code == 1
    assert warden("verify", model, "--trust", trust).code == 0  # nothing of it was remembered
    assert warden("keys", "endorse", forged, "--key", "bob.key").code == 0
    assert warden(*verify).code == 0
    assert warden("verify", model, "--trust", trust).code == 1


def test_the_audit_log(warden: Warden, model: Path, trust: Path, tmp_path: Path) -> None:
    log = tmp_path / "state/modelwarden/audit.jsonl"
    warden("keys", "sign", model, "--key", "ada.key")
    assert warden("keys", "sign", model, "--key", "ada.key").code == 2
    done = warden("keys", "audit", "--checkpoint", "--key", "ada.key")
    assert (done.code, "whole" in done.out, "refused" in done.out) == (0, True, True)
    head = re.findall(r"head (\d+:[0-9a-f]{64})", done.out)[0]
    assert warden("keys", "audit", "--trust", trust, "--head", head).code == 0
    lines = log.read_bytes().splitlines(keepends=True)
    for at, line in enumerate(lines[:-1]):
        log.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
        missing = warden("keys", "audit", "--trust", trust)
        assert (missing.code, "audit.jsonl" in missing.err) == (1, True)
        log.write_bytes(b"".join([*lines[:at], line.replace(b"root", b"boot"), *lines[at + 1 :]]))
        if line != line.replace(b"root", b"boot"):
            assert warden("keys", "audit", "--trust", trust).code == 1
    log.write_bytes(b"".join(lines[:-1]))  # the end is gone, which the memory knows
    assert warden("keys", "audit", "--trust", trust).code == 1
    log.write_bytes(b"".join(lines))
    assert warden("keys", "audit", "--trust", trust).code == 0
    log.unlink()  # and begun anew, by what looks like an innocent use
    gone = warden("keys", "audit", "--trust", trust)
    assert (gone.code, "entries are gone" in gone.err) == (1, True)
    for _ in lines:
        warden("keys", "sign", model, "--key", "ada.key", "--force")
    anew = warden("keys", "audit", "--checkpoint", "--key", "ada.key")
    assert (anew.code, "another audit log" in anew.err) == (1, True)
    copy = log.rename(tmp_path / "copy.jsonl")
    assert warden("keys", "audit", "--log", copy).code == 0
    log.write_bytes(b"".join(lines))
    assert warden("keys", "audit", "--trust", trust).code == 0
