"""With `--format json` every command prints one document, and nothing else anywhere."""

from __future__ import annotations

from pathlib import Path

from tests.bot.keys.conftest import Warden
from tests.bot.keys.test_bad_input import recipient


def test_each_command_prints_one(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    mine, to = ("--identity", "mine.age"), ("--to", recipient())
    for words in (
        ("keys", "generate", "other", "--no-passphrase"),
        ("keys", "generate", "other.age", "--kind", "age", "--no-passphrase"),
        ("keys", "show", "release.key.pub"),
        ("keys", "show", "mine.age.pub"),
        ("keys", "sign", model, "--key", key, "--release", "1.0.0", "--scan"),
        ("keys", "sign", model, "--key", "other", "--add", "--release", "1.0.0"),
        ("keys", "attest", model, "--type", "scan", "--key", "other"),
        ("keys", "seal", model, *to, "--key", key, "--output", "sealed"),
        ("keys", "open", "sealed", *mine, "--output", "back"),
        ("keys", "seal", model / "model.safetensors", *to, "--output", "one.age"),
        ("keys", "open", "one.age", *mine, "--tensor", "head", "--output", "head"),
        ("keys", "rewrap", "one.age", *mine, *to, "--reencrypt"),
        ("keys", "rewrap", "sealed", *mine, *to, "--key", key),
        ("keys", "audit", "--checkpoint", "--key", key),
        ("verify", model, "--key", f"{key}.pub"),
        ("verify", model, "--key", f"{key}.pub", "--scan"),
        ("verify", "back", "--scan-only"),
    ):
        done = warden(*words, "--format", "json")
        assert (done.code, done.err, bool(done.json())) == (0, "", True), words
