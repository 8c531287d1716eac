"""The page at the end of `modelwarden verify`: what was proven, and what was not. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from bot.quoting import plain
from bot.wording import plural
from security.identity import Identity
from security.seal.sealing import SUFFIX
from security.verify import Verified

WIDTH = 100
_SAID = ("licence", "bom", "provenance", "measurement")  # what a reader may want stated
_WORDS = {
    "release": "its version",
    "scan": "a scan of its files",
    "licence": "its licences",
    "bom": "its bill of materials",
    "provenance": "how it was built",
    "measurement": "how it was measured",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a verification: `stated` are kinds of statements that are believed.

    `wanted` is the name the user asked for, `anchor` what they said to trust.
    """

    verified: Verified
    version: str
    previous: str
    stated: tuple[str, ...]
    wanted: str
    anchor: str
    remembers: bool
    scanned: bool
    flagged: bool
    plain: Verified | None
    skipped: int
    kept: str


@dataclass(frozen=True, slots=True)
class Page:
    """Two lists of sentences."""

    proven: tuple[str, ...]
    not_proven: tuple[str, ...]


def page(known: Known) -> Page:
    """Return what a verification that ended well proves, and what it leaves open."""
    return Page(tuple(_proven(known)), tuple(_open(known)))


def lines(found: Page) -> tuple[str, ...]:
    """Return the page as text."""
    return (
        "This proves:",
        *_listed(found.proven),
        "It does not prove:",
        *_listed(found.not_proven),
    )


def document(found: Page) -> dict[str, list[str]]:
    """Return the page as JSON has it."""
    return {"proven": list(found.proven), "not_proven": list(found.not_proven)}


def _proven(known: Known) -> Iterator[str]:
    verified = known.verified
    manifest = verified.manifest
    count, size = plural(len(manifest.entries), "file"), f"{manifest.size:,} bytes"
    yield f"Who: {_people(verified.signers)} signed it under the name {plain(verified.name)}."
    yield f"What: {count}, {size}, are what they signed, and no other file is among them."
    if known.version:
        after = f"after the release of root digest {known.previous}" if known.previous else ""
        yield f"Which: version {plain(known.version)}, {after or 'the first, as they say'}."
    said = [_WORDS.get(kind, kind) for kind in dict.fromkeys(known.stated)]
    if said:
        yield f"Said of it by people who may: {', '.join(said)}. That they said it is proven."
    if known.scanned and not known.flagged:
        yield "The scan found nothing in its files that would run when they are loaded."
    if known.plain:
        count = plural(len(known.plain.manifest.entries), "file")
        who = _people(known.plain.signers)
        yield f"Opened: {count} that were sealed in it are what {who} signed before sealing."


def _open(known: Known) -> Iterator[str]:
    yield f"That {plain(known.anchor)} is the project's: get it from them, not from where this was."
    if not known.wanted:
        yield "That it is the model you meant: say which by --artifact NAME."
    if not known.version:
        yield "Which version it is: nobody who may has stated it, so it may be an old one."
    elif known.remembers:
        yield "That there is no newer one: only that none was seen on this machine."
    else:
        yield "That there is no newer one: nothing is remembered (--no-memory)."
    if known.flagged:
        yield "That it is safe to load: the scan found something, or could not decide."
    elif not known.scanned:
        theirs = "they say that they scanned it; " if "scan" in known.stated else ""
        yield f"That loading it runs no code: {theirs}add --scan."
    lacking = [_WORDS[kind] for kind in _SAID if kind not in known.stated]
    if lacking:
        yield f"Anything about {', '.join(lacking)}: nobody who may has stated it beside the files."
    doubted = [said for said in known.verified.attestations if said.doubt]
    if doubted:
        yield f"{plural(len(doubted), 'statement')} that came with it and is not believed."
    sealed = sum(entry.path.endswith(SUFFIX) for entry in known.verified.manifest.entries)
    if sealed and not known.plain:
        count = plural(sealed, "sealed file")
        yield f"What {count} would open to: add --open-with FILE --output DIR."
    if known.skipped:
        yield f"{plural(known.skipped, 'file')} offered and not signed: not fetched."
    if not known.kept:
        yield "What you download next: these files are gone again. Add --output DIR to keep them."
    yield "That the model is good, fair or fit for your purpose: read its card and measurements."


def _people(signers: tuple[Identity, ...]) -> str:
    return ", ".join(f"{plain(each.name)} ({each.kind}, {each.hint[:16]})" for each in signers)


def _listed(sentences: tuple[str, ...]) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(
            sentence, WIDTH, initial_indent="  - ", subsequent_indent="    ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
