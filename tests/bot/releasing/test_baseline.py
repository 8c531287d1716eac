"""The release that a commit descends from: what counts is lineage."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import Missing, RepositoryError
from bot.releasing.ledger.baseline import baseline
from registry.release.ledger import Issued, Ledger
from security.trust.releases import rank
from tests.bot.releasing.clones import git
from tests.gitrepo import Repo
from tests.ledgers import A


def issued(version: str, commit: str, withdrawn: str = "", artifact: str = A) -> Issued:
    return Issued(artifact, version, commit, "", f"v{version}", "", "", "", withdrawn)


def of(repo: Repo | Path, commit: str, *issued: Issued) -> str:
    ledger = Ledger((), issued, (), ())
    found = baseline(repo if isinstance(repo, Path) else repo.path, ledger, A, commit)
    return found.version if found else ""


class Tree:
    """A history written in words: `at("c", "b")` makes c on top of b."""

    def __init__(self, repo: Repo) -> None:
        self.repo, self.ids = repo, dict[str, str]()
        self.empty = repo.tree()

    def at(self, name: str, *parents: str) -> str:
        tree = self.repo.tree(("100644", name, self.repo.blob(name.encode())))
        made = self.repo.commit_tree(tree, *(self.ids[parent] for parent in parents))
        self.ids[name] = made
        return made


@pytest.fixture
def tree(repo: Repo) -> Tree:
    found = Tree(repo)
    for name, *parents in (
        ("a",), ("b", "a"), ("c", "b"), ("d", "c"),  # the main line
        ("x", "b"), ("y", "x"),  # a line beside it
        ("m", "d", "y"),  # both merged
        ("z", "m"), ("other",), ("v", "z", "other"), ("w", "other", "z"),
    ):  # fmt: skip
        found.at(name, *parents)
    return found


@pytest.mark.parametrize(
    ("releases", "commit", "version"),
    [
        ("", "z", ""),
        ("1=b", "a", ""),
        ("1=b", "b", "1"),
        ("1=b", "z", "1"),
        ("1=b", "other", ""),
        ("1=a 2=c", "d", "2"),
        ("9=a 2=c", "d", "2"),  # the nearer one, whatever its number
        ("1=b 2=x", "d", "1"),  # the line beside does not count
        ("1=c 2=x", "z", "2"),  # two lines merged: the higher version
        ("3=c 2=x", "z", "3"),
        ("3=b 2=x", "z", "2"),  # b is an ancestor of x
        ("3=b 2=c", "z", "2"),  # and of c, whichever line is walked first
        ("3=a 2=d", "z", "2"),
        ("3=b 2=x", "v", "2"),
        ("3=b 2=c", "v", "2"),
        ("3=b 2=x", "w", "2"),
        ("3=b 2=c", "w", "2"),
        ("1=b 2=z", "m", "1"),  # a later release is none of an earlier commit
        ("1=c 2=c", "d", "2"),  # two on one commit
        ("10=c 9=c", "d", "10"),
        ("1=m 5=d 6=y", "z", "1"),
        ("2=c 2-rc.1=x", "m", "2"),
    ],
)
def test_lineage(releases: str, commit: str, version: str, tree: Tree) -> None:
    found = [one.split("=") for one in releases.split()]
    known = [issued(version, tree.ids[name]) for version, name in found]
    for order in (known, known[::-1]):
        assert of(tree.repo, tree.ids[commit], *order) == version


def test_withdrawn_and_other_artifacts_do_not_count(tree: Tree) -> None:
    ids = tree.ids
    known = (
        issued("1", ids["a"]), issued("2", ids["c"], "it leaks"),
        issued("3", ids["d"], artifact="acme/large"),
    )  # fmt: skip
    assert of(tree.repo, ids["d"], *known) == "1"


def test_names_and_dates_do_not_count(tree: Tree) -> None:
    ids = tree.ids
    git(tree.repo.path, "tag", "v9.9.9", ids["b"])
    git(tree.repo.path, "branch", "v1", ids["other"])
    git(tree.repo.path, "tag", "v1", ids["other"])
    tree.repo.git("replace", "-f", ids["d"], ids["other"])  # nor what a clone makes up
    young = tree.repo.git(
        "commit-tree", tree.empty, "-p", ids["a"], GIT_COMMITTER_DATE="2099-01-01T00:00:00Z"
    )
    old = tree.repo.git(
        "commit-tree", tree.empty, "-p", young, GIT_COMMITTER_DATE="1999-01-01T00:00:00Z"
    )
    last = tree.repo.commit_tree(tree.empty, old)
    assert of(tree.repo, ids["d"], issued("1", ids["b"])) == "1"
    assert of(tree.repo, last, issued("1", old), issued("2", young)) == "1"


def test_cherry_picked_and_rebased_away(tree: Tree) -> None:
    ids = tree.ids
    known = (issued("1", ids["b"]), issued("2", ids["y"]))
    picked = tree.at("y'", "d")  # what y changed, on another line: not y
    assert of(tree.repo, picked, *known) == "1"
    gone = (*known, issued("3", "f" * 40))  # its commit is nowhere any more
    assert of(tree.repo, ids["d"], *gone) == "1"


def test_a_commit_that_is_not_here(tree: Tree) -> None:
    with pytest.raises(Missing, match="commit ffffffffffff is not here"):
        of(tree.repo, "f" * 40, issued("1", tree.ids["a"]))


def test_shallow(tree: Tree, tmp_path: Path) -> None:
    tree.repo.git("update-ref", "refs/heads/main", tree.ids["z"])
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--bare", "--depth=3", tree.repo.path.as_uri(), "shallow")
    ids = tree.ids
    assert of(clone, ids["z"], issued("1", ids["m"])) == "1"
    assert of(clone, ids["z"], issued("1", ids["d"]), issued("2", ids["y"])) == "2"
    with pytest.raises(RepositoryError, match="not in this shallow clone") as caught:
        of(clone, ids["z"], issued("1", ids["b"]))
    assert "--unshallow" in caught.value.hint
    with pytest.raises(RepositoryError):  # y is there, but what is behind d is not known
        of(clone, ids["z"], issued("1", ids["y"]))
    assert of(clone, ids["z"]) == ""


@given(data=st.data())
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_history(data: st.DataObject, repo: Repo) -> None:
    """Against the definition, word for word, on random histories with merges."""
    seed = data.draw(st.integers(0, 10**9))
    chance = random.Random(seed)
    parents = [
        chance.sample(range(n), min(n, chance.choice((0, 1, 1, 1, 2, 3)))) for n in range(20)
    ]
    ids = history(repo, parents, f"seed {seed}")
    ancestors: list[set[int]] = []
    for number, above in enumerate(parents):
        ancestors.append({number}.union(*(ancestors[parent] for parent in above)))
    released = chance.sample(range(20), 6)
    known = [issued(f"1.{n}", ids[commit]) for n, commit in enumerate(released)]
    for commit in (*range(5, 15, 3), 17, 18, 19):
        mine = [n for n, at in enumerate(released) if at in ancestors[commit]]
        last = [
            n for n in mine
            if not any(released[n] in ancestors[released[o]] for o in mine if o != n)
        ]  # fmt: skip
        wanted = max((f"1.{n}" for n in last), key=rank, default="")
        assert of(repo, ids[commit], *known) == wanted


def history(repo: Repo, parents: list[list[int]], name: str) -> list[str]:
    """Make commits by their parents' numbers, in one go."""
    lines = []
    for number, above in enumerate(parents):
        lines.append("reset refs/heads/made\n" if not above else "")
        lines.append(f"commit refs/heads/made\nmark :{number + 1}\n")
        lines.append(f"committer A <a@example.org> {1_700_000_000 + number} +0000\n")
        text = f"{name} {number}"
        lines.append(f"data {len(text)}\n{text}\n")
        lines += [
            f"{'merge' if place else 'from'} :{parent + 1}\n" for place, parent in enumerate(above)
        ]
    marks = repo.path / "marks"
    repo.git(
        "fast-import",
        "--quiet",
        "--force",
        f"--export-marks={marks}",
        stdin="".join(lines).encode(),
    )
    found = dict(line.split() for line in marks.read_text().splitlines())
    return [found[f":{number + 1}"] for number in range(len(parents))]


def test_a_long_history_is_one_walk(repo: Repo) -> None:
    count = 5_000
    ids = history(repo, [[n - 1] if n else [] for n in range(count)], "long")
    known = [issued(f"1.{n}", ids[n * 5]) for n in range(1_000)]
    assert of(repo, ids[-1], *known) == "1.999"
    assert of(repo, ids[-1], *known[:1]) == "1.0"
