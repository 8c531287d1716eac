from __future__ import annotations

import gzip
import json

from registry.licenses.matching import build
from registry.licenses.matching.index import load
from registry.licenses.matching.known import known
from tests.registry.licenses.test_texts import LIST, needs_list

SOME = ("MIT", "ISC", "BSD-2-Clause", "Zlib", "Unlicense")


@needs_list
def test_the_index_is_made_alike_twice() -> None:
    licences = json.loads(gzip.decompress(LIST.read_bytes()))
    some = {id: licences[id] for id in SOME}
    assert build.build(some) == build.build(dict(reversed(some.items())))


@needs_list
def test_the_shipped_index_is_that_of_the_list() -> None:
    licences = json.loads(gzip.decompress(LIST.read_bytes()))
    index = load()
    shipped = {index.text(number).words for number in range(len(index.entries))}
    ids = {id for entry in index.entries for id in entry[0]}
    current = {id for id in licences if f"{id.removesuffix('+')}-only" not in licences}
    assert current <= ids
    for id in sorted(current)[::40]:
        words = known(licences[id]["text"], index.is_title).words
        assert index.letters(words) in shipped, id
