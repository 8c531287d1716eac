import os
import random
import subprocess
from pathlib import Path

import pytest

from bot.checks.contributors.trailers import Trailer, parse

SIGNED = "Signed-off-by: Ada <ada@example.org>"
CUT = "# ------------------------ >8 ------------------------"
PIECES = (
    "",
    "",
    " ",
    "\t",
    "\r",
    "prose without a key",
    "More prose: with a colon",
    "Fixes: #12",
    "Key : spaced",
    "Key\tx: no key",
    ": nothing before",
    "schlüssel: wert",
    "Empty:",
    SIGNED,
    SIGNED + "\r",
    "signed-off-by: low <low@example.org>",
    "  indented: continuation",
    "\tlist entry",
    "(cherry picked from commit 0123)",
    "# comment",
    "Conflicts:",
    "Conflicts: a",
    CUT,
    "---",
    "--- a/file",
    "\x0bvertical",
    "Co-authored-by: Bo <bo@example.org>",
    "a\u2028Signed-off-by: X <x@example.org>",
)
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C.UTF-8",
}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", ()),
        ("Title", ()),
        (f"Title\n\n{SIGNED}\n", (Trailer("Signed-off-by", "Ada <ada@example.org>"),)),
        (SIGNED, ()),  # the first paragraph is the title
        (f"Title\n{SIGNED}\n", ()),
        (f"Title: {SIGNED}\n", ()),
        (f"Title\n\n{SIGNED}\n\nMore prose.\n", ()),
        (f"Title\n\nWe add\n{SIGNED.lower()}\nto it\nand\nmore.\n", ()),
        (f"Title\n\n  {SIGNED}\n", ()),
        (f"Title\n\nA: b\n  {SIGNED}\n", (Trailer("A", f"b {SIGNED}"),)),
        (f"Title\n\nBody\0\n\n{SIGNED}\n", ()),
        (f"Title\n\nBody\n{CUT}\n\n{SIGNED}\n", ()),
        (f"Title\n\n{SIGNED}\n# a comment\n\n", (Trailer("Signed-off-by", SIGNED[15:]),)),
        ("Title\n\nA: b\n  c\n\td\n", (Trailer("A", "b c d"),)),
    ],
)
def test_parse(message: str, expected: tuple[Trailer, ...]) -> None:
    assert parse(message) == expected


@pytest.mark.parametrize("message", ["Title\n\nA : x\n", f"T\n\nB: c\n d\n{SIGNED}\n# x\n\n"])
def test_interpret_trailers_says_the_same(message: str) -> None:
    command = ["git", "interpret-trailers", "--parse", "--no-divider"]
    answer = subprocess.run(
        command, input=message.encode(), capture_output=True, check=True, env=ENVIRONMENT
    ).stdout.decode()
    assert answer == "".join(f"{t.key}: {t.value}\n" for t in parse(message))


def test_git_log_says_the_same_of_thousands_of_messages(tmp_path: Path) -> None:
    draw = random.Random(2)
    messages = [
        ("Title\n\n" if draw.random() < 0.8 else "")
        + "\n".join(draw.choices(PIECES, k=draw.randint(0, 9)))
        + draw.choice(("", "\n", "\n\n", "\0\n\n" + SIGNED))
        for _ in range(4000)
    ]
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q", "--bare", "."], check=True, env=ENVIRONMENT)
    stream = b"".join(_commit(message.encode()) for message in messages)
    subprocess.run(
        [*git, "fast-import", "--quiet"], input=stream, check=True, capture_output=True,
        env=ENVIRONMENT,
    )  # fmt: skip
    log = [*git, "log", "--reverse", "--topo-order", "main"]
    log.append("--format=%x01%(trailers:only,unfold)")
    answer = subprocess.run(log, check=True, capture_output=True, env=ENVIRONMENT).stdout.decode()
    blocks = [block.strip("\n") for block in answer.split("\x01")[1:]]
    assert len(blocks) == len(messages)
    for message, block in zip(messages, blocks, strict=True):
        assert "\n".join(f"{t.key}: {t.value}" for t in parse(message)) == block, repr(message)
    assert sum(map(bool, blocks)) > 500


def _commit(message: bytes) -> bytes:
    return (
        b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\n"
        b"data %d\n%s\n" % (len(message), message)
    )
