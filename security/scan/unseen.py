"""Characters that people do not see and models read: direction changes, tags, zero widths.

Sources: Unicode 16 chapter 23 (format and tag characters), UTR 36 and UTS 39.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 8  # said of one text; the rest is the same story
# Escapes, so that this file holds none of them itself.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_JOINERS = "\u200c\u200d"  # between letters or parts of a picture they are ordinary writing


def unseen(text: str) -> Iterator[tuple[int, str]]:
    """Yield (characters before, what it is) of each run, the first MOST; a leading mark is none."""
    found = 0
    for match in _UNSEEN.finditer(text):
        run = match.group()
        if run == "\ufeff" and match.start() == 0:
            continue
        if len(run) == 1 and run in _JOINERS and _joins(text, match.start()):
            continue
        yield match.start(), _told(run)
        found += 1
        if found == MOST:
            return


def _joins(text: str, at: int) -> bool:
    around = text[max(0, at - 1) : at] + text[at + 1 : at + 2]
    return len(around) == 2 and all(ord(c) > 0x2FF and not c.isspace() for c in around)


def _told(run: str) -> str:
    points = " ".join(f"U+{ord(c):04X}" for c in run[:4])
    more = f" and {len(run) - 4:,} more" if len(run) > 4 else ""
    tags = "".join(chr(ord(c) - 0xE0000) for c in run if 0xE0020 <= ord(c) <= 0xE007E)
    says = f', which spell "{tags[:80]}"' if tags else ""
    return f"hidden characters {points}{more}{says}"
