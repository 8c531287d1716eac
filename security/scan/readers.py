"""Which reader judges which format. Each is loaded when a file of its format is met."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from security.scan.findings import Findings
from security.scan.source import Source
from security.sniff import Format

Read = Callable[[Source, Findings], None]

# Modules with `read(source, report)`.
MODULES = {
    Format.PICKLE: "security.scan.pickles",
    Format.ZIP: "security.scan.zips",
    Format.TORCH_ZIP: "security.scan.zips",
    Format.TAR: "security.scan.tars",
    Format.COMPRESSED: "security.scan.packed",
    Format.NUMPY: "security.scan.numpys",
    Format.NUMPY_OBJECT: "security.scan.numpys",
    Format.SAFETENSORS: "security.scan.tensors",
    Format.GGUF: "security.scan.gguf",
    Format.ONNX: "security.scan.onnx",
    Format.HDF5: "security.scan.hdf5",
    Format.TEXT: "security.scan.jsonfiles",
}
# Formats that hold nothing to judge, and why.
SKIPPED = {
    Format.EMPTY: "empty",
    Format.LFS_POINTER: "a pointer of Git LFS, not the file itself",
}


def reader(found: Format) -> Read:
    """Return the reader of a format that has one."""
    read: Read = import_module(MODULES[found]).read
    return read
