"""Keys that are no files, through the commands: a token, and the documented program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.keys.conftest import Warden

ROOT = Path(__file__).parents[3]
LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
LIBRARY = next((Path(p) for p in LIBRARIES if Path(p).is_file()), None)
PIN = "84629173"


@pytest.fixture
def program(warden: Warden, tmp_path: Path) -> str:
    """The example of docs/formats/signers.md around two key files, as a command line."""
    text = (ROOT / "docs/formats/signers.md").read_text()
    (code,) = re.findall(r"```python\n(#!.*?)```", text, re.DOTALL)
    folder = tmp_path / "service"
    folder.mkdir()
    script = folder / "service.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}")
    warden("keys", "generate", "service/key.pem", "--no-passphrase")
    warden("keys", "generate", "service/identity", "--kind", "age-x25519", "--no-passphrase")
    return f"{sys.executable} {script} {folder}"


def test_a_key_service(warden: Warden, model: Path, program: str, tmp_path: Path) -> None:
    assert warden("keys", "sign", model, "--program", program).code == 0
    assert warden("verify", model, "--key", "service/key.pem.pub").code == 0
    recipient = (tmp_path / "service/identity.pub").read_text().strip()
    assert (
        warden("keys", "seal", model / "config.json", "--to", recipient, "--output", "s.age").code
        == 0
    )
    done = warden("keys", "open", "s.age", "--identity-program", program)
    assert (done.code, (tmp_path / "s").read_bytes()) == (0, (model / "config.json").read_bytes())
    nothing = warden("keys", "sign", model, "--program", "/bin/false", "--force")
    assert (nothing.code, "/bin/false" in nothing.err) == (2, True)


@pytest.mark.skipif(
    not (LIBRARY and shutil.which("softhsm2-util") and shutil.which("pkcs11-tool")),
    reason="SoftHSM or pkcs11-tool is not installed",
)
def test_a_token(
    warden: Warden, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pkcs11")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "conf"))
    init = ["softhsm2-util", "--init-token", "--free", "--label", "vault", "--so-pin", "0000"]
    subprocess.run([*init, "--pin", PIN], check=True, capture_output=True)
    make = ["pkcs11-tool", "--module", str(LIBRARY), "--token-label", "vault", "-l", "--pin", PIN,
            "-k", "--key-type", "EC:prime256v1", "--label", "release"]  # fmt: skip
    subprocess.run(make, check=True, capture_output=True)
    pin = tmp_path / "pin"
    pin.write_text(f"{PIN}\n")
    pin.chmod(0o600)
    uri = f"pkcs11:token=vault;object=release?module-path={LIBRARY}"
    # In a process of its own: a loaded module keeps the first configuration it saw.
    program = Path(sys.executable).with_name("modelwarden")
    line: list[str | Path] = [program, "keys", "sign", model, "--token", uri]
    line += ["--passphrase-file", pin]
    done = subprocess.run(line, capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, PIN in done.stdout + done.stderr) == (0, False), done.stderr
    assert "ecdsa-p256" in done.stdout
    wrong = warden("keys", "sign", model, "--token", "pkcs11:token=vault", "--force")
    assert (wrong.code, "module-path" in wrong.err) == (2, True)
