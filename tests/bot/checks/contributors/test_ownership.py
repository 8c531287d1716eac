import pytest

from bot.checks.contributors import Settings, ownership
from bot.finding import Finding, Level
from tests.fakes import FakeWorld

CI = ".github/workflows/ci.yml"
OWNERS = ".github/CODEOWNERS"


def judged(base: dict[str, bytes | str], head: dict[str, bytes | str]) -> tuple[Finding, ...]:
    world = FakeWorld(base, head)
    facts = ownership.collect(world.change(), world, Settings().sensitive, "contributors/1")
    return ownership.judge(facts)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.rule.partition("/")[2], f.location.path) for f in findings]


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({}, {"a.py": "x"}, []),
        ({}, {CI: "x"}, [("no-codeowners", CI)]),
        ({OWNERS: "/.github/ @a"}, {OWNERS: "/.github/ @a", CI: "x"}, []),
        ({OWNERS: "*.py @a"}, {OWNERS: "*.py @a", CI: "x"}, [("unowned", CI)]),
        ({OWNERS: "*.py @a"}, {OWNERS: "*.py @a", "m/x.safetensors": "x"},
         [("unowned", "m/x.safetensors")]),
        ({"CODEOWNERS": "* @a"}, {"CODEOWNERS": "* @a", CI: "x"}, []),
        ({"CODEOWNERS": "* @a", OWNERS: "*.py @a"},
         {"CODEOWNERS": "* @a", OWNERS: "*.py @a", CI: "x"}, [("unowned", CI)]),
        ({OWNERS: "* @a"}, {}, [("codeowners-edited", OWNERS)]),
        ({OWNERS: "* @a"}, {OWNERS: "* @a\n*.py @b\n"}, [("codeowners-edited", OWNERS)]),
        ({OWNERS: "* @a\n*.py @b"}, {OWNERS: "* @a"}, [("codeowners-edited", OWNERS)] * 2),
        ({OWNERS: "* @a"}, {OWNERS: "* @a\n/src/"}, [("codeowners-edited", OWNERS)] * 2),
        ({OWNERS: "* @a"}, {OWNERS: "* @a\n!x @b"},
         [("codeowners-edited", OWNERS), ("codeowners-invalid", OWNERS)]),
        ({"docs/CODEOWNERS": "* @a"}, {"docs/CODEOWNERS": "* @a", "CODEOWNERS": "* @b"},
         [("codeowners-edited", "CODEOWNERS")]),
        ({OWNERS: "* @a"}, {OWNERS: "*.py @a", CI: "x"},
         [("codeowners-edited", OWNERS)] * 2 + [("codeowners-edited", p) for p in (OWNERS, CI)]),
        ({}, {OWNERS: "* @a", CI: "x"}, []),
    ],
)  # fmt: skip
def test_ownership(
    base: dict[str, bytes | str],
    head: dict[str, bytes | str],
    expected: list[tuple[str, str]],
) -> None:
    assert told(judged(base, head)) == expected


@pytest.mark.parametrize("text", [b"\xff", b"* @a\n" * 30_000, b"#" * 3_000_001])
def test_an_unreadable_file_is_unknown(text: bytes) -> None:
    (finding,) = judged({OWNERS: text}, {OWNERS: text, CI: "x"})
    assert finding.severity is Level.UNKNOWN


def test_too_much_to_match_is_unknown() -> None:
    lines = "".join(f"/never/{i}/ @a\n" for i in range(20_000))
    paths: dict[str, bytes | str] = {f".github/{i}": "x" for i in range(101)}
    (finding,) = judged({OWNERS: lines}, {OWNERS: lines, **paths})
    assert finding.severity is Level.UNKNOWN


def test_a_change_elsewhere_reads_nothing() -> None:
    world = FakeWorld({OWNERS: "* @a"}, {OWNERS: "* @a", "a.py": "x"})
    ownership.collect(world.change(), world, Settings().sensitive, "contributors/1")
    assert world.made == []


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (20, ".github/019 has no owner in .github/CODEOWNERS"),
        (21, "1 more sensitive path without an owner"),
        (100, "80 more sensitive paths without an owner"),
    ],
)
def test_many_unowned_paths_are_counted(count: int, last: str) -> None:
    paths: dict[str, bytes | str] = {f".github/{i:03}": "x" for i in range(count)}
    found = judged({OWNERS: "*.py @a"}, {OWNERS: "*.py @a", **paths})
    assert len(found) == min(count, ownership.MAX_LISTED + 1)
    assert found[-1].message == last


@pytest.mark.parametrize(
    ("count", "listed"),
    [(3, ".github/0, .github/1, .github/2"), (4, ".github/0, .github/1, .github/2 and 1 more")],
)
def test_touched_paths_are_listed_up_to_three(count: int, listed: str) -> None:
    (finding,) = judged({}, {f".github/{i}": "x" for i in range(count)})
    assert finding.message == f"the change touches {listed}; there is no CODEOWNERS"


def test_an_edited_file_is_told_from_one_that_takes_over() -> None:
    (edited,) = judged({OWNERS: "* @a"}, {OWNERS: "* @b"})
    assert edited.message == f"the change edits {OWNERS}; it is judged by the file at its base"
    (taken,) = judged({"CODEOWNERS": "* @a"}, {"CODEOWNERS": "* @a", OWNERS: "* @b"})
    assert taken.message == f"GitHub reads {OWNERS} instead of CODEOWNERS after this change"
