"""Where the tensors of a model lie: the headers of its files, and no number yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from security.errors import InvalidSafetensors
from security.safetensors import Tensor, header_length, read_header
from security.scan.source import Source

HEADERS = 50_000_000  # bytes of the headers of one model: room for 300,000 tensors
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """One tensor and its bytes: `size` of them from `start` of its file on."""

    tensor: Tensor
    file: Source
    start: int

    @property
    def size(self) -> int:
        """Bytes of the tensor."""
        return self.tensor.end - self.tensor.start

    @property
    def form(self) -> str:
        """Dtype and shape as text."""
        return f"{self.tensor.dtype} {list(self.tensor.shape)}"

    def read(self, at: int, count: int) -> bytes:
        """Return bytes of the tensor; fewer than asked for only at its end."""
        data = self.file.read(self.start + at, min(count, self.size - at))
        if len(data) != min(count, self.size - at):
            raise InvalidSafetensors(f"{self.file.name} ended early", "fetch the file again")
        return data


def layout(files: Iterable[Source]) -> dict[str, Place]:
    """Return the tensors of a model's files by name. Raises InvalidSafetensors."""
    found: dict[str, Place] = {}
    left = HEADERS
    for file in files:
        length = header_length(file.read(0, 8), file.size)
        left -= length
        if left < 0:
            raise InvalidSafetensors(
                f"{file.name}: the model's headers have more than {HEADERS:,} bytes",
                "split the model into several",
            )
        header = read_header(file.read(0, 8 + length), file.size)
        for tensor in header.tensors:
            if tensor.name in found:
                raise InvalidSafetensors(
                    f"tensor {tensor.name!r:.80} is in {found[tensor.name].file.name} and in"
                    f" {file.name}",
                    "save the model again, each tensor once",
                )
            found[tensor.name] = Place(tensor, file, 8 + length + tensor.start)
    return found


def chunks(place: Place) -> Iterator[bytes]:
    """Yield the bytes of a tensor."""
    for at in range(0, place.size, CHUNK):
        yield place.read(at, CHUNK)


def equal(left: Place, right: Place) -> bool:
    """Whether two tensors have one dtype, one shape and the same bytes; ends where they part."""
    if left.tensor.dtype != right.tensor.dtype or left.tensor.shape != right.tensor.shape:
        return False
    return all(a == b for a, b in zip(chunks(left), chunks(right), strict=True))
