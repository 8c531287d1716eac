"""Sealing: streams, changed recipients, one tensor of a sealed file, and everything in one pass."""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
from pathlib import Path

from benchmarks.protecting.setting import (
    OURS,
    Command,
    Setting,
    evict,
    medians,
    pinned,
    ratio,
    run,
    shell,
    write_tensors,
)

STREAM = 2_000_000_000  # bytes
TENSOR = 8 << 20
READ_LIMIT = int(8.5 * 1024 * 1024)


def stream(setting: Setting) -> list[str]:
    """Seal and open 2 GB; each opens what the other sealed."""
    plain, sealed, theirs = (setting.top / name for name in ("plain", "plain.age", "theirs.age"))
    write_tensors(plain, min(STREAM, setting.size))
    out = setting.top / "out"
    seal = _seal(setting, plain, sealed)
    age: Command = [setting.age, "-r", setting.recipient, "-o", theirs, plain]
    run(seal), run(age)
    for source, command in (
        (sealed, _age_open(setting, sealed, out)),
        (theirs, _open(setting, theirs, out)),
    ):
        run(command)
        if _digest(out) != _digest(plain):
            raise SystemExit(f"{source.name} does not open to what was sealed")
    failed = _nowhere(setting, plain, theirs)
    opens = _open(setting, sealed, out), _age_open(setting, sealed, out)
    for word, (ours, peer) in {"seal": (seal, age), "open": opens}.items():
        took = medians(setting.runs, {"ours": pinned(ours), "age": pinned(peer)})
        print(f"  {word} to disk: {took['ours']:.2f} CPU-s, fsync included; age {took['age']:.2f}")
        failed += ratio(f"{word} to disk", took["ours"], took["age"], 1.0)
    return failed


def _nowhere(setting: Setting, plain: Path, sealed: Path) -> list[str]:
    """The payload alone: written to /dev/null on both sides; of ours the work after imports."""
    ours = [sys.executable, "-m", "benchmarks.protecting.payload"]
    age = [setting.age, "-o", "/dev/null"]
    works: dict[str, tuple[Command, Command, float]] = {
        "seal": (
            [*ours, "seal", plain, setting.recipient], [*age, "-r", setting.recipient, plain], 1.1
        ),
        "open": (
            [*ours, "open", sealed, setting.identity],
            [*age, "-d", "-i", setting.identity, sealed], 2.0
        ),
    }  # fmt: skip
    failed: list[str] = []
    for word, (us, them, least) in works.items():
        took = medians(setting.runs, {"age": pinned(them)})
        own = (float(run(pinned(us))) for _ in range(setting.runs))
        took["ours"] = statistics.median(own)
        rate = {name: plain.stat().st_size / 1e9 / seconds for name, seconds in took.items()}
        print(f"  {word}: {rate['ours']:.2f} GB/CPU-s, age {rate['age']:.2f} GB/CPU-s")
        failed += ratio(word, took["ours"], took["age"], least)
        cores = {name: pinned(us, which) for name, which in (("one", "0"), ("two", "0,1"))}
        took = medians(setting.runs, cores, wall=True)
        failed += ratio(f"{word} on two cores", took["two"], took["one"], 1.5)
    return failed


def rewrap(setting: Setting) -> list[str]:
    """Change the recipients of one large sealed file: the time of the change itself."""
    sealed = _large(setting)
    said = run([OURS, "keys", "rewrap", sealed, "--identity", setting.identity,
                "--to", setting.recipient, "--log", setting.log, "--format", "json"])  # fmt: skip
    seconds = float(json.loads(said)["seconds"])
    print(f"  {sealed.stat().st_size / 1e9:.1f} GB: {seconds * 1000:.1f} ms (limit 50)")
    return [] if seconds <= 0.05 else [f"rewrap took {seconds:.3f} s"]


def ranged(setting: Setting) -> list[str]:
    """Open one tensor of a large sealed file: bytes read, as the kernel counts them."""
    sealed, out = _large(setting), setting.top / "one.safetensors"
    said = run([OURS, "keys", "open", sealed, "--identity", setting.identity, "--tensor",
                "layer.7.weight", "--output", out, "--force", "--log", setting.log,
                "--format", "json"])  # fmt: skip
    read = int(json.loads(said)["read"])
    print(f"  {TENSOR:,} bytes of {sealed.stat().st_size:,}: {read:,} read (limit {READ_LIMIT:,})")
    return [] if read <= READ_LIMIT else [f"one tensor read {read:,} bytes"]


def onepass(setting: Setting) -> list[str]:
    """Hash, seal and scan what is not in the page cache, against a chain of three tools; wall.

    Both end when the sealed file is on disk.
    """
    plain = setting.top / "cold.safetensors"
    write_tensors(plain, min(1_073_741_824, setting.size))
    sealed = setting.top / "cold.age"
    chain = shell(
        f"openssl dgst -sha256 {plain}; {setting.age} -r {setting.recipient} -o {sealed} {plain};"
        f" sync {sealed};"
        f" {setting.peers}/bin/picklescan --path {plain}"
    )
    ours = [*_seal(setting, plain, sealed), "--scan"]
    with plain.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    root = json.loads(run([*ours, "--format", "json"]))["root"]
    if root != hashlib.sha256(digest).hexdigest():
        raise SystemExit("the one pass names another digest")
    took = medians(
        setting.runs, {"ours": ours, "chain": chain}, lambda: evict(plain, sealed), wall=True
    )
    print(f"  one pass {took['ours']:.2f} s, chain of three {took['chain']:.2f} s")
    share = took["ours"] / took["chain"]
    print(f"  share: {share:.2f} (limit 0.75)")
    return [] if share <= 0.75 else [f"one pass takes {share:.2f} of the chain"]


def _large(setting: Setting) -> Path:
    sealed = setting.top / "large.age"
    if not sealed.exists():
        plain = setting.top / "large.safetensors"
        write_tensors(plain, setting.size)
        run(_seal(setting, plain, sealed))
        plain.unlink()
    return sealed


def _seal(setting: Setting, plain: Path, sealed: Path) -> list[str | Path]:
    return [OURS, "keys", "seal", plain, "--to", setting.recipient, "--output", sealed, "--force",
            "--log", setting.log]  # fmt: skip


def _open(setting: Setting, sealed: Path, out: Path) -> list[str | Path]:
    return [OURS, "keys", "open", sealed, "--identity", setting.identity, "--output", out,
            "--force", "--log", setting.log]  # fmt: skip


def _age_open(setting: Setting, sealed: Path, out: Path) -> Command:
    return [setting.age, "-d", "-i", setting.identity, "-o", out, sealed]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
