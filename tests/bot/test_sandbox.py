"""Every rung that is present here is attacked; one that is missing is skipped with the reason."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import confine, process, sandbox
from bot.sandbox import Limits, Result, SandboxFailed
from bot.walls import LADDER, Box, Rung, bubblewrap

ROOT = Path(__file__).resolve().parents[2]
SMALL = Limits(seconds=20, memory=512 << 20, output=10_000)
Attack = Callable[..., Result]
SAY = "import json, os, sys\ndef say(x): open(sys.argv[-1], 'w').write(json.dumps(x))\n"


def works(rung: Rung) -> bool:
    try:
        sandbox.trial(rung)
    except SandboxFailed:
        return False
    return True


WORKING = {rung.name: rung.present and works(rung) for rung in LADDER}
needs_wall = pytest.mark.skipif(not WORKING["bubblewrap"], reason="bubblewrap does not work here")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.fixture(params=LADDER, ids=lambda rung: rung.name)
def rung(request: pytest.FixtureRequest) -> Rung:
    found: Rung = request.param
    if not WORKING[found.name]:
        pytest.skip(f"{found.name} does not work on this machine")
    return found


@pytest.fixture
def attack(tmp_path: Path, rung: Rung, monkeypatch: pytest.MonkeyPatch) -> Iterator[Attack]:
    """Run hostile code in the rung; afterwards nothing may lie in the temporary folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    def run(code: str, *arguments: str, limits: Limits = SMALL, **more: object) -> Result:
        script = tmp_path / "attack.py"
        script.write_text(SAY + code)
        inputs = (script, *more.pop("inputs", ()))  # type: ignore[misc]
        return sandbox.run(
            (str(script), *arguments),
            inputs=inputs,
            limits=limits,
            rung=rung,
            **more,  # type: ignore[arg-type]
        )

    yield run
    assert list(temporary.iterdir()) == []


def told(result: Result) -> Any:
    return json.loads(result.answer)


def holds(rung: Rung, name: str) -> None:
    if name not in sandbox.trial(rung).holds:
        pytest.skip(f"{rung.name} does not protect {name}, and says so")


def test_answer_and_lines(attack: Attack) -> None:
    lines: list[str] = []
    result = attack(
        "print('one'); print('\\x1b[31mtwo', file=sys.stderr); say({'a': 1})", progress=lines.append
    )
    assert told(result) == {"a": 1}
    assert set(lines) == {"one", " [31mtwo"}
    assert "\x1b" not in result.said


def test_network(attack: Attack, rung: Rung) -> None:
    holds(rung, "network")
    code = """
import socket
try:
    socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=3).close(); say('open')
except OSError as error: say('closed')
"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert told(attack(code, port)) == "closed"
        socket.create_connection(("127.0.0.1", int(port))).close()  # it was there to be reached


def test_unix_sockets_of_the_host(attack: Attack, rung: Rung, tmp_path: Path) -> None:
    """A daemon's socket lies in the file system, where a network namespace does not help."""
    holds(rung, "processes")
    code = """
import socket
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1]); say('open')
except OSError: say('closed')
"""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "daemon"))
        listener.listen()
        assert told(attack(code, str(tmp_path / "daemon"))) == "closed"


@needs_wall
@pytest.mark.parametrize("rung", LADDER[:1], ids=["bubblewrap"])
def test_file_system(attack: Attack, tmp_path: Path, rung: Rung) -> None:
    secret, readable = tmp_path / "secret", tmp_path / "model"
    secret.write_text("hunter2")
    readable.mkdir()
    (readable / "config.json").write_text("{}")
    code = """
found = {}
for name, path, mode in (
    ('secret', sys.argv[1], 'r'), ('input', sys.argv[2] + '/config.json', 'r'),
    ('input written', sys.argv[2] + '/config.json', 'w'), ('input added', sys.argv[2] + '/x', 'w'),
    ('beside', sys.argv[1] + '.x', 'w'), ('root', '/x', 'w'), ('dev', '/dev/shm/x', 'w'),
    ('tmp', '/tmp/x', 'w'), ('passwd', '/etc/passwd', 'r'), ('hostname', '/etc/hostname', 'r'),
    ('git', sys.argv[3] + '/.git/HEAD', 'r'), ('readme', sys.argv[3] + '/pyproject.toml', 'r'),
    ('own code written', sys.argv[3] + '/modelwarden.py', 'a'),
    ('scratch', 'note', 'w'), ('output', os.path.dirname(sys.argv[-1]) + '/more', 'w'),
):
    try:
        open(path, mode).close(); found[name] = True
    except OSError: found[name] = False
found['home'] = [n for n in (os.listdir(sys.argv[4]) if os.path.isdir(sys.argv[4]) else [])]
say(found)
"""
    result = attack(
        code, str(secret), str(readable), str(ROOT), str(Path.home()), inputs=(readable,)
    )
    found = told(result)
    home = found.pop("home")
    assert sorted(n for n, there in found.items() if there) == ["input", "output", "scratch"]
    needed = {
        Path(p).relative_to(Path.home()).parts[0]
        for p in (sys.prefix, sys.base_prefix, str(ROOT), str(tmp_path))
        if Path(p).is_relative_to(Path.home())
    }
    assert set(home) <= needed


def test_secrets(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_hunter2")
    assert told(attack("say(dict(os.environ))")).keys() <= {
        *sandbox.ENVIRONMENT,
        "TMPDIR",
        "HF_HOME",
        "TORCHINDUCTOR_CACHE_DIR",
        "PWD",
        "LC_CTYPE",
    }


def test_environment_of_the_caller(attack: Attack, rung: Rung) -> None:
    holds(rung, "secrets")
    code = "say(os.path.exists(f'/proc/{sys.argv[1]}/environ'))"
    assert told(attack(code, str(os.getpid()))) is False


def test_empty_working_folder_and_isolated_python(attack: Attack) -> None:
    code = "say([os.listdir('.'), sys.flags.isolated, '' in sys.path, os.environ.get('HOME')])"
    assert told(attack(code)) == [[], 1, False, None]


def test_memory_bomb(attack: Attack, rung: Rung) -> None:
    holds(rung, "memory")
    code = "kept = []\nwhile True: kept.append(bytearray(64 << 20))"
    with pytest.raises(SandboxFailed, match=r"exit code 1 .memory limit 0.5 GiB.: MemoryError"):
        attack(code)


SHARED = {
    "anonymous": "mmap.mmap(-1, 1 << 30)",
    "zeroes": "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 30, mmap.MAP_SHARED)",
    "system V": "assert ctypes.CDLL(None).shmget(0, 1 << 30, 0o1600) >= 0, OSError",
}


@pytest.mark.parametrize("way", SHARED)
def test_memory_that_no_limit_counts(attack: Attack, rung: Rung, way: str) -> None:
    # Shared memory is not private, so RLIMIT_DATA does not count it.
    holds(rung, "memory")
    if way == "zeroes":
        holds(rung, "filesystem")  # elsewhere the devices of the host are there
    code = "import ctypes, mmap\n" + f"try: {SHARED[way]}; say('taken')\n"
    code += "except (OSError, AssertionError): say('refused')"
    assert told(attack(code)) == "refused"


def test_memory_limit_cannot_be_raised(attack: Attack, rung: Rung) -> None:
    if rung.name == "plain" and os.geteuid() == 0:
        pytest.skip("the superuser may raise limits where there is no user namespace")
    holds(rung, "memory")
    code = """
import resource
try:
    resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40)); say('raised')
except (ValueError, OSError): say('refused')
"""
    assert told(attack(code)) == "refused"


def test_fork_bomb(attack: Attack, rung: Rung) -> None:
    holds(rung, "processes")
    code = """
import subprocess, threading
made = 0
for _ in range(20):  # a bomb in kind, few in number
    try:
        if os.fork() == 0: os._exit(0)
        made += 1
    except OSError: pass
    try:
        subprocess.run(['true']); made += 1
    except OSError: pass
worker = threading.Thread(target=lambda: None); worker.start(); worker.join()
say(made)
"""
    assert told(attack(code)) == 0


def test_endless_loop_and_flood(attack: Attack) -> None:
    began = time.monotonic()
    limits = Limits(seconds=1, memory=512 << 20)
    for code in (
        "while True: pass",
        "while True: print('x' * 100000)",
        "os.close(1); os.close(2)\nwhile 1: pass",
    ):
        with pytest.raises(SandboxFailed, match="not finished after 1 s"):
            attack(code, limits=limits)
    assert time.monotonic() - began < 10


OUTPUTS = (
    ("os.symlink('/etc/hostname', sys.argv[-1])", "no readable answer"),
    ("os.mkdir(sys.argv[-1])", "not a plain file"),
    ("os.mkfifo(sys.argv[-1])", "not a plain file"),
    ("say(1); os.link(sys.argv[-1], sys.argv[-1] + '2')", "not a plain file"),
    ("say('x' * 20000)", r"exit code 1|over 10,000"),
    ("open(sys.argv[-1], 'w').truncate(10001)", "answer of 10,001 bytes, over 10,000"),
    ("pass", "no readable answer: No such file"),
    ("open(sys.argv[-1], 'w').write('{')", "not strict JSON"),
    ("open(sys.argv[-1], 'w').write('[NaN]')", "NaN is not JSON"),
    ("open(sys.argv[-1], 'w').write('[' * 5000)", "nested deeper"),
    ("open(sys.argv[-1], 'wb').write(b'\"\\xff\"')", "not UTF-8"),
    (
        "d = os.path.dirname(sys.argv[-1])\n"
        "try: os.rmdir(d); os.symlink('/etc', d)\nexcept OSError: 0",
        "no readable answer",
    ),
    ("os.kill(os.getpid(), 9)", "SIGKILL|no readable answer"),
    ("sys.exit(7)", "exit code 7"),
)


@pytest.mark.parametrize(("code", "message"), OUTPUTS)
def test_hostile_output(attack: Attack, code: str, message: str) -> None:
    with pytest.raises(SandboxFailed, match=message):
        attack(code)


@on_linux
def test_kill_leaves_no_process(rung: Rung, tmp_path: Path) -> None:
    """Ctrl-C in another thread than ours: the child dies, the block ends, the folder is gone."""
    script, mark = tmp_path / "sleep.py", f"mark-{os.getpid()}-{rung.name}"
    script.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    errors: list[BaseException] = []
    up = threading.Event()

    def run() -> None:
        try:
            sandbox.run(
                (str(script), mark),
                inputs=(script,),
                limits=SMALL,
                rung=rung,
                progress=lambda line: up.set(),
            )
        except SandboxFailed as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert up.wait(10)
    assert alive(mark)
    process.stop_all()
    try:
        thread.join(10)
        assert not thread.is_alive()
        with (
            pytest.raises(Exception, match="interrupted"),
            process.child(("true",), env={}, cwd=tmp_path),
        ):
            pass
    finally:
        process._stopping.clear()
    assert "SIGKILL" in str(errors[0])
    assert gone(mark)


@on_linux
@needs_wall
def test_death_of_the_caller_ends_the_child(tmp_path: Path) -> None:
    mark = f"orphan-{os.getpid()}"
    script, caller = tmp_path / "sleep.py", tmp_path / "caller.py"
    script.write_text("import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    caller.write_text(f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from bot import sandbox
sandbox.run(({str(script)!r}, {mark!r}), inputs=(Path({str(script)!r}),),
            limits=sandbox.Limits(60, 1 << 29), progress=lambda line: print(line, flush=True))
""")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, str(caller)], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        parent.send_signal(signal.SIGKILL)
    assert gone(mark)


def test_interrupt_cleans_up(tmp_path: Path, attack: Attack) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    mark = f"interrupted-{os.getpid()}"
    with pytest.raises(KeyboardInterrupt):
        attack("import time; print('up', flush=True); time.sleep(60)", mark, progress=interrupt)
    assert gone(mark)


def alive(mark: str) -> bool:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append(mark.encode() in (folder / "cmdline").read_bytes())
        except OSError:
            continue
    return any(found)


def gone(mark: str) -> bool:
    until = time.monotonic() + 5
    while alive(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(mark)


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in confine.REFUSED,
    reason="elsewhere less may hold, and is said not to",
)
def test_what_each_rung_holds(rung: Rung) -> None:
    lost: dict[str, set[str]] = {
        "bubblewrap": set(),
        "unshare": {"filesystem"},
        "plain": {"filesystem", "secrets"},
    }
    assert set(sandbox.PROTECTIONS) - set(sandbox.trial(rung).holds) == lost[rung.name]


def test_probe_reports_the_first_rung_that_works() -> None:
    expected = next(name for name, working in WORKING.items() if working)
    assert sandbox.probe().rung == expected
    assert sandbox.probe().missing(("time", "flight")) == ("flight",)


def test_refused_wall_falls_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed but refused by the kernel: the trial says so, the ladder goes on."""
    refused = Rung("bubblewrap", "true", lambda box: ("false",))
    monkeypatch.setattr(sandbox, "LADDER", (refused, LADDER[-1]))
    sandbox.probe.cache_clear()
    try:
        found = sandbox.probe()
        assert found.rung == "plain"
        assert found.missing(("filesystem", "secrets")) == ("filesystem", "secrets")
    finally:
        sandbox.probe.cache_clear()


def test_binds_name_no_checkout_and_no_home() -> None:
    line = bubblewrap(Box((), Path("/out"), Path("/scratch")))
    bound = [line[i + 2] for i, word in enumerate(line) if word in ("--ro-bind", "--bind")]
    assert str(Path.home()) not in bound
    assert "/" not in bound
    if not Path(sys.prefix).is_relative_to("/usr"):
        assert str(ROOT) not in bound


def test_filter_of_an_unknown_machine_is_empty() -> None:
    assert confine.program("pdp11") == b""
    for machine in confine.REFUSED:
        assert len(confine.program(machine)) % 8 == 0


def test_trial_script_says_what_succeeds(tmp_path: Path) -> None:
    """Outside any sandbox every attempt succeeds, so nothing is said to hold."""
    (tmp_path / "secret").write_text("planted")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        facts = {
            "port": str(listener.getsockname()[1]),
            "secret": str(tmp_path / "secret"),
            "parent": str(os.getpid()),
            "environment": hashlib.sha256(sandbox._own_environment()).hexdigest(),
        }
        trial = [sys.executable, "-I", str(ROOT / "bot/trial.py"), json.dumps(facts)]
        subprocess.run([*trial, str(tmp_path / "out")], check=True)
    assert json.loads((tmp_path / "out").read_text()) == {"holds": []}
