"""ONNX: where tensors lie, and which operators need more than an ONNX runtime.

Source: `onnx.proto3` (IR version 11). The file is walked field by field; tensors are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from security.errors import TooLarge
from security.scan.cursor import HINT
from security.scan.paths import leaves
from security.scan.protobuf import BYTES, VARINT, Field, Wire
from security.scan.source import Source
from security.scan.values import Report

MAX_DEPTH = 24  # graphs in graphs
# Domains whose operators ship with the runtime itself.
STANDARD = frozenset(
    {"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "com.microsoft"}
    | {"ai.onnx.preview.training", "com.microsoft.nchwc", "com.ms.internal.nhwc"}
)
# Operators that hand over to Python, or to a blob made for one vendor's driver.
PYTHON = frozenset({"PyOp", "PythonOp", "PythonOpGrad", "PyCustomOp", "PyFunc", "PyFuncStateless"})
VENDOR = frozenset({"EPContext", "ATen", "ATenOp", "ExternalFunctionOp", "Snpe"})
# Bits of one value by TensorProto.DataType, for those kept as raw bytes; strings never are.
BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64,
    15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8,
    25: 2, 26: 2,
}  # fmt: skip


@dataclass(slots=True)
class _Model:
    """What was met: operators of foreign domains with their places, and functions defined."""

    wire: Wire
    report: Report
    used: dict[tuple[str, str], int] = field(default_factory=dict)
    defined: set[tuple[str, str]] = field(default_factory=set)
    graphs: int = 0


def read(source: Source, report: Report) -> None:
    """Walk the model. Raises Malformed."""
    model = _Model(Wire(source), report)
    for found in model.wire.fields(0, source.size):
        if found.wire != BYTES:
            continue
        if found.number == 7:
            _graph(model, found, 0)
        elif found.number == 20:  # training: field 1 and 2 are graphs
            for inner in model.wire.fields(found.start, found.end):
                if inner.wire == BYTES and inner.number in (1, 2):
                    _graph(model, inner, 0)
        elif found.number == 25:
            _function(model, found)
    if not model.graphs:
        report.doubt("broken", "holds no graph: no ONNX model")
    for (domain, name), at in model.used.items():
        if (domain, name) not in model.defined:
            report.doubt("onnx-code", f"the operator {domain:.60}::{name:.60} needs a library", at)


def _graph(model: _Model, found: Field, depth: int) -> None:
    model.graphs += 1
    if depth > MAX_DEPTH:
        raise TooLarge(f"{model.wire.source.name}: graphs nested deeper than {MAX_DEPTH}", HINT)
    for inner in model.wire.fields(found.start, found.end):
        if inner.wire != BYTES:
            continue
        if inner.number == 1:
            _node(model, inner, depth)
        elif inner.number == 5:
            _tensor(model, inner)
        elif inner.number == 15:
            _sparse(model, inner)


def _function(model: _Model, found: Field) -> None:
    name = domain = ""
    for inner in model.wire.fields(found.start, found.end):
        if inner.wire != BYTES:
            continue
        if inner.number == 1:
            name = model.wire.text(inner)
        elif inner.number == 10:
            domain = model.wire.text(inner)
        elif inner.number == 7:
            _node(model, inner, 0)
        elif inner.number == 11:
            _attribute(model, inner, 0)
    model.defined.add((domain, name))


def _node(model: _Model, found: Field, depth: int) -> None:
    names, domains = [], []
    for inner in model.wire.fields(found.start, found.end):
        if inner.wire != BYTES:
            continue
        if inner.number == 4:
            names.append(model.wire.text(inner))
        elif inner.number == 7:
            domains.append(model.wire.text(inner))
        elif inner.number == 5:
            _attribute(model, inner, depth)
    for name in names:  # of a field given twice readers take the last; here each is judged
        for domain in domains or [""]:
            _operator(model, domain, name, found.start)


def _operator(model: _Model, domain: str, name: str, at: int) -> None:
    if name in PYTHON:
        model.report.threat("onnx-code", f"the operator {domain:.60}::{name} runs Python", at)
    elif name in VENDOR:
        model.report.doubt("onnx-code", f"the operator {domain:.60}::{name} runs foreign code", at)
    elif domain not in STANDARD:
        model.used.setdefault((domain, name), at)
        if len(model.used) > 10_000:
            raise TooLarge(f"{model.wire.source.name}: too many foreign operators", HINT)


def _attribute(model: _Model, found: Field, depth: int) -> None:
    for inner in model.wire.fields(found.start, found.end):
        if inner.wire != BYTES:
            continue
        if inner.number in (6, 11):
            _graph(model, inner, depth + 1)
        elif inner.number in (5, 10):
            _tensor(model, inner)
        elif inner.number in (22, 23):
            _sparse(model, inner)


def _sparse(model: _Model, found: Field) -> None:
    for inner in model.wire.fields(found.start, found.end):
        if inner.wire == BYTES and inner.number in (1, 2):
            _tensor(model, inner)


def _tensor(model: _Model, found: Field) -> None:
    dims: list[int] = []
    kind, raw, external = 0, -1, False
    entries: list[tuple[str, str]] = []
    for inner in model.wire.fields(found.start, found.end):
        if inner.number == 1:
            dims.extend(model.wire.numbers(inner))
        elif inner.number == 2 and inner.wire == VARINT:
            kind = inner.value
        elif inner.number == 9 and inner.wire == BYTES:
            raw = inner.end - inner.start
        elif inner.number == 13 and inner.wire == BYTES:
            entries.append(_entry(model, inner))
        elif inner.number == 14 and inner.wire == VARINT:
            external = external or inner.value == 1
    _external(model, entries, external, found.start)
    _size(model, dims, kind, raw, found.start)


def _entry(model: _Model, found: Field) -> tuple[str, str]:
    key = value = ""
    for inner in model.wire.fields(found.start, found.end):
        if inner.wire == BYTES and inner.number == 1:
            key = model.wire.text(inner)
        elif inner.wire == BYTES and inner.number == 2:
            value = model.wire.text(inner)
    return key, value


def _external(model: _Model, entries: list[tuple[str, str]], external: bool, at: int) -> None:
    locations = [value for key, value in entries if key == "location"]
    if external and not locations:
        model.report.doubt("broken", "external data without a location", at)
    for value in locations:
        if value.startswith("*/"):  # a runtime's own mark for an address in its memory
            model.report.threat("outside", f"external data at a memory address: {value!r:.80}", at)
        elif why := leaves(value):
            model.report.threat("outside", f"external data {value!r:.80} {why}", at)
    for key, value in entries:
        if key in ("offset", "length") and not (value.isascii() and value.isdigit()):
            model.report.doubt("broken", f"external data with {key} {value!r:.40}", at)


def _size(model: _Model, dims: list[int], kind: int, raw: int, at: int) -> None:
    total = 1
    for length in dims:
        total *= length
    if total >= 1 << 63:
        model.report.doubt("broken", "a tensor whose shape overflows", at)
    elif raw >= 0 and kind not in BITS:
        model.report.doubt("broken", f"a tensor of unknown type {kind}", at)
    elif raw >= 0 and (total * BITS[kind] + 7) // 8 != raw:
        model.report.doubt("broken", f"a tensor of {raw:,} bytes that its shape denies", at)
