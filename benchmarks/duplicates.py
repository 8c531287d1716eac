"""Duplicates and leaks in training data: speed against datasketch, what is found of the planted.

Documents are lines of real text (sources and documents of the installed Python) put together at
random. Whole commands in CPU seconds, in turn. datasketch lives in an environment of its own.

Run: python -m benchmarks.duplicates --peer PYTHON [--documents 20000] [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import sysconfig
import tempfile
import textwrap
from pathlib import Path

from benchmarks.timing import cpu_seconds, interleaved

ROOT = Path(__file__).parents[1]
PEER = Path(__file__).with_name("duplicates_peer.py")
PLANTED, ITEMS = 1_000, 1_000
RATIO, LEAKS, RECALL = 5.0, 13_000, 0.99  # least, least documents a second, least
THRESHOLD = 0.8


def corpus(seed: int) -> tuple[list[str], list[str]]:
    """Return different lines of real text in two parts."""
    places = (sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["purelib"])
    found: dict[str, None] = {}
    for path in sorted(p for place in places for p in Path(place).glob("*/*.py")):
        for line in path.read_text("utf-8", "replace").split("\n"):
            words = line.strip(' #"').split()
            if 8 <= len(words) <= 20 and sum(word.isalpha() for word in words) >= 6:
                found[" ".join(words)] = None
        if len(found) > 60_000:
            break
    lines = list(found)
    random.Random(seed).shuffle(lines)
    return lines[: len(lines) // 10], lines[len(lines) // 10 :]


def documents(lines: list[str], count: int, chance: random.Random) -> list[str]:
    """Return documents of about a hundred words."""
    return [" ".join(chance.sample(lines, chance.randint(6, 12))) for _ in range(count)]


def similar(text: str, chance: random.Random) -> str:
    """Return the text with two words in a hundred changed."""
    words = text.split()
    for place in chance.sample(range(len(words)), max(1, len(words) * 2 // 100)):
        words[place] = "changed"
    return " ".join(words)


def written(path: Path, texts: list[str]) -> None:
    """Write texts as JSONL."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")


def jaccard(one: str, other: str) -> float:
    """Return the likeness of two texts by sets of three words, the plain way."""
    from lab.data.words import words

    first, second = (set(zip(w, w[1:], w[2:], strict=False)) for w in (words(one), words(other)))
    return len(first & second) / len(first | second)


def duplicates(folder: Path, peer: str, count: int, runs: int) -> list[str]:
    """Compare ours with datasketch on the same file; both must find what is planted."""
    chance = random.Random(1)
    _, lines = corpus(1)
    texts = documents(lines, count - PLANTED, chance)
    texts += [similar(text, chance) for text in texts[:PLANTED]]
    written(folder / "d.jsonl", texts)
    alike = {
        (n, count - PLANTED + n)
        for n in range(PLANTED)
        if jaccard(texts[n], texts[count - PLANTED + n]) >= THRESHOLD
    }
    ours = [sys.executable, "-m", "benchmarks.duplicates", "--of", str(folder / "d.jsonl")]
    theirs = [peer, "-P", str(PEER), str(folder / "d.jsonl"), str(THRESHOLD)]
    failed: list[str] = []
    for name, command in {"ours": ours, "datasketch": theirs}.items():
        pairs = {(a, b) for a, b in json.loads(cpu_seconds(command, ROOT)[1])}
        wrong = [p for p in pairs if jaccard(texts[p[0]], texts[p[1]]) < THRESHOLD]
        share = len({b for _, b in pairs} & {b for _, b in alike}) / len(alike)
        print(f"  {name}: {share:.2%} of {len(alike)} planted, {len(wrong)} false of {len(pairs)}")
        if name == "ours" and (share < RECALL or wrong):
            failed.append(f"duplicates: recall {share:.2%}, {len(wrong)} false")
    took = interleaved(runs, {"ours": (ours, ROOT), "datasketch": (theirs, ROOT)})
    for name, seconds in took.items():
        print(f"  {name}: {seconds:.2f} CPU-s, {count / seconds:,.0f} documents/CPU-s")
    ratio = took["datasketch"] / took["ours"]
    print(f"  ratio {ratio:.1f} (limit {RATIO})")
    return failed + ([f"duplicates: ratio {ratio:.1f}"] if ratio < RATIO else [])


def wrapped(text: str, chance: random.Random) -> str:
    """Return the text wrapped and quoted in one of the ways that people do."""
    parts = textwrap.wrap(text, chance.randint(20, 78), break_long_words=False)
    prefix = chance.choice(["\n", "\r\n", "\n> ", "\n# ", "\n// ", "\n  * "])
    text = prefix.join(["", *parts, ""])
    return chance.choice([text.upper(), text.title(), text])


def leaks(folder: Path, count: int, runs: int) -> list[str]:
    """Find wrapped items in documents; whatever else is found must really be there."""
    from lab.data.words import words

    chance = random.Random(2)
    held, lines = corpus(1)
    items = [" ".join(chance.sample(held, chance.randint(1, 5))) for _ in range(ITEMS)]
    texts = documents(lines, count, chance)
    where = {place: n for n, place in enumerate(chance.sample(range(count), ITEMS))}
    for place, number in where.items():
        texts[place] += wrapped(items[number], chance) + chance.choice(lines)
    written(folder / "t.jsonl", texts)
    written(folder / "e.jsonl", items)
    command = [sys.executable, "-m", "benchmarks.duplicates", "--of", str(folder / "t.jsonl")]
    command += ["--items", str(folder / "e.jsonl")]
    found = json.loads(cpu_seconds(command, ROOT)[1])
    there = [b" ".join(words(text)) for text in texts]

    def holds(item: int, line: int) -> bool:
        some = words(items[item])
        size = min(13, len(some))
        grams = (b" ".join(some[at : at + size]) for at in range(len(some) - size + 1))
        stream = b" ".join(there[line : line + 2])
        return any(gram in stream for gram in grams)

    recall = len({item for item, _ in found}) / ITEMS
    false = [(item, line) for item, line in found if not holds(item, line)]
    seconds = interleaved(runs, {"ours": (command, ROOT)})["ours"]
    print(f"  {recall:.2%} of {ITEMS} planted, {len(false)} false")
    print(f"  {seconds:.2f} CPU-s, {count / seconds:,.0f} documents/CPU-s (limit {LEAKS:,})")
    failed = [f"leaks: recall {recall:.2%}, {len(false)} false"] if recall < RECALL or false else []
    return failed + (["leaks: too slow"] if count / seconds < LEAKS else [])


def main() -> None:
    """Print both parts; exit non-zero where a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer", help="Python of an environment with datasketch.")
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--leaking", type=int, default=50_000, help="Documents of the second part.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--of", type=Path, help="Only this file, in this process.")
    parser.add_argument("--items", type=Path, help="With --of: look for these.")
    asked = parser.parse_args()
    if asked.of:
        print(json.dumps(_leaks_of(asked.of, asked.items) if asked.items else _pairs_of(asked.of)))
        return
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        if asked.peer:
            print(f"## {asked.documents:,} documents, {PLANTED:,} of them near-duplicates")
            failed += duplicates(Path(name), asked.peer, asked.documents, asked.runs)
        print(f"## {ITEMS:,} wrapped items in {asked.leaking:,} documents")
        failed += leaks(Path(name), asked.leaking, asked.runs)
    sys.exit("\n".join(failed) if failed else 0)


def _pairs_of(path: Path) -> list[tuple[int, int]]:
    from typing import Any

    from lab.data.records import read
    from lab.data.sketch import documents, shingles, sketch
    from lab.data.twins import shelves_of, twins

    def fetch(shelf: int, rows: frozenset[int]) -> dict[int, Any]:
        with path.open("rb") as stream:
            numbered = enumerate(documents(read(path.name, stream), rows))
            found = {row: some for row, (_, some) in numbered if row in rows}
        return dict(zip(found, shingles(list(found.values())), strict=True))

    with path.open("rb") as stream:
        made = sketch(read(path.name, stream), THRESHOLD)
    found = twins(shelves_of((), (made,), ()), THRESHOLD, fetch).found
    return [(twin.old.line - 1, twin.new.line - 1) for twin in found]


def _leaks_of(path: Path, items: Path) -> list[tuple[int, int]]:
    from lab.data.grams import Index
    from lab.data.items import Item, needles
    from lab.data.leaks import search
    from lab.data.records import read

    with items.open("rb") as stream:
        wanted = [Item("e", str(r.line), r.texts) for r in read(items.name, stream)]
    index = Index(needles(wanted, 13), 13)
    with path.open("rb") as stream:
        found = search(index, read(path.name, stream))
    return [(int(leak.id) - 1, leak.line - 1) for leak in found]


if __name__ == "__main__":
    main()
