"""YAML configurations, looked through line by line: nothing is constructed.

Tags that build objects (`!!python/...`, those of hyperpyyaml) and keys that name code (`_target_`
of hydra and NeMo) show in the text itself; what could hide them there is a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from security.scan.codekeys import CODE_KEYS, known_loader
from security.scan.jinja import judge as judge_template
from security.scan.values import Report

MOST = 50  # findings of one file
MAX_ALIASES = 200
MAX_SIZE, MAX_LINE = 2 << 20, 10_000  # bytes; characters
_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_PYTHON = re.compile(r"!!?python/\S*|tag:yaml\.org,2002:python/\S*|!<[^>]*python[^>]*>")
_BUILDING = re.compile(r"!(?:new|name|apply|applyref|module|class|import|include|call)\b:?\S*")
_TAG = re.compile(r"(?:^|[\s\[{,:-])(![A-Za-z<][^\s,\]}]*)")
_DIRECTIVE = re.compile(r"^%TAG\b")
_COMPLEX = re.compile(r"(?:^\s*(?:- +)*|[\[{,]\s*)\?(?:\s|$)")
_KEYS = "|".join(re.escape(key) for key in sorted(CODE_KEYS))
_NAMED = re.compile(rf"""(?:^|[\s{{,\[?-])["']?({_KEYS})(?:["']\s*:\s*|\s*:(?:\s+|$))(.*)""")
_TRUST = re.compile(r"""["']?trust_remote_code["']?\s*:\s*(?!(?:false|no|off|null|~|False)\b)\S""")
_KERNEL = re.compile(r"""_implementation\w{0,40}["']?\s*:\s*["']?[^\s"'/]+/[^\s"']+""")
_FILE = re.compile(r""":\s*["']?[^\s"'#]+\.(?:py|so|dll|dylib)["']?\s*(?:#.*)?$""")
_ALIAS = re.compile(r"(?:^|[\s\[{,:-])\*[A-Za-z0-9_-]+")
_ALIAS_KEY = re.compile(r"(?:^|[\s{,\[?-])\*[^\s,\]}]+\s*:(?:\s|$)")
# Libraries whose classes NeMo and hydra configurations name: known, but called with any argument.
_KNOWN = ("nemo.", "torch.optim.", "torch.nn.", "pytorch_lightning.", "lightning.")

Found = tuple[str, str, bool]  # rule, what, certain


def judge(data: bytes, report: Report) -> None:
    """Judge one YAML file."""
    if len(data) > MAX_SIZE:
        report.doubt("limit", f"YAML of {len(data):,} bytes, more than {MAX_SIZE:,}")
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.doubt("broken", "YAML that is not UTF-8", error.start)
        return
    if "\0" in text or "\x85" in text or "\u2028" in text:
        report.doubt("broken", "YAML with line ends that readers may not agree on")
    at = said = 0
    for line in text.splitlines(keepends=True):
        if len(line) > MAX_LINE:
            report.doubt("limit", f"a line of {len(line):,} characters", at)
            return
        for rule, what, certain in _line(line.rstrip("\r\n")):
            said += 1
            if said <= MOST:
                (report.threat if certain else report.doubt)(rule, what, at)
        at += len(line.encode())
    if len(_ALIAS.findall(text)) > MAX_ALIASES:
        report.doubt("limit", f"more than {MAX_ALIASES} aliases")
    if "{%" in text:
        judge_template(text, report, label="template in YAML", at=0)


def _line(line: str) -> Iterator[Found]:
    bare = line.lstrip()
    if bare.startswith("#"):
        return
    if "\\" in line:
        line = _ESCAPE.sub(
            lambda m: chr(min(int(next(filter(None, m.groups())), 16), 0x10FFFF)), line
        )
    if _DIRECTIVE.match(line):
        yield "config-code", "gives tags new meanings", False
    if _COMPLEX.search(line):
        yield "unread", "a key over several lines", False
    if _ALIAS_KEY.search(line):
        yield "unread", "a key that is written elsewhere", False
    if match := _PYTHON.search(line):
        yield "config-code", f"builds the Python object {match.group():.80}", True
    elif match := _BUILDING.search(line):
        yield "config-code", f"builds an object: {match.group():.80}", True
    elif match := _TAG.search(line):
        yield "unread", f"the tag {match.group(1):.60}", False
    for match in _NAMED.finditer(line):
        value = (match.group(2) or "").strip(" \"'")
        empty = match.group(2) and value in ("", "null", "~", "{}", "[]")
        if not empty and not known_loader(match.group(1), value):
            told = f"{match.group(1)}: {value:.80}"
            yield "config-code", told, not value.startswith(_KNOWN)
    for pattern in (_TRUST, _KERNEL, _FILE):
        if match := pattern.search(line):
            yield "config-code", f"{match.group().strip():.100}", True
