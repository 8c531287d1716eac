"""Places that give out: no permission, no space, no home, nobody to read or be asked."""

from __future__ import annotations

import json
import os
import pwd
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bot.keys.conftest import Done, Warden
from tests.bot.keys.test_bad_input import recipient, refused

ROOT = Path(__file__).resolve().parents[3]


def run(*words: object, cwd: Path, **options: Any) -> Done:
    """Run the command in a process of its own, without what lets root ignore permissions."""
    bare = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []
    options.setdefault("env", {"PATH": os.defpath, "HOME": str(cwd)})
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command: list[Any] = [*bare, sys.executable, "-I", ROOT / "modelwarden.py", *map(str, words)]
    done = subprocess.run(
        command, cwd=cwd, text=True, stdin=subprocess.DEVNULL, timeout=60, **options
    )
    return Done(done.returncode, done.stdout or "", done.stderr or "")


@pytest.fixture
def theirs(warden: Warden, model: Path, key: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder with a model, keys and a sealed file, for a user whom permissions hold."""
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root ignores permissions, and setpriv is not there")
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    warden("keys", "seal", "tiny/config.json", "--to", recipient(), "--output", "s.age")
    shutil.rmtree(tmp_path / "state")
    yield tmp_path
    for folder in (tmp_path, *(p for p in tmp_path.rglob("*") if p.is_dir())):
        folder.chmod(0o700)


def content(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds, but for state."""
    files = (p for p in folder.rglob("*") if p.is_file() and not {".local", ".cache"} & {*p.parts})
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


SIGN = ("keys", "sign", "tiny", "--key", "release.key")
OPEN = ("keys", "open", "s.age", "--identity", "mine.age", "--output")


@pytest.mark.parametrize("shut", ["tiny/model.safetensors", "tiny/tokenizer", "release.key", "tiny",
                                  "s.age", "mine.age"])  # fmt: skip
def test_what_may_not_be_read(theirs: Path, shut: str) -> None:
    before = content(theirs)
    (theirs / shut).chmod(0)
    if shut in ("s.age", "mine.age"):
        done = run(*OPEN, "o", cwd=theirs)
    else:
        done = run(*SIGN, cwd=theirs)
    (theirs / shut).chmod(0o700)
    assert shut.removeprefix("tiny/") in refused(done)
    assert content(theirs) == before


def test_what_may_not_be_written(theirs: Path) -> None:
    before = content(theirs)
    for folder in (theirs, theirs / "tiny"):
        folder.chmod(0o500)
    state = tempfile.mkdtemp()
    home = {"PATH": os.defpath, "HOME": str(theirs / "tiny"), "XDG_STATE_HOME": state}
    try:
        for words in (SIGN, (*OPEN, "o"), ("keys", "generate", "new", "--no-passphrase"),
                      ("keys", "seal", "tiny", "--to", (theirs / "mine.age.pub").read_text(),
                       "--output", "sealed")):  # fmt: skip
            refused(run(*words, cwd=theirs, env=home), 2)
        # Nothing is begun that cannot be logged.
        home["MODELWARDEN_AUDIT_LOG"] = str(theirs / "log")
        done = run(*SIGN, "--signature", f"{state}/sig", cwd=theirs, env=home)
        assert "audit log" in refused(done, 2)
        assert not Path(state, "sig").exists()
    finally:
        shutil.rmtree(state)
        for folder in (theirs, theirs / "tiny"):
            folder.chmod(0o700)
    assert content(theirs) == before


@pytest.mark.parametrize("words", [
    ("keys", "seal", "tiny", "--to", "{to}", "--output", "sealed"),
    ("keys", "seal", "tiny/model.safetensors", "--to", "{to}", "--key", "release.key"),
    ("keys", "open", "big.age", "--identity", "mine.age"),
    ("keys", "rewrap", "big.age", "--identity", "mine.age", "--to", "{to}", "--reencrypt"),
])  # fmt: skip
def test_a_full_disk(
    warden: Warden, model: Path, key: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    warden("keys", "seal", model / "model.safetensors", "--to", recipient(), "--output", "big.age")
    before = content(model.parent)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        done = warden(*(word.format(to=recipient()) for word in words))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    refused(done, 2)
    after = content(model.parent)
    log = "state/modelwarden/audit.jsonl"
    assert b'"refused"' in after[log]
    assert {**after, log: b""} == {**before, log: b""}
    assert not any(p.is_dir() for p in tmp_path.glob("sealed"))


def test_nobody_reads_what_is_said(theirs: Path) -> None:
    assert run(*SIGN, "--force", cwd=theirs, stdout=None, preexec_fn=lambda: os.close(1)).code == 0
    verify = ("verify", "tiny", "--key", "release.key.pub")
    with Path("/dev/full").open("w") as full:
        done = run(*verify, cwd=theirs, stdout=full)
    assert done.code != 0 and len(done.err.splitlines()) == 2, done
    reader, writer = os.pipe()
    os.close(reader)
    done = run(*verify, cwd=theirs, stdout=writer)
    os.close(writer)
    assert (done.code, done.err) == (141, "")


def test_a_user_without_a_home(
    warden: Warden, model: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither HOME nor an entry in the system's list: nothing is begun in a folder named ~."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for words in (("keys", "sign", model, "--key", key), ("keys", "audit")):
        assert "home" in refused(warden(*words), 2)
    assert not (model / "model.sig").exists()
    assert warden("keys", "sign", model, "--key", key, "--log", "log").code == 0
    assert "home" in refused(warden("verify", model, "--key", f"{key}.pub"), 2)
    assert warden("verify", model, "--key", f"{key}.pub", "--memory", "seen").code == 0
    assert not Path("~").exists()


@pytest.mark.parametrize("spoil", [
    lambda data: data + b"junk\n",
    lambda data: b"\xff" * 99_999,
    lambda data: data.replace(b'"done"', b'"dome"'),
])  # fmt: skip
def test_a_damaged_log_ends_all_use_of_keys(
    warden: Warden, model: Path, key: Path, spoil: Callable[[bytes], bytes]
) -> None:
    log = Path("state/modelwarden/audit.jsonl")
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    warden("keys", "seal", model, "--to", recipient(), "--output", "sealed")
    log.write_bytes(spoil(log.read_bytes()))
    before = content(model.parent)
    for words in (
        ("sign", model, "--key", key),
        ("generate", "new", "--no-passphrase"),
        ("seal", model, "--to", recipient(), "--output", "again"),
        ("open", "sealed", "--identity", "mine.age", "--output", "o"),
        ("rewrap", "sealed", "--identity", "mine.age", "--to", recipient()),
        ("audit", "--checkpoint", "--key", key),
    ):
        assert "audit.jsonl" in refused(warden("keys", *words), 1)
    assert content(model.parent).items() - before.items() <= {
        ("state/modelwarden/seen.json.lock", b"")
    }


@pytest.mark.parametrize("log", ["tiny", "loop", "pipe", "word/x", "release.key"])
def test_a_log_that_is_none(warden: Warden, model: Path, key: Path, log: str) -> None:
    Path("word").write_text("x")
    Path("loop").symlink_to("loop")
    os.mkfifo("pipe")
    private = key.read_bytes()
    assert log.partition("/")[0] in refused(warden("keys", "sign", model, "--key", key,
                                                   "--log", log), 1, 2, 3)  # fmt: skip
    assert not (model / "model.sig").exists()
    assert key.read_bytes() == private


@pytest.mark.parametrize("spoil", [b"", b"{}", b"[", b"\xff", b"[" * 100_000, b'{"format": 2}'])
def test_a_damaged_memory(warden: Warden, model: Path, key: Path, spoil: bytes) -> None:
    warden("keys", "sign", model, "--key", key, "--release", "1.0.0")
    verify = ("verify", model, "--key", f"{key}.pub", "--memory", "seen")
    assert warden(*verify).code == 0
    Path("seen").write_bytes(spoil)
    assert "seen" in refused(warden(*verify), 3)
    assert Path("seen").read_bytes() == spoil
    Path("seen").unlink()
    assert "seen" in refused(warden(*verify), 3)


def test_an_unusable_cache_is_done_without(warden: Warden, model: Path, key: Path) -> None:
    Path("cache").write_text("in the way")
    done = warden("keys", "sign", model, "--key", key, "--format", "json")
    assert done.code == 0 and json.loads(done.out)["read"] > 70_000


def test_half_a_key_pair_is_taken_back(warden: Warden, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    warden("keys", "generate", "one", "--kind", "ml-dsa-65", "--no-passphrase")
    sizes = [(tmp_path / name).stat().st_size for name in ("one", "one.pub")]
    assert sizes[0] < 2_000 < sizes[1]  # so that one fits, and the other does not
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    try:
        done = warden("keys", "generate", "two", "--kind", "ml-dsa-65", "--no-passphrase",
                      "--log", "fresh")  # fmt: skip
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "two.pub" in refused(done, 2)
    assert not list(tmp_path.glob("two*"))
