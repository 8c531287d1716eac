"""Names of components: package URLs (purl), our own URNs, and addresses without secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

NAME, TEXT = 300, 4_000  # characters of a name, of what people wrote
_SAFE = "-._~"  # what a purl leaves as it is, besides letters and digits
_HOST = re.compile(r"[A-Za-z0-9._-]+(?::[0-9]{1,5})?")
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SCHEMES = ("http", "https", "ssh", "git", "git+http", "git+https", "git+ssh", "git+git")


def plain(text: str, limit: int = NAME) -> str:
    """Return a stranger's text fit for every format: what does not print escaped, long cut."""
    kept = text if len(text) <= limit else text[: limit - 1] + "…"
    if kept.isprintable():
        return kept
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in kept)[: 2 * limit]


def paragraph(text: str) -> str:
    """Return what people wrote as one bounded line."""
    return plain(" ".join(text[: 2 * TEXT].split()), TEXT)


def urn(kind: str, name: str, digest: str = "") -> str:
    """Return our own name of something that no purl names: urn:modelwarden:KIND:NAME@DIGEST."""
    at = f"@{_quoted(plain(digest))}" if digest else ""
    return f"urn:modelwarden:{kind}:{_quoted(plain(name), '/')}{at}"


def purl(
    kind: str, name: str, version: str = "", qualifiers: Mapping[str, str] | None = None
) -> str:
    """Return pkg:KIND/NAME@VERSION?QUALIFIERS (purl specification), without empty ones."""
    at = f"@{_quoted(version)}" if version else ""
    known = sorted((key, value) for key, value in (qualifiers or {}).items() if value)
    query = "&".join(f"{key}={_quoted(value, '/:')}" for key, value in known)
    return f"pkg:{kind}/{_quoted(name)}{at}{'?' if query else ''}{query}"


def is_pypi(index: str) -> bool:
    """Whether an index is the public one, which a purl means where it names none."""
    return not index or urlsplit(index).hostname in ("pypi.org", "pypi.python.org")


def public(url: str) -> str:
    """Return an address without user, password, query and fragment; "" where it is none.

    What follows "@" in the path of a repository stays: it is a revision.
    """
    if not url:
        return ""
    try:
        parts = urlsplit(plain(url.strip(), 2_000))
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in _SCHEMES or not _HOST.fullmatch(host):
        return ""
    path = quote(_BARE_PERCENT.sub("%25", parts.path), safe="/@:+,=~%-._")
    return f"{parts.scheme}://{host}{path}"


def _quoted(text: str, more: str = "") -> str:
    return quote(text, safe=_SAFE + more)
