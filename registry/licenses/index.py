"""A package index over HTTPS: which versions there are, and what each says of its licence.

The simple JSON API (PEP 691) with metadata files (PEP 658) is asked first, then the
project JSON API. Used by the explicit update alone, never by a check.
"""

from __future__ import annotations

import hashlib
import ipaddress
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import quote, urljoin, urlsplit

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from registry.errors import RegistryError
from registry.licenses.metadata import METADATA_LIMIT, Fields, fields_of, from_mapping
from security import strictjson

PAGE_LIMIT = 50_000_000  # bytes of one answer; a project may list thousands of files
TIMEOUT = 20.0  # seconds without a byte
_SIMPLE = "application/vnd.pypi.simple.v1+json"
_HINT = "check the index URL and the network, then run the update again"


class IndexUnavailable(RegistryError):
    """The index did not give a usable answer."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel whose metadata can be fetched without it; `sha256` is of that metadata."""

    version: Version
    url: str
    sha256: str
    yanked: bool


@dataclass(frozen=True, slots=True)
class Index:
    """An index by the URL of its simple API, such as https://index.example/simple/."""

    url: str
    timeout: float = TIMEOUT

    def __post_init__(self) -> None:
        _check(self.url)

    def fields(self, name: str, specifier: str) -> tuple[str, Fields]:
        """Return the newest version the specifier admits, and its licence fields."""
        wheels = [w for w in self._wheels(name) if _admits(specifier, w.version)]
        for wheel in sorted(wheels, key=lambda w: (not w.yanked, w.version), reverse=True):
            data = self._get(wheel.url, METADATA_LIMIT)
            if wheel.sha256 and hashlib.sha256(data).hexdigest() != wheel.sha256:
                raise IndexUnavailable(f"the metadata of {name} is not what was listed", _HINT)
            return str(wheel.version), fields_of(data)
        return self._project(name, specifier)

    def _wheels(self, name: str) -> list[Wheel]:
        base = self.url.rstrip("/") + f"/{quote(name)}/"
        page = self._json(base, _SIMPLE)
        files = page.get("files") if isinstance(page, dict) else None
        wheels = (_wheel(base, f) for f in files or () if isinstance(f, dict))
        return [w for w in wheels if w is not None]

    def _project(self, name: str, specifier: str) -> tuple[str, Fields]:
        root = self.url.rstrip("/").removesuffix("/simple")
        exact = specifier.removeprefix("==") if specifier.startswith("==") else ""
        version = f"/{quote(exact)}" if exact and not set(exact) & set(",*") else ""
        page = self._json(f"{root}/pypi/{quote(name)}{version}/json", "application/json")
        info = page.get("info") if isinstance(page, dict) else None
        if not isinstance(info, dict) or not isinstance(info.get("version"), str):
            raise IndexUnavailable(f"the index says nothing usable of {name}", _HINT)
        found = info["version"]
        if specifier and not _admits(specifier, _version(found)):
            raise IndexUnavailable(f"{name} {found} is not what '{specifier}' asks for", _HINT)
        return found, from_mapping(info)

    def _json(self, url: str, accept: str) -> Any:
        data = self._get(url, PAGE_LIMIT, accept)
        try:
            return strictjson.loads(data, limit=PAGE_LIMIT)
        except strictjson.StrictJSONError as error:
            hint = "use an index with the JSON API (PEP 691)"
            raise IndexUnavailable(f"{_shown(url)} did not answer with JSON", hint) from error

    def _get(self, url: str, limit: int, accept: str = "*/*") -> bytes:
        _check(url)
        request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310
        proxies = urllib.request.ProxyHandler({} if _is_loopback(url) else None)
        opener = urllib.request.build_opener(_Redirects, proxies)
        try:
            with opener.open(request, timeout=self.timeout) as answer:
                data: bytes = answer.read(limit + 1)
        except urllib.error.HTTPError as error:
            raise IndexUnavailable(f"{_shown(url)} answered {error.code}", _HINT) from error
        except (OSError, HTTPException, ValueError) as error:
            raise IndexUnavailable(f"{_shown(url)} cannot be reached", _HINT) from error
        if len(data) > limit:
            raise IndexUnavailable(f"{_shown(url)} answered more than {limit:,} bytes", _HINT)
        return data


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check(newurl)
        if _is_loopback(newurl) and not _is_loopback(req.full_url):
            raise IndexUnavailable("the index redirects to this machine", _HINT)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _wheel(base: str, file: Mapping[str, Any]) -> Wheel | None:
    metadata = file.get("core-metadata", file.get("dist-info-metadata", False))
    name, url = file.get("filename"), file.get("url")
    if not metadata or not isinstance(name, str) or not isinstance(url, str):
        return None
    try:
        version = parse_wheel_filename(name)[1]
    except (InvalidWheelFilename, InvalidVersion):
        return None
    digest = metadata.get("sha256", "") if isinstance(metadata, dict) else ""
    target = urljoin(base, url).split("#", 1)[0] + ".metadata"
    return Wheel(version, target, str(digest), bool(file.get("yanked")))


def _admits(specifier: str, version: Version | None) -> bool:
    try:
        wanted = SpecifierSet(specifier)
    except InvalidSpecifier:
        return False
    early = specifier.startswith("==") or bool(wanted.prereleases)
    return version is not None and wanted.contains(version, prereleases=early)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        local = _is_loopback(url)
    except ValueError as error:
        raise IndexUnavailable("the index URL cannot be read", "give an https URL") from error
    if parts.username or parts.password:
        hint = "use a URL without user name and password"
        raise IndexUnavailable("an index URL with credentials is not accepted", hint)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise IndexUnavailable(f"{_shown(url)} is neither https nor local", "give an https URL")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"[:200]
