"""Sign-offs given in a later commit: the lines of the DCO app, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.change import Commit
from bot.checks.contributors import Settings, remediation, signoff
from bot.checks.contributors.hook import judge_message
from bot.checks.contributors.person import Person
from bot.checks.contributors.remediation import Mode, Remediation, parse, wording
from bot.checks.contributors.statements import read
from tests.fakes import commit

ONE, TWO = "1" * 40, f"{1:040x}"
ADA, BO = Person("Ada", "ada@example.org"), Person("Bo", "bo@example.org")
LOUD = Person("ADA", "ADA@EXAMPLE.ORG")
OWN = f"I, Ada <ada@example.org>, hereby add my Signed-off-by to this commit: {ONE}"
OTHER = f"On behalf of Ada <ada@example.org>, {OWN.replace('Ada', 'Bo').replace('ada', 'bo')}"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (OWN, (Remediation(ONE, ADA, ADA),)),
        (f"DCO Remediation Commit\n\n{OWN}\n\nSigned-off-by: x", (Remediation(ONE, ADA, ADA),)),
        (OWN.upper(), (Remediation(ONE, LOUD, LOUD),)),
        (OWN + " \t\r\n", (Remediation(ONE, ADA, ADA),)),
        (OWN.replace(ONE, "1" * 64), (Remediation("1" * 64, ADA, ADA),)),
        (f"{OWN}\n{OWN}", (Remediation(ONE, ADA, ADA),)),
        (OWN + "\0x", (Remediation(ONE, ADA, ADA),)),
        (OTHER, (Remediation(ONE, ADA, BO),)),
        # None of these is one.
        ("> " + OWN, ()),
        (" " + OWN, ()),
        ("x " + OWN, ()),
        (OWN + ".", ()),
        (OWN[:-1], ()),
        (OWN + "1", ()),
        (OWN.replace(ONE, "1" * 12), ()),
        (OWN.replace(ONE, "A" * 40), ()),
        (OWN.replace(ONE, "HEAD"), ()),
        (OWN.replace("my", "Bo's"), ()),
        (OWN.replace("<ada@example.org>", "ada@example.org"), ()),
        (OWN.replace("Ada <", "<"), ()),
        (OWN.replace("Ada <", "Ada <x> <"), ()),
        (OWN.replace("Ada <", "Ada> <"), ()),
        (OWN.replace("@", " at "), ()),
        (OWN.replace("Signed", "\u017figned"), ()),  # a long s, which re.IGNORECASE takes for s
        (OWN.replace("I, ", "\u0130, "), ()),
        ("x\0\n" + OWN, ()),
        (OTHER.replace(", I, ", ", we, "), ()),
        (OTHER.replace("On behalf of ", "On behalf of X <x@y.z>, I, "), ()),
        (OWN.replace("Ada", "A" * 2_000), ()),
    ],
)  # fmt: skip
def test_lines(message: str, expected: tuple[Remediation, ...]) -> None:
    assert parse(message) == expected


@given(st.from_regex(r"[A-Za-z .,'\u00e9]{1,30}", fullmatch=True), st.sampled_from([ONE, "f" * 64]))
def test_what_we_tell_to_write_is_read(name: str, target: str) -> None:
    who = Person(name.strip() or "x", "a+b@example.org")
    assert parse("T\n\n" + wording(who, target)) == (Remediation(target, who, who),)


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_text_is_read(before: str, name: str) -> None:
    for found in parse(f"{before}\nI, {name}{OWN[2:]}\n{before}"):
        assert found.signer.usable and found.writer.usable


@pytest.mark.parametrize(
    "part", [" <", ">, i, ", "I, ", "\n", "<>", ", hereby add my Signed-off-by"]
)
def test_hostile_text_takes_linear_time(part: str) -> None:
    # Anything but linear would take hours.
    parse((part * 1_000_000)[:1_000_000] + OWN)
    parse("On behalf of " + (part * 1_000_000)[:1_000_000] + OWN)


def test_only_so_many_lines_of_one_commit_count() -> None:
    lines = "\n".join(OWN.replace(ONE, f"{n:040x}") for n in range(remediation.MAX_LINES + 5))
    assert len(parse(lines)) == remediation.MAX_LINES


def late(
    *lines: str,
    name: str = "Ada",
    email: str = "ada@example.org",
    number: int = 9,
    signed: str = "",
) -> Commit:
    """A remediating commit by one person, signed off by `signed`."""
    who = signed or f"{name} <{email}>"
    message = "Remediate\n\n" + "\n".join(lines) + f"\n\nSigned-off-by: {who}\n"
    return commit(message, name=name, email=email, number=number)


def rules(mode: Mode, *commits: Commit) -> list[tuple[str, str]]:
    statements = tuple(read(c) for c in commits)
    found = signoff.judge(statements, start="base", co_authors=True, mode=mode)
    return [(f.rule.partition("/")[2], f.location.commit[-1:]) for f in found]


UNSIGNED = commit("T\n", number=1)
CO = commit(
    "T\n\nSigned-off-by: Ada <ada@example.org>\nCo-authored-by: Bo <bo@example.org>\n", number=1
)
MINE = wording(ADA, TWO)
FOR_ADA = f"On behalf of Ada <ada@example.org>, {wording(BO, TWO)}"
BY_BO = late(FOR_ADA, name="Bo", email="bo@example.org")
BY_BO_AS_ADA = late(MINE, name="Bo", email="bo@example.org")
BY_EVE_AS_BO = late(FOR_ADA, name="Eve", email="eve@example.org")
NOBODYS = commit(f"R\n\n{MINE}\n", number=9)
BOS_WORD = late(MINE, signed="Bo <bo@example.org>")


@pytest.mark.parametrize(
    ("mode", "commits", "expected"),
    [
        ("individual", (UNSIGNED, late(MINE)), []),
        ("third-party", (UNSIGNED, late(MINE)), []),
        ("individual", (UNSIGNED, late(MINE.upper().replace(TWO.upper(), TWO))), []),
        ("off", (UNSIGNED, late(MINE)), [("sign-off", "1")]),
        # Somebody else may speak for Ada only where the policy says so.
        ("individual", (UNSIGNED, BY_BO), [("sign-off", "1")]),
        ("third-party", (UNSIGNED, BY_BO), []),
        # Bo writes Ada's line, as himself or as a third person.
        ("third-party", (UNSIGNED, BY_BO_AS_ADA), [("sign-off", "1")]),
        ("third-party", (UNSIGNED, BY_EVE_AS_BO), [("sign-off", "1")]),
        # The remediating commit is not signed off, or only by somebody else.
        ("individual", (UNSIGNED, NOBODYS), [("sign-off", "1"), ("sign-off", "9")]),
        ("individual", (UNSIGNED, BOS_WORD), [("sign-off", "1"), ("sign-off", "9")]),
        # Another commit is named, one of no change.
        ("individual", (UNSIGNED, late(wording(ADA, ONE))), [("sign-off", "1")]),
        # A remediation signed off by another remediation does not count.
        (
            "individual",
            (UNSIGNED, commit(f"R\n\n{MINE}\n", number=8), late(wording(ADA, f"{8:040x}"))),
            [("sign-off", "1")],
        ),
        # The line of a commit that quotes it as a trailer of its own does not sign itself.
        ("individual", (commit(f"T\n\n{MINE}\n", number=1),), [("sign-off", "1")]),
        # A co-author signs afterwards too.
        ("individual", (CO, late(wording(BO, TWO), name="Bo", email="bo@example.org")), []),
        ("individual", (CO, late(MINE)), [("co-author", "1")]),
    ],
)  # fmt: skip
def test_who_may_sign_afterwards(
    mode: Mode, commits: tuple[Commit, ...], expected: list[tuple[str, str]]
) -> None:
    assert rules(mode, *commits) == expected


def test_the_remedy_is_the_line_that_works() -> None:
    (finding,) = signoff.judge((read(UNSIGNED),), start="base", co_authors=True, mode="individual")
    line = finding.remedy.rpartition("this line: ")[2]
    assert rules("individual", UNSIGNED, late(line)) == []


def test_the_remedy_of_the_hook_speaks_of_no_later_commit() -> None:
    (finding,) = judge_message("T\n", Person("Ada", "ada@example.org"), Settings())
    assert "this line" not in finding.remedy


def test_many_remediations_are_judged_in_linear_time() -> None:
    lines = [wording(ADA, f"{n:040x}") for n in range(1_000)]
    commits = [commit("T\n", number=n) for n in range(1_000)]
    found = rules("individual", *commits, *(late(*lines, number=5_000 + n) for n in range(20)))
    assert found == []
