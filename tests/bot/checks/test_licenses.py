from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from bot import catalog
from bot.checks import licenses
from bot.checks.licenses import Evidence, Settings
from bot.checks.licenses.packages import ALLOWED, DENIED, REVIEW, UNSTATED, Packages, weight_of
from bot.checks.licenses.project import is_license
from bot.finding import Finding, Level
from bot.policy import load
from tests.fakes import FakeWorld, Tree, symlink

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text()
ISC = """\
ISC License

Copyright (c) 2024 Ada

Permission to use, copy, modify, and/or distribute this software for any purpose with or without
fee is hereby granted, provided that the above copyright notice and this permission notice appear
in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS
SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE
AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE
OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS
SOFTWARE.
"""
FACTS = {
    "good": "MIT",
    "either": "AGPL-3.0-only OR MIT",
    "both": "AGPL-3.0-only AND MIT",
    "copyleft": "GPL-3.0-only",
    "compiler": "Apache-2.0 WITH LLVM-exception",
    "vague": "other",
}


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def evidence(
    base: Tree, head: Tree, settings: Settings, world: FakeWorld | None = None
) -> Evidence:
    world = world or FakeWorld(base, head)
    assert licenses.applies(world.change(), settings) == ""
    found = licenses.collect(world.change(), world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def findings(base: Tree, head: Tree, settings: Settings | None = None) -> tuple[Finding, ...]:
    settings = settings or Settings(facts=FACTS)
    return licenses.judge(evidence(base, head, settings), settings)


def told(base: Tree, head: Tree) -> list[tuple[str, str, int]]:
    return [
        (f.rule.removeprefix("licenses/"), str(f.severity), f.location.line)
        for f in findings(base, head)
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "good\n", []),
        ("", "either==1.0\n", []),
        ("", "compiler\n", []),
        ("", "# why\nboth\n", [("denied", "failure", 2)]),
        ("", "copyleft\n", [("review", "failure", 1), ("incompatible", "failure", 1)]),
        ("", "vague\n", [("unknown", "failure", 1)]),
        ("", "no-such-package\n", [("unresolved", "unknown", 1)]),
        ("", "good\nno-such @ https://example.org/x.whl\n", [("unresolved", "unknown", 2)]),
        ("", "-e .\n./vendored\n", []),
        ("both\n", "both\ngood\n", []),
        ("both\n", "\n# moved\nboth\n", []),
        ("both==1\n", "both==2\n", [("denied", "failure", 1)]),
        ("both\n", "", []),
        ("", "good\n!!\n", [("unreadable", "unknown", 2)]),
        ("!!\n", "!!\ngood\n", []),
    ],
)
def test_packages(before: str, after: str, expected: list[tuple[str, str, int]]) -> None:
    base = {"LICENSE": APACHE} | ({"requirements.txt": before} if before else {})
    head = {"LICENSE": APACHE} | ({"requirements.txt": after} if after else {})
    assert told(base, head) == expected


def test_a_package_that_moves_between_files_is_no_change() -> None:
    base = {"LICENSE": APACHE, "requirements.txt": "both\n", "requirements-dev.txt": "good\n"}
    head = {"LICENSE": APACHE, "requirements.txt": "", "requirements-dev.txt": "good\nboth\n"}
    assert told(base, head) == []


def test_what_is_in_two_files_is_told_once_where_it_stands_first() -> None:
    head = {"LICENSE": APACHE, "requirements.txt": "both\n", "requirements-dev.txt": "\nboth\n"}
    (found,) = findings({"LICENSE": APACHE}, head)
    assert (found.location.path, found.location.line) == ("requirements-dev.txt", 2)


def test_locks_are_read_too() -> None:
    lock = 'version = 1\n\n[[package]]\nname = "both"\nversion = "2"\nsource = { registry = "x" }\n'
    assert told({"LICENSE": APACHE}, {"LICENSE": APACHE, "uv.lock": lock})[0][:2] == (
        "denied",
        "failure",
    )


@pytest.mark.parametrize("data", [b"[project\n", b"\xff\xfe\0", b"a = 1\na = 2\n", b"\0" * 10])
def test_a_manifest_that_cannot_be_read_is_not_a_pass(data: bytes) -> None:
    found = findings({"LICENSE": APACHE}, {"LICENSE": APACHE, "pyproject.toml": data})
    assert Level.UNKNOWN in {f.severity for f in found if f.rule == "licenses/unreadable"}


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ("MIT", ALLOWED),
        ("LGPL-2.1-or-later", ALLOWED),
        ("Apache-2.0+", ALLOWED),
        ("Apache-2.0 WITH LLVM-exception", ALLOWED),
        ("bsd", ALLOWED),
        ("EPL-2.0", ALLOWED),
        ("GPL-2.0-only", REVIEW),
        ("GPL-2.0-only WITH Classpath-exception-2.0", REVIEW),
        ("LicenseRef-Acme", REVIEW),
        ("AGPL-3.0-or-later", DENIED),
        ("AGPL-3.0-only WITH LLVM-exception", DENIED),
        ("CC-BY-NC-SA-4.0", DENIED),
        ("NOASSERTION", UNSTATED),
        ("other", UNSTATED),
    ],
)
def test_default_lists(leaf: str, expected: int) -> None:
    assert weight_of(leaf, Settings()) == expected


def test_lists_of_the_policy() -> None:
    settings = Settings(allow=("*",), review=("mpl-*",), deny=("MIT",))
    weights = [weight_of(leaf, settings) for leaf in ("ISC", "MPL-2.0", "MIT", "unknown")]
    assert weights == [ALLOWED, REVIEW, DENIED, UNSTATED]


def test_facts_of_the_policy_are_expressions() -> None:
    assert Settings(facts={"Foo.Bar": "mit"}).facts == {"foo-bar": "MIT"}
    with pytest.raises(ValidationError, match="not a licence expression"):
        Settings(facts={"foo": "MIT/ISC"})


APACHE_PROJECT = '[project]\nname = "x"\nlicense = "Apache-2.0"\n'
MIT_PROJECT = '[project]\nname = "x"\nlicense = "MIT"\n'
MIT_CARD = "---\nlanguage: en\nlicense: mit\n---\n# Model\n"


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({}, {"LICENSE": APACHE, "pyproject.toml": APACHE_PROJECT}, []),
        ({}, {"LICENSE": APACHE, "pyproject.toml": MIT_PROJECT}, [("disagree", "failure", 3)]),
        ({}, {"LICENSE": APACHE, "README.md": MIT_CARD}, [("disagree", "failure", 3)]),
        (
            {"LICENSE": APACHE, "README.md": MIT_CARD},
            {"LICENSE": APACHE, "README.md": MIT_CARD + "more\n"},
            [("disagree", "note", 3)],
        ),
        ({"LICENSE": APACHE}, {"README.md": "# Hi\n"}, [("removed", "failure", 0)]),
        ({"LICENSE": APACHE}, {"LICENSE.md": APACHE}, []),
        ({"LICENSE": APACHE}, {"LICENSE": ISC}, [("relicensed", "failure", 1)]),
        ({"LICENSE": ISC}, {"LICENSE": ISC.replace("Ada", "Grace")}, []),
        (
            {"LICENSE": ISC},
            {"LICENSE": ISC + "\nNot for research.\n"},
            [("added-clause", "failure", 16)],
        ),
        ({}, {"LICENSE": "mine\n"}, [("text-unknown", "unknown", 1)]),
        ({"LICENSE": "mine\n"}, {"LICENSE": "ours\n"}, [("text-unknown", "unknown", 1)]),
        ({"LICENSE": "mine\n"}, {"LICENSE": ISC}, [("relicensed", "warning", 1)]),
        # A card alone can say what a model may be used for.
        (
            {"README.md": MIT_CARD},
            {"README.md": MIT_CARD.replace("mit", "cc-by-nc-4.0")},
            [("missing", "note", 0), ("relicensed", "failure", 3)],
        ),
        (
            {"m/README.md": MIT_CARD},
            {"m/README.md": "\n\n" + MIT_CARD.replace("mit", "cc-by-nc-4.0")},
            [("missing", "note", 0), ("relicensed", "failure", 5)],
        ),
        (
            {"m/README.md": MIT_CARD},
            {"m/README.md": "# Model"},
            [("missing", "note", 0), ("removed", "failure", 0)],
        ),
        (
            {"LICENSE": ISC, "README.md": MIT_CARD},
            {"LICENSE": ISC, "README.md": "---\nlicense: isc\n---\n"},
            [],
        ),
        (
            {"README.md": "---\nlicense: bsd\n---\n"},
            {"README.md": "---\nlicense: bsd-3-clause\n---\n"},
            [("missing", "note", 0)],
        ),
        (
            {"LICENSE": "mine\n"},
            {"LICENSE": "mine\n", "README.md": MIT_CARD},
            [("text-unknown", "note", 1)],
        ),
        (
            {"LICENSE": ISC},
            {"LICENSE": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"},
            [("text-unreadable", "unknown", 1)],
        ),
        ({}, {"README.md": "# Hi\n"}, [("missing", "note", 0)]),
        (
            {"LICENSE": ISC},
            {"LICENSE": ISC, "README.md": "---\nlicense: other\n---\n"},
            [("unclear", "failure", 2)],
        ),
        (
            {"LICENSE": ISC},
            {"LICENSE": ISC, "data/README.md": "---\nlicense: [mit, isc]\n---\n"},
            [("unclear", "failure", 2)],
        ),
        (
            {"LICENSE": ISC},
            {"LICENSE": ISC, "data/README.md": "---\nlicense: cc-by-4.0\n---\n"},
            [],
        ),
        (
            {},
            {"LICENSE-MIT": ISC, "LICENSE-APACHE": APACHE, "README.md": "---\nlicense: isc\n---\n"},
            [],
        ),
        (
            {"LICENSE": ISC},
            {"LICENSE": ISC, "README.md": "---\na: &x [1]\nlicense: *x\n---\n"},
            [("unclear", "failure", 3)],
        ),
    ],
)
def test_project(base: Tree, head: Tree, expected: list[tuple[str, str, int]]) -> None:
    assert told(base, head) == expected


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        (b"", ["disagree", "disagree", "relicensed"]),
        (b"assets: {publish: {weights: llama2}}\n", []),
        (b"assets: {publish: {data: llama2}}\n", []),
        (b"assets: {publish: {weights: llama3}}\n", ["disagree", "disagree", "relicensed"]),
        (b"assets: {publish: {code: llama2}}\n", ["disagree", "disagree", "relicensed"]),
    ],
)
def test_a_card_may_be_of_weights_that_the_policy_puts_under_another_licence(
    policy: bytes, rules: list[str]
) -> None:
    files = {"LICENSE": APACHE, "pyproject.toml": APACHE_PROJECT}
    world = FakeWorld(
        files | {"README.md": "---\nlicense: apache-2.0\n---\n"},
        files | {"README.md": "---\nlicense: llama2\n---\n"},
    )
    loaded = load(policy, "p", "p", catalog.CHECKS, catalog.rules())
    settings = loaded.section(licenses.NAME)
    found = licenses.judge(licenses.collect(world.change(), world, settings), settings)
    assert sorted(f.rule.removeprefix("licenses/") for f in found) == rules


def test_irrelevant_changes_are_skipped_with_a_reason() -> None:
    world = FakeWorld({"a.py": "1"}, {"a.py": "2", "docs/licenses.md": "x"})
    assert (
        licenses.applies(world.change(), Settings()) == "no manifest, licence file or card changed"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("LICENSE", True),
        ("licence.txt", True),
        ("COPYING", True),
        ("LICENSE-2.0.txt", True),
        ("LICENSE.APACHE", True),
        ("license_check.py", False),
        ("sub/LICENSE", False),
        ("README.md", False),
    ],
)
def test_licence_files(path: str, expected: bool) -> None:
    assert is_license(path) is expected


def metadata(folder: Path, name: str, license: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {license}\n"
    )


def test_the_repositorys_environment_is_read_unless_git_tracks_it(tmp_path: Path) -> None:
    metadata(tmp_path / ".venv/lib/python3.11/site-packages", "local-only", "ISC")
    head = {"LICENSE": ISC, "requirements.txt": "local_only==1.0\n"}
    found = evidence({}, {}, Settings(), FakeWorld({}, head, root=tmp_path))
    assert [p.fact.source for p in found.packages.each] == ["installed"]
    for forged in (".venv/x", ".VENV/x"):  # the change itself could have written it
        world = FakeWorld({}, head | {forged: "1"}, root=tmp_path)
        found = evidence({}, {}, Settings(), world)
        assert [p.fact.source for p in found.packages.each] == [""]


def test_wheels_of_a_tracked_folder_prove_nothing(tmp_path: Path) -> None:
    from tests.registry.licenses.wheels import make_wheel

    make_wheel(tmp_path / "wheels", "local-only", "1.0", "License-Expression: MIT")
    settings = Settings(wheels=("wheels",))
    head: Tree = {"requirements.txt": "local-only\n"}
    found = evidence({}, {}, settings, FakeWorld({}, head, root=tmp_path))
    assert [p.fact.source for p in found.packages.each] == ["wheel"]
    world = FakeWorld({}, {**head, "wheels/a.whl": "x"}, root=tmp_path)
    assert [p.fact.source for p in evidence({}, {}, settings, world).packages.each] == [""]


def test_a_folder_behind_a_tracked_link_proves_nothing(tmp_path: Path) -> None:
    from tests.registry.licenses.wheels import make_wheel

    make_wheel(tmp_path / "planted" / "wheels", "local-only", "1.0", "License-Expression: MIT")
    (tmp_path / "tools").symlink_to(tmp_path / "planted")
    settings = Settings(wheels=("tools/wheels", "../x", "tools/../planted/wheels"))
    head: Tree = {"requirements.txt": "local-only\n", "tools": "planted"}
    world = FakeWorld({}, head, root=tmp_path, modes=symlink("tools"))
    assert [p.fact.source for p in evidence({}, {}, settings, world).packages.each] == [""]


def test_the_summary_says_where_facts_come_from() -> None:
    settings = Settings(facts=FACTS)
    found = evidence(
        {},
        {"LICENSE": ISC, "requirements.txt": "good\neither\npydantic\nno-such-package\n"},
        settings,
    )
    assert licenses.summary(found) == (
        "3 of 4 changed packages resolved (2 policy, 1 installed); project: ISC"
    )
    (table,) = licenses.exhibits(found, settings)
    assert len(table.rows) == 4  # type: ignore[union-attr]
    nothing = Evidence(Packages(), found.before, found.before)
    assert licenses.summary(nothing) == "no package added or altered; project: no licence file"
    assert licenses.exhibits(nothing, settings) == ()


def test_every_finding_is_one_line_with_a_remedy() -> None:
    head = {"LICENSE": "x", "README.md": MIT_CARD, "requirements.txt": "both\ncopyleft\nnope\n!!\n"}
    found = findings({"LICENSE": ISC}, head)
    assert len(found) >= 5
    known = {rule.id for rule in licenses.RULES}
    for finding in found:
        assert finding.rule in known
        assert finding.remedy
        assert "\n" not in finding.message
