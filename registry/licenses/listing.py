"""The files that an index's page of one project lists, as JSON (PEP 691) or HTML (PEP 503)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from registry.licenses.download import HINT, Answer, IndexUnavailable
from registry.moments import utc
from security import strictjson

PAGE_LIMIT = 50_000_000  # bytes of one page; a project may list thousands of files
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_TAG = re.compile(r"<(?:a|base)\s[^<>]{1,4000}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A wheel, or a source distribution, which only tells that its version exists.

    `metadata` says that its METADATA is served beside it, `sha256` is of that; `size` may be None.
    `uploaded` is when, in UTC ("2026-01-28T10:17:05Z"), "" where the index does not say (PEP 700).
    """

    version: Version
    url: str
    is_wheel: bool
    metadata: bool
    sha256: str
    size: int | None
    yanked: bool
    uploaded: str = ""


def files(page: Answer, url: str, project: str) -> tuple[File, ...]:
    """Return the files of a project page that came from `url`. Raises IndexUnavailable."""
    kind = page.headers.get_content_type()
    if kind.endswith("json"):
        try:
            document = strictjson.loads(page.data, limit=PAGE_LIMIT)
        except strictjson.StrictJSONError as error:
            raise IndexUnavailable("the project page is not readable JSON", HINT) from error
        listed = document.get("files") if isinstance(document, dict) else None
        rows = [row for row in listed or () if isinstance(row, dict)]
    elif kind.endswith("html"):
        rows = list(_anchors(page.data.decode("utf-8", "replace"), url))
    else:
        raise IndexUnavailable("the project page is neither JSON nor HTML", HINT)
    found = (_file(row, url, project) for row in rows)
    return tuple(file for file in found if file is not None)


def _file(row: Mapping[str, Any], page: str, project: str) -> File | None:
    name, target = row.get("filename"), row.get("url")
    if not isinstance(name, str) or not isinstance(target, str):
        return None
    is_wheel = name.endswith(".whl")
    try:
        url = urljoin(page, target).split("#", 1)[0]
        whose, version = (parse_wheel_filename if is_wheel else parse_sdist_filename)(name)[:2]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion, ValueError):
        return None
    if whose != project:
        return None
    metadata = row.get("core-metadata", row.get("dist-info-metadata", False))
    sha256 = str(metadata.get("sha256", "")) if isinstance(metadata, dict) else ""
    size = row.get("size")
    known = size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None
    beside, yanked, uploaded = bool(metadata), bool(row.get("yanked")), utc(row.get("upload-time"))
    return File(version, url, is_wheel, is_wheel and beside, sha256, known, yanked, uploaded)


def _anchors(text: str, page: str) -> Iterator[dict[str, Any]]:
    """Yield the anchors of an HTML page as the rows that the JSON form would have."""
    for tag in _TAG.findall(text):
        name, stated = _Tag.parse(tag)
        href = stated.get("href")
        if not href:
            continue
        try:
            url = urljoin(page, href)
            file = unquote(urlsplit(url).path).rpartition("/")[2]
        except ValueError:
            continue
        if name == "base":
            page = url
            continue
        said = stated.get("data-core-metadata", stated.get("data-dist-info-metadata"))
        yanked = "data-yanked" in stated
        yield {"filename": file, "url": url, "core-metadata": _metadata(said), "yanked": yanked}


class _Tag(HTMLParser):
    """Reads one tag. Given a whole page, the parser takes quadratic time where tags do not end."""

    found: tuple[str, dict[str, str | None]] = ("", {})

    @classmethod
    def parse(cls, tag: str) -> tuple[str, dict[str, str | None]]:
        parser = cls()
        parser.feed(tag)
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found = tag, dict(attrs)


def _metadata(attribute: str | None) -> dict[str, str] | bool:
    kind, _, digest = (attribute or "").partition("=")
    return {"sha256": digest} if kind == "sha256" else kind == "true"
