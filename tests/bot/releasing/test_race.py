"""Releases from several machines at once: of one number one wins, of two numbers both come out."""

from __future__ import annotations

from tests.bot.releasing.clones import git
from tests.bot.releasing.killing import at_push, ended, killed, start
from tests.bot.releasing.project import Project
from tests.bot.releasing.running import Warden
from tests.bot.releasing.states import WHOLE, whole

RUN = ("release", "run", "--key")


def bobs(alice: Project) -> Project:
    """Return bob's clone, with the objects that the model is made of."""
    for path in alice.cache.rglob("*"):
        if path.is_file():
            target = alice.store / path.relative_to(alice.cache)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return alice.clone("bob")


def said(at: Project) -> str:
    return (at.place / f"said-{at.name}").read_text()


def both(alice: Project, bob: Project, *words: str, mine: tuple[str, ...] = (),
         theirs: tuple[str, ...] = ()) -> list[tuple[int, str]]:  # fmt: skip
    """Let both release at once; return how they ended and what they said last."""
    running = [
        start(alice, None, *RUN, alice.key(), *words, *mine),
        start(bob, None, *RUN, bob.key(), *words, *theirs),
    ]
    codes = [ended(process) for process in running]
    return [
        (code, "\n".join(said(at).splitlines()[-2:]))
        for code, at in zip(codes, (alice, bob), strict=True)
    ]


def test_one_number_from_one_commit(alice: Project, warden: Warden) -> None:
    bob = bobs(alice)
    ends = both(alice, bob)
    assert sorted(code for code, _ in ends)[0] == 0, ends
    lost, won = (bob, alice) if ends[0][0] == 0 else (alice, bob)
    code, text = next(end for end in ends if end[0])
    assert code in (1, 3)
    assert "acme/tiny 1.0.0 " in text
    assert f" by {won.name.title()} " in text
    assert "since 20" in text or "at 20" in text
    whole(won)
    # Who lost is told so again, and nothing of the release becomes theirs.
    done = warden.release(lost)
    assert done.code in (1, 3), done.err
    assert f"by {won.name.title()}" in done.error
    git(lost.path, "fetch", "-q", "origin")
    whole(lost)


def test_one_number_from_two_commits(alice: Project, warden: Warden) -> None:
    bob = bobs(alice)
    bob.commit({"README.md": "# Other\n"})
    ends = both(alice, bob, "--version", "1.0.0")
    assert sorted(code for code, _ in ends)[0] == 0, ends
    won = alice if ends[0][0] == 0 else bob
    code, text = next(end for end in ends if end[0])
    assert code in (1, 3)
    assert f" by {won.name.title()} " in text
    whole(won)


def test_two_numbers_at_once_both_come_out(alice: Project, warden: Warden) -> None:
    bob = bobs(alice)
    bob.commit({"README.md": "# Other\n"})
    ends = both(alice, bob, mine=("--version", "1.0.0"), theirs=("--version", "1.0.1"))
    assert [code for code, _ in ends] == [0, 0], ends
    assert sorted(alice.actions()) == sorted([*WHOLE, *WHOLE])
    tags = [name for name in alice.refs() if name.startswith("refs/tags/v")]
    assert tags == ["refs/tags/v1.0.0", "refs/tags/v1.0.1"]


def test_a_dead_run_is_taken_over_elsewhere(alice: Project, warden: Warden) -> None:
    bob = bobs(alice)
    assert killed(alice, at_push(2)) == -9
    done = warden.release(bob)
    assert done.code in (1, 3)
    assert "1.0.0 is being released by Alice since 20" in done.error
    assert "--take-over" in done.error
    done = warden.release(bob, "--take-over")
    assert done.code == 0, done.err
    assert alice.actions() == ["claim", "abandon", "claim", "release", "promote"]
    # Whoever was dead comes back too late, and is told.
    done = warden.release(alice)
    assert done.code in (1, 3)
    assert "Bob" in done.error
    assert alice.actions() == ["claim", "abandon", "claim", "release", "promote"]


def test_two_processes_of_one_clone(alice: Project, warden: Warden) -> None:
    running = [start(alice, None, *RUN, alice.key()) for _ in range(2)]
    codes = sorted(ended(process) for process in running)
    assert codes[0] == 0 and codes[1] in (0, 1, 3), said(alice)
    whole(alice)
