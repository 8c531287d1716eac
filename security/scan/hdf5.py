"""HDF5: links that leave the file, storage elsewhere, and what Keras keeps in attributes.

Source: HDF5 File Format Specification 3.0. The structure alone is walked; no data are read, and
anything that is not understood is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator

from security.errors import TooLarge
from security.scan import keras
from security.scan.codekeys import claims
from security.scan.cursor import HINT, Cursor
from security.scan.h5attributes import Attribute, attribute, dense_attributes
from security.scan.h5groups import EXTERNAL, HARD, SOFT, Link, dense_links, link, table
from security.scan.h5heaps import NotRead
from security.scan.h5objects import SIGNATURE, File, Message, messages
from security.scan.plainjson import load
from security.scan.source import Source, of_bytes
from security.scan.values import Report
from security.scan.walk import may_import
from security.strictjson import StrictJSONError

MAX_OBJECTS = 50_000
# Messages that say nothing about where data or code come from.
_HARMLESS = frozenset({0x00, 0x01, 0x03, 0x04, 0x05, 0x0A, 0x0D, 0x0E, 0x12, 0x13, 0x16, 0x17})
# Filters that come with the library or with h5py; others are plugins, loaded by number.
_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32_000})
_SHARED = 0x02


def read(source: Source, report: Report) -> None:
    """Walk every object that the root leads to. Raises Malformed."""
    file, roots = _superblock(source, report)
    waiting = list(roots)
    seen = set(waiting)
    while waiting:
        address = waiting.pop()
        for message in messages(file, address):
            for found in _message(file, message, report):
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
        if len(seen) > MAX_OBJECTS:
            raise TooLarge(f"{source.name}: more than {MAX_OBJECTS:,} objects", HINT)


def _superblock(source: Source, report: Report) -> tuple[File, tuple[int, ...]]:
    at = 0
    while source.read(at, 8) != SIGNATURE:
        at = at * 2 if at else 512
        if at + 8 > source.size:
            raise Cursor(source, 0, source.size).broken("no HDF5 file")
    cursor = Cursor(source, at + 8, source.size)
    version = cursor.number(1)
    if version > 3:
        raise cursor.broken(f"an HDF5 superblock of unknown version {version}")
    if version < 2:
        cursor.skip(4)
    file = File(source, offsets=cursor.number(1), lengths=cursor.number(1))
    if file.offsets not in (2, 4, 8) or file.lengths not in (2, 4, 8):
        raise cursor.broken("addresses of an unknown width")
    cursor.skip((1 + 4 + 4 + (4 if version == 1 else 0)) if version < 2 else 1)
    base, second = file.address(cursor), file.address(cursor)
    end, third = file.address(cursor), file.address(cursor)
    if base is None or end is None:
        raise cursor.broken("a superblock without addresses")
    file.base = base
    if base + end > source.size and end > source.size:
        raise cursor.broken(f"the file ends at {source.size:,}, before its end at {end:,}")
    if max(end, base + end) < source.size:
        report.doubt("broken", f"{source.size - end:,} bytes after the end of the file", end)
    if version >= 2:
        roots = [a for a in (third, second) if a is not None]
    else:
        if third is not None:
            report.doubt("unread", "a driver of its own keeps parts of the file elsewhere", at)
        cursor.skip(file.offsets)
        root = file.address(cursor)
        roots = [] if root is None else [root]
    if not roots:
        raise cursor.broken("no root group")
    return file, tuple(roots)


def _message(file: File, message: Message, report: Report) -> Iterator[int]:
    """Judge a message; yield the addresses of objects it leads to."""
    if message.kind in _HARMLESS:
        return
    if message.flags & _SHARED:
        if message.kind != 0x0B:
            report.doubt("unread", f"a shared message of kind {message.kind}", message.start)
        return
    cursor = file.at(message.start - file.base, message.end - message.start)
    try:
        if message.kind in (0x02, 0x06, 0x11):
            for found in _links(file, message, cursor):
                yield from _link(found, message.start, report)
        elif message.kind == 0x0C:
            _attribute(attribute(file, cursor), report)
        elif message.kind == 0x15:
            for one in dense_attributes(file, cursor):
                _attribute(one, report)
        else:
            _storage(file, message, cursor, report)
    except NotRead as error:
        report.doubt("unread", str(error), message.start)


def _links(file: File, message: Message, cursor: Cursor) -> Iterator[Link]:
    if message.kind == 0x06:
        yield link(file, cursor)
    elif message.kind == 0x02:
        yield from dense_links(file, cursor)
    else:
        yield from table(file, cursor)


def _link(found: Link, at: int, report: Report) -> Iterator[int]:
    if found.kind == HARD:
        yield found.address
    elif found.kind == EXTERNAL:
        told = f"{found.name!r:.60} is a link to another file, {found.target!r:.80}"
        report.threat("outside", told, at)
    elif found.kind == SOFT:
        report.doubt("unread", f"{found.name!r:.60} is a soft link to {found.target!r:.80}", at)
    else:
        report.doubt("unread", f"{found.name!r:.60} is a link of kind {found.kind}", at)


def _storage(file: File, message: Message, cursor: Cursor, report: Report) -> None:
    if message.kind == 0x07:
        report.threat("outside", "a dataset is stored in other files", message.start)
    elif message.kind == 0x08:
        _layout(file, cursor, message.start, report)
    elif message.kind == 0x0B:
        _filters(cursor, message.start, report)
    else:
        report.doubt("unread", f"a message of kind {message.kind:#x}", message.start)


def _layout(file: File, cursor: Cursor, at: int, report: Report) -> None:
    version = cursor.number(1)
    if version in (1, 2):
        cursor.skip(1)
    kind = cursor.number(1)
    if version not in (1, 2, 3, 4, 5) or kind > 3:
        report.doubt("unread", f"a storage layout of kind {kind}, version {version}", at)
    elif kind == 3:
        report.threat("outside", "a virtual dataset, whose values lie in other files", at)
    elif kind == 1 and version >= 3:
        address, size = file.address(cursor), file.length(cursor)
        if address is not None and file.base + address + size > file.source.size:
            report.doubt("broken", f"a dataset of {size:,} bytes reaches beyond the file", at)


def _filters(cursor: Cursor, at: int, report: Report) -> None:
    version, count = cursor.number(1), cursor.number(1)
    if version == 1:
        cursor.skip(6)
    for _ in range(count):
        number = cursor.number(2)
        named = version == 1 or number >= 256
        name = cursor.number(2) if named else 0
        cursor.skip(2)
        values = cursor.number(2)
        cursor.skip(name + (-name % 8 if version == 1 else 0) + 4 * values)
        if version == 1 and values % 2:
            cursor.skip(4)
        if number not in _FILTERS:
            report.doubt("unread", f"the filter {number}, which a plugin must bring", at)


def _attribute(found: Attribute, report: Report) -> None:
    for value in found.values:
        text = value.rstrip(b"\0")
        if found.name == "PSEUDOATOM" and text in (b"object", b"Oobject"):
            report.doubt("unread", "rows that PyTables unpickles", found.at)
        if may_import(inner := of_bytes(found.name, text)):
            report.pickles(inner)
        if text.lstrip()[:1] in (b"{", b"["):
            _configuration(found.name, text, found.at, report)


def _configuration(name: str, text: bytes, at: int, report: Report) -> None:
    try:
        config = load(text)
    except StrictJSONError as error:
        if name.endswith("_config"):
            report.doubt("broken", f"{name:.60} is no JSON: {error}", at)
        return
    if name.endswith("_config") or keras.is_keras(config):
        keras.judge(config, report, at=at)
    for claim in claims(config):
        report.threat("config-code", f"{name:.60}: {claim}", at)
