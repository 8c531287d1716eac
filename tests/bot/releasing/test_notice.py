"""`modelwarden release notice` over real git: entries, NOTICE, and the check that agrees."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from bot.checks import provenance
from bot.errors import UsageError
from bot.releasing.attributing import packages
from bot.releasing.entering import Asked, asked
from bot.releasing.noticing import notice
from bot.repository import GitWorld
from registry.borrowed import register
from registry.borrowed.notice import START
from tests.bot.checks.provenance.test_provenance import CODE, LICENSE, MIT
from tests.bot.test_cli import run
from tests.gitrepo import Repo

FOO = {"third_party/foo/LICENSE": MIT, "third_party/foo/foo.py": CODE}


def noticed(repo: Repo, path: str = "", *, check: bool = False, **said: Any) -> int:
    asked = Asked(path, **said) if path else None
    return notice(repo=repo.path, check=check, packages=False, output=None, asked=asked)


def judged(repo: Repo, base: str, head: str) -> list[str]:
    with GitWorld(repo.path) as world:
        change = world.change(base, head)
        found = provenance.collect(change, world, provenance.Settings())
    return [f.rule for f in provenance.judge(found, provenance.Settings())]


def test_the_whole_way(repo: Repo) -> None:
    base = repo.commit({"LICENSE": LICENSE, "NOTICE": "Ours.\n"})
    words = ("--register", "third_party/foo", "--source", "https://example.org/foo")
    unstaged = run(repo.path, "release", "notice", *words)
    assert unstaged.returncode == 2 and "git add third_party/foo" in unstaged.stderr
    repo.write(FOO)
    repo.git("add", "third_party")
    done = run(repo.path, "release", "notice", *words, "--revision", "v1")
    assert done.returncode == 0, done.stderr
    (entry,) = register.read((repo.path / register.PATH).read_bytes())
    lines = "".join(
        f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, text in FOO.items()
    )
    assert entry.digest == f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
    assert (entry.license, entry.holders) == ("MIT", ("Bob Foo",))
    assert entry.text == "third_party/foo/LICENSE"
    text = (repo.path / "NOTICE").read_text()
    assert text.startswith("Ours.\n") and "taken from https://example.org/foo, v1" in text
    head = repo.commit({})
    assert noticed(repo, check=True) == 0
    assert judged(repo, base, head) == []

    again = repo.commit({"third_party/foo/foo.py": "y = 1\n"})
    assert judged(repo, head, again) == ["provenance/changed"]
    assert noticed(repo, "third_party/foo", modified=True) == 0
    assert "v1, and modified" in (repo.path / "NOTICE").read_text()
    assert noticed(repo, check=True) == 0  # nothing is staged
    repo.git("add", register.PATH)
    assert noticed(repo, check=True) == 1
    repo.git("add", "NOTICE")
    assert noticed(repo, check=True) == 0
    repo.git("commit", "-qm", "modified")
    assert judged(repo, head, repo.git("rev-parse", "HEAD")) == []


@pytest.mark.parametrize(
    ("path", "said", "wanted"),
    [
        ("x", {}, "--source"),
        ("x", {"source": "https://example.org/x"}, "--license"),
        ("x", {"source": "https://u:p@h/x", "license": "MIT"}, "source"),
        ("x", {"source": "https://e.org/x", "license": "Mine"}, "licence"),
        ("../x", {"source": "https://e.org/x"}, "nothing is staged"),
        ("", {"source": "https://example.org/x"}, "--register"),
    ],
)
def test_what_cannot_be_entered(repo: Repo, path: str, said: dict[str, str], wanted: str) -> None:
    repo.commit({"LICENSE": LICENSE, "x/a.py": CODE})
    with pytest.raises(UsageError) as caught:
        made = asked(path or None, (), **said)
        notice(repo=repo.path, check=False, packages=False, output=None, asked=made)
    assert wanted in caught.value.message + caught.value.hint
    assert not (repo.path / register.PATH).exists()


@pytest.mark.parametrize(
    ("path", "data", "wanted"),
    [
        (register.PATH, b"version: 1\nborrowed: 3\n", "line 2"),
        ("NOTICE", b"\xff\xfe", "UTF-8"),
        ("NOTICE", START.encode(), "line 1"),
    ],
)
def test_files_that_cannot_be_read(repo: Repo, path: str, data: bytes, wanted: str) -> None:
    repo.commit({"LICENSE": LICENSE, path: data})
    with pytest.raises(UsageError) as caught:
        noticed(repo)
    assert wanted in caught.value.message
    assert (repo.path / path).read_bytes() == data


def test_packages(repo: Repo) -> None:
    repo.commit({"README.md": "x"})
    with GitWorld(repo.path) as world, pytest.raises(UsageError, match="no lock"):
        packages(world)
    repo.commit({"requirements.txt": "click==0.0.1\n"})
    with GitWorld(repo.path) as world:
        assert "click 0.0.1\nLicence: unknown: not installed" in packages(world)
    with pytest.raises(UsageError, match="exclude"):
        notice(repo=repo.path, check=True, packages=True, output=None, asked=None)
