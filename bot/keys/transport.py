"""Bytes of one web address, bounded in all they can cost. Nothing that is read here is believed."""

from __future__ import annotations

import ipaddress
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from bot.errors import CouldNotTell, TooLarge, UsageError
from bot.quoting import plain
from registry.release.assets import INDEX

TIMEOUT = 20.0  # seconds without a byte
SMALL_TIME = 120.0  # seconds that a small file may take in all
ATTEMPTS = 4  # in a row without a byte
PAUSE = 0.5  # seconds before the second attempt; it doubles
REDIRECTS = 5
PIECE = 1 << 18
_AGENT = "modelwarden"
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(?:\d{1,19}|\*)", re.ASCII)
_GITHUB = re.compile(r"/([^/]+/[^/]+)/releases/tag/(.+)")
_AGAIN = "check the network and the address, then run it again: it goes on where it stopped"


class Absent(CouldNotTell):
    """The server says that there is no such file."""


class Cut(CouldNotTell):
    """The answer ended early, or did not come; more of it may come next time."""


@dataclass(frozen=True, slots=True)
class Server:
    """A place with flat files: their names are added to `base`, which ends in a slash."""

    base: str

    def small(self, name: str, limit: int) -> bytes:
        """Return a whole file of at most `limit` bytes. Raises Absent, TooLarge, CouldNotTell."""
        until = time.monotonic() + SMALL_TIME
        for last in _attempts():
            try:
                with self._answer(name, 0) as (answer, _):
                    return _all(answer, name, limit, until)
            except Cut:
                if last:
                    raise
        raise AssertionError  # the last attempt returns or raises

    @contextmanager
    def stream(self, name: str, at: int) -> Iterator[tuple[Iterator[bytes], int]]:
        """Give pieces of a file, and the byte at which they begin: `at`, or 0 for a server that
        gives whole files only.

        They end where the server ends them; raises Cut where the connection does.
        """
        with self._answer(name, at) as (answer, start):
            yield _pieces(answer, name), start

    @contextmanager
    def _answer(self, name: str, at: int) -> Iterator[tuple[HTTPResponse, int]]:
        address = urljoin(self.base, quote(name))
        request = urllib.request.Request(address, headers={"User-Agent": _AGENT})  # noqa: S310
        request.add_header("Accept-Encoding", "identity")
        if at:
            request.add_header("Range", f"bytes={at}-")
        try:
            answer = _opener(is_loopback(address)).open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            error.close()
            raise _refused(name, error.code, at) from error
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            why = getattr(reason, "strerror", None) or type(reason).__name__
            raise Cut(f"{name}: {plain(why)}", _AGAIN) from error
        with answer:
            yield answer, _start(answer, at, name)


def server(address: str) -> Server:
    """Return where the files lie that an address leads to: a folder, its index, a GitHub release.

    Raises UsageError for an address that is not taken.
    """
    check(address)
    parts = urlsplit(address)
    path = parts.path
    found = _GITHUB.fullmatch(path.rstrip("/"))
    if found and parts.hostname == "github.com":
        path = f"/{found[1]}/releases/download/{found[2]}/"
    elif path.endswith(f"/{INDEX}"):
        path = path.removesuffix(INDEX)
    elif not path.endswith("/"):
        path += "/"
    if parts.query or parts.fragment:
        hint = "name the folder that holds the index, without ? and #"
        raise UsageError(f"{plain(address)}: an address with a query", hint)
    return Server(urlunsplit((parts.scheme, parts.netloc, path, "", "")))


def check(address: str) -> None:
    """Refuse an address that is neither https nor of this machine, or that holds a password."""
    hint = "give an https address, of a folder that holds " + INDEX
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{plain(address)}: no web address", hint) from error
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address that holds a name or password", "give it without these")
    if not host or not address.isascii() or not address.isprintable() or " " in address:
        raise UsageError(f"{plain(address)}: no web address", hint)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(address)):
        raise UsageError(f"{plain(address)}: neither https nor on this machine", hint)


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = REDIRECTS
    max_repeats = 2

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            check(newurl)
        except UsageError as error:
            raise CouldNotTell(f"a redirect to {error.message}", "ask whoever runs it") from error
        if is_loopback(newurl) and not is_loopback(req.full_url):
            raise CouldNotTell("a redirect to this machine", "ask whoever runs the server")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@cache
def _opener(local: bool) -> urllib.request.OpenerDirector:
    """Return what opens addresses of this machine, or others: http and https, nothing else."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if local else None),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _start(answer: HTTPResponse, at: int, name: str) -> int:
    """Return the place in the file where an answer begins. Raises CouldNotTell."""
    if answer.status == 200:
        return 0
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", "")) if at else None
    if answer.status == 206 and found and int(found[1]) == at:
        return at
    raise CouldNotTell(f"{name}: an answer ({answer.status}) to another question", "try a mirror")


def _refused(name: str, code: int, at: int) -> CouldNotTell:
    if code in (404, 410):
        return Absent(f"{name}: not there ({code})", "check the address")
    if code in (401, 403):
        hint = "only what anybody may read is fetched: download it, then verify the folder"
        return CouldNotTell(f"{name}: not allowed ({code})", hint)
    if 300 <= code < 400:
        return CouldNotTell(f"{name}: redirects that are not followed", "give the last address")
    if code in _PASSING or (code == 416 and at):
        return Cut(f"{name}: the server answered {code}", _AGAIN)
    return CouldNotTell(f"{name}: the server answered {code}", "check the address")


def pause(number: int) -> None:
    """Wait before the attempt that follows this many in vain."""
    time.sleep(PAUSE * 2 ** (number - 1))


def _attempts() -> Iterator[bool]:
    """Yield whether this attempt is the last, with a pause before each but the first."""
    for number in range(ATTEMPTS):
        if number:
            pause(number)
        yield number == ATTEMPTS - 1


def _all(answer: HTTPResponse, name: str, limit: int, until: float) -> bytes:
    data = bytearray()
    for piece in _pieces(answer, name):
        data += piece
        if len(data) > limit:
            raise TooLarge(f"{name}: more than {limit:,} bytes", "this is no release of ours")
        if time.monotonic() > until:
            raise CouldNotTell(f"{name}: too slow", "try a mirror, or download it by other means")
    return bytes(data)


def _pieces(answer: HTTPResponse, name: str) -> Iterator[bytes]:
    """Yield what comes; raises Cut where that is less than was announced."""
    stated: Any = answer.length
    came = 0
    while True:
        try:
            piece = answer.read1(PIECE)
        except (OSError, HTTPException, ValueError) as error:
            raise Cut(f"{name}: the connection ended early", _AGAIN) from error
        if not piece:
            break
        came += len(piece)
        yield piece
    if stated is not None and came < stated:
        raise Cut(f"{name}: the connection ended early", _AGAIN)
