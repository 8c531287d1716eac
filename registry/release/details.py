"""What each action of the ledger has to say, and how: docs/formats/releases.md, in code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from registry.errors import ReleaseError
from registry.release import ledger
from security.auditentry import BEGIN, TEXT_LIMIT, Entry
from security.errors import Malformed
from security.manifest import is_digest
from security.trust import releases

rank = lru_cache(maxsize=8_192)(releases.rank)  # a version is met in several entries
ARTIFACT_LIMIT = 200  # characters
TAG_LIMIT = 200
_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@#=+-]*")
_NO_TAG = re.compile(r"\.\.|//|/\.|@\{|\.lock(?:/|$)|[./]$")  # git check-ref-format(1)
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_NONCE = re.compile(r"[0-9a-f]{32}")


def is_artifact(text: str) -> bool:
    """Whether text names an artifact: parts between slashes, fit for files and for tags."""
    parts = text.split("/")
    ends = (".lock", ".json", ".git")  # of refs, of our documents
    return len(text) <= ARTIFACT_LIMIT and all(
        _PART.fullmatch(part) and ".." not in part and not part.lower().endswith(ends)
        for part in parts
    )


def is_commit(text: str) -> bool:
    """Whether text is a full commit id."""
    return _COMMIT.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether text can be the name of a git tag, with letters that no shell or glob minds."""
    return len(text) <= TAG_LIMIT and bool(_TAG.fullmatch(text)) and not _NO_TAG.search(text)


def is_version(text: str) -> bool:
    """Whether text is a version, without a leading v."""
    try:
        rank(text)
    except Malformed:
        return False
    return text.isascii() and not text.startswith("v")


def is_text(text: str) -> bool:
    """Whether text is one line that shows what it is."""
    return 0 < len(text) <= TEXT_LIMIT and text.isprintable() and text == text.strip()


def _nothing(rule: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: not text or rule(text)


_RULES: Mapping[str, Callable[[str], bool]] = {
    "version": is_version,
    "expect": _nothing(is_version),
    "alias": lambda text: text in ledger.ALIASES,
    "commit": is_commit,
    "tag": lambda text: is_tag(text) and "#" not in text,  # those are the aliases'
    "root": is_digest,
    "document": is_digest,
    "verdict": is_digest,
    "place": lambda text: bool(_WORD.fullmatch(text)),
    "nonce": lambda text: bool(_NONCE.fullmatch(text)),
}

# action -> (what it must say, what it may say beside)
_SAID: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    action: (frozenset(must.split()), frozenset(may.split()))
    for action, must, may in (
        (BEGIN, "nonce", ""),
        (ledger.CLAIM, "version commit holder", ""),
        (ledger.ABANDON, "version holder reason", ""),
        (ledger.RELEASE, "version commit holder root tag document", ""),
        (ledger.WITHDRAW, "version reason", ""),
        (ledger.PROMOTE, "alias version expect", "reason root verdict"),
        (ledger.ROLLBACK, "alias version expect reason", ""),
        (ledger.APPROVE, "version how", "commit root alias reason"),
        (ledger.WAIVE, "check commit reason", "version"),
        (ledger.RECORD, "version place id", "root"),
    )
}


def details(entry: Entry) -> Mapping[str, str]:
    """Return what an entry says, each detail checked. Raises ReleaseError."""
    hint = "a newer modelwarden may know it; else ask who wrote it"
    rules = _SAID.get(entry.action)
    if rules is None:
        raise ReleaseError(f"the action {entry.action!r} is not one of a ledger of releases", hint)
    said, (must, may) = dict(entry.details), rules
    odd = sorted((must - said.keys()) | (said.keys() - must - may))
    if odd:
        what = "lacks" if odd[0] in must else "has an unknown"
        raise ReleaseError(f"{entry.action} {what} {odd[0]}", hint)
    for name, text in said.items():
        clears = name == "version" and entry.action == ledger.PROMOTE and not text
        if not clears and not _RULES.get(name, is_text)(text):
            raise ReleaseError(f"{entry.action} has an odd {name}: {text!a:.80}", hint)
    if entry.action != BEGIN and not is_artifact(entry.artifact):
        raise ReleaseError(f"{entry.artifact!a:.80} is no name of an artifact", _NAMED)
    if not is_text(entry.actor):
        raise ReleaseError(f"{entry.action} does not say who did it, or oddly", hint)
    return said


_NAMED = "use letters, digits, '.', '_' and '-', in parts between slashes: acme/small"
