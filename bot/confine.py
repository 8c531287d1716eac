"""First program inside a sandbox: takes rights away from itself, then becomes the real one.

Started by path under `python -I`, so it uses the standard library alone:
`confine.py LIMITS_JSON PROGRAM ARGUMENT...`. What this machine cannot take away stays;
`bot/trial.py` finds out which protections hold.
"""

import ctypes
import json
import os
import platform
import resource
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
MODE_FILTER = 2
SIGKILL = 9
EPERM, ENOSYS = 1, 38
RET_KILL, RET_ERRNO, RET_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN, MASK = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
CLONE_THREAD = 0x00010000
SHARED_ANONYMOUS = 0x21  # MAP_SHARED and MAP_ANONYMOUS
CLONE3 = 435  # the same number everywhere
X32 = 0x40000000  # the second system call table of x86-64

# What a scorer never needs: new processes and namespaces, sockets, io_uring (a way around
# both), the memory and files of other processes, mounts, kernel keys, memory that no limit counts.
REFUSED = {
    "x86_64": {
        "fork": 57, "vfork": 58, "unshare": 272, "setns": 308, "socket": 41,
        "io_uring_setup": 425, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311,
        "mount": 165, "umount2": 166, "pivot_root": 155, "bpf": 321, "perf_event_open": 298,
        "add_key": 248, "request_key": 249, "keyctl": 250, "userfaultfd": 323,
        "memfd_create": 319, "shmget": 29, "pidfd_getfd": 438,
    },
    "aarch64": {
        "unshare": 97, "setns": 268, "socket": 198, "io_uring_setup": 425, "ptrace": 117,
        "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40, "umount2": 39,
        "pivot_root": 41, "bpf": 280, "perf_event_open": 241, "add_key": 217,
        "request_key": 218, "keyctl": 219, "userfaultfd": 282, "memfd_create": 279,
        "shmget": 194, "pidfd_getfd": 438,
    },
}  # fmt: skip
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
MMAP = {"x86_64": 9, "aarch64": 222}


def program(machine: str, *, shared: bool = False) -> bytes:
    """Return the seccomp filter of a machine as BPF, or b"" for one we do not know.

    Threads stay possible: `clone` is allowed with CLONE_THREAD, and `clone3`, whose flags a
    filter cannot see, answers "no such call" so that the C library falls back to `clone`.
    Shared memory, which RLIMIT_DATA does not count, is refused unless `shared` leaves it.
    """
    if machine not in REFUSED:
        return b""
    refuse, absent = (RETURN, 0, 0, RET_ERRNO | EPERM), (RETURN, 0, 0, RET_ERRNO | ENOSYS)
    allow = (RETURN, 0, 0, RET_ALLOW)
    steps = [
        (LOAD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, AUDIT[machine]),
        (RETURN, 0, 0, RET_KILL),
        (LOAD, 0, 0, 0),
    ]
    steps += [(JUMP_AT_LEAST, 0, 1, X32), refuse]
    for number in REFUSED[machine].values():
        steps += [(JUMP_EQUAL, 0, 1, number), refuse]
    steps += [(JUMP_EQUAL, 0, 1, CLONE3), absent]
    if not shared:
        steps += [
            (JUMP_EQUAL, 0, 5, MMAP[machine]),
            (LOAD, 0, 0, 40),
            (MASK, 0, 0, SHARED_ANONYMOUS),
            (JUMP_EQUAL, 0, 1, SHARED_ANONYMOUS),
            refuse,
            allow,
        ]
    steps += [
        (JUMP_EQUAL, 0, 3, CLONE[machine]),
        (LOAD, 0, 0, 16),
        (JUMP_BITS, 1, 0, CLONE_THREAD),
        refuse,
    ]
    steps += [allow]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def filter_calls(*, shared: bool) -> None:
    """Install the filter for this process and all it becomes, where the kernel has seccomp."""
    code = program(platform.machine(), shared=shared)
    if not sys.platform.startswith("linux") or not code:
        return
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    steps = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(steps))
    whole = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(whole), 0, 0)


def limit(limits: dict[str, int]) -> None:
    """Set each named resource limit, hard and soft."""
    for name, value in limits.items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError):
            continue  # the trial tells which limits this system does not hold


def main() -> None:
    """Confine this process, then replace it by the program."""
    limits = json.loads(sys.argv[1])
    limit(limits)
    # Drivers of devices may need shared memory; where one is used, address space is not bounded.
    filter_calls(shared="RLIMIT_AS" not in limits)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606


if __name__ == "__main__":
    main()
