"""A package index over HTTPS: which versions there are, since when, and under what licence.

Of the newest version admitted, the metadata file beside a wheel (PEP 658) is asked first, then
the JSON page of the version, then the wheel itself. Used by the explicit update alone, never by
a check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from registry.licenses.download import (
    HINT,
    TIMEOUT,
    Answer,
    IndexUnavailable,
    NotServed,
    check,
    get,
)
from registry.licenses.listing import ACCEPT, PAGE_LIMIT, File, files
from registry.licenses.metadata import METADATA_LIMIT, Fields, fields_of, from_mapping
from registry.licenses.remotewheel import fetch_metadata
from security import strictjson


@dataclass(frozen=True, slots=True)
class Index:
    """An index by the URL of its simple API, such as https://index.example/simple/."""

    url: str
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        check(self.url, "index")

    def files(self, name: str) -> tuple[File, ...]:
        """Return the files of a project. Raises Absent where there is no such project."""
        url = self.url.rstrip("/") + f"/{quote(name)}/"
        page = self._get(url, "project page", PAGE_LIMIT, ACCEPT)
        return files(page, url, name)

    def fields(self, name: str, specifier: str) -> tuple[str, Fields]:
        """Return the newest version the specifier admits, and its licence fields."""
        return self.fields_among(self.files(name), name, specifier)

    def fields_among(self, listed: Iterable[File], name: str, specifier: str) -> tuple[str, Fields]:
        """Do so for a project whose files are known."""
        found = _newest(listed, specifier)
        if not found:
            admitted = f" that '{specifier}' admits" if specifier else ""
            raise IndexUnavailable(f"no version{admitted}", HINT)
        version = found[0].version
        reasons = []
        for way in (self._metadata_file, self._version_page, self._wheel):
            try:
                return str(version), way(name, found)
            except NotServed as error:
                reasons.append(error.message)
        raise IndexUnavailable(", ".join(reasons), HINT)

    def _metadata_file(self, name: str, found: tuple[File, ...]) -> Fields:
        wheel = next((file for file in found if file.metadata), None)
        if wheel is None:
            raise NotServed("no metadata file", HINT)
        data = self._get(wheel.url + ".metadata", "metadata file", METADATA_LIMIT).data
        if wheel.sha256 and hashlib.sha256(data).hexdigest() != wheel.sha256:
            raise IndexUnavailable("the metadata file is not what was listed", HINT)
        return fields_of(data)

    def _version_page(self, name: str, found: tuple[File, ...]) -> Fields:
        root = self.url.rstrip("/").removesuffix("/simple")
        url = f"{root}/pypi/{quote(name)}/{quote(str(found[0].version))}/json"
        data = self._get(url, "version page", PAGE_LIMIT, "application/json").data
        try:
            page = strictjson.loads(data, limit=PAGE_LIMIT)
        except strictjson.StrictJSONError as error:
            raise NotServed("no version page in JSON", HINT) from error
        info = page.get("info") if isinstance(page, dict) else None
        if not isinstance(info, dict) or info.get("version") != str(found[0].version):
            raise NotServed("the version page is of something else", HINT)
        return from_mapping(info)

    def _wheel(self, name: str, found: tuple[File, ...]) -> Fields:
        wheels = [file for file in found if file.is_wheel]
        if not wheels:
            raise NotServed("no wheel", HINT)
        smallest = min(wheels, key=lambda w: (w.size is None, w.size or 0, w.url))
        return fields_of(fetch_metadata(smallest.url, name, self.timeout))

    def _get(self, url: str, what: str, limit: int, accept: str = "*/*") -> Answer:
        return get(url, what, limit, {"Accept": accept}, self.timeout)


def _newest(listed: Iterable[File], specifier: str) -> tuple[File, ...]:
    """Return the files of the newest version admitted; a yanked one is the last choice."""
    versions: dict[Version, list[File]] = {}
    for file in listed:
        versions.setdefault(file.version, []).append(file)
    try:
        admitted = list(SpecifierSet(specifier).filter(versions))
    except InvalidSpecifier:
        return ()
    newest = max(admitted, key=lambda v: (not all(f.yanked for f in versions[v]), v), default=None)
    return tuple(versions[newest]) if newest is not None else ()
