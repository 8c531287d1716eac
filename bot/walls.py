"""The three ways to start a sandboxed child, strongest first, as command lines."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelwarden import PARTS, ROOT

SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)


@dataclass(frozen=True, slots=True)
class Box:
    """What a child gets: `inputs` to read, `output` to write, an empty `scratch` to stand in."""

    inputs: tuple[Path, ...]
    output: Path
    scratch: Path
    cuda: bool = False


def bubblewrap(box: Box) -> tuple[str, ...]:
    """New namespaces of every kind and a root that holds only what the child needs."""
    line = ["bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"]
    line += ["--cap-drop", "ALL", "--hostname", "sandbox", "--proc", "/proc", "--dev", "/dev"]
    for path in (*map(Path, SYSTEM), *_ours(), *box.inputs):
        if path.exists():
            line += ["--ro-bind", str(path.resolve()), str(path)]
    if not box.cuda:
        # Shared memory made from /dev/zero is counted by no limit; of /dev/null none can be made.
        line += ["--dev-bind", "/dev/null", "/dev/zero"]
    if box.cuda:
        line += ["--ro-bind", "/sys", "/sys"]
        for device in sorted(Path("/dev").glob("nvidia*")):
            line += ["--dev-bind", str(device), str(device)]
    line += ["--bind", str(box.output), str(box.output)]
    line += ["--bind", str(box.scratch), str(box.scratch), "--chdir", str(box.scratch)]
    # The root and /dev are kept in memory: made read-only, they cannot be filled.
    return (*line, "--remount-ro", "/dev", "--remount-ro", "/", "--")


def namespaces(box: Box) -> tuple[str, ...]:
    """New user, network and process namespaces by util-linux; the file system stays."""
    kinds = ("--user", "--map-root-user", "--mount", "--net", "--ipc", "--uts", "--pid")
    return ("unshare", *kinds, "--fork", "--kill-child", "--mount-proc", "--")


def plain(box: Box) -> tuple[str, ...]:
    """No wall at all: limits and refused system calls only."""
    return ()


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to start a child; `tool` is the program it needs, if any."""

    name: str
    tool: str
    line: Callable[[Box], tuple[str, ...]]

    @property
    def present(self) -> bool:
        """Whether its tool is installed (the kernel may refuse it all the same)."""
        return not self.tool or shutil.which(self.tool) is not None


LADDER = (
    Rung("bubblewrap", "bwrap", bubblewrap),
    Rung("unshare", "unshare", namespaces),
    Rung("plain", "", plain),
)


def _ours() -> tuple[Path, ...]:
    """Return Python and our own code: never a whole checkout, never a whole home folder."""
    folders = [Path(p) for p in (sys.base_prefix, sys.base_exec_prefix, sys.prefix)]
    folders += [folder.resolve() for folder in folders]
    code = [ROOT / "modelwarden.py", *(ROOT / part for part in PARTS)]
    links = [p for p in _chain(Path(sys.executable)) if not any(map(p.is_relative_to, folders))]
    system = tuple(map(Path, SYSTEM))
    wanted = [p for p in (*folders, *code, *links) if not any(map(p.is_relative_to, system))]
    return tuple(dict.fromkeys(wanted))


def _chain(path: Path) -> tuple[Path, ...]:
    """Return the path and every link it passes through: an interpreter may be a link to a link."""
    found = [path]
    while path.is_symlink() and len(found) < 20:
        path = Path(os.path.normpath(path.parent / path.readlink()))
        found.append(path)
    return tuple(found)
