"""How many real commits are read exactly: ours against readers that share nothing with it.

Run: python -m benchmarks.histories FOLDER (the folder that holds llama-factory.jsonl.gz)

The expected difference of a commit is what its files ask for afterwards less what they asked
for before, and is found
- in requirements files by pip's own parser, each line read by packaging,
- in pyproject.toml by tomllib and packaging,
- in setup.py by cutting the literal lists out of the text, for `ast.literal_eval`,
- in Dockerfiles from a table that was checked by hand against every diff
  (tests/data/manifests/dockerfiles.jsonl).
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip._internal.req.req_file import get_line_parser, preprocess

from registry.manifests import command_kind, kind_of, read
from registry.manifests.difference import Placed, difference

LEAST = 0.99  # of the commits
GOLDEN = Path(__file__).parents[1] / "tests/data/manifests/dockerfiles.jsonl"
LISTS = {"REQUIRED_PKGS": "", "EXTRAS": "extra", "extra_require": "extra"}
_HOST = re.compile(r"(?<= )https://[^/]+/")
_TRUSTED = re.compile(r"^--trusted-host .*")
Said = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One commit: what was expected and what was found, each only where they differ."""

    commit: str
    paths: tuple[str, ...]
    missed: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether nothing was missed and nothing invented."""
        return not self.missed and not self.invented


def commits(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a history by commit."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = json.loads(line)
        found.setdefault(row["commit"], []).append(row)
    return found


def goldens() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the hand-checked differences of Dockerfiles, by commit and path."""
    rows = (json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines())
    return {(row["commit"], row["path"]): row for row in rows}


def outcome(
    commit: str, rows: list[dict[str, Any]], known: dict[tuple[str, str], dict[str, Any]]
) -> Outcome:
    """Compare one commit."""
    expected = Said()
    for row in rows:
        if command_kind(row["path"]):
            golden = known[commit[:12], row["path"]]
            expected.update(("", *_parts(text)) for text in golden.get("added", ()))
            expected.update(("option", o) for o in golden.get("options_added", ()))
            expected.subtract(("", *_parts(text)) for text in golden.get("removed", ()))
            expected.subtract(("option", o) for o in golden.get("options_removed", ()))
        else:
            expected.update(asked(row["path"], row["after"]))
            expected.subtract(asked(row["path"], row["before"]))
    found = ours(rows)
    found.subtract(expected)
    return Outcome(
        commit,
        tuple(row["path"] for row in rows),
        tuple(str(key) for key, count in found.items() if count < 0),
        tuple(str(key) for key, count in found.items() if count > 0),
    )


def ours(rows: list[dict[str, Any]]) -> Said:
    """Return our difference: 1 for each thing added, -1 for each removed."""
    sides, options = [], Said()
    for side, weight in (("before", -1), ("after", 1)):
        manifests = []
        for row in rows:
            if row[side] is not None:
                kind = kind_of(row["path"]) or command_kind(row["path"]) or ""
                manifests.append((row["path"], read(kind, row[side].encode())))
        sides.append(manifests)
        for _, manifest in manifests:
            for option in manifest.options:
                options[_option(option.name, option.value)] += weight
            for problem in manifest.problems:
                options["problem", problem.message] += weight
    for delta in difference(*sides):
        if delta.before:
            options[_placed(delta.before)] -= 1
        if delta.after:
            options[_placed(delta.after)] += 1
    return options


def _placed(placed: Placed) -> tuple[str, ...]:
    r = placed.requirement
    return (r.group, r.name or "-", ",".join(r.extras), r.specifier, r.marker, r.url)


def _option(name: str, value: str) -> tuple[str, ...]:
    return ("option", _TRUSTED.sub("--trusted-host …", _HOST.sub("…/", f"{name} {value}")))


def _parts(text: str) -> tuple[str, ...]:
    """Take apart a row of the table: `name[extras] specifier @ url`."""
    text, _, url = text.partition(" @ ")
    name, _, specifier = text.partition(" ")
    name, _, extras = name.partition("[")
    return (name, extras.rstrip("]"), specifier, "", url)


def asked(path: str, text: str | None) -> Said:
    """Return what a file asks for, by the other readers."""
    if text is None:
        return Said()
    if path.endswith(".toml"):
        return Said(_toml(tomllib.loads(text)))
    return Said(_setup(text) if path.endswith("setup.py") else _pip(text))


def _row(group: str, text: str) -> tuple[str, ...]:
    r = Requirement(text)
    extras = ",".join(sorted(canonicalize_name(e) for e in r.extras))
    name = canonicalize_name(r.name)
    return (group, name, extras, str(r.specifier), str(r.marker or ""), r.url or "")


def _pip(text: str) -> Iterator[tuple[str, ...]]:
    parse = get_line_parser(None)
    for _, line in preprocess(text):
        said, options = parse(line)
        if said:
            yield _row("", said)
        for place in options.editables or ():
            yield ("", "-", "", "", "", place)
        for name, values in (
            ("--requirement", options.requirements),
            ("--constraint", options.constraints),
            ("--extra-index-url", options.extra_index_urls),
            ("--index-url", [options.index_url] if options.index_url else ()),
        ):
            yield from (_option(name, value) for value in values or ())


def _toml(document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    project, uv = document.get("project", {}), document.get("tool", {}).get("uv", {})
    named: list[tuple[str, str]] = [("", r) for r in project.get("dependencies", ())]
    for extra, listed in project.get("optional-dependencies", {}).items():
        named += ((f"extra:{extra}", r) for r in listed)
    for group, listed in document.get("dependency-groups", {}).items():
        named += ((f"group:{group}", r) for r in listed if isinstance(r, str))
    named += (("build", r) for r in document.get("build-system", {}).get("requires", ()))
    for key in ("override-dependencies", "constraint-dependencies", "dev-dependencies"):
        named += ((f"group:uv.{key}", r) for r in uv.get(key, ()))
    own = canonicalize_name(project.get("name", ""))
    for group, text in named:
        row = _row(group, text)
        if not (row[1] == own and row[2] and group != "build"):
            yield row
    dynamic = document.get("tool", {}).get("setuptools", {}).get("dynamic", {})
    files = dynamic.get("dependencies", {}).get("file", ())
    for name in [files] if isinstance(files, str) else files:
        yield ("option", f"--requirement {name}")


def _setup(text: str) -> Iterator[tuple[str, ...]]:
    for name, what in LISTS.items():
        match = re.search(rf"^{name} = ([\[{{].*?^[\]}}])", text, re.MULTILINE | re.DOTALL)
        if match and re.search(rf"_requires?={name},", text):
            value = ast.literal_eval(match[1])
            listed = {"": value} if what == "" else {f"extra:{k}": v for k, v in value.items()}
            for group, texts in listed.items():
                yield from (_row(group, one) for one in texts)
    if "install_requires=get_requires()" in text and 'open("requirements.txt"' in text:
        yield ("option", "--requirement requirements.txt")


def main() -> None:
    """Print how many commits are exact, and every one that is not."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m benchmarks.histories FOLDER")
    known, everything, right = goldens(), 0, 0
    for path in sorted(Path(sys.argv[1]).glob("*.jsonl.gz")):
        began = time.process_time()
        outcomes = [outcome(commit, rows, known) for commit, rows in commits(path).items()]
        exact = sum(o.exact for o in outcomes)
        seconds = time.process_time() - began
        everything, right = everything + len(outcomes), right + exact
        print(f"{path.name}: {exact} of {len(outcomes)} commits exact, {seconds:.1f} CPU seconds")
        for one in outcomes:
            if not one.exact:
                print(f"  {one.commit[:12]} {', '.join(one.paths)}")
                print(f"    missed: {one.missed}\n    invented: {one.invented}")
    print(f"{right} of {everything} commits exact ({right / max(everything, 1):.2%})")
    sys.exit(not everything or right < LEAST * everything)


if __name__ == "__main__":
    main()
