"""Work that is disturbed: files that change, two at once, Ctrl-C, and a process that is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.keys.conftest import Warden
from tests.bot.keys.test_bad_input import recipient, refused

COMMAND = (sys.executable, "-I", Path(__file__).resolve().parents[3] / "modelwarden.py")
LARGE = 400 << 20  # bytes: a few tenths of a second of work


def begun(*words: object) -> subprocess.Popen[str]:
    """Start a command as a user does."""
    return subprocess.Popen([*COMMAND, *map(str, words)], text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def replace(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(bytes(3 << 20))
    new.replace(path)


def touch(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(8))


@pytest.mark.parametrize("change", [append, replace, touch])
def test_a_file_that_changes_while_it_is_read(
    warden: Warden, key: Path, change: Callable[[Path], None]
) -> None:
    file = Path("w.bin")
    file.write_bytes(bytes(3 << 20))
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    to = recipient()
    ends = threading.Event()

    def spoil() -> None:
        while not ends.is_set():
            change(file)
            if file.stat().st_size > 4 << 20:
                os.truncate(file, 3 << 20)

    thread = threading.Thread(target=spoil)
    thread.start()
    try:
        for words in (("sign", file, "--key", key, "--no-cache"), ("seal", file, "--to", to)):
            assert any(_tried(warden, words) == 3 for _ in range(200))
    finally:
        ends.set()
        thread.join()


def _tried(warden: Warden, words: tuple[object, ...]) -> int:
    """Run it; what it wrote is there only if it says so."""
    made = [Path("w.bin.sig"), Path("w.bin.age")]
    done = warden("keys", *words)
    assert done.code == 0 or "w.bin" in refused(done, 3)
    assert any(p.exists() for p in made) == (done.code == 0)
    for path in made:
        path.unlink(missing_ok=True)
    return done.code


def test_signatures_added_at_once_are_all_there(warden: Warden, model: Path, key: Path) -> None:
    names = [f"k{n}" for n in range(4)]
    for name in names:
        warden("keys", "generate", name, "--no-passphrase")
    warden("keys", "sign", model, "--key", key)
    log = ("--log", "log")
    bom = Path("bom.json")
    bom.write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}')
    attest = ("keys", "attest", model, "--type", "bom", "--predicate", bom)
    started = [begun("keys", "sign", model, "--add", "--key", n, *log) for n in names]
    started += [begun(*attest, "--key", n, *log) for n in names]
    for each in started:
        assert each.communicate(timeout=60)[1] == ""
    for name in names:
        done = warden("verify", model, "--key", f"{name}.pub", "--format", "json")
        assert done.code == 0 and not done.json()["attestations"][0]["doubt"]
    assert warden("keys", "audit", "--log", "log", "--format", "json").json()["entries"] == 9
    assert sorted(p.name for p in model.iterdir()) == [
        "README.md", "config.json", "model.intoto.jsonl", "model.safetensors", "model.sig",
        "tokenizer",
    ]  # fmt: skip


def test_one_of_two_that_sign_anew_is_refused(warden: Warden, model: Path, key: Path) -> None:
    started = [begun("keys", "sign", model, "--key", key, "--log", "log") for _ in range(2)]
    codes = []
    for each in started:
        each.communicate(timeout=60)
        codes.append(each.returncode)
    assert sorted(codes) == [0, 2]


@pytest.fixture
def large(warden: Warden, key: Path, tmp_path: Path) -> Path:
    """Much to read, and sealed too; its journal and log are at hand."""
    with (tmp_path / "big").open("wb") as file:
        file.truncate(LARGE)
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    warden("keys", "generate", "new.age", "--kind", "age-x25519", "--no-passphrase")
    warden("keys", "seal", "big", "--to", recipient(), "--output", "sealed.age")
    return tmp_path


WORK = {
    "sign": ("keys", "sign", "big", "--key", "release.key", "--no-cache"),
    "seal": ("keys", "seal", "big", "--to", "{to}", "--key", "release.key"),
    "open": ("keys", "open", "sealed.age", "--identity", "mine.age"),
    "reencrypt": ("keys", "rewrap", "sealed.age", "--identity", "mine.age", "--to", "{to}",
                  "--reencrypt"),
}  # fmt: skip


def test_stopped_and_killed_in_the_middle(warden: Warden, large: Path) -> None:
    def stamps() -> dict[str, tuple[int, int]]:
        skip = ("state", "cache")
        files = (p for p in large.rglob("*") if p.is_file() and not {*skip} & {*p.parts})
        return {p.name: (p.stat().st_size, p.stat().st_mtime_ns) for p in files}

    before = stamps()
    hit = set()
    for name, words in WORK.items():
        source = "sealed.age" if "sealed.age" in words else "big"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = begun(*(word.format(to=recipient("new")) for word in words))
            _wait(process, large / source)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            if process.returncode == 0:  # it was quicker
                pytest.skip("this machine is too fast, or too busy")
            assert (stamps(), out) == (before, "")
            killed = number == signal.SIGKILL
            assert (process.returncode, err.strip()) == (
                (-number, "") if killed else (130, "modelwarden: stopped")
            )
            hit.add((name, number))
    assert len(hit) == 12
    entries = warden("keys", "audit", "--format", "json").json()["list"]
    reasons = [dict(e["details"]).get("reason") for e in entries if e["outcome"] == "refused"]
    assert reasons == ["interrupted"] * 8


def _wait(process: subprocess.Popen[str], source: Path) -> None:
    """Return when the process reads a file."""
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        for fd in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                if fd.readlink() == source:
                    return
            except OSError:
                continue
        time.sleep(0.001)


def test_stopped_before_it_begins(large: Path) -> None:
    """Ctrl-C while the program loads: also then one line."""
    for seconds in (0.15, 0.2, 0.3):
        process = begun(*(word.format(to=recipient("new")) for word in WORK["seal"]))
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        if "modelwarden.py" in err or "modelwarden: " in err:  # else: Python itself was loading
            assert (process.returncode, err.strip()) == (130, "modelwarden: stopped")
    assert not (large / "big.age").exists()


@pytest.mark.parametrize("words", [
    ("keys", "sign", "sparse", "--key", "release.key"),
    ("keys", "sign", "folder", "--key", "release.key"),
    ("keys", "seal", "sparse", "--to", "{to}"),
    ("keys", "seal", "folder", "--to", "{to}", "--key", "release.key"),
])  # fmt: skip
def test_a_terabyte_that_nobody_stored(warden: Warden, key: Path, words: tuple[str, ...]) -> None:
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    Path("folder").mkdir()
    for name in ("sparse", "folder/sparse"):
        with Path(name).open("wb") as file:
            file.truncate(1 << 40)
            file.seek(1 << 39)
            file.write(b"a few bytes")
    assert "sparse" in refused(warden(*(word.format(to=recipient()) for word in words)), 3)
    assert not list(Path().glob("*.age/*")) and not list(Path().glob("*.sig"))


def test_links_at_outputs_are_replaced_not_followed(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    victim = Path("victim")
    victim.write_text("precious")
    outputs = (model / "model.sig", model / "model.intoto.jsonl", Path("o.age"), Path("o"))
    work = (
        ("sign", model, "--key", key, "--release", "1.0.0"),
        ("seal", model / "config.json", "--to", recipient(), "--output", "o.age"),
        ("open", "o.age", "--identity", "mine.age"),
    )
    for link in (outputs[0], *outputs[2:]):
        link.symlink_to(victim.resolve())
    assert [warden("keys", *words).code for words in work[:2]] == [2, 2]
    outputs[1].symlink_to(victim.resolve())
    for words in work:
        assert warden("keys", *words, "--force").code == 0
    assert victim.read_text() == "precious"
    assert not any(path.is_symlink() for path in outputs)


def test_ten_thousand_files(warden: Warden, key: Path) -> None:
    folder = Path("many")
    for number in range(10_000):
        if not number % 500:
            (folder / str(number)).mkdir(parents=True)
        (folder / str(number - number % 500) / f"{number}.txt").write_text(str(number))
    signed = warden("keys", "sign", folder, "--key", key, "--format", "json")
    assert json.loads(signed.out)["files"] == 10_000
    assert warden("verify", folder, "--key", f"{key}.pub").code == 0
    shutil.rmtree(folder)


def test_what_cannot_be_signed_is_not_sealed(warden: Warden, model: Path, key: Path) -> None:
    warden("keys", "generate", "mine.age", "--kind", "age-x25519", "--no-passphrase")
    answer = Path("answer.json")
    answer.write_text(json.dumps({"public": Path(f"{key}.pub").read_text()}) + "\n")
    service = Path("service").resolve()
    service.write_text(
        f"#!/bin/sh\nread -r asked\ncase $asked in *public*) cat {answer.resolve()};; "
        """*) echo '{"error": "no"}';; esac\n"""
    )
    service.chmod(0o700)
    before = sorted(p.name for p in Path().rglob("*"))
    for source in (model, model / "model.safetensors"):
        done = warden("keys", "seal", source, "--to", recipient(), "--program", service,
                      "--output", "sealed")  # fmt: skip
        assert "refused" in refused(done, 2)
        assert sorted(p.name for p in Path().rglob("*")) == before
