"""Copyright lines: who is named in them, and whether that is one of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 300  # characters of a line that is looked at
_BEFORE = 4  # words, marks of comments among them: "# Portions of it are"
_QUOTED = frozenset("\"'`")
_STARTS = re.compile(r"copyright\b|spdx-filecopyrighttext:|©|\(c\)|&copy;", re.IGNORECASE)
_MARK = re.compile(r"(?:copyright(?:text)?|©|\(c\)|&copy;|[\s:,])+", re.IGNORECASE)
_YEARS = re.compile(r"(?:(?:19|20)\d\d|present|[\s,;\u2013-])+", re.IGNORECASE)
_END = re.compile(r"all rights|licen[sc]ed|this (?:file|source|code|software)|\*/|-->|[<{\[(]|\. ",
                  re.IGNORECASE)  # fmt: skip
_WORD = re.compile(r"[^\W_]+")
_SAYING_NOTHING = (
    "the and a an of by inc llc ltd limited corp corporation co company gmbh ag bv sa team teams"
    " author authors contributor contributors project projects developers maintainers its their"
    " affiliates respective others et al community group org organization com www https http"
)
_FILLER = frozenset(_SAYING_NOTHING.split())
# What stands there in templates, and the holder of licence texts that carry a line of their own.
_NOBODY = re.compile(r"yyyy|<year|name of (?:author|copyright)|\[year|your name|holder", re.I)


def holders(line: str) -> Iterator[str]:
    """Yield the name that a copyright line gives; a sentence about copyright gives none."""
    line = line[:LONGEST]
    start = _STARTS.search(line)
    if start is None or _NOBODY.search(line):
        return
    before = line[: start.start()].replace('"""', "").replace("'''", "")
    if len(before.split()) > _BEFORE or not _QUOTED.isdisjoint(before):
        return  # inside a sentence, or an example of such a line
    mark = _MARK.match(line, start.start())
    at = mark.end() if mark else start.end()
    years = _YEARS.match(line, at)
    dated = years is not None and any(char.isdigit() for char in years[0])
    if years is not None:
        at = years.end()
    marked = mark is not None and any(s in mark[0].lower() for s in ("(c)", "©", "&copy;"))
    tagged = "spdx-filecopyrighttext" in start[0].lower()
    if not dated and not (marked and "copyright" in line.lower()) and not tagged:
        return
    rest = line[at:]
    end = _END.search(rest)
    name = (rest[: end.start()] if end else rest).strip(" \t.,;:*#/-'\"")
    name = re.sub(r"^by\s+", "", name, flags=re.IGNORECASE)
    if _WORD.search(name) and len(name) <= 150:
        yield name


def names(text: str) -> frozenset[str]:
    """Return the words of a name that tell it from others."""
    words = (word.lower() for word in _WORD.findall(text))
    return frozenset(w for w in words if w not in _FILLER and not w.isdigit())


def is_own(name: str, own: Iterable[frozenset[str]]) -> bool:
    """Whether a name is one of the project's own, or no name at all ("the authors")."""
    said = names(name)
    return not said or any(said <= one or one <= said for one in own if one)
