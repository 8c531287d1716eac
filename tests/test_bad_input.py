"""Bad input end to end, over real git: bounded, one finding, could not tell where that is so.

A table of literals: what a change brings, the check that reads it, and the one finding that
counts. "" means that the input is read and nothing counts: it is odd, not unreadable.
"""

from __future__ import annotations

import gzip
import json
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import cli
from registry.advisories.database import VARIABLE
from tests.advisorydata import database
from tests.gitrepo import Repo, environment

Files = Mapping[str, "bytes | str"]
MIT = (
    "MIT License\n\nCopyright (c) 2020 Ada\n\nPermission is hereby granted, free of charge, to any"
    " person obtaining a copy of this software and associated documentation files (the"
    ' "Software"), to deal in the Software without restriction, including without limitation the'
    " rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of"
    " the Software, and to permit persons to whom the Software is furnished to do so, subject to"
    " the following conditions:\n\nThe above copyright notice and this permission notice shall be"
    " included in all copies or substantial portions of the Software.\n\nTHE SOFTWARE IS PROVIDED"
    ' "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE'
    " WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO"
    " EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER"
    " LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN"
    " CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.\n"
)
ITEM = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen\n"
BASE: Files = {
    "LICENSE": MIT,
    "README.md": "# x\n",
    "eval/items.jsonl": json.dumps({"text": ITEM}) + "\n",
    ".github/modelwarden.yml": 'data: {evaluation: ["/eval/**"], max_bytes: 20000000}\n',
}
R, LOCK, PY, CONDA, CI = (
    "requirements.txt", "uv.lock", "pyproject.toml", "environment.yml", ".github/workflows/ci.yml"
)  # fmt: skip
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12\n"
BOMB = "a: &a [pip, pip, pip, pip, pip, pip, pip, pip, pip]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{b}'] * 9)}]\n" for b, n in zip("abcdefgh", "bcdefghi", strict=True)
)
CARD = "---\n{}\n---\n# x\n"
LONG = 10_000_000
MEMORY = 1_000_000_000  # bytes


READ: Files = {  # each is read, and installs packages or may
    R: "numpy==1.26.4\n", PY: "[project]\n", LOCK: "version = 1\n", CONDA: "a: 1\n", CI: "a: pip\n",
    "setup.py": "x = 1\n", "setup.cfg": "[a]\n", "Pipfile.lock": '{"_meta": {}}',
    "poetry.lock": "a = 1\n", "Dockerfile": "FROM x\nRUN pip install numpy==1.26.4\n",
}  # fmt: skip


def jsonl(text: str) -> str:
    return json.dumps({"text": text}) + "\n"


# (what, check, files of the head, the rule of the one finding that counts or "")
ROWS: tuple[tuple[str, str, Files, str], ...] = (
    # what is not what its name says
    ("not TOML", "dependencies", {PY: "[project\n"}, "dependencies/unreadable"),
    ("not TOML", "advisories", {LOCK: "[[package"}, "advisories/unreadable"),
    ("not JSON", "dependencies", {"Pipfile.lock": "{"}, "dependencies/unreadable"),
    ("not YAML", "dependencies", {CONDA: "a: [\n"}, "dependencies/unreadable"),
    ("not YAML", "dependencies", {CI: "pip: [\n"}, "dependencies/unreadable"),
    ("not Python", "dependencies", {"setup.py": "setup(\n"}, "dependencies/unreadable"),
    ("not JSON", "assets", {"adapter_config.json": "{"}, "assets/unreadable"),
    ("not YAML", "assets", {"README.md": CARD.format("base_model: [")}, "assets/unreadable"),
    ("not YAML", "licenses", {"README.md": CARD.format("license: [")}, "licenses/unclear"),
    ("not YAML", "assets", {"train.yaml": "base_model: a/b\nx: [\n"}, "assets/unreadable"),
    ("not JSON", "data", {"data/a.jsonl": "{\n"}, "data/unreadable"),
    ("not parquet", "data", {"data/a.parquet": "x"}, "data/unreadable"),
    ("not gzip", "data", {"data/a.jsonl.gz": "x"}, "data/unreadable"),
    # nothing at all
    ("empty", "dependencies", {R: "", PY: "", CONDA: "", "setup.py": "", "Dockerfile": ""}, ""),
    ("empty", "dependencies", {"Pipfile.lock": ""}, "dependencies/unreadable"),
    ("empty", "dependencies", {LOCK: ""}, "dependencies/unreadable"),
    ("empty", "dependencies", {"poetry.lock": ""}, "dependencies/unreadable"),
    ("empty", "licenses", {"LICENSE": ""}, "licenses/text-unknown"),
    ("empty", "assets", {"adapter_config.json": ""}, "assets/unreadable"),
    ("empty", "data", {"data/a.jsonl": ""}, ""),
    # UTF-16, NUL, a byte order mark, other line ends
    ("UTF-32", "licenses", {"LICENSE": MIT.encode("utf-32")}, "licenses/text-unreadable"),
    ("NUL", "licenses", {"LICENSE": MIT + "\0"}, "licenses/text-unreadable"),
    ("UTF-16", "data", {"data/a.jsonl": "{}\n".encode("utf-16")}, "data/unreadable"),
    ("NUL", "data", {"data/a.jsonl": "\0{}\n"}, "data/unreadable"),
    ("NUL", "assets", {"README.md": CARD.format("base_model: a\0")}, "assets/unreadable"),
    ("BOM, CRLF", "licenses", {"LICENSE": "\ufeff" + MIT.replace("\n", "\r\n")}, ""),
    ("BOM, CRLF", "dependencies",
     {R: "\ufeffnumpy==1.26.4\r\n", PY: '\ufeff[project]\r\nname = "x"\r\n',
      CONDA: "\ufeffdependencies:\r\n- pip\r\n", "setup.py": "\ufeffx = 1\r\n"}, ""),
    ("CRLF", "data", {"data/a.jsonl": jsonl(ITEM).replace("\n", "\r\n")}, "data/leak"),
    # YAML: bombs, harmless anchors, keys that come twice
    ("bomb", "dependencies", {CONDA: BOMB}, "dependencies/unreadable"),
    ("bomb", "dependencies", {CI: BOMB}, "dependencies/unreadable"),
    ("bomb", "advisories", {CI: BOMB}, "advisories/unreadable"),
    ("bomb", "community", {CI: BOMB}, "community/unreadable"),
    ("bomb", "assets", {"train.yaml": "base_model: a/b\n" + BOMB}, "assets/unreadable"),
    ("bomb", "assets", {"README.md": CARD.format(BOMB)}, "assets/unreadable"),
    ("bomb", "licenses", {"README.md": CARD.format(BOMB)}, "licenses/unclear"),
    ("anchors", "community",
     {CI: "on: push\npermissions: {}\njobs:\n  a: &a\n    runs-on: x\n    steps: [{run: ls}]\n"
          "  b: *a\n"}, ""),
    ("anchors", "dependencies", {CI: "on: &a push\nx: *a\ny: pip\n"}, ""),
    ("twice", "dependencies", {PY: "[project]\n[project]\n"}, "dependencies/unreadable"),
    ("twice", "dependencies", {"Pipfile.lock": '{"a": 1, "a": 2}'}, "dependencies/unreadable"),
    ("twice", "dependencies", {CONDA: "a: 1\na: 2\n"}, "dependencies/unreadable"),
    ("twice", "assets", {"README.md": CARD.format("base_model: a/b\nbase_model: c/d")},
     "assets/unreadable"),
    ("twice", "data", {"data/a.jsonl": '{"text": "x", "text": "y"}\n'}, "data/unreadable"),
    # links, places outside, circles
    ("missing include", "dependencies", {R: "-r lost.txt\n"}, "dependencies/include"),
    ("include outside", "dependencies", {R: "-r ../x.txt\n"}, "dependencies/include"),
    ("include of itself", "dependencies", {R: f"-r {R}\n"}, "dependencies/include"),
    ("include by variable", "dependencies", {R: "-r ${FILE}\n"}, "dependencies/include"),
    ("link", "dependencies", {R: "link:/etc/passwd"}, "dependencies/unreadable"),
    ("link", "advisories", {R: "link:/etc/passwd"}, "advisories/unreadable"),
    ("link", "data", {"data/a.jsonl": "link:/dev/zero"}, "data/not-at-hand"),
    ("submodule", "dependencies", {R: "submodule"}, "dependencies/unreadable"),
    ("submodule", "data", {"data/a.jsonl": "submodule"}, "data/not-at-hand"),
    # names and versions
    ("look-alike", "dependencies", {R: "num\u0440y==1.26.4\n"}, "dependencies/confusable"),
    ("zero width", "dependencies", {R: "num\u200bpy==1.26.4\n"}, "dependencies/unreadable"),
    ("not PEP 440", "dependencies", {R: "numpy==0.1-bulbasaur\n"}, ""),
    ("not PEP 440", "advisories", {R: "hijacked==0.1-bulbasaur\n"}, ""),
    ("a variable", "advisories", {R: "leaky==${VERSION}\n"}, "advisories/unreadable"),
    # too much
    ("one line", "licenses", {"LICENSE": "a" * LONG}, "licenses/text-unreadable"),
    ("one line", "dependencies", {R: "a" * LONG}, "dependencies/unreadable"),
    ("one line", "data", {"data/a.jsonl": f'"{"a" * LONG}"\n'}, "data/unreadable"),
    ("one line", "dependencies", {R: "a" * 5_000}, "dependencies/unreadable"),
    ("deep", "dependencies", {CI: "pip: " + "[" * 50_000}, "dependencies/unreadable"),
    ("deep", "dependencies", {"Pipfile.lock": "[" * 50_000}, "dependencies/unreadable"),
    ("deep", "assets", {"adapter_config.json": "[" * 50_000}, "assets/unreadable"),
    ("gzip bomb", "secrets", {"a.gz": gzip.compress(b"a" * 60_000_000)}, "secrets/unread"),
    ("zip bomb", "secrets", {"a.zip": b"PK\x03\x04\0" + bytes(100)}, ""),
    ("long lines", "secrets", {"a.txt": "a@" * 500_000 + "\n" + "eyJ" * 300_000}, ""),
    # pointers
    ("pointer", "licenses", {"LICENSE": POINTER}, "licenses/text-unreadable"),
    ("pointer", "data", {"data/a.jsonl": POINTER}, "data/not-at-hand"),
    ("pointer", "dependencies", {LOCK: POINTER}, "dependencies/unreadable"),
    # licences that are none
    ("UNKNOWN", "licenses", {PY: '[project]\nname = "x"\nlicense = "UNKNOWN"\n'},
     "licenses/disagree"),
    ("OR", "licenses", {PY: '[project]\nname = "x"\nlicense = "MIT OR Apache-2.0"\n'}, ""),
    ("other alone", "licenses", {"README.md": CARD.format("license: other")}, "licenses/unclear"),
    # what the base decides
    ("baseline", "secrets", {".github/modelwarden-secrets.json": "{"}, ""),
    ("policy", "dependencies",
     {".github/modelwarden.yml": "dependencies: {enabled: false}\n", R: "-r ../x.txt\n"},
     "dependencies/include"),
)  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, str]:
    repo = Repo(tmp_path_factory.mktemp("bad") / "repo")
    return repo, repo.commit(BASE)


@pytest.fixture(autouse=True)
def advisories(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "bad-input.db"
    if not path.exists():
        database(path)
    monkeypatch.setenv(VARIABLE, str(path))


def commit(repo: Repo, base: str, files: Files) -> str:
    """Commit files on the base without a working tree; `link:` and `submodule` are modes."""
    rows = []
    for path, content in files.items():
        if content == "submodule":
            rows.append(f"160000 {'c' * 40}\t{path}")
        elif isinstance(content, str) and content.startswith("link:"):
            rows.append(f"120000 {repo.blob(content[5:].encode())}\t{path}")
        else:
            data = content.encode() if isinstance(content, str) else content
            rows.append(f"100644 {repo.blob(data)}\t{path}")
    repo.git("read-tree", base)
    repo.git("update-index", "--index-info", stdin="\n".join(rows).encode() + b"\n")
    return repo.commit_tree(repo.git("write-tree"), base)


def checked(repo: Repo, base: str, head: str, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the command in this process; return its exit code and the verdicts by check."""
    asked = ["check", "--repo", str(repo.path), "--base", base, "--head", head, "--no-cache"]
    done = CliRunner().invoke(cli, [*asked, "--format", "json", *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return done.return_value, {v["check"]: v for v in json.loads(done.stdout)["verdicts"]}


def counting(verdict: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for finding in verdict["findings"]:
        if finding["severity"] in ("unknown", "failure"):
            yield finding["rule"], finding["severity"]


@pytest.mark.parametrize(
    ("check", "files", "rule"),
    [pytest.param(*row[1:], id=f"{row[1]}: {row[0]} {' '.join(row[2])}"[:70]) for row in ROWS],
)
def test_bad_input(project: tuple[Repo, str], check: str, files: Files, rule: str) -> None:
    repo, base = project
    code, verdicts = checked(repo, base, commit(repo, base, files), "--only", check)
    found = list(counting(verdicts[check]))
    assert [name for name, _ in found] == ([rule] if rule else []), verdicts[check]
    assert verdicts[check]["outcome"] != "skip" or not rule
    assert code == (0 if not rule else 3 if found[0][1] == "unknown" else 1)


@pytest.mark.parametrize("change", ["UTF-16", "NUL", "not UTF-8"])
def test_bytes_that_are_no_text(project: tuple[Repo, str], change: str) -> None:
    def altered(text: str) -> bytes:
        if change == "UTF-16":
            return text.encode("utf-16")
        return text.encode() + (b"\0" if change == "NUL" else b"# \xe9\n")

    repo, base = project
    head = commit(repo, base, {path: altered(str(text)) for path, text in READ.items()})
    code, verdicts = checked(repo, base, head, "--only", "dependencies", "--only", "advisories")
    for check in ("dependencies", "advisories"):
        found = [
            (f["location"]["path"], f["rule"], f["severity"]) for f in verdicts[check]["findings"]
            if f["severity"] in ("unknown", "failure")
        ]  # fmt: skip
        assert sorted(found) == [(path, f"{check}/unreadable", "unknown") for path in sorted(READ)]
    assert code == 3


@pytest.mark.parametrize(
    ("text", "rule"),
    [(None, "advisories/no-database"), ("", "advisories/no-database"),
     ("old", "advisories/too-old"),
     ("SQLite format 3\0" + "x" * 5_000, "advisories/no-database")],
)  # fmt: skip
def test_a_database_that_is_missing_corrupt_or_old(
    project: tuple[Repo, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    rule: str,
) -> None:
    path = tmp_path / "a.db"
    if text == "old":
        database(path, dated=date(2024, 10, 10))
    elif text is not None:
        path.write_text(text)
    monkeypatch.setenv(VARIABLE, str(path))

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("no check goes to the network")

    monkeypatch.setattr(socket, "socket", refused)
    repo, base = project
    head = commit(repo, base, {R: "numpy==1.26.4\n"})
    code, verdicts = checked(repo, base, head, "--only", "advisories")
    assert list(counting(verdicts["advisories"])) == [(rule, "unknown")]
    assert code == 3


def test_a_policy_counts_from_the_next_change_on(project: tuple[Repo, str]) -> None:
    repo, base = project
    loose = "dependencies: {enabled: false}\nwaive: []\n"
    head = commit(repo, base, {".github/modelwarden.yml": loose, R: "-r ../x.txt\n"})
    _, verdicts = checked(repo, base, head, "--only", "dependencies")
    assert [f["rule"] for f in verdicts["policy"]["findings"]] == ["policy/edited"]
    assert verdicts["dependencies"]["outcome"] == "fail"


def test_what_is_heavy_stays_within_bounds(project: tuple[Repo, str]) -> None:
    # All of it at once, by the command, in a process with little memory.
    checks = ("dependencies", "advisories", "licenses", "assets", "data", "community")
    repo, base = project
    head = commit(repo, base, {
        "LICENSE": "a" * LONG, R: "a" * LONG, CONDA: BOMB, CI: BOMB, LOCK: "a = [" * 300_000,
        "README.md": CARD.format(BOMB), "adapter_config.json": "[" * 300_000,
        "data/a.jsonl.gz": gzip.compress(b"a" * 30_000_000, 1), "data/b.jsonl": "[" * 3_000_000,
        "a.txt": "a@" * 500_000,
    })  # fmt: skip
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [str(Path(sys.executable).with_name("modelwarden")), "check", "--no-cache",
               "--base", base, "--head", head, "--format", "json",
               *(word for check in checks for word in ("--only", check))]  # fmt: skip

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    done = subprocess.run(
        command, cwd=repo.path, env=environment(), capture_output=True, text=True,
        preexec_fn=bound,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    verdicts = {v["check"]: v for v in json.loads(done.stdout)["verdicts"]}
    assert {verdicts[check]["outcome"] for check in checks} <= {"error", "fail"}
    assert not any("itself broke" in v["reason"] for v in verdicts.values())
    assert not any("memory" in v["reason"] for v in verdicts.values())
    assert done.returncode == 3
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start < 15


CLAUSE = "You may not use the Software for any commercial purpose."


@pytest.mark.parametrize(
    ("hidden", "rule"),
    [
        ("\u200b".join(CLAUSE), "licenses/added-clause"),
        ("\u00ad".join(CLAUSE), "licenses/added-clause"),
        (CLAUSE.translate({97: "\u0430", 101: "\u0435", 111: "\u043e"}), "licenses/added-clause"),
        ("".join(chr(ord(c) + 0xFEE0) if c > " " else c for c in CLAUSE), "licenses/added-clause"),
        (f"<!-- {CLAUSE} -->", "licenses/added-clause"),
        (" " * 300_000 + CLAUSE, "licenses/added-clause"),
        ("\n" * 600_000 + CLAUSE, "licenses/text-unreadable"),
        ("\u7981\u6b62\u5546\u4e1a\u7528\u9014\u3002", "licenses/text-modified"),
        ("\u041d\u0435\u043b\u044c\u0437\u044f \u043f\u0440\u043e\u0434",
         "licenses/text-modified"),
    ],
)  # fmt: skip
def test_a_hidden_clause_is_told(project: tuple[Repo, str], hidden: str, rule: str) -> None:
    repo, base = project
    head = commit(repo, base, {"LICENSE": f"{MIT}\n{hidden}\n"})
    code, verdicts = checked(repo, base, head, "--only", "licenses")
    assert [name for name, _ in counting(verdicts["licenses"])] == [rule]
    assert code in (1, 3)
