"""The dependencies check: what a change may not do to what a project installs."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from bot.checks.dependencies import (
    Evidence,
    Settings,
    applies,
    collect,
    exhibits,
    judge,
    packagenames,
    summary,
)
from bot.checks.dependencies.origins import within
from bot.finding import Finding, Level
from bot.manifestfiles import MAX_INCLUDES, concerns
from bot.manifestfiles import collect as collect_manifests
from bot.world import LOCK_LIMIT, TEXT_LIMIT
from registry.manifests.popular import ranks
from tests.fakes import FakeWorld, symlink

DATA = Path(__file__).parents[4] / "shared/data/audit"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Tree = Mapping[str, "bytes | str"]
Row = tuple[str, str, str, int]


def review(base: Tree, head: Tree, **policy: Any) -> tuple[Finding, ...]:
    world, settings = FakeWorld(base, head), Settings(**policy)
    change = world.change()
    if applies(change, settings):
        return ()
    evidence = collect(change, world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence
    assert summary(evidence)
    exhibits(evidence, settings)
    found = judge(evidence, settings)
    assert all("\n" not in f.message and f.message.isprintable() and f.remedy for f in found)
    return found


def rows(found: tuple[Finding, ...]) -> list[Row]:
    """Everything but the notes."""
    return [
        (f.rule.partition("/")[2], f.severity.value, f.location.path, f.location.line)
        for f in found
        if f.severity is not Level.NOTE
    ]


R = "requirements.txt"
UV = '[[package]]\nname = "numpy"\nversion = "1"\nsource = { registry = "https://i" }\n'
UV_URL = UV + 'wheels = [{ url = "https://f/x.whl", hash = "sha256:0" }]\n'


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        # pins
        ("", "numpy==1.26\n", []),
        ("", "# c\nnumpy>=1\n", [("unpinned", "failure", R, 2)]),
        ("torch==1", "torch==1\nnumpy\n", [("unpinned", "failure", R, 2)]),
        ("torch>=1", "torch>=1\nnumpy\n", [("unpinned", "warning", R, 2)]),
        ("numpy", "numpy\n", []),
        ("numpy==1", "numpy>=1", [("loosened", "failure", R, 1)]),
        ("numpy==1", "numpy~=1.0", [("loosened", "failure", R, 1)]),
        ("numpy==1", "numpy", [("loosened", "failure", R, 1)]),
        ("numpy==1\ntorch", "numpy>=1\ntorch", [("loosened", "warning", R, 1)]),
        ("numpy>=1,<2", "numpy>=1", [("loosened", "warning", R, 1)]),
        ("numpy>=1,<2", "numpy<2", [("loosened", "warning", R, 1)]),
        ("numpy>=1,<2", "numpy>=1,<3", []),
        ("numpy==1", "numpy==2", []),
        ("numpy==0.1-bulbasaur", "numpy==0.2-ivysaur", []),
        # hashes
        (
            "numpy==1 --hash=sha256:0",
            "numpy==1 --hash=sha256:0\nrich==1",
            [("unhashed", "failure", R, 2)],
        ),
        ("numpy==1 --hash=sha256:0", "numpy==1", [("unhashed", "failure", R, 1)]),
        (
            "numpy==1\nrich==1",
            "numpy==1\nrich==1 --hash=sha256:0",
            [("unhashed", "failure", R, 1)],
        ),
        ("", "--require-hashes\nnumpy==1", [("unhashed", "failure", R, 2)]),
        # places
        ("", "numpy @ https://h/numpy.zip", [("url", "failure", R, 1)]),
        ("", "https://h/numpy-1-py3-none-any.whl", [("url", "failure", R, 1)]),
        ("", "numpy @ git+https://h/numpy@main", [("vcs", "failure", R, 1)]),
        ("", f"numpy @ git+https://h/numpy@{COMMIT[:39]}", [("vcs", "failure", R, 1)]),
        ("", f"numpy @ git+https://h/numpy@{COMMIT}", []),
        ("", "-e .\n./sub", []),
        ("", "../sub", [("url", "warning", R, 1)]),
        ("", "./sub/numpy-1-py3-none-any.whl", [("url", "failure", R, 1)]),
        ("", "numpy @ ${PLACE}", [("url", "failure", R, 1)]),
        ("", "numpy @ file:///etc/numpy.zip", [("url", "warning", R, 1)]),
        ("numpy @ git+https://h/numpy@main", "# c\nnumpy @ git+https://h/numpy@main", []),
        # indexes
        ("", "-i https://e/simple", [("index", "failure", R, 1)]),
        ("", "--extra https://e/simple", [("index", "failure", R, 1)]),
        ("", "--trusted-host e", [("index", "failure", R, 1)]),
        ("", "-f https://e/wheels", [("index", "failure", R, 1)]),
        ("-i https://e/simple", "# c\n-i https://e/simple/", []),
        # names
        ("", "reqeusts==1", [("lookalike", "failure", R, 1)]),
        ("reqeusts==1", "reqeusts==2", []),
        ("", "r\u0435quests==1", [("confusable", "failure", R, 1)]),
        # includes
        ("", "-r https://e/x.txt", [("include", "failure", R, 1)]),
        ("", "-r ../x.txt", [("include", "failure", R, 1)]),
        ("", "-c lost.txt", [("include", "unknown", R, 1)]),
        # reading
        ("", "numpy==1\n???\n", [("unreadable", "unknown", R, 2)]),
        ("???", "# c\n???\nnumpy==1", []),
        ("", "numpy==1".encode("utf-16"), [("unreadable", "unknown", R, 1)]),
        ("", b"numpy\x00==1", [("unreadable", "unknown", R, 1)]),
        ("", "a" * (TEXT_LIMIT + 1), [("unreadable", "unknown", R, 0)]),
    ],
)
def test_a_requirements_file(base: str, head: bytes | str, expected: list[Row]) -> None:
    assert rows(review({R: base} if base else {}, {R: head})) == expected


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ('["a>=1"]', '["a>=1", "numpy>=1"]', []),
        ('["a>=1"]', '[\n"a>=1",\n"numpy"]', [("unpinned", "warning", "pyproject.toml", 4)]),
        ('["a==1"]', '["a>=1"]', [("loosened", "warning", "pyproject.toml", 2)]),
        ('["a"]', '["a", "b @ https://h/b.zip"]', [("url", "failure", "pyproject.toml", 2)]),
    ],
)
def test_a_library(base: str, head: str, expected: list[Row]) -> None:
    text = "[project]\ndependencies = "
    assert (
        rows(review({"pyproject.toml": text + base}, {"pyproject.toml": text + head})) == expected
    )


def test_a_lock_or_a_constraints_file_pins_what_a_range_leaves_open() -> None:
    for name, text in {"uv.lock": UV, "constraints.txt": "numpy==1"}.items():
        assert rows(review({name: text}, {name: text, R: "numpy>=1"})) == []
        assert rows(review({name: text, R: "numpy==1"}, {name: text, R: "numpy>=1"})) == [
            ("loosened", "warning", R, 1)
        ]
        assert rows(review({name: text}, {name: text, "sub/" + R: "numpy>=1"})) == []
        strict = review({name: text}, {name: text, R: "numpy>=1"}, pin="exact")
        assert rows(strict) == [("unpinned", "failure", R, 1)]
    # One that pins nothing does not count.
    names = {"constraints.txt": "numpy<2"}
    assert rows(review(names, {**names, R: "numpy"})) == [("unpinned", "failure", R, 1)]


def test_a_package_that_moves_is_no_change() -> None:
    before = {R: "numpy\nreqeusts==1", "dev-requirements.txt": "rich==1"}
    after = {R: "rich==1", "dev-requirements.txt": "reqeusts==1\nnumpy"}
    assert review(before, after) == ()


def test_policy_settings() -> None:
    url = "git+https://h/own/numpy@"
    assert rows(review({}, {R: "numpy"}, pin="off")) == []
    assert rows(review({}, {R: "numpy>=1"}, pin="bounded")) == []
    assert rows(review({}, {R: "numpy"}, pin="bounded")) == [("unpinned", "failure", R, 1)]
    assert rows(review({}, {R: "numpy==1"}, hashes="required")) == [("unhashed", "failure", R, 1)]
    assert rows(review({}, {R: "reqeusts==1"}, known_names=("Reqeusts",))) == []
    assert rows(review({}, {R: "-i https://e/x"}, indexes=("https://e",))) == []
    assert review({}, {R: f"numpy @ {url}{COMMIT}"}, allow_urls=("https://h/own",)) != ()
    assert rows(review({}, {R: "a @ https://h/own/a.zip"}, allow_urls=("https://h/own",))) == []
    # An allowed place is still not a fixed one.
    assert rows(review({}, {R: f"numpy @ {url}main"}, allow_urls=("https://h/own",))) == [
        ("vcs", "failure", R, 1)
    ]


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("https://h/org", True),
        ("https://h/org/x.zip", True),
        ("git+https://h/org/x@main", True),
        ("https://h/org-evil/x", False),
        ("https://h/org/../evil", False),
        ("https://h/org/%2e%2e/evil", False),
        ("https://h@evil/org", False),
        ("https://h/org\\..\\evil", False),
        ("http://h/org", False),
        ("https://[", False),
        ("https://evil/https://h/org", False),
    ],
)
def test_what_lies_within_an_allowed_place(url: str, inside: bool) -> None:
    assert within(url, ("https://h/org/",)) is inside


def test_a_first_lock_names_its_index_and_a_changed_one_is_stopped() -> None:
    assert rows(review({}, {"uv.lock": UV})) == [("index", "warning", "uv.lock", 2)]
    other = UV.replace("https://i", "https://evil")
    assert rows(review({"uv.lock": UV}, {"uv.lock": other})) == [("index", "failure", "uv.lock", 2)]
    # Poisoned: the index stays, the files come from elsewhere.
    moved = UV_URL.replace("https://f", "https://evil")
    assert rows(review({"uv.lock": UV_URL}, {"uv.lock": moved})) == [
        ("index", "failure", "uv.lock", 2)
    ]
    allowed = ("https://evil/x",)
    assert rows(review({"uv.lock": UV_URL}, {"uv.lock": moved}, indexes=allowed)) == []


def test_a_removed_lock() -> None:
    gone = [("lock-removed", "warning", "uv.lock", 0)]
    assert rows(review({"uv.lock": UV}, {})) == gone
    pylock = '[[packages]]\nname = "numpy"\nversion = "1"\n'
    assert rows(review({"uv.lock": UV}, {"pylock.toml": pylock})) == []
    assert review({R: "numpy"}, {}) == ()


def test_an_included_file_of_the_change_is_read_whatever_its_name() -> None:
    files = {R: "-r more/deps.lst\n", "more/deps.lst": "-r ../requirements.txt\n-i https://evil\n"}
    assert rows(review({}, files)) == [
        ("index", "failure", "more/deps.lst", 2),
        ("include", "unknown", R, 1),  # each includes the other: said once
    ]
    known = {"dev-requirements.txt": "numpy"}
    assert rows(review(known, {**known, R: "-r dev-requirements.txt"})) == []


def test_a_file_that_stood_there_is_judged_as_new_once_it_is_included() -> None:
    evil = [("index", "failure", "deps.dat", 1)]
    old = {"deps.dat": "-i https://evil", "more": "reqeusts==1", "deps.lst": "numpy==1"}
    assert rows(review(old, {**old, R: "-r deps.dat"})) == evil
    assert rows(review(old, {**old, D: IMAGE.format("-r /app/deps.dat")})) == evil
    assert rows(review(old, {**old, R: "-r more"})) == [("lookalike", "failure", "more", 1)]
    assert rows(review(old, {**old, R: "-r deps.lst"})) == []
    chain = {**old, "a.dat": "-r deps.dat\n-r a.dat\n"}
    assert evil[0] in rows(review(chain, {**chain, R: "-r a.dat"}))
    broken = {"deps.dat": "\0\0"}
    said = rows(review(broken, {**broken, R: "-r deps.dat"}))
    assert said == [("unreadable", "unknown", "deps.dat", 1)]
    huge = {"deps.dat": "x" * (TEXT_LIMIT + 1)}
    assert [r[:2] for r in rows(review(huge, {**huge, R: "-r deps.dat"}))] == [
        ("unreadable", "unknown")
    ]
    stays = {**old, R: "-r deps.dat"}
    assert rows(review(stays, {**stays, R: "-r deps.dat\n# said before\n"})) == []


def test_more_includes_than_are_looked_up_are_no_pass() -> None:
    many = {f"n{n}.dat": "numpy==1" for n in range(MAX_INCLUDES + 2)}
    found = rows(review(many, {**many, R: "".join(f"-r {path}\n" for path in many)}))
    assert found == [("include", "unknown", R, MAX_INCLUDES + 1)]


@pytest.mark.parametrize("name", ["deps", "requires/core", "a/b/REQS"])
def test_a_file_without_an_ending_that_is_included_is_read_when_it_changes(name: str) -> None:
    old = {R: f"-r {name}", name: ""}
    found = review(old, {**old, name: "-i https://evil"})
    assert rows(found) == [("index", "failure", name, 1)]
    assert review({}, {name: "-i https://evil"}) == ()


@pytest.mark.parametrize("name", ["LICENSE", "Makefile", "docs/README", "CODEOWNERS", ".env"])
def test_files_that_no_manifest_includes_are_left_alone(name: str) -> None:
    assert not concerns(name)


@pytest.mark.parametrize(
    "manifest",
    [
        {R: "-r deps.txt"},
        {"pyproject.toml": "[tool.setuptools.dynamic]\ndependencies = {file = ['deps.txt']}"},
        {"pyproject.toml": "[tool.setuptools.dynamic.optional-dependencies]\na={file='deps.txt'}"},
    ],
)
def test_a_file_that_is_included_already_is_read_when_it_changes(manifest: Tree) -> None:
    found = review({**manifest, "deps.txt": ""}, {**manifest, "deps.txt": "-i https://evil"})
    assert rows(found) == [("index", "failure", "deps.txt", 1)]
    assert review(manifest, {**manifest, "notes.txt": "-i https://evil"}) == ()


def test_a_file_at_the_end_of_includes_is_read_when_it_changes() -> None:
    chain: Tree = {R: "-r a/b.txt", "a/b.txt": "-r c.txt\n-r b.txt", "a/c.txt": ""}
    found = review(chain, {**chain, "a/c.txt": "-i https://evil"})
    assert rows(found) == [("index", "failure", "a/c.txt", 1)]


def test_a_flood_of_includes_hides_none_from_elsewhere() -> None:
    flood = "".join(f"-c {n}.txt\n" for n in range(MAX_INCLUDES))
    found = rows(review({}, {R: flood + "-r https://evil/x.txt"}))
    assert found[-1] == ("include", "failure", R, MAX_INCLUDES + 1)


def test_a_link_in_place_of_a_manifest_cannot_be_told() -> None:
    world = FakeWorld({}, {R: "elsewhere.txt"}, modes=symlink(R))
    evidence = collect(world.change(), world, Settings())
    assert [f.rule for f in judge(evidence, Settings())] == ["dependencies/unreadable"]


def test_a_lock_beyond_its_bound_is_not_read() -> None:
    (finding,) = review({}, {"uv.lock": b"#" * (LOCK_LIMIT + 1)})
    assert finding.severity is Level.UNKNOWN
    assert f"{LOCK_LIMIT + 1:,}" in finding.message


def test_what_was_readable_only_at_the_head_is_all_new() -> None:
    assert rows(review({R: b"\xff"}, {R: "numpy"})) == [("unpinned", "failure", R, 1)]


def test_new_names_are_notes_and_not_without_end() -> None:
    names = [n for n in ranks() if n != "numpy"][:30]
    found = review({R: "numpy==1"}, {R: "numpy==1\n" + "".join(f"{n}==1\n" for n in names)})
    assert {f.rule for f in found} == {"dependencies/new-name"}
    assert len(found) == packagenames.SHOWN
    assert all(f.severity is Level.NOTE for f in found)
    project = {"pyproject.toml": "[project]\ndependencies=['rich']"}
    assert review(project, {**project, R: "rich==1"}) == ()


def test_passwords_are_not_repeated() -> None:
    (finding,) = review({}, {R: "-i https://user:secret@e/simple"})
    assert "secret" not in finding.message
    assert "e/simple" in finding.message


def test_other_changes_do_not_concern_it() -> None:
    world = FakeWorld({}, {"README.md": "x"})
    assert applies(world.change(), Settings()) == "no dependency manifest changed"


def test_only_changed_manifests_and_their_neighbours_are_read() -> None:
    base = {"far/uv.lock": UV, "far/" + R: "x", "uv.lock": UV, "a.py": ""}
    world = FakeWorld(base, {**base, "near/" + R: "numpy==1"})
    collect(world.change(), world, Settings())
    read = {blob for _, blob in world.made}
    assert world.trees["a" * 40]["far/" + R].blob not in read
    assert world.trees["a" * 40]["near/" + R].blob in read


@pytest.mark.skipif(not DATA.exists(), reason="the audit data is not at hand")
def test_few_real_commits_are_stopped() -> None:
    by_commit: dict[str, list[dict[str, Any]]] = {}
    path = DATA / "histories/llama-factory.jsonl.gz"
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = json.loads(line)
        by_commit.setdefault(row["commit"], []).append(row)
    stopped = 0
    for changed in by_commit.values():
        base = {r["path"]: r["before"] for r in changed if r["before"] is not None}
        head = {r["path"]: r["after"] for r in changed if r["after"] is not None}
        found = review(base, head)
        assert not [f for f in found if f.severity is Level.UNKNOWN]
        stopped += any(f.counts for f in found)
    assert stopped < 0.05 * len(by_commit)


SETUP = "from setuptools import setup\nsetup(install_requires={})\n"
IMAGE = "FROM x\nRUN pip install {}\n"
D, S, W = "Dockerfile", "setup.py", ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    ("path", "base", "head", "expected"),
    [
        # setup.py is judged like any manifest
        (S, SETUP.format("['numpy']"), SETUP.format("['numpy', 'rich>=1']"), []),
        (S, "", SETUP.format("['numpy']"), [("unpinned", "warning", S, 2)]),
        (S, SETUP.format("['numpy==1']"), SETUP.format("['numpy']"),
         [("loosened", "warning", S, 2)]),
        (S, "", SETUP.format("['reqeusts==1']"), [("lookalike", "failure", S, 2)]),
        (S, "", SETUP.format("['r\u0435quests==1']"), [("confusable", "failure", S, 2)]),
        (S, "", SETUP.format("['numpy @ git+https://h/x@main']"), [("vcs", "failure", S, 2)]),
        (S, "", SETUP.format("fetch()"), [("unreadable", "unknown", S, 2)]),
        (S, "", "setup(", [("unreadable", "unknown", S, 1)]),
        # what an image or a job installs is not what the project asks for: pins are notes
        (D, "", IMAGE.format("numpy"), []),
        (D, IMAGE.format("numpy==1"), IMAGE.format("numpy"), [("loosened", "warning", D, 2)]),
        (D, "", IMAGE.format("reqeusts"), [("lookalike", "failure", D, 2)]),
        (D, "", IMAGE.format("git+https://h/x@main"), [("vcs", "failure", D, 2)]),
        (D, "", IMAGE.format("https://h/x.zip"), [("url", "failure", D, 2)]),
        (D, "", IMAGE.format("-e . dist/numpy-1-py3-none-any.whl /app ../x"), []),
        (D, "", IMAGE.format("$WHAT"), [("unreadable", "unknown", D, 2)]),
        (D, IMAGE.format("$WHAT"), IMAGE.format("$WHAT rich"), []),
        (D, "", IMAGE.format("numpy -i https://i"), [("index", "warning", D, 2)]),
        (D, "", IMAGE.format("numpy --extra-index-url https://i"), [("index", "failure", D, 2)]),
        (D, "", IMAGE.format("numpy --trusted-host i"), [("index", "failure", D, 2)]),
        (D, "", IMAGE.format("-r /app/other.txt"), []),
        (D, "", IMAGE.format("-r https://e/x.txt"), [("include", "failure", D, 2)]),
        (W, "", "jobs:\n  a:\n    steps:\n      - run: pip install reqeusts\n",
         [("lookalike", "failure", W, 4)]),
        (W, "", "jobs: &a [pip, *a]\n", [("unreadable", "unknown", W, 1)]),
        (W, "", "on: push\n", []),
        ("x.sh", "", "pip install reqeusts\n", [("lookalike", "failure", "x.sh", 1)]),
        ("x.sh", "", "echo \"unfinished\n", []),
        # an index that is gone is asked for nowhere any more
        (R, "-i https://i\nnumpy==1", "numpy==1", [("index-dropped", "warning", R, 0)]),
        (R, "-i https://i\nnumpy==1", "--extra-index-url https://i\nnumpy==1", []),
        (R, "-i https://i", "numpy==1\0", [("unreadable", "unknown", R, 1)]),
        # bounds
        (R, "numpy~=1.4", "numpy>=1.4,<2", [("loosened", "warning", R, 1)]),
        (R, "numpy>=2", "numpy>=1", [("loosened", "warning", R, 1)]),
        (R, "numpy!=1.5,>=1", "numpy>=1", [("loosened", "warning", R, 1)]),
    ],
)  # fmt: skip
def test_other_manifests(path: str, base: str, head: str, expected: list[Row]) -> None:
    assert rows(review({path: base} if base else {}, {path: head})) == expected


def test_what_a_command_installs_from_is_looked_for_where_it_may_be() -> None:
    files = {R: "numpy==1", "docker/Dockerfile": IMAGE.format("-r /app/requirements.txt")}
    assert review(files, {**files, "docker/Dockerfile": IMAGE.format("-r requirements.txt")}) == ()
    (note,) = review({}, {D: IMAGE.format("-r lost.txt")})
    assert (note.rule, note.severity) == ("dependencies/include", Level.NOTE)


def test_a_line_of_setup_py_that_stands_in_many_extras_is_said_once() -> None:
    text = "from setuptools import setup\nA = ['numpy @ git+https://h/x@main']\n"
    head = text + "setup(extras_require={'a': A, 'b': A, 'c': A})\n"
    assert rows(review({}, {S: head})) == [("vcs", "failure", S, 2)]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({R: "-r requirements.txt"}, [("include", "unknown", R, 1)]),
        (
            {R: "-r a-requirements.txt", "a-requirements.txt": "-r requirements.txt"},
            [("include", "unknown", "a-requirements.txt", 1)],
        ),
        (
            {
                R: "-r a-requirements.txt",
                "a-requirements.txt": "-r b-requirements.txt",
                "b-requirements.txt": "-c requirements.txt",
            },
            [("include", "unknown", "a-requirements.txt", 1)],
        ),
        ({R: "-r /etc/x.txt"}, [("include", "failure", R, 1)]),
        ({R: "-r C:\\x.txt"}, [("include", "unknown", R, 1)]),
        ({R: "-r ~/x.txt"}, [("include", "failure", R, 1)]),
        ({R: "-r a/../../x.txt"}, [("include", "failure", R, 1)]),
        ({R: "-r file:///x.txt"}, [("include", "failure", R, 1)]),
    ],
)
def test_includes_that_lead_nowhere(files: Tree, expected: list[Row]) -> None:
    assert rows(review({}, files)) == expected


def test_an_included_link_is_stopped() -> None:
    head = {R: "-r other.txt", "other.txt": "elsewhere"}
    world = FakeWorld({"other.txt": "elsewhere"}, head, modes=symlink("other.txt"))
    evidence = collect(world.change(), world, Settings())
    found = [f for f in judge(evidence, Settings()) if f.rule == "dependencies/include"]
    assert [f.severity for f in found] == [Level.FAILURE]


def test_settings_for_references_and_indexes() -> None:
    assert rows(review({}, {R: "x @ git+https://h/x@v1"}, vcs="any")) == [("vcs", "warning", R, 1)]
    assert rows(review({}, {R: "-i https://i"}, new_indexes="review")) == [
        ("index", "warning", R, 1)
    ]
    with pytest.raises(ValueError, match="new_indexes"):
        Settings(new_indexes="pass")  # type: ignore[arg-type]


def test_the_table_says_what_kind_of_difference_it_is() -> None:
    world = FakeWorld(
        {R: "numpy==1\n-i https://i", "pyproject.toml": "[project]\ndependencies=['rich<2']"},
        {R: "numpy>=1", "pyproject.toml": "[project]\ndependencies=['rich']"},
    )
    evidence = collect(world.change(), world, Settings())
    (table,) = exhibits(evidence, Settings())
    assert [row[3] for row in table.rows] == [  # type: ignore[union-attr]
        "changed, loosened",
        "changed, pin to range, loosened",
        "index dropped",
    ]
    assert summary(evidence).endswith("ranges are not resolved, no lock changed")


def test_other_checks_are_not_shown_what_commands_install() -> None:
    world = FakeWorld({}, {D: IMAGE.format("numpy")})
    assert collect_manifests(world.change(), world).files == ()
    assert len(collect_manifests(world.change(), world, commands=True).files) == 1
