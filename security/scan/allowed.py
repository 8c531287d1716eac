"""Names that a pickle may ask for: exact pairs, each harmless whatever it is called with.

The second part of each row is the kind of call that is harmless; see CHECKS in the dry run:
"any"      with any argument: it makes a plain container of what it gets
"plain"    with any argument: it makes a number, date, path or tensor, into which no item is put
"tensor"   a storage, and an offset, size and stride that lie inside it
"whole"    with any argument: a tensor; "blank" is its class. Their state is a "tensor" again
"bytes"    bytes or text and its encoding, never a number, which would be a size to allocate
"small"    nothing or one plain value: a container could be one whose text or hash takes for ever
"empty"    never with an argument
"latin1"   text and that very encoding: another would be loaded by its name
"instance" a class, `object` and None, which makes an empty instance
"reconstruct", "scalar", "dtype", "buffer", "array"   as NumPy and joblib write them
Classes that stand in a pickle only to be named ("torch.FloatStorage") are "empty".
"""

from __future__ import annotations

_BUILTINS = {
    "any": "set frozenset",
    "plain": "complex slice object",
    "bytes": "bytearray bytes",
    "small": "int float bool str",
    "empty": "list dict tuple",
}
_PLAIN = {
    "collections": {"any": "OrderedDict defaultdict Counter deque"},
    "datetime": {"plain": "datetime date time timedelta timezone"},
    "decimal": {"plain": "Decimal"},
    "uuid": {"plain": "UUID"},
    "argparse": {"any": "Namespace"},
    "types": {"any": "SimpleNamespace"},
    "pathlib": {"plain": "PosixPath PurePosixPath WindowsPath PureWindowsPath Path PurePath"},
    "_codecs": {"latin1": "encode"},
    "builtins": _BUILTINS,
    "__builtin__": {**_BUILTINS, "small": "int float bool str unicode long"},
    "copyreg": {"instance": "_reconstructor"},
    "copy_reg": {"instance": "_reconstructor"},
}
_NUMBERS = (
    "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64"
    " float16 float32 float64 longdouble complex64 complex128"
)
_ARRAYS = {"reconstruct": "_reconstruct", "scalar": "scalar"}
_NUMPY = {
    "numpy": {"empty": "ndarray", "dtype": "dtype", "small": _NUMBERS},
    "numpy.core.multiarray": _ARRAYS,
    "numpy._core.multiarray": _ARRAYS,
    "numpy.core.numeric": {"buffer": "_frombuffer"},
    "numpy._core.numeric": {"buffer": "_frombuffer"},
    "joblib.numpy_pickle": {"array": "NumpyArrayWrapper"},
}
_KINDS = (
    "Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble"
    " QInt8 QInt32 QUInt8 QUInt4x2 QUInt2x4 Untyped"
)
_STORAGES = " ".join(f"{kind}Storage" for kind in _KINDS.split())
_DTYPES = (
    "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool"
    " complex32 complex64 complex128 quint8 qint8 qint32 quint4x2 quint2x4 float8_e4m3fn"
    " float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu per_tensor_affine"
    " per_channel_affine strided sparse_coo"
)
_TORCH = {
    "torch": {"plain": "Size device", "blank": "Tensor", "empty": f"{_STORAGES} {_DTYPES}"},
    "torch.cuda": {"empty": _STORAGES},
    "torch.storage": {"empty": "UntypedStorage TypedStorage"},
    "torch.nn.parameter": {"blank": "Parameter"},
    "torch.serialization": {"plain": "_get_layout"},
    "torch._utils": {
        "tensor": "_rebuild_tensor _rebuild_tensor_v2 _rebuild_qtensor",
        "whole": "_rebuild_parameter _rebuild_meta_tensor_no_storage",
    },
    "torch.jit._pickle": {
        "plain": "build_intlist build_tensorlist build_doublelist build_boollist"
    },
}


def table() -> dict[str, str]:
    """Return the kind of call that is harmless, by "module LF name"."""
    return {
        f"{module}\n{name}": kind
        for group in (_PLAIN, _NUMPY, _TORCH)
        for module, kinds in group.items()
        for kind, names in kinds.items()
        for name in names.split()
    }
