"""No secret reaches a report, the cache on disk, standard error or an exception."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from security.secrets.samples import expand
from tests.gitrepo import Repo, environment

MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
TOKEN = expand("hf_{L34}", Random(11))
PASSED = expand("hf_{L34}", Random(12))  # only in an earlier commit
IN_MESSAGE = expand("hf_{L34}", Random(13))
PASSWORD = "Kx9vQ2mL7pRt4wZs"
EMAIL = "jane.roe.hidden@kernel.org"
SECRETS = (TOKEN, PASSED, IN_MESSAGE, PASSWORD, EMAIL)
PIECE = 12  # characters in a row of a secret that are too many


def pieces(secret: str) -> set[bytes]:
    """Every run of a secret that would tell it, also as base64 and hexadecimal digits have it."""
    found = {secret[i : i + PIECE] for i in range(3, len(secret) - PIECE + 1)}
    raw = secret.encode()
    return (
        {one.encode() for one in found}
        | {base64.b64encode(raw[i:])[:PIECE] for i in range(3)}
        | {raw.hex()[6:30].encode()}
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    """Everything that a check of a change full of secrets writes, by where."""
    folder = tmp_path_factory.mktemp("nowhere")
    repo = Repo(folder / "repo")
    base = repo.commit({"README.md": "# x\n"})
    repo.commit({"gone.py": f"token = '{PASSED}'\n"})
    (repo.path / "gone.py").unlink()
    broken = f"token = '{TOKEN}\n  x: [\n"
    head = repo.commit(
        {
            "a.py": f"token = '{TOKEN}'\n",
            "data/people.jsonl": json.dumps({"text": f"write to {EMAIL}"}) + "\n",
            "conf.env": f"DB_PASSWORD={PASSWORD}\npostgres://u:{PASSWORD}@db.internal/x\n",
            # the other checks quote what they cannot read, or do not like
            "requirements.txt": f"-i https://u:{TOKEN}@index.internal/simple\nx @ {TOKEN}\n"
            f"numpy=={TOKEN}\n--unknown={TOKEN}\n",
            "environment.yml": broken,
            ".github/workflows/ci.yml": f"on: push\njobs: {{a: {{steps: [{{run: 'pip install"
            f" -i https://u:{TOKEN}@index.internal x'}}]}}}}\n",
            "pyproject.toml": f"[project]\nname = '{TOKEN}\n",
            "uv.lock": f"'{TOKEN}' = [\n",
            "README.md": f"---\nlicense: {TOKEN}\nbase_model: {TOKEN}/x\n---\n",
            "LICENSE": f"You may not use {TOKEN} without paying {EMAIL}.\n",
            "train.py": f"m = A.from_pretrained('org/x', token='{TOKEN}')\n",
        },
        f"Use {IN_MESSAGE}\n\nSigned-off-by: Ada <ada@example.org>",
    )
    names = ("r.html", "r.json", "r.sarif", "r.md", "r.txt")
    words = [word for name in names for word in ("--report", str(folder / name))]
    home = {**environment(), "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    done = subprocess.run(
        [MODELWARDEN, "check", "--base", base, "--head", head, "--verbose", *words],
        cwd=repo.path, env=home, capture_output=True,
    )  # fmt: skip
    written = {name: (folder / name).read_bytes() for name in names}
    for path, _, files in os.walk(folder / "cache"):
        written |= {f"cache {name}": (Path(path) / name).read_bytes() for name in files}
    return {**written, "stdout": done.stdout, "stderr": done.stderr}, done.returncode


def test_all_of_them_are_found(told: tuple[dict[str, bytes], int]) -> None:
    written, code = told
    verdicts = {v["check"]: v for v in json.loads(written["r.json"])["verdicts"]}
    found = {(f["rule"], f["location"]["path"]) for f in verdicts["secrets"]["findings"]}
    assert {("secrets/credential", "a.py"), ("secrets/credential", "conf.env"),
            ("secrets/credential", ""), ("secrets/in-history", ""),
            ("secrets/personal-data", "data/people.jsonl")} <= found  # fmt: skip
    assert code in (1, 3)
    assert any(name.startswith("cache") and data for name, data in written.items())


@pytest.mark.parametrize(
    "where", ["r.html", "r.json", "r.sarif", "r.md", "r.txt", "stdout", "stderr", "cache"]
)
def test_no_piece_of_a_secret_is_written(told: tuple[dict[str, bytes], int], where: str) -> None:
    for name, data in told[0].items():
        if name.startswith(where):
            leaked = [s[:6] for s in SECRETS if any(piece in data for piece in pieces(s))]
            assert not leaked, f"{name} holds a piece of {leaked}"
