"""What we seal, opened by others: age, rage (pyrage) and the age of npm, padded or not."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from security.seal import armor, chunks, header, hybrid, scrypt, x25519
from security.seal.header import Recipient

pyrage = pytest.importorskip("pyrage")
NODE = [Path(p) / "age-encryption" for p in os.environ.get("NODE_PATH", "").split(":") if p]
PACKAGE = next((p for p in NODE if p.is_dir()), None)
SIZES = [0, 300, 4096, 8192, 65536, header.LIMIT]
needs_age = pytest.mark.skipif(not shutil.which("age"), reason="age is not installed")
needs_npm = pytest.mark.skipif(not PACKAGE, reason="age-encryption is not in NODE_PATH")
SCRIPT = """
import * as age from "{package}/dist/index.js";
import fs from "fs";
const opener = new age.Decrypter();
opener.addIdentity(fs.readFileSync("key", "utf8").trim());
process.stdout.write(await opener.decrypt(fs.readFileSync("sealed"), "text"));
"""
SEALING = """
import * as age from "{package}/dist/index.js";
import fs from "fs";
const sealer = new age.Encrypter();
sealer.addRecipient(fs.readFileSync("public", "utf8").trim());
process.stdout.write(await sealer.encrypt("weights"));
"""


def sealed(recipients: Sequence[Recipient], size: int) -> bytes:
    file_key = os.urandom(16)
    head = header.build(file_key, recipients, size=size)
    return head + chunks.seal_bytes(file_key, b"weights")


# rage takes time by the square of a header's size: 2 s for 64 KiB.
@pytest.mark.parametrize("size", [0, 300, 4096, 8192, 16384])
def test_rage_opens_a_padded_header(size: int) -> None:
    made = [x25519.generate(), x25519.generate()]
    data = sealed([m.recipient for m in made], size)
    for identity in made:
        theirs = pyrage.x25519.Identity.from_str(identity.secret())
        assert pyrage.decrypt(data, [theirs]) == b"weights"
        assert pyrage.decrypt(armor.armor(data), [theirs]) == b"weights"


def test_rage_opens_a_passphrase_and_we_open_its() -> None:
    data = sealed([scrypt.ScryptRecipient(b"correct horse", 10)], 4096)
    assert pyrage.passphrase.decrypt(data, "correct horse") == b"weights"


def test_we_open_what_rage_sealed() -> None:
    made = x25519.generate()
    to = [pyrage.x25519.Recipient.from_str(str(made.recipient))]
    for data in (pyrage.encrypt(b"weights", to), pyrage.encrypt(b"weights", to, armored=True)):
        binary = armor.dearmor(data) if armor.is_armored(data) else data
        head = header.parse(binary)
        file_key = header.unseal(head, [made])
        assert chunks.open_bytes("x", file_key, binary[head.size :]) == b"weights"


@needs_age
@pytest.mark.parametrize("size", SIZES)
def test_age_opens_a_padded_header(tmp_path: Path, size: int) -> None:
    made = x25519.generate()
    (tmp_path / "key").write_text(made.secret() + "\n")
    (tmp_path / "key").chmod(0o600)
    data = sealed([x25519.generate().recipient, made.recipient], size)
    for form in (data, armor.armor(data)):
        command = ["age", "-d", "-i", str(tmp_path / "key")]
        assert subprocess.run(command, input=form, capture_output=True).stdout == b"weights"


@needs_npm
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [x25519, hybrid], ids=["classic", "hybrid"])
def test_the_age_of_npm_opens_a_padded_header(tmp_path: Path, kind: object, size: int) -> None:
    made = hybrid.generate() if kind is hybrid else x25519.generate()
    (tmp_path / "key").write_text(made.secret())
    (tmp_path / "sealed").write_bytes(sealed([made.recipient], size))
    assert npm(tmp_path, SCRIPT) == b"weights"


@needs_npm
@pytest.mark.parametrize("kind", [x25519, hybrid], ids=["classic", "hybrid"])
def test_we_open_what_npm_sealed(tmp_path: Path, kind: object) -> None:
    made = hybrid.generate() if kind is hybrid else x25519.generate()
    (tmp_path / "public").write_text(str(made.recipient))
    data = npm(tmp_path, SEALING)
    head = header.parse(data)
    file_key = header.unseal(head, [made])
    assert chunks.open_bytes("x", file_key, data[head.size :]) == b"weights"


def npm(folder: Path, script: str) -> bytes:
    command = ["node", "--input-type=module", "-e", script.format(package=PACKAGE)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
