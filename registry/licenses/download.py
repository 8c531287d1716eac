"""One bounded answer over HTTPS, or a short reason why there is none."""

from __future__ import annotations

import ipaddress
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import cache
from http.client import HTTPException
from typing import IO, Any
from urllib.parse import urlsplit

from registry.errors import RegistryError

TIMEOUT = 20.0  # seconds without a byte
HINT = "check the index URL and the network, then run the update again"
_ABSENT = (404, 410)


class IndexUnavailable(RegistryError):
    """The index did not give a usable answer."""


class NotServed(IndexUnavailable):
    """The index does not serve this; it may serve the same fact in another way."""


class Absent(NotServed):
    """The index says that there is no such thing: 404 or 410, no other answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent."""

    status: int
    headers: Message
    data: bytes


def get(
    url: str,
    what: str,
    limit: int,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """Fetch at most `limit` bytes; `what` names the thing in errors. Raises IndexUnavailable."""
    check(url, what)
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310
    proxies = urllib.request.ProxyHandler({} if _is_loopback(url) else None)
    secure = urllib.request.HTTPSHandler(context=_tls())
    opener = urllib.request.build_opener(_Redirects, proxies, secure)
    try:
        with opener.open(request, timeout=timeout) as answer:
            stated = answer.headers.get("Content-Length", "")
            length = int(stated) if stated.isascii() and stated.isdigit() else None
            if length is not None and length > limit:
                raise IndexUnavailable(f"the {what} has more than {limit:,} bytes", HINT)
            data: bytes = answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        if error.code in _ABSENT:
            raise Absent(f"no {what}", HINT) from error
        raise NotServed(f"the {what} answered {error.code}", HINT) from error
    except (OSError, HTTPException, ValueError) as error:
        raise IndexUnavailable(f"the {what} cannot be reached", HINT) from error
    if len(data) > limit:
        raise IndexUnavailable(f"the {what} has more than {limit:,} bytes", HINT)
    if length is not None and len(data) < length:
        raise IndexUnavailable(f"the {what} was cut short", HINT)
    return Answer(answer.status, answer.headers, data)


@cache
def _tls() -> ssl.SSLContext:
    """Return one context for all requests: reading the certificates takes longer than a request."""
    return ssl.create_default_context()


def check(url: str, what: str) -> None:
    """Refuse a URL that is neither https nor on this machine, or that holds credentials."""
    try:
        parts = urlsplit(url)
        local = _is_loopback(url)
    except ValueError as error:
        raise IndexUnavailable(f"the {what}'s URL cannot be read", "give an https URL") from error
    if parts.username or parts.password:
        hint = "use a URL without user name and password"
        raise IndexUnavailable(f"the {what}'s URL holds credentials", hint)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise IndexUnavailable(f"the {what}'s URL is neither https nor local", "give an https URL")


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
        check(newurl, "redirect")
        if _is_loopback(newurl) and not _is_loopback(req.full_url):
            raise IndexUnavailable("the index redirects to this machine", HINT)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
