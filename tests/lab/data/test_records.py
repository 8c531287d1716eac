from __future__ import annotations

import gzip
import io
import json
import sys

import pytest

from lab.data.records import Limits, Record, kind_of, read
from lab.errors import DataError, NoReader, TooMuchData

SMALL = Limits(size=20_000, records=50, line=5_000)


def records(
    name: str, data: bytes | str, fields: tuple[str, ...] = (), limits: Limits = SMALL
) -> list[Record]:
    content = data.encode() if isinstance(data, str) else data
    return list(read(name, io.BytesIO(content), fields, limits))


CHAT = '{"id": "7", "messages": [{"role": "user", "content": "Hi"}, {"content": "Ho"}]}\n'


@pytest.mark.parametrize(
    ("name", "data", "fields", "expected"),
    [
        ("a.jsonl", '\ufeff{"text": "x", "n": 3}\n\n{"t": ["y", {"z": "w"}]}', (),
         [(1, ("x",)), (3, ("y", "w"))]),
        ("a.jsonl", CHAT, (), [(1, ("7", "user", "Hi", "Ho"))]),
        ("a.jsonl", CHAT, ("content",), [(1, ("Hi", "Ho"))]),
        ("a.ndjson", '{"x": NaN, "text": "x"}\n"y"', (), [(1, ("x",)), (2, ("y",))]),
        ("a.json", '[{"text": "x"}, {"text": "y"}]', (), [(1, ("x",)), (1, ("y",))]),
        ("a.json", '{"version": "1", "data": [{"text": "x"}]}', (), [(1, ("x",))]),
        ("a.json", '{"text": "x"}', (), [(1, ("x",))]),
        ("a.csv", 'text,label\n"a\nb",1\nc,2\n', (),
         [(1, ("text", "label")), (2, ("a\nb", "1")), (4, ("c", "2"))]),
        ("a.csv", "text,label\nx,1\nshort\n", ("label",), [(2, ("1",))]),
        ("a.tsv", "x\ty\n", (), [(1, ("x", "y"))]),
        ("a.txt", "", (), []),
        ("a.jsonl", "", (), []),
        ("a.csv", "", (), []),
    ],
)  # fmt: skip
def test_texts_of_records(
    name: str, data: str, fields: tuple[str, ...], expected: list[tuple[int, tuple[str, ...]]]
) -> None:
    found = records(name, data, fields)
    assert [(r.line, r.texts) for r in found if r.texts] == expected
    assert not any(r.trouble for r in found)
    packed = records(name + ".gz", gzip.compress(data.encode(), mtime=0), fields)
    assert packed == found


def test_prose_is_cut_between_words_and_keeps_its_lines() -> None:
    lines = [f"line number {n} of a long text-\n" for n in range(40_000)]
    found = records("a.md", "".join(lines), limits=Limits())
    assert len(found) > 3
    assert "".join(r.texts[0] for r in found) == "".join(lines)
    for record in found[1:]:
        before = "".join(r.texts[0] for r in found[: found.index(record)])
        assert record.line == before.count("\n") + 1


def test_utf_16_prose_is_read() -> None:
    assert records("a.txt", "häns".encode("utf-16"))[0].texts == ("häns",)


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        (b"{", "not JSON"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'{"text": "x"', "not JSON"),
        (b"[" * 4_000, "nested too deeply"),
        (b"[" * 80 + b"]" * 80, "nested deeper"),
        (b'{"n": ' + b"9" * 4_990 + b"}", "number too long"),
        (b'"' + b"x" * 15_000 + b'"', "more than 5,000 bytes"),
        ('{"text": "x"}'.encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_bad_line_says_so_and_hides_no_other(line: bytes, trouble: str) -> None:
    first, bad, last = records("a.jsonl", b'"x"\n' + line.replace(b"\n", b"") + b'\n"y"\n')
    assert (first.texts, last.texts) == (("x",), ("y",))
    assert bad.line == 2
    assert trouble in bad.trouble
    assert last.line == 3


@pytest.mark.parametrize(
    ("name", "data", "kind", "message"),
    [
        ("a.json", b"{", DataError, "not JSON"),
        ("a.json", b"", DataError, "not JSON"),
        ("a.json", b"[" * 15_000, DataError, "nested too deeply"),
        ("a.csv", b'x,"never closed\n' * 3 + b'"', DataError, "not CSV"),
        ("a.csv", b"\xff\xfe", DataError, "not UTF-8"),
        ("a.txt", b"fine \xff\n", DataError, "not UTF-8"),
        ("a.txt", b"fine \0", DataError, "NUL"),
        ("a.txt", b"\xff\xfea", DataError, "not UTF-16"),
        ("a.txt.gz", b"no gzip", DataError, "gzip"),
        ("a.txt.gz", gzip.compress(b"whole text", mtime=0)[:-6], DataError, "gzip"),
        ("a.txt.gz", gzip.compress(b"0" * 10_000_000, mtime=0), TooMuchData, "20,000 bytes"),
        ("a.jsonl.gz", gzip.compress(b"0" * 10_000_000, mtime=0), TooMuchData, "20,000 bytes"),
        ("a.jsonl", b"1\n" * 60, TooMuchData, "50 records"),
        ("a.txt", b"word " * 5_000, TooMuchData, "20,000 bytes"),
        ("a.parquet", b"PAR1 but not", DataError, "parquet"),
        ("a.bin", b"", DataError, "kind"),
    ],
)
def test_what_cannot_be_read_is_said(
    name: str, data: bytes, kind: type[DataError], message: str
) -> None:
    if "parquet" in name:
        pytest.importorskip("pyarrow")
    with pytest.raises(kind, match=message) as caught:
        records(name, data)
    assert caught.value.hint


def test_an_unclosed_quote_ends_at_a_bound() -> None:
    data = 'x,"' + "y " * 6_000_000
    with pytest.raises(DataError, match="not CSV"):
        records("a.csv", data, limits=Limits())


def test_parquet() -> None:
    arrow = pytest.importorskip("pyarrow")
    library = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"text": ["x", "y"], "n": [1, 2], "turns": [["a"], ["b", "c"]]})
    target = io.BytesIO()
    library.write_table(table, target)
    data = target.getvalue()
    assert [(r.line, r.texts) for r in records("a.parquet", data)] == [
        (1, ("x", "a")),
        (2, ("y", "b", "c")),
    ]
    assert records("a.parquet", data, ("text",))[0].texts == ("x",)
    with pytest.raises(TooMuchData, match="1 rows"):
        records("a.parquet", data, limits=Limits(records=1))
    bomb = io.BytesIO()
    library.write_table(arrow.table({"text": ["x" * 1_000_000]}), bomb, compression="gzip")
    assert len(bomb.getvalue()) < SMALL.size
    with pytest.raises(TooMuchData, match="unpacked"):
        records("a.parquet", bomb.getvalue())


def test_parquet_without_pyarrow_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NoReader, match="pyarrow"):
        records("a.parquet", b"")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("a/B.JSONL.GZ", "jsonl"), ("x.csv", "csv"), ("x.py", ""), ("jsonl", ""), ("x.gz", "")],
)
def test_kinds_go_by_name(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_many_tiny_records_are_cheap() -> None:
    data = "\n".join(json.dumps({"t": str(n)}) for n in range(50_000))
    assert len(records("a.jsonl", data, limits=Limits())) == 50_000
