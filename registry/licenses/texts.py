"""Which licence a text is, word for word, and which ids have a text that is known."""

from __future__ import annotations

from functools import cache

from registry.errors import UnreadableText
from registry.licenses import matching
from registry.licenses.matching.index import load
from registry.licenses.names import HUB_IDS

TEXT_LIMIT = matching.TEXT_LIMIT  # characters of a text that is looked at


def identify(text: str) -> tuple[str, ...]:
    """Return the ids this text is the text of, () where it is none we know, word for word.

    Layout, title and who holds the copyright do not count; a clause added, altered or left out
    does. Several ids share one text: the plain reading of the text alone comes first.
    """
    try:
        return matching.identify(text)
    except UnreadableText:
        return ()


@cache
def spdx_ids() -> tuple[str, ...]:
    """Return the SPDX ids whose texts are known."""
    known = {id for entry in load().entries for id in entry[0]}.difference(HUB_IDS)
    return tuple(sorted(id for id in known if not id.startswith("LicenseRef-")))
