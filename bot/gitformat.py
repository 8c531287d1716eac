"""Git's own formats as values: raw trees, raw diffs, commit objects. Pure; bytes in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from bot.change import Commit, FileChange, TreeEntry

_ABSENT_MODE = "000000"
_PERSON = re.compile(rb"^(?P<name>[^<\n]*)<(?P<email>[^>\n]*)>")
_COMMITTED = re.compile(rb"^committer [^\n]*> (\d{1,11}) [+-]\d{4}$", re.MULTILINE)
_CODECS = ("iso8859", "iso2022", "cp", "koi8", "mac", "euc", "gb", "big5", "shift_jis")
_ESCAPES = {0x5C: "\\\\", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r"}


class FormatError(ValueError):
    """The bytes are not what git writes."""


def show_path(raw: bytes) -> str:
    r"""Return a name as text; what is not printable UTF-8 is escaped as git does (`a\377`).

    Escaping is one-to-one, so two different names never look the same. There are no quotes
    around it: the folder, the last part and the ending of a name stay what checks look for.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text and "\\" not in text:
        return text
    return "".join(_escape(byte) for byte in raw)


def _escape(byte: int) -> str:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def parse_tree(raw: bytes, folder: str, id_bytes: int) -> Iterator[TreeEntry]:
    """Yield the entries of one raw tree object; `id_bytes` is 20 (SHA-1) or 32 (SHA-256)."""
    prefix = folder.encode() + b"/" if folder else b""
    at = 0
    while at < len(raw):
        space = raw.find(b" ", at)
        end = raw.find(b"\0", space)
        if space < 0 or end < 0 or end + 1 + id_bytes > len(raw):
            raise FormatError("damaged tree object")
        mode = raw[at:space].decode("ascii", "replace").zfill(6)
        blob = raw[end + 1 : end + 1 + id_bytes].hex()
        yield TreeEntry(show_path(prefix + raw[space + 1 : end]), mode, blob)
        at = end + 1 + id_bytes


def parse_listing(raw: bytes) -> Iterator[TreeEntry]:
    """Yield the entries of `ls-tree -r -z`: mode SP type SP id TAB path NUL."""
    for record in raw.split(b"\0"):
        if record:
            meta, _, path = record.partition(b"\t")
            mode, _, blob = meta.decode("ascii").split(" ")
            yield TreeEntry(show_path(path), mode, blob)


def parse_raw_diff(raw: bytes) -> Iterator[FileChange]:
    """Yield the changes of `diff-tree -r -z --raw --no-renames --no-abbrev`."""
    fields = raw.split(b"\0")
    for meta, path in zip(fields[0::2], fields[1::2], strict=False):
        parts = meta.decode("ascii").lstrip(":").split(" ")
        if len(parts) != 5:
            raise FormatError("damaged diff")
        old_mode, new_mode, old, new, _ = parts
        name = show_path(path)
        before = None if old_mode == _ABSENT_MODE else TreeEntry(name, old_mode, old)
        after = None if new_mode == _ABSENT_MODE else TreeEntry(name, new_mode, new)
        yield FileChange(name, before, after)


class _Headers(NamedTuple):
    parents: tuple[str, ...]
    author: bytes
    committer: bytes
    signature: str
    encoding: str


def parse_commit(commit: str, raw: bytes) -> Commit:
    """Read a raw commit object. Undecodable text is replaced, never refused."""
    head, _, body = raw.partition(b"\n\n")
    headers = _headers(head)
    author, committer = parse_person(headers.author), parse_person(headers.committer)
    message = body.decode(_codec(headers.encoding), "replace")
    return Commit(commit, headers.parents, *author, *committer, message, headers.signature)


def _codec(name: str) -> str:
    """Return the codec of a character set people write in; a stranger's other names are UTF-8."""
    try:
        codec = codecs.lookup(name[:40]).name  # punycode and idna are slow or raise
    except (LookupError, ValueError):
        return "utf-8"
    return codec if codec.startswith(_CODECS) else "utf-8"


def _headers(head: bytes) -> _Headers:
    parents: list[str] = []
    found: dict[bytes, bytes] = {}
    name = b""
    for line in head.split(b"\n"):
        if line.startswith(b" "):
            found[name] = found.get(name, b"") + b"\n" + line[1:]
            continue
        name, _, value = line.partition(b" ")
        if name == b"parent":
            parents.append(value.decode("ascii", "replace"))
        else:
            found.setdefault(name, value)
    signature = found.get(b"gpgsig") or found.get(b"gpgsig-sha256") or b""
    return _Headers(
        tuple(parents),
        found.get(b"author", b""),
        found.get(b"committer", b""),
        signature.decode("ascii", "replace"),
        found.get(b"encoding", b"utf-8").decode("ascii", "replace"),
    )


def parse_person(value: bytes) -> tuple[str, str]:
    """Return (name, address) of an identity line, empty where it is malformed."""
    match = _PERSON.match(value)
    if match is None:
        return ("", "")
    name, email = match["name"].strip(), match["email"].strip()
    return (name.decode("utf-8", "replace"), email.decode("utf-8", "replace"))


def committed(raw: bytes) -> datetime | None:
    """Return when a commit object says it was made, in UTC; None for one that does not say."""
    found = _COMMITTED.search(raw.split(b"\n\n", 1)[0])
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None
