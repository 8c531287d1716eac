"""What stands around the known texts and may take away what they grant: told by its words.

A README around a licence is no difference to it; a sentence that restricts is, wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.licenses.matching.words import Words

_END = re.compile(r"[.!?;](?=\s|$|[\"'”)\]])|\n\s*\n|\n[ \t]*(?:[-*+#=|>]|\d{1,2}[.)])|\|")
_LEAST = 2  # words of a sentence

_NEVER = (
    "not no never nor only solely exclusively prohibited forbidden restricted excluded limited"
    " prohibits forbids restricts excludes limits without except unless banned cannot barred"
    " neither nobody none disallowed unauthorized refused denied"
)
_DONE = (
    "use used uses using usage commercial commercially software work works model models weights"
    " data dataset distribute distributed distribution redistribute redistributed redistribution"
    " copy copies copied copying modify modified modification modifications sell sold selling sale"
    " resale license licensed sublicense derivative derivatives product products train training"
    " trained permission permitted consent purposes purpose research academic personal internal"
    " military weapon weapons surveillance government profit revenue outputs output deploy"
    " deployed deployment host hosted hosting service services exploit publish published"
)
_DUTY = (
    "must shall required requires require obliged obligated agree agrees agreed condition"
    " conditions provided subject need needs have has"
)
_OWED = (
    "display displayed credit credited attribute attribution acknowledge acknowledged"
    " acknowledgment name named naming mention mentioned cite cited citing notify notified inform"
    " pay paid payment fee fees royalty royalties retain retained include included reproduce"
    " disclose disclosed share shared license licensed prominently prominent prefix approval"
    " permission consent comply compliance register registration link logo label labeled carry"
    " carries bear bears state stated called call promote provide built terms"
)
_ALONE = "noncommercial noncommercially nonprofit nonmilitary royalty royalties"
_PAIRS = (
    ("research", "only"),
    ("academic", "only"),
    ("personal", "only"),
    ("evaluation", "only"),
    ("purposes", "only"),
    ("fee", "due"),
)
_HINTS = (
    " may must shall should will permitted permission require requires required agree provided"
    " subject consent grant grants granted rights licensee licensor patent patents trademark"
    " trademarks claim claims terminate terminates liable liability warranty law jurisdiction"
    " comply evaluation nonprofit organization hobby hobbyists companies company fee fees pay"
    " payment"
)
_NEVER_SET, _DONE_SET = frozenset(_NEVER.split()), frozenset(_DONE.split())
_DUTY_SET, _OWED_SET = frozenset(_DUTY.split()), frozenset(_OWED.split())
_ALONE_SET = frozenset(_ALONE.split())
_HINT_SET = _NEVER_SET | _ALONE_SET | frozenset((_HINTS + " commercial commercially").split())
_UNDER = frozenset(("licensed", "released", "distributed", "available", "published", "covered"))
_EXCEPT = frozenset(("except", "unless"))
_OTHERWISE = frozenset(("otherwise", "noted", "stated", "specified", "indicated", "mentioned"))
_STRONG_DUTY = frozenset(("must", "shall", "required", "requires", "obliged", "obligated"))


def restricting(
    words: Words, ranges: tuple[tuple[int, int], ...], *, strict: bool
) -> list[tuple[int, int]]:
    """Return the sentences, as ranges of words, that restrict or oblige.

    `strict`: in a file that is little more than a licence any word of law is enough.
    """
    return [
        (start, end)
        for start, end in sentences(words, ranges)
        if _restricts(frozenset(words.words[start:end]), end - start, strict=strict)
    ]


def sentences(words: Words, ranges: tuple[tuple[int, int], ...]) -> Iterator[tuple[int, int]]:
    """Yield the sentences in these ranges of words, as ranges of words."""
    for start, end in ranges:
        first = start
        for word in range(start, end):
            after = words.spans[word + 1][0] if word + 1 < end else len(words.text)
            between = words.text[words.spans[word][1] : min(after, words.spans[word][1] + 200)]
            if word + 1 == end or _END.search(between):
                if word + 1 - first >= _LEAST:
                    yield first, word + 1
                first = word + 1


def _restricts(said: frozenset[str], length: int, *, strict: bool) -> bool:
    if said & _UNDER and said & _EXCEPT and said & _OTHERWISE:
        # "Except where noted otherwise all code is released under the licence below."
        said -= _UNDER | _EXCEPT | _OTHERWISE | {"all", "rights"}
    if said & _ALONE_SET or any(said.issuperset(pair) for pair in _PAIRS):
        return True
    if strict:
        return bool(said & (_HINT_SET if length > _LEAST else _NEVER_SET))
    if said & _NEVER_SET and len(said & _DONE_SET) >= 2:
        return True
    return bool(said & _STRONG_DUTY) and bool(said & _OWED_SET)
