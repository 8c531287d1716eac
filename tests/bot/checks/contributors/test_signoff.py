import time

import pytest

from bot.change import Commit
from bot.checks.contributors import Settings, signoff
from bot.checks.contributors.hook import judge_message
from bot.checks.contributors.person import Person
from bot.checks.contributors.statements import read, start_of
from bot.finding import Finding, Level
from tests.fakes import commit

SIGNED = "Title\n\nSigned-off-by: Ada <ada@example.org>\n"
BASE = "0123456789abcdef"


def judged(*commits: Commit, co_authors: bool = True, merges: bool = False) -> tuple[Finding, ...]:
    statements = tuple(read(c) for c in commits)
    start = start_of(statements, BASE)
    return signoff.judge(statements, start=start, co_authors=co_authors, merges=merges)


def told(findings: tuple[Finding, ...]) -> list[str]:
    return [f.rule.removeprefix("contributors/") for f in findings]


@pytest.mark.parametrize(
    ("message", "email", "expected"),
    [
        (SIGNED, "ada@example.org", []),
        (SIGNED, "Ada@Example.ORG", []),
        (SIGNED, "bo@example.org", ["sign-off"]),
        (SIGNED, "ada+x@example.org", ["sign-off"]),
        (SIGNED, "a.da@example.org", ["sign-off"]),
        (SIGNED, "", ["sign-off"]),
        ("Title\n", "ada@example.org", ["sign-off"]),
        ("Signed-off-by: Ada <ada@example.org>", "ada@example.org", ["sign-off"]),
        ("T\n\nSigned-off-by: Ada <ada@example.org>\n\nx", "ada@example.org", ["sign-off"]),
        ("T\n\nSigned-off-by: <ada@example.org>\n", "ada@example.org", ["sign-off"]),
        ("T\n\nSigned-off-by: Ada <ada@example.org> x\n", "ada@example.org", ["sign-off"]),
        ("T\n\nSigned-off-by: Ada ada@example.org\n", "ada@example.org", ["sign-off"]),
        ("T\n\nSigned-off-by: Kay <\u212aay@e.org>\n", "kay@e.org", ["sign-off"]),  # Kelvin sign
        ("T\n\nSigned-off-by: A <\ufffd@e.org>\n", "\ufffd@e.org", ["sign-off"]),
        (
            "T\n\nSigned-off-by: x[bot] <1+x[bot]@users.noreply.github.com>\n",
            "1+x[bot]@users.noreply.github.com",
            ["ai-signoff"],  # only a person can give that word
        ),
        ("T\n", "1+x[bot]@users.noreply.github.com", ["sign-off"]),
        ("fixup! " + SIGNED, "ada@example.org", ["fixup"]),
        ("squash! T\n", "ada@example.org", ["sign-off", "fixup"]),
        (SIGNED + "Co-authored-by: Bo <bo@example.org>\n", "ada@example.org", ["co-author"]),
        (SIGNED + "co-Authored-BY: Bo\n", "ada@example.org", ["co-author"]),
        (SIGNED + "Co-authored-by: Ada <ada@example.org>\n", "ada@example.org", []),
        (
            SIGNED + "Co-authored-by: Bo <bo@e.org>\nSigned-off-by: Bo <bo@e.org>\n",
            "ada@example.org",
            [],
        ),
    ],
)
def test_one_commit(message: str, email: str, expected: list[str]) -> None:
    assert told(judged(commit(message, email=email))) == expected
    assert told(judge_message(message, Person("Ada", email), Settings())) == expected


def test_co_authors_can_be_left_out() -> None:
    message = SIGNED + "Co-authored-by: Bo <bo@example.org>\n"
    assert judged(commit(message), co_authors=False) == ()


def test_merges_need_no_sign_off_unless_asked() -> None:
    merge = commit("Merge branch 'x'\n", number=1, parents=("0" * 40, "2" * 40))
    assert judged(commit(SIGNED), merge) == ()
    assert told(judged(commit(SIGNED), merge, merges=True)) == ["sign-off"]


@pytest.mark.parametrize("parents", [("1" * 40, "2" * 40), ("0" * 40, "0" * 40)])
def test_a_merge_of_nothing_in_the_change_is_work_of_its_own(parents: tuple[str, ...]) -> None:
    # Two parents cost nothing: whatever such a commit brings, it brings itself.
    merge = commit("Merge branch 'x'\n", number=1, parents=parents)
    assert told(judged(commit(SIGNED), merge)) == ["sign-off"]


def test_an_oversize_commit_is_unknown() -> None:
    (finding,) = judged(commit("", oversize=10_000_000))
    assert finding.severity is Level.UNKNOWN
    assert "10,000,000 bytes" in finding.message


def test_remedy_for_the_last_commit() -> None:
    *_, finding = judged(commit(SIGNED), commit("T\n", number=1))
    assert "`git commit --amend --no-edit --signoff`" in finding.remedy
    assert "Signed-off-by: Ada <ada@example.org>" in finding.remedy


def test_remedy_for_several_commits_of_one_author() -> None:
    findings = judged(commit("T\n"), commit("T\n", number=1))
    assert len(findings) == 2
    assert all("`git rebase --signoff 0123456789ab`" in f.remedy for f in findings)


def test_remedy_reaches_a_root_commit() -> None:
    findings = judged(commit("T\n", parents=()), commit("T\n", number=1))
    assert "`git rebase --signoff --root`" in findings[0].remedy


def test_remedy_keeps_merges() -> None:
    merge = commit("Merge\n", number=2, parents=("0" * 39 + "1", "2" * 40))
    finding, _ = judged(commit("T\n"), commit("T\n", number=1), merge)
    assert "git rebase --rebase-merges --signoff 0123456789ab" in finding.remedy


def test_remedy_never_signs_for_somebody_else() -> None:
    other = commit(SIGNED, name="Bo", email="bo@e.org", number=1)
    (_, finding) = judged(commit("T\n"), other, commit(SIGNED, number=2))
    assert "rebase --signoff" not in finding.remedy
    assert "mark 000000000000 as `reword`" in finding.remedy
    assert "Signed-off-by: Bo <bo@e.org>" in finding.remedy
    assert "only by ada@example.org" in finding.message


def test_strangers_text_stays_on_one_line() -> None:
    name = "A\n::error::\x1b[31m\u202e" + "x" * 500
    for finding in judged(commit("T\n", name=name)):
        text = finding.message + finding.remedy
        assert text.isprintable()
        assert len(text) < 700


def test_a_crowd_of_co_authors_is_cheap_and_short() -> None:
    lines = "".join(f"Co-authored-by: P{i} <p{i}@e.org>\n" for i in range(20_000))
    signed = "".join(f"Signed-off-by: Q{i} <q{i}@e.org>\n" for i in range(20_000))
    started = time.perf_counter()
    findings = judged(commit(SIGNED + lines + signed))
    assert time.perf_counter() - started < 3
    assert len(findings) == signoff.MAX_LISTED + 1


def test_thousands_of_commits_are_judged_in_linear_time() -> None:
    started = time.perf_counter()
    assert len(judged(*(commit("T\n", number=i) for i in range(5_000)))) == 5_000
    assert time.perf_counter() - started < 3


def test_the_hook_says_what_to_type() -> None:
    (finding,) = judge_message(
        "T\n\n# Signed-off-by: Ada <a@e.org>\n", Person("Ada", "a@e.org"), Settings()
    )
    assert "git commit --signoff" in finding.remedy
    assert finding.remedy.endswith("Signed-off-by: Ada <a@e.org>")
