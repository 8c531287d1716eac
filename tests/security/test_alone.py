"""The part alone: with `cryptography` and nothing else, it signs, verifies, seals and scans."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Only Python's own library, cryptography and what that needs can be imported.
FENCE = """
import sys
ROOT = sys.argv[1]
sys.path.insert(0, ROOT)
OWN = sys.stdlib_module_names | {"security", "cryptography", "_cffi_backend", "cffi"}
class Fence:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in OWN:
            raise ModuleNotFoundError(f"not here: {name}", name=name)
sys.meta_path.insert(0, Fence())
"""

WORK = """
from pathlib import Path
from security import hashing, storing
from security.paths import SIGNATURE
from security.scan.engine import scan_tree
from security.seal import identities, sealing
from security.sign import keys, signing
from security.trust.single import KeyTrust
from security.verify import verify

top = Path(sys.argv[2])
model = top / "model"
model.mkdir()
(model / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
(model / "weights.bin").write_bytes(b"cposix\\nsystem\\n(S'true'\\ntR.")
(model / "chat_template.jinja").write_text("{{ messages[0].content }}")
signer = keys.load_signer(keys.generate())
bundle = signing.sign_manifest(hashing.measure(model), "model", [signer])
storing.write(model / SIGNATURE, bundle)
verified = verify(model, trust=KeyTrust(signer.public))
with verified.hold("config.json", private=True) as held:
    assert Path(held.path).read_bytes() == (model / "config.json").read_bytes()
secret, recipient = identities.generate(hybrid=False)
sealing.seal(model / "config.json", top / "sealed", [identities.recipient(recipient)])
sealing.open_sealed(top / "sealed", top / "opened", [identities.identity(secret)])
assert (top / "opened").read_bytes() == (model / "config.json").read_bytes()
judged = {s.path: s.judgement for s in scan_tree(model)}
assert judged["weights.bin"] == "flag", judged
assert judged["config.json"] == "clean", judged
assert judged["chat_template.jinja"] == "undecided", judged  # without jinja2 nobody can tell
"""

HEAVY = "{'torch', 'transformers', 'mlflow', 'dvc', 'github', 'numpy', 'scipy', 'pydantic', 'yaml'}"


def run(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True
    )


def test_it_works_with_cryptography_alone(tmp_path: Path) -> None:
    done = run(FENCE + WORK, ROOT, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [["keys", "show", "key.pub"], ["verify", "model", "--key", "k"]])
def test_the_commands_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, sys.argv[1]); os.chdir(sys.argv[2])\n"
        f"sys.argv = ['modelwarden', *{words!r}]\n"
        "from security.sign import keys\n"
        "open('key.pub', 'w').write(keys.load_signer(keys.generate()).public.pem)\n"
        "import modelwarden\n"
        "try: modelwarden.main()\n"
        "except SystemExit: pass\n"
        f"assert not {HEAVY} & set(sys.modules), {HEAVY} & set(sys.modules)\n"
    )
    done = run(code, ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
