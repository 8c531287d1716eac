"""Files of releases, streamed: sent from the disk as they are, and read back to be hashed.

PyGithub sends what is in memory, to one host. These requests go out by the library beneath it,
and what comes of them is judged by transport.py like everything else.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from bot.github import transport
from bot.github.client import AGENT, VERSION
from bot.github.errors import Foreign, Refused, Unavailable
from bot.github.transport import LATER, WRONG, Reply

LARGEST = 2**31 - 1  # bytes of one asset
CONNECT, ANSWER = 30, 300  # seconds; GitHub looks at what it got before it answers
BLOCK = 1 << 20
SAID = 1_000_000  # bytes of an answer
HOPS = 3
_NAME = re.compile(r"[A-Za-z0-9_-](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9_-])?")
_ENTERPRISE = re.compile(r"api\.([a-z0-9-]{1,63}\.ghe\.com)")
_BINARY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes one asset: `size` bytes of the file at `path` from `offset`, and their SHA-256.

    `name` may hold only what GitHub keeps as it is: letters, digits, "-", "_", and "." inside.
    """

    name: str
    path: Path
    offset: int
    size: int
    sha256: str


class Reader:
    """The bytes of a part on their way: other bytes than planned end the request unfinished."""

    def __init__(self, part: Part) -> None:
        self._part = part
        try:
            self._file = os.fdopen(os.open(part.path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
            self._file.seek(part.offset)
        except OSError as error:
            raise self._unread(error) from error
        self._hash = hashlib.sha256()
        self._left = self.len = part.size  # requests sends it as Content-Length

    def __iter__(self) -> Iterator[bytes]:  # by this, requests knows a stream
        while block := self.read(BLOCK):
            yield block

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raises Refused before the last where they are not as planned."""
        wanted = min(self._left, size if size >= 0 else BLOCK)
        try:
            block = self._file.read(wanted)
        except OSError as error:
            raise self._unread(error) from error
        self._hash.update(block)
        self._left -= len(block)
        if len(block) < wanted or (not self._left and self._changed()):
            raise Refused(
                f"{self._part.path.name} changed while it was sent to GitHub",
                "leave the files of the release alone, and run it again",
            )
        return block

    def _unread(self, error: OSError) -> Refused:
        what = f"{self._part.path.name} cannot be read: {error.strerror}"
        return Refused(what, "see whether the files of the release are still there")

    def _changed(self) -> bool:
        return self._hash.hexdigest() != self._part.sha256

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def checked(part: Part) -> Part:
    """Return the part. Raises Refused where GitHub would not take it as it is."""
    if not _NAME.fullmatch(part.name):
        raise Refused(f"GitHub would rename the asset {part.name[:80]!r}", WRONG)
    if not 0 < part.size <= LARGEST:
        raise Refused(f"GitHub takes no asset of {part.size:,} bytes: {part.name}", WRONG)
    return part


def address(api: str, said: str, repository: str, release: int) -> str:
    """Return where assets are sent, out of a release's `upload_url`. Raises Foreign.

    The token goes nowhere but to GitHub: the API's own host, or the one beside it for uploads.
    """
    url, ours = urlsplit(said.partition("{")[0]), urlsplit(api)
    hosts = [ours.netloc]
    if ours.netloc == "api.github.com":
        hosts.append("uploads.github.com")
    elif own := _ENTERPRISE.fullmatch(ours.netloc):
        hosts.append(f"uploads.{own[1]}")
    rest = f"/repos/{repository}/releases/{release:d}/assets".lower()
    paths = (rest, f"/api/uploads{rest}")
    safe = url.scheme == ours.scheme and url.netloc in hosts and url.path.lower() in paths
    if not safe or url.query or url.fragment:
        raise Foreign(
            f"GitHub names an address for uploads that is not its own: {url.netloc[:100]!r}",
            "nothing was sent there; see whether a proxy changes what GitHub answers",
        )
    return f"{url.scheme}://{url.netloc}{url.path}"


def send(url: str, token: str, part: Part) -> Reply:
    """Send a part as an asset, once. Raises GitHubError."""
    reader = Reader(part)
    try:
        where = f"{url}?{urlencode({'name': part.name})}"
        headers = _headers(token) | {"Content-Type": _BINARY}
        with _answer("POST", where, headers, f"the upload of {part.name}", reader) as found:
            return found[1]
    finally:
        reader.close()


def digest(url: str, token: str, size: int, about: str) -> str:
    """Return the SHA-256 of an asset's bytes, read back; "" where they are not `size` many."""
    found, left = hashlib.sha256(), size
    for block in _blocks(url, token, about):
        found.update(block)
        left -= len(block)
        if left < 0:
            return ""
    return "" if left else found.hexdigest()


def content(url: str, token: str, limit: int, about: str) -> bytes:
    """Return an asset's bytes. Raises Refused beyond `limit`."""
    data = bytearray()
    for block in _blocks(url, token, about):
        data += block
        if len(data) > limit:
            raise Refused(f"{about}: more than {limit:,} bytes", "see who changed it on GitHub")
    return bytes(data)


def _blocks(url: str, token: str, about: str) -> Iterator[bytes]:
    headers = _headers(token) | {"Accept": _BINARY, "Accept-Encoding": "identity"}
    for _ in range(HOPS):
        with _answer("GET", url, headers, about) as (response, reply):
            if reply.status < 300:
                yield from response.iter_content(BLOCK)
                return
            url = _onward(url, reply)
        headers.pop("Authorization", None)  # the storage that it leads to is another house
    raise Unavailable(f"too many redirects for {about}", LATER)


def _onward(url: str, reply: Reply) -> str:
    to = urljoin(url, reply.headers.get("location", ""))
    if urlsplit(to).scheme not in ("https", urlsplit(url).scheme):
        raise Foreign("GitHub leads a download to an address without TLS", LATER)
    return to


def _headers(token: str) -> dict[str, str]:
    return {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "User-Agent": AGENT,
        "X-GitHub-Api-Version": VERSION,
    }


@contextmanager
def _answer(
    verb: str, url: str, headers: dict[str, str], about: str, body: Reader | None = None
) -> Iterator[tuple[requests.Response, Reply]]:
    """Ask once, and read what an error says; the bytes of a download are left to be read."""
    lost = ""
    with requests.Session() as session:
        session.auth = _nobody  # else a .netrc is looked into
        try:
            with session.request(
                verb, url, headers=headers, data=body, timeout=(CONNECT, ANSWER),
                allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                yield response, _reply(response, verb, about)
        except (requests.RequestException, HTTPError, ConnectionError, TimeoutError) as error:
            lost = type(error).__name__  # what it holds (the request, its headers) stays here
    if lost:
        raise Unavailable(f"no answer from GitHub to {about}: {lost}", LATER)


def _reply(response: requests.Response, verb: str, about: str) -> Reply:
    got = {name.lower(): value for name, value in response.headers.items()}
    moved = verb == "GET" and response.status_code in (301, 302, 307, 308)
    if moved or (verb == "GET" and response.status_code == 200):
        return Reply(response.status_code, got)
    text = response.raw.read(SAID + 1, decode_content=True).decode("utf-8", "replace")
    if response.status_code >= 300 or len(text) > SAID:
        raise transport.failure(response.status_code, got, text, about, time.time())
    return Reply(response.status_code, got, text)


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
