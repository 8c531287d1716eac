"""Signing and verifying: a large model, many small files, one changed file of a hundred."""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.protecting.setting import OURS, Setting, medians, pinned, ratio, run, write_tensors

SMALL = 5_000


def limit(setting: Setting) -> list[str]:
    """Bytes hashed per CPU second, against OpenSSL's own loop over a buffer in memory."""
    said = run(pinned(["openssl", "speed", "-seconds", "2", "-bytes", "1048576", "sha256"]))
    peak = float(re.findall(r"sha256\s+([\d.]+)k", said)[-1]) * 1000
    sign, _ = _ours(setting, setting.model)
    work = {"sign": _anew(sign, "sign"), "start": pinned([OURS, "--help"])}
    took = medians(setting.runs, work)
    rate = sum(f.stat().st_size for f in setting.model.iterdir()) / (took["sign"] - took["start"])
    print(f"  openssl speed {peak / 1e9:.2f} GB/CPU-s, keys sign {rate / 1e9:.2f} GB/CPU-s")
    return ratio("share of openssl's own rate", 1 / rate, 1 / peak, 0.95)


def large(setting: Setting) -> list[str]:
    """Sign and verify with SHA-256 of whole files, in the page cache."""
    return _against(setting, setting.model, 1.25, scaling=1.8)


def small(setting: Setting) -> list[str]:
    """Sign and verify 5,000 files of 2 kB."""
    folder = setting.top / "small"
    for number in range(SMALL):
        path = folder / f"part{number % 50:02}" / f"file{number:05}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%2048d" % number)
    return _against(setting, folder, 2.0)


def incremental(setting: Setting) -> list[str]:
    """Sign again after 1 of 100 files changed: bytes read, as the kernel counts them."""
    folder = setting.top / "hundred"
    folder.mkdir()
    for number in range(100):
        write_tensors(folder / f"{number:02}.safetensors", 8 << 20)
    sign, verify = _ours(setting, folder)
    run(sign)
    first = (folder / "model.sig").read_bytes()
    write_tensors(folder / "42.safetensors", 8 << 20)
    changed = (folder / "42.safetensors").stat().st_size
    again = int(json.loads(run([*sign, "--format", "json"]))["read"])
    run(verify)
    print(f"  read {again:,} bytes to sign again; the changed file has {changed:,}")
    new = (folder / "model.sig").read_bytes() != first
    return [] if again <= changed and new else [f"re-signing read {again:,} bytes"]


def _ours(setting: Setting, folder: Path) -> tuple[list[str | Path], list[str | Path]]:
    sign: list[str | Path] = [OURS, "keys", "sign", folder, "--key", setting.key, "--no-tensors",
                              "--force", "--log", setting.log]  # fmt: skip
    verify: list[str | Path] = [OURS, "verify", folder, "--key", f"{setting.key}.pub",
                                "--no-memory"]  # fmt: skip
    return sign, verify


def _theirs(setting: Setting, folder: Path) -> tuple[list[str | Path], list[str | Path]]:
    program, signature = setting.peers / "bin/model_signing", folder / "model.sig"
    sign: list[str | Path] = [program, "sign", "key", folder, "--private_key", setting.key,
                              "--signature", signature]  # fmt: skip
    verify: list[str | Path] = [program, "verify", "key", folder, "--public_key",
                                f"{setting.key}.pub", "--signature", signature]  # fmt: skip
    return sign, verify


def _against(setting: Setting, folder: Path, least: float, scaling: float = 0.0) -> list[str]:
    """Compare on one core; and, where asked, our wall time on one core with that on two."""
    ours, theirs = _ours(setting, folder), _theirs(setting, folder)
    run(theirs[0]), run(ours[1])  # each verifies what the other signed
    run(ours[0]), run(theirs[1])
    failed: list[str] = []
    for at, word in enumerate(("sign", "verify")):
        work = {"ours": _anew(ours[at], word), "theirs": pinned(theirs[at])}
        took = medians(setting.runs, work)
        print(f"  {word}: {took['ours']:.2f} CPU-s, model-signing {took['theirs']:.2f} CPU-s")
        failed += ratio(word, took["ours"], took["theirs"], least)
    if scaling:
        cores = {"one": pinned(ours[1], "0"), "two": pinned(ours[1], "0,1")}
        took = medians(setting.runs, cores, wall=True)
        failed += ratio("verify on two cores", took["two"], took["one"], scaling)
    return failed


def _anew(command: list[str | Path], word: str) -> list[str]:
    """Without what an earlier run remembers of the files."""
    return pinned([*command, "--no-cache"] if word == "sign" else command)
