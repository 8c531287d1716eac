"""Weight files as libraries write them: none of them may be flagged."""

from __future__ import annotations

import argparse
import collections
import datetime
import gzip
import io
import pathlib
import pickle
import tarfile
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np
import torch
from safetensors.torch import save

TENSORS = {
    "w": torch.ones(10, 10),
    "b": torch.zeros(3, dtype=torch.bfloat16),
    "i": torch.arange(300),
    "u": torch.full((700,), 0x80, dtype=torch.uint8),
}
MIXED = {
    "int": 1, "float": 1.5, "set": {1, 2}, "frozen": frozenset([1]), "complex": 1j, "bytes": b"xx",
    "mutable": bytearray(b"abc"), "empty": b"", "date": datetime.datetime(2026, 1, 1),
    "delta": datetime.timedelta(1), "zone": datetime.UTC, "uuid": uuid.UUID(int=5),
    "default": collections.defaultdict(list, a=[1]), "count": collections.Counter("ab"),
    "deque": collections.deque([1]), "scalar": np.float32(1), "array": np.arange(3),
    "slice": slice(1, 2), "big": 2**500, "none": None, "text": "é", "o": object(),
    "args": argparse.Namespace(lr=1e-3, out=pathlib.PurePosixPath("a")),
}  # fmt: skip


class Pipe(io.RawIOBase):
    """A target in which a zip's writer cannot go back: it puts sizes behind the data."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += data
        return len(data)


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    out = io.BytesIO()
    write(out)
    return out.getvalue()


def torches() -> dict[str, bytes]:
    linear = torch.nn.Linear(3, 3)
    args = {"model": TENSORS, "args": MIXED["args"], "device": torch.device("cpu"), "epoch": 3}
    made: dict[str, Any] = {
        "weights.pt": TENSORS,
        "ordered.pth": collections.OrderedDict(TENSORS),
        "state.pt": linear.state_dict(),
        "parameter.pt": {"p": torch.nn.Parameter(torch.ones(2))},
        "checkpoint.ckpt": {**args, "dtype": torch.float16, "size": torch.Size([1, 2])},
        "optimizer.pt": torch.optim.Adam(linear.parameters()).state_dict(),
        "scalar.pt": torch.tensor(3.0),
        "numbers.pt": [1, 2, 3],
    }
    files = {name: written(lambda out, m=made: torch.save(m, out)) for name, made in made.items()}  # type: ignore[misc]
    files["pytorch_model.bin"] = written(
        lambda out: torch.save(TENSORS, out, _use_new_zipfile_serialization=False)
    )
    return files


def joblibs() -> dict[str, bytes]:
    made = {"a": np.arange(100.0), "b": [np.zeros((3, 3)), "x"], "c": np.array(["ab", "c"])}
    files = {
        f"{how}.joblib": written(lambda out, how=how: joblib.dump(made, out, compress=(how, 3)))  # type: ignore[misc]
        for how in ("zlib", "gzip", "bz2", "lzma", "xz")
    }
    files["plain.joblib"] = written(lambda out: joblib.dump(made, out))
    files["old.pkl"] = written(lambda out: joblib.dump(made, out, protocol=2))
    return files


def arrays() -> dict[str, bytes]:
    objects = np.array([{}, 1, "a"], dtype=object)
    fields = np.zeros(3, dtype=[("a", "<f4"), ("b", "U5", (2,))])
    return {
        "numbers.npy": written(lambda out: np.save(out, np.arange(10.0))),
        "scalar.npy": written(lambda out: np.save(out, np.float64(1))),
        "objects.npy": written(lambda out: np.save(out, objects, allow_pickle=True)),
        "fields.npy": written(lambda out: np.save(out, fields)),
        "two.npz": written(lambda out: np.savez(out, a=np.ones(3), b=np.arange(4))),
        "packed.npz": written(lambda out: np.savez_compressed(out, a=np.ones(3000))),
    }


def archives() -> dict[str, bytes]:
    weights = torches()["weights.pt"]

    def tar(out: io.BytesIO, fmt: int, mode: str) -> None:
        files = {"./config.yaml": b"a: 1\n", f"./{'x' * 150}.txt": b"hi", "./w.ckpt": weights}
        with tarfile.open(fileobj=out, mode=mode, format=fmt) as archive:  # type: ignore[call-overload]
            folder = tarfile.TarInfo("./")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))

    def packed(out: io.BytesIO) -> None:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", "x" * 1000)
            archive.writestr("m/", "")
            archive.writestr("m/model.pkl", pickle.dumps(MIXED))

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a.txt", "hello")
    return {
        "pax.nemo": written(lambda out: tar(out, tarfile.PAX_FORMAT, "w")),
        "gnu.tar": written(lambda out: tar(out, tarfile.GNU_FORMAT, "w")),
        "packed.nemo": written(lambda out: tar(out, tarfile.PAX_FORMAT, "w:gz")),
        "model.mar": written(packed),
        "piped.zip": bytes(pipe.data),
        "empty.zip": written(lambda out: zipfile.ZipFile(out, "w").close()),
    }


def others() -> dict[str, bytes]:
    return {
        "model.safetensors": save(TENSORS),
        "array.pkl.gz": gzip.compress(pickle.dumps(np.arange(9))),
        "README.md": b"N.B. this is a model\ncool\n",
        "notes.txt": b"config\nfoo\nbar\n",
        "digits.txt": b"0000000\n",
        "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "spiece.model": b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02" * 10,
        "raw": b"\x80\x02\x00\x00" * 50,
        "zeros": bytes(5000),
        "empty.bin": b"",
    }


def corpus() -> dict[str, bytes]:
    """Every harmless file by its name."""
    mixed = {f"mixed-{p}.pkl": pickle.dumps(MIXED, p) for p in range(6)}
    return mixed | torches() | joblibs() | arrays() | archives() | others()
