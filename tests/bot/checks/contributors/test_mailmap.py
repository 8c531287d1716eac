"""`.mailmap` lines as gitmailmap(5) has them."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.contributors.mailmap import LIMIT, Alias, collect, parse
from tests.fakes import BASE, FakeWorld
from tests.gitrepo import Repo

ADA, OLD = "ada@example.org", "old@example.org"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"Ada Lovelace <{ADA}>", (Alias("Ada Lovelace", ADA, ADA),)),
        (f"<{ADA}> <OLD@example.org>", (Alias("", ADA, OLD),)),
        (f"Ada <{ADA}> <{OLD}> # why", (Alias("Ada", ADA, OLD),)),
        (f"Ada <{ADA}> A. L. <{OLD}>", (Alias("Ada", ADA, OLD), Alias("A. L.", ADA, OLD))),
        (f"Ada <{ADA}> # was <{OLD}>", (Alias("Ada", ADA, ADA),)),
        (f"# Ada <{ADA}> <{OLD}>", ()),
        ("Ada", ()),
        ("<>", ()),
        ("Ada <ada", ()),
        (f"Ada {ADA}> <{OLD}>", ()),
        ("", ()),
    ],
)
def test_lines(line: str, expected: tuple[Alias, ...]) -> None:
    assert parse(line.encode() + b"\r\n") == expected


def test_git_joins_the_same_addresses(repo: Repo) -> None:
    line = f"Ada Lovelace <{ADA}> A <{OLD}>"
    repo.commit({".mailmap": line + "\n"})
    said = subprocess.run(
        ["git", "check-mailmap", f"A <{OLD}>"], cwd=repo.path, capture_output=True, check=True
    )
    assert said.stdout.decode().strip() == f"Ada Lovelace <{ADA}>"
    assert parse(line.encode())[0] == Alias("Ada Lovelace", ADA, OLD)


@pytest.mark.parametrize("data", [b"x" * (LIMIT + 1), b"\xff\xfe\0<", b"<a@b>" * 1000])
def test_what_cannot_be_read_joins_nobody(data: bytes) -> None:
    aliases = collect(FakeWorld({".mailmap": data}, {}), BASE, "contributors/1")
    assert all(a.key == a.alias for a in aliases)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    parse(data)
