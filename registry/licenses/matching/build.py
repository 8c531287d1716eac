"""Make the index from the SPDX licence list (CC0-1.0) and folders of AI licence texts.

Usage: python -m registry.licenses.matching.build LIST FOLDER..., where LIST is a JSON object,
gzipped or not, of id -> {"name": ..., "text": ...}.
"""

from __future__ import annotations

import gzip
import json
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from registry.licenses.matching import names
from registry.licenses.matching.index import FILE, MOST_WORDS, digest, kept, packed
from registry.licenses.matching.known import Known, known
from registry.licenses.matching.references import plain_name
from registry.licenses.matching.words import words_of


@dataclass(frozen=True, slots=True)
class Source:
    """A text to know: what it is called, its family, its words, its name in full."""

    id: str
    family: str
    text: str
    name: str = ""


def build(licences: dict[str, dict[str, Any]], folders: tuple[Path, ...] = ()) -> bytes:
    """Return the index of these licences and of the texts in these folders."""
    current = {id: entry for id, entry in licences.items() if not _superseded(id, licences)}
    titles = frozenset(
        _title(name) for id, entry in current.items() for name in _named(id, entry["name"])
    )
    sources = [
        Source(id, "", text, current[id]["name"])
        for id in sorted(current, key=_plain_first)
        for text in _parts(id, current[id]["text"])
    ]
    sources += [source for folder in folders for source in in_folder(folder)]
    sources += [other for folder in folders for other in _prefaced(folder, sources)]
    texts: dict[Known, Source] = {}
    ids: dict[Known, list[str]] = defaultdict(list)
    for source in sources:
        one = known(source.text, lambda words: digest("".join(words)) in titles)
        texts.setdefault(one, source)
        if source.id not in ids[one]:
            ids[one].append(source.id)
    entries = [(one, ids[one], source.family or ids[one][0]) for one, source in texts.items()]
    return _packed(entries, titles, _names(current))


def _names(current: dict[str, dict[str, Any]]) -> dict[str, str]:
    called = {id: (id, entry["name"]) for id, entry in current.items()}
    found: dict[str, str] = {}
    for id in sorted(called, key=_plain_first, reverse=True):
        found.update((name, id) for name in called[id])
    found |= names.ALIASES
    plain = {plain_name(words_of(name).words): id for name, id in found.items()}
    return {str(digest(name)): id for name, id in sorted(plain.items()) if name}


def in_folder(folder: Path) -> Iterator[Source]:
    """Yield the texts of a folder that have a name in `names.FILES`, in their order there."""
    for file, (id, family) in names.FILES.items():
        path = folder / file
        if path.is_file():
            yield Source(id, family, path.read_text(encoding="utf-8", errors="replace"))


def _prefaced(folder: Path, sources: list[Source]) -> Iterator[Source]:
    """Yield the CC 4.0 texts with what Creative Commons puts around them in its plain files."""
    path = folder / names.PLAIN_CC
    if not path.is_file():
        return
    plain = path.read_text(encoding="utf-8")
    before = plain[plain.index(_CC_FIRST) : plain.index(_CC_TITLE)]
    after = plain[plain.index(_CC_LAST) :]
    for source in sources:
        text = source.text
        if source.id.startswith("CC-BY") and _CC_TERMS in text and _CC_LAST in text:
            title = f"{source.name} Public License\n\n"
            terms = text[text.index(_CC_TERMS) : text.index(_CC_LAST)]
            yield replace(source, text=before + title + terms + after)


_CC_FIRST, _CC_TERMS = "Creative Commons Corporation", "By exercising the Licensed Rights"
_CC_TITLE = "Creative Commons Attribution-NonCommercial 4.0"
_CC_LAST = "Creative Commons is not a party to its public"


def _packed(
    entries: list[tuple[Known, list[str], str]], titles: frozenset[int], called: dict[str, str]
) -> bytes:
    vocabulary = sorted({word for one, _, _ in entries for word in one.words})
    if len(vocabulary) > MOST_WORDS:
        raise ValueError(f"{len(vocabulary)} words are more than {MOST_WORDS}")
    letter = {word: chr(place) for place, word in enumerate(vocabulary, 1)}
    sequences, ends, rows = array("H"), array("I"), []
    postings: dict[int, list[int]] = defaultdict(list)
    for text, (one, ids, family) in enumerate(entries):
        words = "".join(letter[word] for word in one.words)
        sequences.extend(map(ord, words))
        ends.append(len(sequences))
        own = kept(words)
        for key in own:
            postings[key].append(text)
        rows.append((ids, family, len(own), one.optional, one.names))
    keys = sorted(postings)
    number: dict[tuple[int, ...], int] = {}
    groups = array("H", [number.setdefault(tuple(postings[key]), len(number) + 1) for key in keys])
    members, limits = array("H"), array("I")
    for group in number:
        members.extend(group)
        limits.append(len(members))
    facts = {"titles": sorted(titles), "names": called, "entries": rows}
    header = json.dumps(facts, separators=(",", ":"))
    hashed = array("Q", [digest(word) for word in vocabulary])
    arrays = (hashed, sequences, ends, array("Q", keys), groups, limits, members)
    return packed(header.encode(), arrays)


def _named(id: str, name: str) -> tuple[str, ...]:
    bare = name.removeprefix("Creative Commons ")
    return (
        id,
        name,
        "The " + name,
        bare,
        bare + " Public License",
        name + " Public License",
        *names.TITLES,
    )


def _parts(id: str, text: str) -> tuple[str, ...]:
    # The list has the GPL behind the LGPL that refers to it; files have the LGPL alone.
    mark = names.FOLLOWED_BY.get(id)
    return (text, text[: text.index(mark)]) if mark else (text,)


def _title(name: str) -> int:
    return digest("".join(words_of(name).words))


def _superseded(id: str, licences: dict[str, dict[str, Any]]) -> bool:
    # GPL-3.0 and GPL-3.0+ are old spellings of GPL-3.0-only and GPL-3.0-or-later.
    return f"{id.removesuffix('+')}-only" in licences


def _plain_first(id: str) -> tuple[bool, int, str]:
    return not id.endswith("-only"), len(id), id


def main(path: Path, folders: tuple[Path, ...]) -> None:
    """Write the index of this licence list and these folders beside this file."""
    data = path.read_bytes()
    licences = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    FILE.write_bytes(build(licences, folders))


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(map(Path, sys.argv[2:])))
