"""What a file may cost: counts that are bounded before anything is made of them."""

from __future__ import annotations

import pickle
import struct

import pytest

from security.scan.codekeys import LIBRARIES, MOST, named
from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.plainjson import load
from security.scan.source import of_bytes
from security.scan.values import Judgement, Limits
from tests.security.scan.hostile import zipped
from tests.security.scan.test_dryrun import LAUGHED


def safetensors(header: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header


def gguf(kind: int, count: int, item: bytes) -> bytes:
    head = b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<IIQ", 9, kind, count)
    return head + item * count


COSTLY = {
    "config.json": b'{"a":[' + b"{}," * 700_000 + b"{}]}",
    "tokenizer.json": b'{"a":[' + b"{}," * 1_600_000 + b"{}]}",
    "tensors.safetensors": safetensors(b'{"a":[' + b"{}," * 400_000 + b"{}]}"),
    "texts.gguf": gguf(8, 1_600_000, struct.pack("<Q", 1) + b"x"),
    "lists.gguf": gguf(9, 1_600_000, struct.pack("<IQ", 0, 0)),
    "fields.onnx": b"\x08\x07\x12\x00" + b"\x70\x01" * 700_000,
}


@pytest.mark.parametrize("name", COSTLY)
def test_more_parts_than_any_real_file_has_are_a_limit(name: str, booth: Booth) -> None:
    found = scan_file(of_bytes(name, COSTLY[name]), booth=booth)
    assert found.judgement is Judgement.UNDECIDED
    assert any("more than" in t.what or "too many" in t.what for t in found.threats)


def test_a_vocabulary_may_have_more_parts(booth: Booth) -> None:
    data = b'{"model":{"merges":[' + b'["a","b"],' * 300_000 + b'["a","b"]]}}'
    assert scan_file(of_bytes("tokenizer.json", data), booth=booth).threats == ()
    assert scan_file(of_bytes("other.json", data), booth=booth).threats


def test_so_many_claims_are_told_and_no_more() -> None:
    found = load(b"[" + b",".join(b'{"auto_map":%d}' % i for i in range(1, 5_000)) + b"]")
    assert len(named(found, "config.json", LIBRARIES)) == MOST


def test_bombs_in_one_file_are_not_each_given_their_time(booth: Booth) -> None:
    packed = zipped({f"{i}.pkl": LAUGHED for i in range(40)})
    found = scan_file(of_bytes("x.zip", packed), Limits(seconds=6), booth)
    told = [threat.what for threat in found.threats]
    ended = sum("than a dry run may take" in what for what in told)
    assert (ended, "altogether" in told[-1]) == (2, True)


def test_many_pickles_in_one_file_are_bounded(booth: Booth) -> None:
    packed = zipped({f"{i}.pkl": pickle.dumps({}) for i in range(60)})
    assert scan_file(of_bytes("x.zip", packed), booth=booth).threats == ()
    (first, *_) = scan_file(of_bytes("x.zip", packed), Limits(seconds=0.2), booth).threats
    assert "altogether" in first.what
