"""Runs inside a sandbox and tries what must fail there: `trial.py FACTS_JSON OUTPUT`.

Standard library alone; started by path under `python -I`.
"""

import contextlib
import hashlib
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

BOMB = 1 << 30


def network(facts: dict[str, str]) -> None:
    """Connect to a listener on the host."""
    socket.create_connection(("127.0.0.1", int(facts["port"])), timeout=2).close()


def reading(facts: dict[str, str]) -> None:
    """Read a file that is no input."""
    Path(facts["secret"]).read_bytes()


def writing(facts: dict[str, str]) -> None:
    """Write beside it."""
    Path(facts["secret"] + ".new").write_bytes(b"x")


def secrets(facts: dict[str, str]) -> None:
    """Read the environment of the process that started the sandbox."""
    environment = Path(f"/proc/{facts['parent']}/environ").read_bytes()
    if hashlib.sha256(environment).hexdigest() != facts["environment"]:
        raise PermissionError("another process")


def memory(facts: dict[str, str]) -> None:
    """Allocate more than the limit."""
    bytearray(BOMB)


def shared_memory(facts: dict[str, str]) -> None:
    """Take memory that is shared, and so not private."""
    mmap.mmap(-1, BOMB).close()


def processes(facts: dict[str, str]) -> None:
    """Start a process."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


ATTEMPTS: dict[str, tuple[Callable[[dict[str, str]], None], ...]] = {
    "network": (network,),
    "filesystem": (reading, writing),
    "secrets": (secrets,),
    "memory": (memory, shared_memory),
    "processes": (processes,),
}


def refused(attempt: Callable[[dict[str, str]], None], facts: dict[str, str]) -> bool:
    """Whether the attempt fails for want of rights, sight or memory."""
    with contextlib.suppress(OSError, MemoryError):
        attempt(facts)
        return False
    return True


def main() -> None:
    """Write which protections hold, by name."""
    facts = json.loads(sys.argv[1])
    held = [n for n, tries in ATTEMPTS.items() if all(refused(t, facts) for t in tries)]
    Path(sys.argv[2]).write_text(json.dumps({"holds": held}), encoding="utf-8")


if __name__ == "__main__":
    main()
