"""Reading OSV documents: what counts, what is refused, and that nothing makes it break."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.advisories import osv
from registry.advisories.errors import AdvisoryError
from registry.advisories.severity import of_vector, of_word, worst
from registry.advisories.values import Span
from registry.advisories.versions import spans_of
from tests.advisorydata import osv as document


def read(value: Any, **how: bool) -> Any:
    return osv.read(json.dumps(value).encode(), **how)


@pytest.mark.parametrize(
    ("events", "spans", "bound"),
    [
        ([], (), ""),
        ([("introduced", "0")], (Span("0"),), ""),
        ([("introduced", "0"), ("fixed", "1.5")], (Span("0", "1.5"),), ""),
        ([("fixed", "1.5"), ("introduced", "0")], (Span("0", "1.5"),), ""),
        ([("introduced", "1"), ("last_affected", "2")], (Span("1", last="2"),), ""),
        ([("introduced", "0"), ("last_affected", "2"), ("last_affected", "3")],
         (Span("0", last="2"),), ""),
        ([("introduced", "0"), ("fixed", "1"), ("introduced", "2"), ("fixed", "2.1")],
         (Span("0", "1"), Span("2", "2.1")), ""),
        ([("introduced", "10"), ("introduced", "9"), ("fixed", "11")], (Span("9", "11"),), ""),
        ([("fixed", "1")], (), ""),
        # PEP 440 refuses one of them: there is no order, and nothing is clear up to its number
        ([("introduced", "0"), ("last_affected", "2.6.0-NA")], (), "2.6.0"),
        ([("introduced", "0"), ("fixed", "0.2.0-n653"), ("fixed", "0.1")], (), "0.2.0"),
        ([("introduced", "0"), ("last_affected", "bulbasaur")], (), "*"),
        ([("introduced", "ivysaur")], (), "*"),
    ],
)  # fmt: skip
def test_spans(events: list[tuple[str, str]], spans: tuple[Span, ...], bound: str) -> None:
    assert spans_of(events) == (spans, bound)


def test_what_is_read() -> None:
    found = read(
        document(
            "GHSA-1", "Some_Odd.Name", ("1.0.0", "1.0", "0.1-bulbasaur"),
            (("introduced", "2"), ("fixed", "3")), aliases=["CVE-1 ", "no word", "GHSA-1", "CVE-1"],
            summary=" Bad\n\x1b[31mthing ", severity=[{"type": "CVSS_V2", "score":
            "AV:N/AC:L/Au:N/C:C/I:C/A:C"}],
        )
    )  # fmt: skip
    assert (found.id, found.aliases, found.malware) == ("GHSA-1", ("CVE-1",), False)
    assert (found.summary, found.severity) == ("Bad ?[31mthing", "critical")
    affected = found.affected[0]
    assert affected.name == "some-odd-name"
    assert affected.versions == ("1", "0.1-bulbasaur")
    assert affected.spans == (Span("2", "3"),)


@pytest.mark.parametrize(
    "change",
    [
        {"withdrawn": "2026-01-01T00:00:00Z"},
        {"affected": []},
        {"affected": [{"package": {"ecosystem": "npm", "name": "x"}, "versions": ["1"]}]},
        {"affected": [{"ranges": [{"type": "GIT", "events": []}]}]},
    ],
)
def test_what_says_nothing_of_packages_here(change: dict[str, Any]) -> None:
    assert read(document("X-1", versions=("1",)) | change) is None


def test_commits_do_not_count() -> None:
    value = document("X-1")
    value["affected"][0]["ranges"] = [{"type": "GIT", "events": [{"introduced": "0"}]}]
    assert read(value).affected[0].spans == ()


def test_malware_by_id_alias_or_weakness_and_without_versions_all_of_it() -> None:
    assert read(document("MAL-1")).affected[0].spans == (Span("0"),)
    assert read(document("GHSA-1", versions=("1",), aliases=["MAL-1"])).malware
    assert read(document("GHSA-1", database_specific={"cwe_ids": ["CWE-506"]})).malware
    assert not read(document("GHSA-1", related=["MAL-1"])).malware


def test_yaml_as_the_python_database_has_it() -> None:
    text = b"""
id: PYSEC-2026-1
modified: 2026-01-02T03:04:05Z
affected:
- package: {name: x, ecosystem: PyPI}
  ranges:
  - type: ECOSYSTEM
    events:
    - introduced: "0"
    - fixed: "1.5"
  versions: ["1.0"]
"""
    found = osv.read(text, yaml=True)
    assert found is not None
    assert found.affected[0].spans == (Span("0", "1.5"),)
    assert found.modified.startswith("2026-01-02")


LONG = "1" * 200
HOSTILE: list[Any] = [
    None, 1, "x", [], {},
    {"id": None}, {"id": "x" * 101}, {"id": "a b"}, {"id": "-x"}, {"id": "X\n1"},
    document("X-1") | {"affected": {}}, document("X-1") | {"affected": [1]},
    document("X-1") | {"affected": ["x"]}, document("X-1") | {"affected": [{"package": []}]},
    document("X-1") | {"affected": [{"package": {"name": "x"}}]},
    document("X-1") | {"affected": [{"package": {"ecosystem": 1, "name": "x"}}]},
    document("X-1") | {"affected": [{"package": {"ecosystem": "PyPI", "name": ["x"]}}]},
    *(document("X-1", name) for name in
      ("", " ", "a b", "../x", "é", "x" * 300, "x" * 100_000, "-", "a\0b", "a;rm", "a\n")),
    document("X-1", versions=("",)), document("X-1", versions=(LONG,)),
    document("X-1", versions=(1,)),  # type: ignore[arg-type]
    document("X-1") | {"aliases": "CVE-1"}, document("X-1") | {"severity": {}},
    document("X-1", events=(("introduced", LONG),)),
    document("X-1", versions=tuple(map(str, range(20_001)))),
    document("X-1") | {"aliases": ["CVE-1"] * 1_001},
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_refused(value: Any) -> None:
    with pytest.raises(AdvisoryError):
        read(value)


@pytest.mark.parametrize("type_", [None, 1, "x"])
def test_ranges_of_wrong_types_are_refused(type_: Any) -> None:
    odd = 2 if type_ == "x" else type_
    for ranges in (type_, [type_], [{"type": odd}],
                   [{"type": "ECOSYSTEM", "events": [type_ or 3]}],
                   [{"type": "ECOSYSTEM", "events": [{"introduced": odd}]}]):  # fmt: skip
        value = document("X-1", versions=("1",))
        value["affected"][0]["ranges"] = ranges
        if ranges is None:
            assert read(value)
            continue
        with pytest.raises(AdvisoryError):
            read(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"\xff", b'{"id": "X-1", "id": "X-2"}', b"[" * 100_000, b'{"a":' * 10_000,
        b'{"id": NaN}', b"9" * 10_000, b" " * (osv.LIMIT + 1),
    ],
)  # fmt: skip
def test_what_is_no_strict_json(data: bytes) -> None:
    with pytest.raises(AdvisoryError):
        osv.read(data)


def test_a_million_versions_are_refused_quickly() -> None:
    # As JSON it is too large; where it is smaller, the count is what stops it.
    data = json.dumps(document("X-1", versions=("1",) * 400_000)).encode()
    start = time.process_time()
    with pytest.raises(AdvisoryError, match="20,000"):
        osv.read(data)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "text", ["&a [*a]", "a: &a 1\nb: *a", "!!python/object:os.x {}", "a: 1\na: 2"]
)
def test_yaml_tricks_are_refused(text: str) -> None:
    with pytest.raises(AdvisoryError):
        osv.read(text.encode(), yaml=True)


@pytest.mark.parametrize(
    ("vector", "rating"),
    [
        # from the specifications' examples
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "critical"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "high"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "moderate"),
        ("CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "low"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "critical"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N", "moderate"),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "high"),
        ("CVSS:3.1/AV:N", "unknown"), ("CVSS:9", "unknown"), ("", "unknown"), ("7.5", "unknown"),
        ("CVSS:3.1/" + "A" * 1000, "unknown"), ("CVSS:4.0/AV:N/AV:N", "unknown"),
        ("CVSS:3.1/AV:/AC:", "unknown"), ("CVSS:3.1//", "unknown"), ("CVSS:4.0/é:N", "unknown"),
    ],
)  # fmt: skip
def test_ratings(vector: str, rating: str) -> None:
    assert of_vector(vector) == rating


def test_words_and_the_worst() -> None:
    assert [of_word(w) for w in ("HIGH", "Medium", "moderate", "?", None, 1)] == [
        "high", "moderate", "moderate", "unknown", "unknown", "unknown",
    ]  # fmt: skip
    assert worst(["unknown", "low"]) == "low"
    assert worst([]) == "unknown"
    # A vector counts before a word.
    more: dict[str, Any] = {"database_specific": {"severity": "CRITICAL"}}
    assert read(document("X-1", **more)).severity == "critical"
    more["severity"] = [
        {"type": "CVSS_V3", "score": "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}
    ]
    assert read(document("X-1", **more)).severity == "low"


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "affected", "package", "name", "ecosystem", "ranges", "events",
                         "versions", "type", "introduced", "fixed", "aliases", "severity",
                         "database_specific", "status", "expires"]), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    _json, st.sampled_from(sorted(document("X-1", versions=("1",), events=(("introduced", "0"),))))
)
def test_any_value_anywhere_is_read_or_refused(value: Any, where: str) -> None:
    whole = document("X-1", versions=("1",), events=(("introduced", "0"),)) | {where: value}
    for one in (value, whole):
        try:
            found = osv.advisory(one, local=True)
        except AdvisoryError as error:
            assert error.message.isprintable()
        else:
            assert found is None or found.affected
