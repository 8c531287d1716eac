from __future__ import annotations

import pytest

from bot.checks import files
from bot.checks.files import Evidence, Settings
from tests.fakes import FakeWorld, submodule, symlink


def found(evidence: Evidence) -> list[str]:
    return [finding.rule for finding in files.judge(evidence, Settings())]


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("src/model.py", None),
        ("..data/x", None),
        (".github/x", None),
        ("größe.txt", None),
        ("../up", "files/unsafe-path"),
        ("a/../../up", "files/unsafe-path"),
        ("/etc/cron.d/x", "files/unsafe-path"),
        (".git/hooks/pre-commit", "files/unsafe-path"),
        ("sub/.GIT/config", "files/unsafe-path"),
        ("a\\nb", "files/unsafe-path"),
        ("a\\033[31m", "files/unsafe-path"),
        ("a\\377", "files/odd-name"),
        ('say "hi"', "files/odd-name"),
        ("a\\\\nb", "files/odd-name"),
        ("../\\377", "files/unsafe-path"),
    ],
)
def test_added_paths(path: str, rule: str | None) -> None:
    assert found(Evidence((path,), (), ())) == ([rule] if rule else [])


def test_the_summary_counts_in_words() -> None:
    evidence = Evidence(("a",), (), (("sub", "0" * 40), ("other", "0" * 40)))
    assert files.summary(evidence) == "1 new path, 0 symlinks, 2 submodules"


@pytest.mark.parametrize(
    ("path", "target", "escapes"),
    [
        ("link", "README.md", False),
        ("a/b/link", "../../README.md", False),
        ("link", "/etc/passwd", True),
        ("link", "../outside", True),
        ("a/link", "../../outside", True),
        ("a/link", "b/../../../outside", True),
        ("link", ".git/config", True),
        ("link", "..", True),
    ],
)
def test_symlinks(path: str, target: str, escapes: bool) -> None:
    rules = found(Evidence((), ((path, target),), ()))
    assert rules == (["files/symlink-escape"] if escapes else [])


def test_collect_reads_links_and_submodules() -> None:
    modes = symlink("link") | submodule("module")
    world = FakeWorld({}, {"link": "../out", "module": "x", "plain": "y"}, modes=modes)
    evidence = files.collect(world.change(), world, Settings())
    assert evidence.links == (("link", "../out"),)
    assert [path for path, _ in evidence.submodules] == ["module"]
    assert found(evidence) == ["files/symlink-escape", "files/submodule"]


def test_deleting_is_never_a_finding() -> None:
    world = FakeWorld({"../bad": "x"}, {})
    assert found(files.collect(world.change(), world, Settings())) == []
