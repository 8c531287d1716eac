"""Licence texts: are they known when they look different, and is every difference noticed?

Run `python -m benchmarks.licensetexts [--sample N] [--half 0|1] [--peer PYTHON]`. It changes
each known text in each way below and prints, per change, how many ids are right and how many texts
are said to differ; then time and memory, and whether each bar of the project holds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import resource
import subprocess
import sys
import textwrap
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import licensepeer
from benchmarks.licensefiles import installed, stated_files
from registry.licenses.matching import Match, match
from registry.licenses.matching.build import Source, in_folder

DATA = Path(__file__).parents[2] / "shared/data/audit"
README = (
    "# Example\n\nA small library for trees.\n\n## Installation\n\n"
    "```\npip install example\n```\n\n"
    "You need Python 3.11 or later. See the documentation for how to use it.\n\n## License\n\n"
    "This project is licensed as follows.\n\n"
)
AFTER = (
    "\n\n## Contributing\n\nBug reports are welcome. Please run the tests before you open one.\n"
)
CLAUSES = {
    "non-commercial": "The Software may not be used for any commercial purpose.",
    "field of use": "Use in surveillance, weapons or credit scoring is prohibited.",
    "naming": 'Any product that uses it must display the words "Built with Example" prominently.',
}
Change = Callable[[str, random.Random], str]


def lines(text: str, mark: str, end: str = "") -> str:
    """Return the text with a mark before each line."""
    return "\n".join(f"{mark}{line}{end}" for line in text.splitlines())


def wrapped(text: str, width: int) -> str:
    """Return the paragraphs of the text wrapped anew; 0 for one line each."""
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return "\n\n".join(textwrap.fill(p, width) if width else p for p in paragraphs)


def with_holder(text: str, _: random.Random) -> str:
    """Return the text with another holder, in its own place or at the top."""
    own = "Copyright (c) 2031-2033 Zoë Example-Müller and the Example Project contributors"
    found = re.search(r"(?im)^[ \t]*copyright[ \t]*(?:\(c\)|©|<|\[|\d).*$", text)
    if found is None:
        return f"{own}\n\n{text}"
    return text[: found.start()] + own + text[found.end() :]


def sentences_dropped(share: float) -> Change:
    """Return a change that drops this share of the sentences, one at least of ten."""

    def drop(text: str, seed: random.Random) -> str:
        parts = re.split(r"(?<=[.;:])(\s+)", text)
        body, gaps = parts[::2], [*parts[1::2], ""]
        gone = set(seed.sample(range(len(body)), round(len(body) * share)))
        return "".join(
            b + g for i, (b, g) in enumerate(zip(body, gaps, strict=True)) if i not in gone
        )

    return drop


def words_replaced(text: str, seed: random.Random) -> str:
    """Return the text with two words in a hundred replaced."""
    return re.sub(r"\w+", lambda m: "example" if seed.random() < 0.02 else m[0], text)


def quotes(text: str, _: random.Random) -> str:
    """Return the text with typographic quotes, dashes and bullets."""
    text = re.sub(r'"([^"\n]*)"', r"“\1”", text).replace("'", "’").replace(" - ", " – ")
    return re.sub(r"(?m)^(\s*)[*-] ", r"\1• ", text)


LOOKS: dict[str, Change] = {
    "verbatim": lambda t, _: t,
    "other holder": with_holder,
    "wrapped at 60": lambda t, _: wrapped(t, 60),
    "wrapped at 100": lambda t, _: wrapped(t, 100),
    "a line a paragraph": lambda t, _: wrapped(t, 0),
    "hash comment": lambda t, _: lines(wrapped(t, 70), "# "),
    "slash comment": lambda t, _: lines(t, "// "),
    "star comment": lambda t, _: "/*\n" + lines(wrapped(t, 70), " * ") + "\n */",
    "semicolon comment": lambda t, _: lines(t, ";; "),
    "quoted": lambda t, _: lines(t, "> "),
    "REM comment": lambda t, _: lines(wrapped(t, 70), "REM "),
    "dnl comment": lambda t, _: lines(t, "dnl "),
    "HTML comment": lambda t, _: f"<!--\n{t}\n-->",
    "markdown": lambda t, _: "# License\n\n" + re.sub(r"(?m)^([A-Z][A-Za-z ]+)$", r"**\1**", t),
    "typographic": quotes,
    "CRLF, indented": lambda t, _: lines(t, "    ").replace("\n", "\r\n"),
    "inside a README": lambda t, _: README + t + AFTER,
}  # fmt: skip
CUTS: dict[str, Change] = {
    "5 % of sentences dropped": sentences_dropped(0.05),
    "20 % of sentences dropped": sentences_dropped(0.2),
    "2 % of words replaced": words_replaced,
}


def clause_put(clause: str, where: str) -> Change:
    """Return a change that puts a clause at the start, the middle, the end or in a sentence."""

    def put(text: str, _: random.Random) -> str:
        if where == "start":
            return f"{clause}\n\n{text}"
        if where == "end":
            return f"{text.rstrip()}\n\n{clause}\n"
        half = len(text) // 2
        if where == "middle":
            found = re.compile(r"\n\s*\n|(?<=[.;])\s").search(text, half)
            at = found.end() if found else len(text)
            return f"{text[:at]}{clause}\n\n{text[at:]}" if found else f"{text}\n{clause}"
        at = text.find(" ", half)
        inside = clause[0].lower() + clause[1:-1]
        return f"{text[:at]}, {inside},{text[at:]}" if at > 0 else f"{text}, {inside}"

    return put


ADDED = {
    f"{kind}, {where}": clause_put(clause, where)
    for kind, clause in CLAUSES.items()
    for where in ("start", "middle", "end", "inside")
}


@dataclass(slots=True)
class Tally:
    """Of one change: texts tried, right ids, texts said to differ, clauses quoted."""

    tried: int = 0
    right: int = 0
    differs: int = 0
    quoted: int = 0


def sources() -> list[Source]:
    """Return every text to know; old spellings of an id are left out."""
    licences = json.loads(gzip.decompress((DATA / "spdx/spdx-licenses.json.gz").read_bytes()))
    found = [
        Source(id, "", entry["text"])
        for id, entry in sorted(licences.items())
        if f"{id.removesuffix('+')}-only" not in licences
    ]
    for folder in ("ai-licenses", "modelgo/raw"):
        found += in_folder(DATA / folder)
    return found


def is_right(found: tuple[Match, ...], id: str) -> bool:
    """Whether every known text that was found has this id."""
    return bool(found) and all(id in one.ids for one in found)


def is_quoted(found: tuple[Match, ...], clause: str) -> bool:
    """Whether most words of a clause are in one passage that was added."""
    words = set(re.findall(r"\w+", clause.lower()))
    passages = (set(re.findall(r"\w+", p.text.lower())) for m in found for p in m.added)
    return any(len(words & said) >= 0.7 * len(words) for said in passages)


def run(texts: list[Source], changes: dict[str, Change], verbose: bool) -> dict[str, Tally]:
    """Return what becomes of each text under each change."""
    tallies = {name: Tally() for name in changes}
    times: list[float] = []
    for source in texts:
        for name, change in changes.items():
            text = change(source.text, random.Random(zlib.crc32(f"{source.id}{name}".encode())))
            started = time.process_time()
            found = match(text)
            times.append(time.process_time() - started)
            tally, kind = tallies[name], name.split(",")[0]
            right = is_right(found, source.id)
            differs = any(not one.exact for one in found) or not found
            quoted = kind in CLAUSES and is_quoted(found, CLAUSES[kind])
            tally.tried += 1
            tally.right += right
            tally.differs += differs
            tally.quoted += quoted
            bad = not right or (name in LOOKS and differs) or (kind in CLAUSES and not quoted)
            if verbose and bad:
                got = [(m.ids[:2], *(p.text[:50] for p in m.added[:2])) for m in found[:2]]
                print(f"    {source.id} {name}: {got}")
    TIMES.extend(times)
    return tallies


TIMES: list[float] = []


def report(title: str, tallies: dict[str, Tally], column: str) -> dict[str, Tally]:
    """Print the tallies of a kind of change and return them, with their sum as "all"."""
    total = Tally()
    print(f"\n{title:32} {'texts':>6} {'id %':>7} {column:>11}")
    for name, one in [*tallies.items(), ("all", total)]:
        if one is not total:
            for field in Tally.__slots__:
                setattr(total, field, getattr(total, field) + getattr(one, field))
        count = one.quoted if column == "quoted %" else one.differs
        right, share = (100 * part / one.tried for part in (one.right, count))
        print(f"  {name:30} {one.tried:6} {right:7.1f} {share:11.1f}")
    return {**tallies, "all": total}


def ready() -> tuple[float, float]:
    """Return seconds until a fresh process has the index, and the CPU seconds of that."""
    code = (
        "import time; a, b = time.perf_counter(), time.process_time()\n"
        "from registry.licenses.matching.index import load; load()\n"
        "print(time.perf_counter() - a, time.process_time() - b)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wall, cpu = map(float, done.stdout.split())
    return wall, cpu


def main() -> None:
    """Print every figure, and whether each bar holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sample", type=int, default=1, help="every Nth text only")
    parser.add_argument("--half", type=int, choices=(0, 1), help="one half of the texts, by id")
    parser.add_argument("--verbose", action="store_true", help="name what went wrong")
    parser.add_argument("--peer", type=Path, help="a Python that has scancode-toolkit: only that")
    asked = parser.parse_args()
    texts = sources()
    if asked.half is not None:
        texts = [s for s in texts if zlib.crc32(s.id.encode()) % 2 == asked.half]
    texts = texts[:: asked.sample]
    print(f"{len(texts)} texts")
    if asked.peer is not None:
        files = [(text, "") for _, text, _ in stated_files()][:: asked.sample]
        known = licensepeer.changed(((s.text, s.id) for s in texts), LOOKS)
        sys.exit(not licensepeer.compare(asked.peer, known + files, ready()[1]))
    looks = report("only looks different", run(texts, LOOKS, asked.verbose), "modified %")
    cuts = report("words dropped or replaced", run(texts, CUTS, False), "modified %")
    added = report("a clause added", run(texts, ADDED, asked.verbose), "quoted %")
    times = sorted(TIMES)
    p50, p95 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.95))
    wall, cpu = ready()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nms of CPU a text: p50 {p50:.1f}, p95 {p95:.1f}, worst {1000 * times[-1]:.0f}")
    print(f"index ready in {wall:.3f} s ({cpu:.3f} s of CPU); this process takes {memory:.0f} MB")
    real, agree, others = installed()
    print(f"licence files of installed packages: {real}, {agree} agree with what they state")
    print(*(f"    {other}" for other in others), sep="\n")
    few = cuts["5 % of sentences dropped"]
    all_looks, all_added = looks["all"], added["all"]
    id_right = 100 * (all_looks.right + few.right) / (all_looks.tried + few.tried)
    noticed = 100 * all_added.quoted / all_added.tried
    differs = 100 * all_looks.differs / all_looks.tried
    bars = (
        ("id >= 98 %", id_right, id_right >= 98),
        ("real files >= 96 %", 100 * agree / real, agree >= 0.96 * real),
        ("clause noticed >= 98 %", noticed, noticed >= 98),
        ("false modified <= 5 %", differs, differs <= 5),
        ("p95 <= 15 ms", p95, p95 <= 15),
        ("index <= 0.3 s", wall, wall <= 0.3),
    )
    for bar, value, holds in bars:
        print(f"{'holds' if holds else 'FAILS':6} {bar}: {value:.2f}")
    sys.exit(not all(holds for _, _, holds in bars))


if __name__ == "__main__":
    main()
