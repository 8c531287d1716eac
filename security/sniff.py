"""What a file is, by its first bytes. A name is only a hint where bytes alone are ambiguous."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from security import npy, opcodes, unpack
from security.safetensors import MAX_HEADER

PREFIX = 65_536  # bytes that are enough for every answer, save what else a zip holds
MAX_RECORDS = 50_000  # of one zip; one with more is not looked through, and counts as hostile
LFS_BYTES = 1_024  # the specification's own bound
LFS_STARTS = (
    b"version https://git-lfs.github.com/spec/v1",
    b"version https://hawser.github.com/spec/v1",
    b"version http://git-media.io/v/2",
)


class Format(StrEnum):
    """What a file is. UNKNOWN is no answer."""

    SAFETENSORS = "safetensors"
    PICKLE = "pickle"
    TORCH_ZIP = "torch-zip"
    NUMPY = "numpy"
    NUMPY_OBJECT = "numpy-object"
    GGUF = "gguf"
    ONNX = "onnx"
    HDF5 = "hdf5"
    ZIP = "zip"
    TAR = "tar"
    COMPRESSED = "compressed"
    EXECUTABLE = "executable"
    LFS_POINTER = "lfs-pointer"
    TEXT = "text"
    EMPTY = "empty"
    UNKNOWN = "unknown"


# Formats whose readers run code that the file names.
RUNS_CODE = frozenset({Format.PICKLE, Format.TORCH_ZIP, Format.NUMPY_OBJECT})
# Names that are given to a reader of pickles, and names that say "model" at all.
PICKLE_SUFFIXES = (
    ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill", ".pk", ".th", ".t7",
    ".sav", ".p",
)  # fmt: skip
MODEL_SUFFIXES = (
    *PICKLE_SUFFIXES, ".safetensors", ".gguf", ".ggml", ".onnx", ".h5", ".hdf5", ".keras",
    ".msgpack", ".tflite", ".nemo", ".mar", ".mlmodel", ".pdparams", ".npy", ".engine",
    ".pb", ".ort",
)  # fmt: skip
_DATA_SUFFIXES = (".safetensors", ".gguf", ".ggml", ".onnx", ".npy", ".tflite")
_PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".z", ".lz4")
_MAGIC = (
    (b"GGUF", Format.GGUF),
    (b"PK\x05\x06", Format.ZIP),
    (b"PK\x07\x08", Format.ZIP),
    (b"7z\xbc\xaf\x27\x1c", Format.COMPRESSED),
    (b"\x1f\x8b", Format.COMPRESSED),
    (b"BZh", Format.COMPRESSED),
    (b"\xfd7zXZ\x00", Format.COMPRESSED),
    (b"\x28\xb5\x2f\xfd", Format.COMPRESSED),
    (b"\x04\x22\x4d\x18", Format.COMPRESSED),
    (b"\x7fELF", Format.EXECUTABLE),
    (b"MZ\x90\x00", Format.EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", Format.EXECUTABLE),
    (b"\xca\xfe\xba\xbe", Format.EXECUTABLE),
)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_CONTROL = re.compile(rb"[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f]")


def is_pickle_name(name: str) -> bool:
    """Whether a loader would take a file of this name for a pickle (`x.pkl.gz` too)."""
    return _stem(name).endswith(PICKLE_SUFFIXES)


def is_model_name(name: str) -> bool:
    """Whether the name says that the file holds weights."""
    return _stem(name).endswith(MODEL_SUFFIXES)


def is_lfs(data: bytes) -> bool:
    """Whether Git LFS takes these first bytes for a pointer, well formed or not.

    It skips space before it, Unicode's too: such a file is replaced by what it points to.
    """
    text = data[:LFS_BYTES].decode("utf-8", "replace").lstrip()
    return text.encode().startswith(LFS_STARTS)


def may_run_code(name: str) -> bool:
    """Whether a loader of weights of this name may run code that the file brings."""
    return is_model_name(name) and not _stem(name).endswith(_DATA_SUFFIXES)


def sniff(prefix: bytes, name: str = "") -> Format:
    """Say what a file with these first bytes is (give PREFIX of them, or all there are)."""
    if not prefix:
        return Format.EMPTY
    hinted = is_pickle_name(name)
    found = _by_magic(prefix, hinted)
    if found is Format.COMPRESSED:
        inner = unpack.head(prefix)
        inside = _by_magic(inner, hinted) if inner else Format.UNKNOWN
        return inside if inside in RUNS_CODE else found
    if found is Format.UNKNOWN and hinted and (inner := unpack.zlib_head(prefix)):
        return Format.PICKLE if opcodes.is_pickle(inner, hinted=True) else Format.COMPRESSED
    return found


def _by_magic(data: bytes, hinted: bool) -> Format:
    length = int.from_bytes(data[:8], "little")
    if length <= MAX_HEADER and data[8:9] == b"{":
        return Format.SAFETENSORS
    if data.startswith(b"PK\x03\x04"):
        return Format.TORCH_ZIP if _holds_pickle(data) else Format.ZIP
    if data.startswith(b"\x93NUMPY"):
        return _numpy(data)
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return found
    # A user block may precede the signature of HDF5.
    if any(data[at : at + 8] == _HDF5 for at in (0, 512, 1024, 2048, 4096)):
        return Format.HDF5
    if data[257:262] == b"ustar":
        return Format.TAR
    if is_lfs(data):
        return Format.LFS_POINTER
    if opcodes.is_pickle(data, hinted=hinted):
        return Format.PICKLE
    if _is_onnx(data):
        return Format.ONNX
    return Format.TEXT if _is_text(data) else Format.UNKNOWN


def _stem(name: str) -> str:
    lower = name.lower()
    for suffix in _PACKED_SUFFIXES:
        if lower.endswith(suffix):
            return lower.removesuffix(suffix)
    return lower


def _holds_pickle(data: bytes) -> bool:
    """Whether a zip's records, as far as they are here, name a pickle or an array of objects."""
    at, records = 0, 0
    while (at := data.find(b"PK", at)) >= 0:
        kind = data[at + 2 : at + 4]
        if kind in (b"\x03\x04", b"\x01\x02"):  # local and central: loaders differ in which counts
            lengths, start = (at + 26, at + 30) if kind == b"\x03\x04" else (at + 28, at + 46)
            length = int.from_bytes(data[lengths : lengths + 2], "little")
            # The ending is enough, and a name may claim 64 kB in every record.
            end = data[max(start, start + length - 64) : start + length]
            name = end.decode("utf-8", "replace")
            records += 1
            if is_pickle_name(name) or records > MAX_RECORDS:
                return True
            if name.endswith(".npy") and kind == b"\x03\x04" and not _is_plain_array(data, at):
                return True
        at += 2
    return False


def _is_plain_array(data: bytes, record: int) -> bool:
    """Whether the array in a zip's local record holds numbers alone."""
    method, name, extra = (
        int.from_bytes(data[record + at : record + at + 2], "little") for at in (8, 26, 28)
    )
    start = record + 30 + name + extra
    array = data[start : start + unpack.COUNT]
    if method:
        array = unpack.raw_head(array)
    return array.startswith(b"\x93NUMPY") and _numpy(array) is Format.NUMPY


def _numpy(data: bytes) -> Format:
    wide = data[6:7] != b"\x01"
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    header = data[start : start + length]
    if length > npy.LIMIT or len(header) < length:
        return Format.UNKNOWN
    try:
        holds = _holds_objects(npy.literal(header.decode("latin-1"))["descr"])
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return Format.UNKNOWN
    return Format.NUMPY_OBJECT if holds else Format.NUMPY


def _holds_objects(descr: Any) -> bool:
    if isinstance(descr, list):
        return any(_holds_objects(field[1]) for field in descr)
    if isinstance(descr, tuple):  # (dtype, shape)
        return _holds_objects(descr[0])
    return not isinstance(descr, str) or "o" in descr.lower()


def _is_onnx(data: bytes) -> bool:
    # ModelProto: field 1 = small ir_version, then field 2 = producer name.
    if data[:1] != b"\x08" or len(data) < 6 or not 1 <= data[1] <= 32 or data[2] != 0x12:
        return False
    producer = data[4 : 4 + data[3]]
    return len(producer) == data[3] and producer.isascii() and producer.decode().isprintable()


def _is_text(data: bytes) -> bool:
    if _CONTROL.search(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(data) - 4 and error.reason == "unexpected end of data"
    return True
