"""One requirement as text: PEP 508, and what pip accepts beyond it."""

from __future__ import annotations

import re
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from registry.manifests.requirement import Problem, Requirement

TEXT_LIMIT = 4096  # characters of one requirement without its hashes
ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2")
_NAME = re.compile(r"[^\W_](?:[\w.-]{0,200}[^\W_])?")
_EXTRAS = re.compile(r"\s*\[([\w.,\s-]*)\]")
_LOCAL_EXTRAS = re.compile(r"([^\[\]]+)\[([\w., -]*)\]$")
_CLAUSE = re.compile(r"(?:===|==|~=|!=|<=|>=|<|>)\s*[^\s,;]+$")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DIGESTS = ("sha256=", "sha384=", "sha512=")


def requirement(
    text: str, line: int, *, group: str = "", hashed: bool = False
) -> Requirement | Problem:
    """Read one requirement; a Problem where nobody could say what it asks for."""
    text = text.strip()
    if len(text) > TEXT_LIMIT:
        return Problem(f"a requirement of {len(text):,} characters", line)
    if is_place(text):
        return from_place(text, line, group=group, hashed=hashed)
    try:
        parsed = Parsed(text)
    except (InvalidRequirement, RecursionError):
        return _beyond_the_standard(text, line, group, hashed)
    return Requirement(
        name=canonicalize_name(parsed.name),
        raw=parsed.name,
        line=line,
        specifier=str(parsed.specifier),
        extras=tuple(sorted(canonicalize_name(e) for e in parsed.extras)),
        marker=str(parsed.marker or ""),
        url=parsed.url or "",
        hashed=hashed or any(d in (parsed.url or "") for d in _DIGESTS),
        group=group,
    )


def is_place(text: str) -> bool:
    """Whether it is a URL or a path, not a name: a name holds no slash and no scheme."""
    word = text.split(None, 1)[0].partition(";")[0] if text else ""
    if _SCHEME.match(word) or word in (".", "..") or word.startswith(("./", "../", ".[", "..[")):
        return True
    before_url = word.partition("@")[0] if "@" in word else word
    return "/" in before_url or "\\" in before_url or before_url.lower().endswith(ARCHIVES)


def from_place(text: str, line: int, *, group: str = "", hashed: bool = False) -> Requirement:
    """Read a bare URL or path. Its name is the fragment's `egg`, or that of the wheel."""
    url, _, marker = (part.strip() for part in text.partition(" ;"))
    path, _, fragment = url.partition("#")
    eggs = [w[4:] for w in fragment.split("&") if w.startswith("egg=")]
    raw = unquote(eggs[0]).partition("[")[0] if eggs else ""
    wheel = unquote(path.rpartition("/")[2])
    if not raw and wheel.endswith(".whl") and "-" in wheel:
        raw = wheel.partition("-")[0]
    hashed = hashed or fragment.startswith(_DIGESTS)
    name = canonicalize_name(raw)
    extras: tuple[str, ...] = ()
    if "://" not in url and (match := _LOCAL_EXTRAS.match(url)):
        url = match[1]
        extras = tuple(
            sorted({canonicalize_name(e.strip()) for e in match[2].split(",") if e.strip()})
        )
    return Requirement(
        name, raw, line, extras=extras, marker=marker, url=url, hashed=hashed, group=group
    )


def _beyond_the_standard(text: str, line: int, group: str, hashed: bool) -> Requirement | Problem:
    # Versions that PEP 440 refuses stay as they are written; so do names that are not ASCII,
    # which a reader that skips the line would hide.
    body, _, marker = (part.strip() for part in text.partition(";"))
    match = _NAME.match(body)
    if match is None:
        return Problem(f"not a requirement: {text[:80]!r}", line)
    rest = body[match.end() :]
    extras = _EXTRAS.match(rest)
    rest = (rest[extras.end() :] if extras else rest).strip()
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1].strip()
    clauses = [c.strip() for c in rest.split(",") if c.strip()]
    if not all(_CLAUSE.match(c) for c in clauses):
        return Problem(f"not a requirement: {text[:80]!r}", line)
    return Requirement(
        name=canonicalize_name(match[0]),
        raw=match[0],
        line=line,
        specifier=",".join(sorted(c.replace(" ", "") for c in clauses)),
        extras=tuple(sorted(e.strip() for e in extras[1].split(",") if e.strip()))
        if extras
        else (),
        marker=marker,
        hashed=hashed,
        group=group,
    )
