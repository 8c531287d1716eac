"""GGUF: header, metadata and tensor table, checked against the file's size before use.

Source: the GGUF specification of the ggml library, versions 1 to 3; `ggml.h` for block sizes.
What breaks loaders is counts, lengths and offsets that are believed; what turns a model against
its user is the template among the metadata.
"""

from __future__ import annotations

from dataclasses import dataclass

from security.errors import TooLarge
from security.scan.cursor import HINT, Cursor
from security.scan.ggml import BLOCKS
from security.scan.jinja import judge
from security.scan.source import Source
from security.scan.unseen import unseen
from security.scan.values import Report

MAGIC = b"GGUF"
MAX_KEY, MAX_NAME = 65_535, 64  # bytes; the specification's bounds
MAX_PAIRS, MAX_TENSORS = 65_536, 1 << 17
MAX_ITEMS = 1_500_000  # texts and lists in lists; the largest vocabularies have some 900 thousand
MAX_TEXT = 8 << 20  # bytes of one string
MAX_DIMENSIONS = 4
MAX_DEPTH = 3  # arrays in arrays
METADATA = 512 << 20  # bytes of header altogether
_STRING, _ARRAY, _BOOL = 8, 9, 7
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_LEAST = {8: 8, 9: 12}  # bytes an element needs at least
_SPOKEN = ("general.description", "general.name", "tokenizer.ggml.system_prompt")


@dataclass(frozen=True, slots=True)
class Range:
    """Where the bytes of one tensor lie, from the start of the data."""

    start: int
    end: int
    name: str


class _Header(Cursor):
    """The header; version 1 has 4-byte lengths, later ones 8."""

    wide = 8
    items = MAX_ITEMS  # that may still be read

    def count(self) -> int:
        return self.number(self.wide)

    def text(self, limit: int, what: str) -> bytes:
        length = self.count()
        if length > limit:
            raise TooLarge(f"a {what} of {length:,} bytes at byte {self.at:,}", HINT)
        return self.take(length)


def read(source: Source, report: Report) -> None:
    """Check the structure and judge every template. Raises Malformed."""
    header = _Header(source, 0, source.size, budget=METADATA)
    if header.take(4) != MAGIC:
        raise header.broken("no GGUF file")
    version = header.number(4)
    if version not in (1, 2, 3):
        # A version that only makes sense the other way round: the machine wrote big-endian.
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
        header.big = True
    if version not in (1, 2, 3) or (header.big and version < 3):
        raise header.broken("a version of GGUF that is not known")
    if version == 1:
        header.wide = 4
    tensors, pairs = header.count(), header.count()
    if pairs > MAX_PAIRS or tensors > MAX_TENSORS:
        raise TooLarge(f"{source.name}: {tensors:,} tensors, {pairs:,} pairs of metadata", HINT)
    if pairs * (header.wide + 5) + tensors * (header.wide + 16) > source.size:
        raise header.broken(f"{tensors:,} tensors and {pairs:,} pairs in {source.size:,} bytes")
    alignment = _metadata(header, pairs, report)
    _tensors(header, tensors, alignment, report)


def _metadata(header: _Header, pairs: int, report: Report) -> int:
    alignment = 32
    seen: set[bytes] = set()
    for _ in range(pairs):
        at = header.at
        key = header.text(MAX_KEY, "metadata key")
        if not key or not key.isascii() or key in seen:
            word = "duplicate" if key in seen else "malformed"
            raise header.broken(f"{word} metadata key {key[:60]!r} at byte {at:,}")
        seen.add(key)
        kind = header.number(4)
        name = key.decode("ascii")
        if kind == _STRING:
            _string(header, name, report)
        elif name == "general.alignment":
            alignment = header.number(4) if kind == 4 else 0
            if alignment < 8 or alignment % 8 or alignment > 1 << 20:
                raise header.broken(f"an alignment that is no multiple of 8 at byte {at:,}")
        elif kind == _ARRAY:
            _array(header, name, report, 1)
        elif kind in _SIZES:
            _scalar(header, kind)
        else:
            raise header.broken(f"metadata of unknown type {kind} at byte {at:,}")
        if "chat_template" in name and kind not in (_STRING, _ARRAY):
            report.doubt("broken", f"{name} is no text", at)
    return alignment


def _scalar(header: _Header, kind: int) -> None:
    value = header.take(_SIZES[kind])
    if kind == _BOOL and value not in (b"\0", b"\1"):
        raise header.broken(f"a truth value of {value[0]} at byte {header.at - 1:,}")


def _string(header: _Header, name: str, report: Report) -> None:
    data = header.text(MAX_TEXT, f"text {name}")
    at = header.at - len(data)
    if "chat_template" in name:
        _template(data, name, at, report)
    elif name in _SPOKEN:
        for _, what in unseen(data.decode("utf-8", "replace")):
            report.threat("hidden-text", f"{name} has {what}", at)


def _template(data: bytes, name: str, at: int, report: Report) -> None:
    try:
        judge(data.decode("utf-8"), report, label=name, at=at)
    except UnicodeDecodeError:
        report.doubt("broken", f"{name} is not UTF-8", at)


def _array(header: _Header, name: str, report: Report, depth: int) -> None:
    at = header.at
    kind, count = header.number(4), header.count()
    least = _SIZES.get(kind, _LEAST.get(kind, 0))
    if not least or depth > MAX_DEPTH:
        raise header.broken(f"{name}: an array of unknown type {kind} at byte {at:,}")
    if count * least > header.end - header.at:
        raise header.broken(f"{name}: an array of {count:,} at byte {at:,}, beyond the file")
    if kind in _SIZES:
        header.skip(count * least)
        return
    header.items -= count
    if header.items < 0:
        raise TooLarge(f"{name}: too many items, {count:,} at byte {at:,}", HINT)
    for _ in range(count):
        if kind == _ARRAY:
            _array(header, name, report, depth + 1)
        elif "chat_template" in name:
            _string(header, name, report)
        else:
            header.text(MAX_TEXT, f"text in {name}")


def _tensors(header: _Header, count: int, alignment: int, report: Report) -> None:
    names: set[bytes] = set()
    ranges: list[Range] = []
    for _ in range(count):
        at = header.at
        raw = header.text(MAX_NAME, "tensor name")
        if not raw or raw in names:
            raise header.broken(f"duplicate or empty tensor name {raw!r} at byte {at:,}")
        names.add(raw)
        ranges.append(_tensor(header, raw.decode("utf-8", "replace"), at))
    if not ranges:
        if header.end - header.at >= alignment:
            _tail(header, header.at, report)
        return
    header.align(alignment)
    _check(header, ranges, alignment, report)


def _tensor(header: _Header, name: str, at: int) -> Range:
    dimensions = header.number(4)
    if not 0 <= dimensions <= MAX_DIMENSIONS:
        raise header.broken(f"tensor {name!r:.80} of {dimensions:,} dimensions at byte {at:,}")
    shape = [header.count() for _ in range(dimensions)]
    kind, offset = header.number(4), header.number(8)
    if kind not in BLOCKS:
        raise header.broken(f"tensor {name!r:.80} of unknown type {kind} at byte {at:,}")
    values, size = BLOCKS[kind]
    total = 1
    for length in shape:
        total *= length
        if total >= 1 << 63:
            raise header.broken(f"tensor {name!r:.80} has a shape that overflows, byte {at:,}")
    if (shape[0] if shape else 1) % values:
        raise header.broken(f"tensor {name!r:.80} does not fill whole blocks, byte {at:,}")
    return Range(offset, offset + total // values * size, name)


def _check(header: _Header, ranges: list[Range], alignment: int, report: Report) -> None:
    data = header.end - header.at
    last = 0
    for tensor in sorted(ranges, key=lambda r: (r.start, r.end)):
        if tensor.start % alignment:
            raise header.broken(f"tensor {tensor.name!r:.80} is not aligned to {alignment}")
        if tensor.end > data:
            raise header.broken(f"tensor {tensor.name!r:.80} reaches beyond the file")
        if tensor.start < last:
            raise header.broken(f"tensor {tensor.name!r:.80} overlaps the one before")
        if tensor.start - last >= alignment:
            report.doubt("broken", f"{tensor.start - last:,} bytes before {tensor.name!r:.80}")
        last = tensor.end
    if data - last >= alignment:
        _tail(header, header.at + last, report)


def _tail(header: _Header, at: int, report: Report) -> None:
    report.doubt("broken", f"{header.end - at:,} bytes belong to no tensor", at)
