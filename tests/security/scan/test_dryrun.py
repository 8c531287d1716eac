from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from security.errors import Unreadable
from security.scan.dryrun import Booth
from security.scan.source import Source, of_bytes
from security.scan.values import Limits
from tests.security.scan.hostile import PROTO, name, text

ROOT = Path(__file__).parents[3]
# Tuples of the tuple before, twice: 2**60 steps to hash the last.
LAUGHS = b")" + b"".join(b"q%ch%ch%c\x86" % (i, i, i) for i in range(60))
LAUGHED = PROTO + LAUGHS + b"q\x3c}h\x3cNs."
BOMBS = {
    "length": PROTO + b"\x8e" + (2**62).to_bytes(8, "little") + b".",
    "text length": PROTO + b"\x8d" + (2**40).to_bytes(8, "little") + b".",
    "bytearray length": b"\x80\x05\x96" + (2**33).to_bytes(8, "little") + b".",
    "frame": PROTO + b"\x95" + (2**62).to_bytes(8, "little") + b"N.",
    "memo": PROTO + b"Nr\xff\xff\xff\x7f.",
    "memo by line": b"Np2147483000\n.",
    "long": PROTO + b"\x8b\xff\xff\xff\x7f" + b"\xff" * 100,
    "digits": b"I" + b"9" * 500_000 + b"\n.",
    "laughs": LAUGHED,
    "deep hash": PROTO + b"})" + b"\x85" * 1_000_000 + b"Ns.",
    "doubled": PROTO + b"]" + b"".join(b"q%c(h%ch%ce" % (i, i, i) for i in range(60)) + b".",
    "many names": PROTO + b"".join(b"cm\nn%d\n0" % i for i in range(100_000)) + b"N.",
    "many allowed": PROTO + b"ccollections\nOrderedDict\n0" * 50_000 + b"N.",
    "many pickles": pickle.dumps(1) * 100_000,
    "many marks": PROTO + b"(" * 1_000_000 + b".",
    "stubs": PROTO + b"ccollections\nOrderedDict\nq\x00" + b"h\x00)R0" * 200_000 + b"N.",
}


# In a process that has no other children: what they took at most is kept for all of them.
MEASURE = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
from tests.security.scan.test_dryrun import BOMBS, Booth, Limits, of_bytes
found, before = {}, 0.0
for kind, data in BOMBS.items():
    with Booth() as booth:
        booth.run(of_bytes(kind, data), Limits())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found[kind] = (used.ru_utime + used.ru_stime - before, used.ru_maxrss)
    before = used.ru_utime + used.ru_stime
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def costs() -> dict[str, tuple[float, int]]:
    """What each bomb cost: CPU seconds, and kB of the largest child so far."""
    command = [sys.executable, "-c", MEASURE, str(ROOT)]
    found: dict[str, tuple[float, int]] = json.loads(subprocess.check_output(command))
    return found


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_bounded(costs: dict[str, tuple[float, int]], kind: str) -> None:
    seconds, kilobytes = costs[kind]
    assert seconds < 2  # CPU: 1 s and, where cores are slow, as much again
    assert kilobytes < 400_000


@pytest.mark.parametrize("kind", ["length", "frame", "memo", "laughs", "deep hash", "digits"])
def test_after_a_bomb_the_next_is_tried(kind: str, booth: Booth) -> None:
    assert booth.run(of_bytes(kind, BOMBS[kind]), Limits()).error
    assert booth.run(of_bytes("ok", pickle.dumps(1)), Limits()).error == ""


def test_limits_are_those_given(booth: Booth) -> None:
    data = pickle.dumps(list(range(300_000)))
    assert booth.run(of_bytes("x", data), Limits()).error == ""
    assert booth.run(of_bytes("x", data), Limits(seconds=0.001)).error.startswith("limit")
    assert booth.run(of_bytes("x", data), Limits(memory=1 << 20)).error


def test_names_are_numbered_and_calls_are_shown(booth: Booth) -> None:
    data = PROTO + name("collections", "OrderedDict") + b"0" + name("os", "system")
    data += text("x" * 100) + b"\x85R0" + name("a", "b") + b"(K\x01]K\x02at" + b"R."
    outcome = booth.run(of_bytes("x", data), Limits())
    assert [(found.module, found.name, found.nth) for found in outcome.found] == [
        ("os", "system", 2),
        ("a", "b", 3),
    ]
    assert outcome.found[0].calls == (f"calls os.system('{'x' * 60}'...)",)
    assert outcome.found[1].calls == ("calls a.b(1, [2])",)


def test_what_is_shown_of_values_is_bounded(booth: Booth) -> None:
    deep = b"]" * 50 + b"a" * 49
    data = PROTO + name("a", "b") + b"(" + deep + b"\x8b\x10\x27\0\0" + b"\x01" * 10_000
    data += text("\x1b[31m\u202e") + b"tR."
    (found,) = booth.run(of_bytes("x", data), Limits()).found
    assert all(call.isprintable() and len(call) < 400 for call in found.calls)


def test_extension_codes_do_not_come_from_a_cache(booth: Booth) -> None:
    first = booth.run(of_bytes("x", PROTO + b"\x82\x05."), Limits())
    assert "unregistered extension code" in first.error


def test_a_stream_shorter_than_it_says_is_an_error_of_reading(booth: Booth) -> None:
    def read(at: int, count: int) -> bytes:
        raise Unreadable("x was cut short", "try again")

    with pytest.raises(Unreadable):
        booth.run(Source("x", 100, read), Limits())
    lying = Source("x", 100, lambda at, count: b"")
    assert booth.run(lying, Limits()).error.startswith("limit")
    assert booth.run(of_bytes("ok", pickle.dumps(1)), Limits()).error == ""


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in found.split()]


def test_the_child_has_nothing_to_find(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWARDEN_TOKEN", "secret")
    with Booth() as fresh:
        fresh.run(of_bytes("ok", pickle.dumps(1)), Limits())
        assert fresh._process is not None
        child = Path(f"/proc/{fresh._process.pid}")
        assert (child / "environ").read_bytes().count(b"MODELWARDEN") == 0
        assert str((child / "cwd").readlink()).endswith("(deleted)")
        targets = sorted(str(fd.readlink()).split(":")[0] for fd in (child / "fd").iterdir())
        assert targets == ["/dev/null", "/dev/null", "pipe", "socket"]
        modules = (child / "maps").read_text()
        assert "site-packages" not in modules


def test_the_reader_of_a_pickle_may_open_nothing() -> None:
    """Not a file, not a socket: no descriptor is left to it."""
    seen: list[str] = []
    with Booth() as booth:

        def read(at: int, count: int) -> bytes:
            assert booth._process is not None
            (reader,) = children(booth._process.pid)
            seen.append(Path(f"/proc/{reader}/limits").read_text())
            return pickle.dumps(1)

        booth.run(Source("x", len(pickle.dumps(1)), read), Limits())
    rows = {line[:26].strip(): line[26:].split()[:2] for line in seen[0].splitlines()[1:]}
    for what in ("Max open files", "Max file size", "Max core file size", "Max processes"):
        assert rows[what] == ["0", "0"], what
    assert int(rows["Max address space"][1]) < 512 << 20


HOLD = """
import sys, time
sys.path.insert(0, {root!r})
from security.scan.dryrun import Booth
from security.scan.source import Source
from security.scan.values import Limits
def read(at, count):
    print("asked", flush=True)
    {then}
Booth().run(Source("x", 10**9, read), Limits())
"""
THEN = {
    "asking": "time.sleep(60)",
    "computing": f"return {LAUGHED!r}.ljust(count, b'.')",  # 30 s of it, as its size is 1 GB
}


@pytest.mark.parametrize("doing", THEN)
def test_the_child_dies_with_its_parent(doing: str) -> None:
    code = HOLD.format(root=str(ROOT), then=THEN[doing])
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "asked\n"
        time.sleep(0.3)
        (server,) = children(parent.pid)
        group = [server, *children(server)]
        assert len(group) == 2
        os.kill(parent.pid, signal.SIGKILL)
    for _ in range(200):
        left = [pid for pid in group if _alive(pid)]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(left)


def _alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_to_import_a_scan_costs_little() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import security.scan.engine;"
        "print(sorted({'torch', 'numpy', 'cryptography', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
