import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from security.errors import InvalidSafetensors
from security.scan import tensors
from tests.security.scan.recorder import Recorder, scan, told

VECTORS = Path(__file__).parents[2] / "vectors" / "safetensors"


def build(header: object, data: int = 0) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(data)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"format": "pt"},
        {"note": "{not JSON"},
        {"config": json.dumps({"hidden_size": 4, "architectures": ["LlamaForCausalLM"]})},
        {"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"},
    ],
)
def test_what_the_library_writes_has_no_findings(metadata: dict[str, str]) -> None:
    data = save({"a": np.zeros((2, 3), np.float32)}, metadata=metadata)
    assert scan(tensors.read, data) == []


@pytest.mark.parametrize(
    ("metadata", "rule"),
    [
        ({"chat_template": "{{ x.__class__ }}"}, ("template", True)),
        ({"prompt": "{% include 'x' %}"}, ("template", True)),
        ({"chat_template": "{% for"}, ("broken", False)),
        ({"description": "kind\u202eness"}, ("hidden-text", True)),
        ({"config": json.dumps({"auto_map": {"AutoModel": "m.M"}})}, ("config-code", True)),
        ({"config": '{"a": [{"trust_remote_code": true}]}'}, ("config-code", True)),
        ({"modelspec": '[{"_target_": "os.system"}]'}, ("config-code", True)),
    ],
)
def test_metadata_are_judged(metadata: dict[str, str], rule: tuple[str, bool]) -> None:
    data = save({"a": np.zeros(2, np.int8)}, metadata=metadata)
    found = scan(tensors.read, data)
    assert told(found) == [rule]
    assert found[0].offset == 8


@pytest.mark.parametrize("path", sorted(VECTORS.glob("bad/*")), ids=lambda p: p.stem)
def test_header_attacks_are_refused(path: Path) -> None:
    with pytest.raises(InvalidSafetensors):
        scan(tensors.read, path.read_bytes(), path.name)


def test_a_header_beyond_the_limit_is_not_read() -> None:
    report = Recorder()
    size = report.limits.text + 1
    data = struct.pack("<Q", size) + b"{" + b" " * size
    assert told(scan(tensors.read, data)) == [("limit", False)]


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=3))
def test_any_metadata_are_judged(metadata: dict[str, str]) -> None:
    scan(tensors.read, build({"__metadata__": metadata}))


@given(st.binary(max_size=120).map(lambda b: build(b"{" + b)))
def test_any_header_is_read_or_refused(data: bytes) -> None:
    try:
        scan(tensors.read, data)
    except InvalidSafetensors:
        return
