from bot.finding import Level, Rule
from bot.problems import FileProblems, Problem, judge

RULE = Rule("community/x", Level.FAILURE, "f", "w", "r")
A, B = Problem(RULE.id, "a", "is a", 3), Problem(RULE.id, "b", "is b", 5)


def told(*files: FileProblems) -> list[tuple[Level, str, int]]:
    findings = judge(files, {RULE.id: RULE})
    return [(f.severity, f.message, f.location.line) for f in findings]


def test_what_is_new_fails() -> None:
    assert told(FileProblems("p", (), (A,))) == [(Level.FAILURE, "is a", 3)]


def test_what_was_there_is_one_note() -> None:
    assert told(FileProblems("p", (A, B), (A, B))) == [
        (Level.NOTE, "is a (as before the change, and 1 more)", 3)
    ]


def test_one_more_of_the_same_fails() -> None:
    found = told(FileProblems("p", (A,), (A, A)))
    assert sorted(level for level, *_ in found) == [Level.FAILURE, Level.NOTE]


def test_a_renamed_file_brings_nothing_new() -> None:
    old, new = FileProblems("old", (A,), (), gone=True), FileProblems("new", (), (A,))
    assert told(old, new) == [(Level.NOTE, "is a (as before the change)", 3)]
    again = told(old, new, FileProblems("third", (), (A,)))
    assert [level for level, *_ in again] == [Level.NOTE, Level.FAILURE]


def test_what_another_file_keeps_excuses_nothing() -> None:
    found = told(FileProblems("old", (A,), (A,)), FileProblems("new", (), (A,)))
    assert [level for level, *_ in found] == [Level.NOTE, Level.FAILURE]


def test_what_is_gone_is_silent() -> None:
    assert told(FileProblems("p", (A,), ())) == []
