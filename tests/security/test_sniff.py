import bz2
import gzip
import io
import lzma
import pickle
import zipfile
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from security.sniff import PREFIX, Format, is_model_name, is_pickle_name, may_run_code, sniff


class Call:
    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return (print, ("run",))


def numpy_file(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def torch_file(*, zipped: bool) -> bytes:
    out = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, out, _use_new_zipfile_serialization=zipped)
    return out.getvalue()


def zip_file(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 50)
    return out.getvalue()


OBJECTS = np.array([{}, 1], dtype=object)
FIELDS = np.zeros(2, dtype=[("Open", "<f8"), ("pos", "<i4", (2,))])
NESTED = np.zeros(2, dtype=[("a", [("b", "O")])])
CASES = [
    ("safetensors", save({"a": np.zeros(3)}), "", Format.SAFETENSORS),
    ("renamed safetensors", save({"a": np.zeros(3)}), "x.bin", Format.SAFETENSORS),
    ("torch zip", torch_file(zipped=True), "", Format.TORCH_ZIP),
    ("torch zip renamed", torch_file(zipped=True), "model.safetensors", Format.TORCH_ZIP),
    ("torch legacy", torch_file(zipped=False), "", Format.PICKLE),
    ("zip", zip_file("a.txt"), "", Format.ZIP),
    ("zip with a late pickle", zip_file("a.txt", "sub/data.pkl"), "", Format.TORCH_ZIP),
    ("empty zip", zip_file(), "", Format.ZIP),
    ("numpy", numpy_file(np.zeros(3)), "", Format.NUMPY),
    ("numpy fields", numpy_file(FIELDS), "", Format.NUMPY),
    ("numpy objects", numpy_file(OBJECTS), "", Format.NUMPY_OBJECT),
    ("numpy nested objects", numpy_file(NESTED), "", Format.NUMPY_OBJECT),
    ("numpy escaped", b"\x93NUMPY\x01\x00\x20\x00{'descr': '\\x7cO', 'x': 1}     ", "",
     Format.UNKNOWN),
    ("numpy deep", b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000, "", Format.UNKNOWN),
    ("numpy code", b"\x93NUMPY\x01\x00\x10\x00print('descr')  ", "", Format.UNKNOWN),
    ("gguf", b"GGUF\x03\x00\x00\x00", "", Format.GGUF),
    ("onnx", b"\x08\x08\x12\x07pytorch\x1a\x03", "m.onnx", Format.ONNX),
    ("hdf5", b"\x89HDF\r\n\x1a\n" + b"\0" * 9, "", Format.HDF5),
    ("hdf5 after a block", b"\0" * 512 + b"\x89HDF\r\n\x1a\n", "", Format.HDF5),
    ("gzip", gzip.compress(b"words"), "", Format.COMPRESSED),
    ("zstd", b"\x28\xb5\x2f\xfd\x00", "", Format.COMPRESSED),
    ("cut gzip", gzip.compress(b"words")[:9], "", Format.COMPRESSED),
    ("broken xz", b"\xfd7zXZ\x00\x00\x00\x00", "", Format.COMPRESSED),
    ("joblib gzip", gzip.compress(pickle.dumps([1, 2])), "m.joblib", Format.PICKLE),
    ("joblib zlib", zlib.compress(pickle.dumps([1, 2])), "m.joblib", Format.PICKLE),
    ("zlib text", zlib.compress(b"words of no meaning"), "m.joblib", Format.COMPRESSED),
    ("pickle bz2", bz2.compress(pickle.dumps([1, 2])), "", Format.PICKLE),
    ("pickle xz", lzma.compress(pickle.dumps([1, 2])), "x.pkl.xz", Format.PICKLE),
    ("tar", b"\0" * 257 + b"ustar\x0000", "", Format.TAR),
    ("elf", b"\x7fELF\x02\x01", "", Format.EXECUTABLE),
    ("lfs", b"version https://git-lfs.github.com/spec/v1\n", "", Format.LFS_POINTER),
    ("text", "Größe: 5 µm\n".encode(), "", Format.TEXT),
    ("text cut in a letter", ("a" * 20 + "µ").encode()[:-1], "", Format.TEXT),
    ("text in weights", b"[not, a pickle]\n", "vocab.bin", Format.TEXT),
    ("latin-1", b"Gr\xf6\xdfe: 5\n", "", Format.UNKNOWN),
    ("empty", b"", "", Format.EMPTY),
    ("noise", bytes(range(255, 0, -1)), "", Format.UNKNOWN),
    # Text that begins as a pickle of protocol 0 could: only a name makes it suspicious.
    ("words", b"config\nvalue\nmore words\n", "notes", Format.TEXT),
    ("words in weights", b"config\nvalue\nmore words\n", "x.pkl", Format.PICKLE),
    ("a letter and a stop", b"Q.", "", Format.TEXT),
    ("old instance", b"(S'x'\nios\nsystem\n.", "notes.txt", Format.PICKLE),
    ("numpy backslash", b"\x93NUMPY\x01\x00\x16\x00{'descr': '\\x3cf8'}     ", "", Format.UNKNOWN),
    ("image", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a.png", Format.UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "name", "found"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_tells_formats_apart(data: bytes, name: str, found: Format) -> None:
    assert sniff(data[:PREFIX], name) is found


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["", "notes.txt", "model.safetensors", "pytorch_model.bin"])
def test_a_pickle_that_calls_is_seen_whatever_its_name(protocol: int, name: str) -> None:
    assert sniff(pickle.dumps(Call(), protocol), name) is Format.PICKLE


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", [{"a": [1, 2]}, list(range(50_000)), "words", 1.5])
def test_plain_pickles_are_seen_by_mark_or_name(protocol: int, value: object) -> None:
    data = pickle.dumps(value, protocol)[:PREFIX]
    assert sniff(data, "state.pt") is Format.PICKLE
    if protocol >= 2:
        assert sniff(data, "") is Format.PICKLE


def test_a_stream_that_breaks_after_its_payload_is_no_less_a_pickle() -> None:
    data = pickle.dumps(Call(), 0).removesuffix(b".") + b"\xff\xff garbage"
    assert sniff(data, "weights.bin") is Format.PICKLE


def test_a_payload_without_the_protocol_mark_is_seen() -> None:
    data = pickle.dumps(Call(), 2)[2:]
    assert sniff(data) is Format.PICKLE


def test_a_payload_behind_padding_longer_than_the_prefix() -> None:
    data = (b"N0" * PREFIX + pickle.dumps(Call(), 0))[:PREFIX]
    assert sniff(data, "weights.bin") is Format.PICKLE


@given(st.binary(max_size=300), st.sampled_from(["", "x.bin", "x.joblib"]))
def test_any_bytes_have_an_answer(data: bytes, name: str) -> None:
    assert sniff(data, name) in Format


@given(st.text(max_size=300))
def test_text_is_never_taken_for_something_that_runs(text: str) -> None:
    assert sniff(text.encode()) in (Format.TEXT, Format.UNKNOWN, Format.EMPTY, Format.SAFETENSORS)


def test_names() -> None:
    assert is_pickle_name("a/Model.PKL.gz")
    assert not is_pickle_name("a.bin.txt")
    assert is_model_name("model.safetensors")
    assert may_run_code("m.keras")
    assert not may_run_code("model.safetensors")
