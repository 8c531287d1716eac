"""safetensors: the header alone, and what its metadata carry besides tensors."""

from __future__ import annotations

from itertools import islice

from security.safetensors import header_length, read_header
from security.scan.codekeys import MOST, claims
from security.scan.jinja import judge
from security.scan.plainjson import load
from security.scan.source import Source
from security.scan.unseen import unseen
from security.scan.values import Report
from security.strictjson import StrictJSONError

FIRST = 8


def read(source: Source, report: Report) -> None:
    """Check the header under strict rules and judge the metadata. Raises InvalidSafetensors."""
    length = header_length(source.read(0, FIRST), source.size)
    if length > report.limits.text:
        report.doubt("limit", f"a header of {length:,} bytes", 0)
        return
    header = read_header(source.read(0, FIRST + length), source.size)
    for key, value in header.metadata:
        _metadata(key, value, report)


def _metadata(key: str, value: str, report: Report) -> None:
    label = f"__metadata__ {key!r:.80}"
    if "template" in key or "{%" in value:
        judge(value, report, label=label, at=FIRST)
    else:
        for _, what in unseen(value):
            report.threat("hidden-text", f"{label} has {what}", FIRST)
    if value.lstrip()[:1] not in ("{", "["):
        return
    try:
        found = load(value.encode("utf-8", "surrogatepass"))
    except StrictJSONError:
        return  # text that only begins like JSON: no loader reads it as a configuration
    for claim in islice(claims(found), MOST):
        report.threat("config-code", f"{label}: {claim}", FIRST)
