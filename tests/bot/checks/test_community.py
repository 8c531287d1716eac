import pytest
from pydantic import TypeAdapter

from bot.checks import community
from bot.checks.community import Evidence, Settings
from bot.checks.community.githubfiles import MAX_FILES
from bot.finding import Finding, Level
from bot.repository import GitWorld
from bot.verdict import Outcome, outcome_of
from tests.fakes import FakeWorld, symlink
from tests.gitrepo import Repo

Files = dict[str, bytes | str]

CI = ".github/workflows/ci.yml"
BUG = ".github/ISSUE_TEMPLATE/bug.md"
SHA = "0123456789abcdef0123456789abcdef01234567"
WORKFLOW = f"""\
on: push
permissions: {{}}
jobs:
  a:
    steps:
      - uses: actions/checkout@{SHA}
"""
UNPINNED = WORKFLOW.replace(SHA, "v4")
ALIAS = "a: &a [*a]\n"  # of itself: without end
PROJECT: Files = {
    "README.md": "# Tiny\n",
    "LICENSE": "Apache License\n",
    ".github/CONTRIBUTING.md": "Welcome\n",
    "docs/code-of-conduct.md": "Be kind\n",
    "SECURITY.rst": "Write to us\n",
    BUG: "---\nname: Bug\nabout: x\n---\n",
    ".github/pull_request_template.md": "What?\n",
    CI: WORKFLOW,
}


def judged(base: Files, head: Files, **policy: object) -> tuple[Finding, ...]:
    world = FakeWorld(base, head)
    settings = Settings.model_validate(policy)
    return community.judge(community.collect(world.change(), world, settings), settings)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [
        (f.rule.partition("/")[2], f.severity.value, f.location.path)
        for f in findings
        if f.rule != "community/missing"
    ]


def without(path: str) -> Files:
    return {p: c for p, c in PROJECT.items() if p != path}


@pytest.mark.parametrize("path", [".github/actions/setup/action.yml", "action.yaml"])
def test_a_local_action_is_judged_like_the_workflow_that_uses_it(path: str) -> None:
    # `uses: ./.github/actions/setup` runs it with the rights of the workflow.
    steps = "runs:\n  using: composite\n  steps:\n"
    steps += "    - uses: them/setup@v1\n"
    steps += "    - run: echo ${{ github.event.pull_request.title }}\n      shell: sh\n"
    assert told(judged(PROJECT, PROJECT | {path: steps})) == [
        ("unpinned-action", "failure", path), ("script-injection", "failure", path),
    ]  # fmt: skip
    assert told(judged(PROJECT, PROJECT | {path: "runs: {using: node20, main: a.js}\n"})) == []
    assert told(judged(PROJECT, PROJECT | {path: "["})) == [("workflow-invalid", "failure", path)]


def test_a_whole_project_has_nothing_to_hear() -> None:
    assert judged({}, PROJECT) == ()
    assert judged(PROJECT, PROJECT | {"a.py": "x = 1\n"}) == ()


def test_a_bare_project_gets_one_note() -> None:
    (finding,) = judged({}, {"a.py": "x = 1\n"})
    assert (finding.rule, finding.severity) == ("community/missing", Level.NOTE)
    assert "README, LICENSE, CONTRIBUTING" in finding.message
    assert judged({}, {"a.py": "x"}, expected=()) == ()
    assert judged({}, {}, expected=()) == ()


@pytest.mark.parametrize("path", sorted(PROJECT.keys() - {CI, BUG}))
def test_what_is_removed_or_emptied_fails(path: str) -> None:
    assert told(judged(PROJECT, without(path))) == [("removed", "failure", path)]
    assert told(judged(PROJECT, PROJECT | {path: ""})) == [("removed", "failure", path)]


def test_the_last_issue_template_is_missed() -> None:
    folder = BUG.rpartition("/")[0]
    assert told(judged(PROJECT, without(BUG))) == [("removed", "failure", folder)]
    assert {rule for rule, *_ in told(judged(PROJECT, PROJECT | {BUG: ""}))} == {"issue-template"}


def test_a_document_may_move_and_be_a_link() -> None:
    moved = without("SECURITY.rst") | {"docs/SECURITY.md": "Write to us\n"}
    assert judged(PROJECT, moved) == ()
    for target, there in (("docs/x.md", True), ("nowhere", False), ("../../etc/passwd", False)):
        head = without("LICENSE") | {"LICENSE": target, "docs/x.md": "text"}
        world = FakeWorld({}, head, modes=symlink("LICENSE"))
        evidence = community.collect(world.change(), world, Settings())
        license = next(d for d in evidence.documents if d.document == "LICENSE")
        assert bool(license.after) is there


def test_the_base_may_have_gained_what_the_change_lacks() -> None:
    world = FakeWorld(PROJECT, PROJECT | {"a.py": "x"})
    change = world.change()
    world.trees["c" * 40] = world.trees[change.base] | {"SUPPORT.md": world.trees[change.base][CI]}
    newer = type(change)("x", "c" * 40, change.head, change.base, change.files)
    assert community.judge(community.collect(newer, world, Settings()), Settings()) == ()


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ({CI: UNPINNED}, {CI: UNPINNED}, [("unpinned-action", "note", CI)]),
        ({CI: WORKFLOW}, {CI: UNPINNED}, [("unpinned-action", "failure", CI)]),
        ({CI: UNPINNED}, {CI: "# x\n" + UNPINNED}, [("unpinned-action", "note", CI)]),
        ({CI: UNPINNED}, {".github/workflows/b.yaml": UNPINNED},
         [("unpinned-action", "note", ".github/workflows/b.yaml")]),
        ({CI: UNPINNED}, {CI: WORKFLOW}, []),
        ({}, {CI: ALIAS}, [("unreadable", "unknown", CI)]),
        ({CI: ALIAS}, {CI: ALIAS + "# x\n"}, [("unreadable", "unknown", CI)]),
        ({CI: ALIAS}, {CI: ALIAS}, [("unreadable", "note", CI)]),
        ({}, {CI: "a: ["}, [("workflow-invalid", "failure", CI)]),
        ({}, {CI: b"#" * 2_000_000}, [("unreadable", "unknown", CI)]),
        ({}, {"workflows/ci.yml": WORKFLOW},
         [("workflow-never-runs", "warning", "workflows/ci.yml")]),
        ({}, {".github/workflow/ci.yml": WORKFLOW},
         [("workflow-never-runs", "warning", ".github/workflow/ci.yml")]),
        ({}, {".github/workflows/sub/ci.yml": WORKFLOW},
         [("workflow-never-runs", "warning", ".github/workflows/sub/ci.yml")]),
        ({}, {".github/ci.yml": WORKFLOW}, [("workflow-never-runs", "warning", ".github/ci.yml")]),
        ({"workflows/ci.yml": WORKFLOW}, {"workflows/ci.yml": UNPINNED},
         [("workflow-never-runs", "note", "workflows/ci.yml")]),
        ({}, {"workflows/data.yml": "a: 1\n", ".github/dependabot.yml": "version: 2\n"}, []),
        ({}, {".github/FUNDING.yml": "x: y\n"}, [("funding", "failure", ".github/FUNDING.yml")]),
        ({}, {".github/ISSUE_TEMPLATE/config.yml": "x: y\n"},
         [("issue-template", "failure", ".github/ISSUE_TEMPLATE/config.yml")]),
        ({}, {"README.md": "---\na: [\n---\n"}, [("model-card-metadata", "failure", "README.md")]),
        ({}, {"m/a.safetensors": "x"}, [("model-card", "warning", "m/a.safetensors")]),
        ({"m/a.gguf": "x"}, {"m/a.gguf": "y"}, [("model-card", "note", "m/a.gguf")]),
        ({"a.gguf": "x"}, {"a.gguf": "x"}, [("model-card", "note", "a.gguf")]),
        ({}, {"a.gguf": "x", "MODEL_CARD.md": "x"}, []),
        ({}, {"a.gguf": "x", "README.md": "---\nlicense: mit\n---\n"}, []),
        ({"README.md": "---\nlicense: mit\n---\n"}, {"README.md": "text"},
         [("removed", "failure", "README.md")]),
        ({"MODEL_CARD.md": "x", "a.gguf": "x"}, {}, []),
        ({"MODEL_CARD.md": "x", "a.gguf": "x", "b.gguf": "x"}, {"b.gguf": "x"},
         [("removed", "failure", "MODEL_CARD.md")]),
    ],
)  # fmt: skip
def test_only_what_the_change_makes_worse_fails(
    base: Files, head: Files, expected: list[tuple[str, str, str]]
) -> None:
    assert told(judged(base, head)) == expected


def test_a_trusted_action_needs_no_pin() -> None:
    assert told(judged({}, {CI: UNPINNED}, trusted_actions=("actions/*",))) == []
    assert told(judged({}, {CI: UNPINNED}, trusted_actions=("action/*",)))


def test_a_workflow_that_is_a_link_is_unknown() -> None:
    world = FakeWorld({}, {CI: "../../x"}, modes=symlink(CI))
    found = community.judge(community.collect(world.change(), world, Settings()), Settings())
    assert outcome_of(found) is Outcome.ERROR


def test_a_workflow_that_is_not_at_hand_is_unknown() -> None:
    world = FakeWorld({}, {CI: WORKFLOW}, missing=(CI,))
    found = community.judge(community.collect(world.change(), world, Settings()), Settings())
    assert outcome_of(found) is Outcome.ERROR


def test_a_folder_beyond_the_bound_is_unknown() -> None:
    head: Files = {f".github/workflows/{i}.yml": WORKFLOW for i in range(MAX_FILES + 1)}
    found = judged({}, head)
    assert [f.severity for f in found if f.counts] == [Level.UNKNOWN]
    assert "more than 500 files in .github/workflows" in found[-1].message


def test_evidence_survives_json() -> None:
    world = FakeWorld(PROJECT, {CI: UNPINNED, "workflows/a.yml": WORKFLOW, "a.gguf": "x"})
    evidence = community.collect(world.change(), world, Settings())
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence
    assert community.summary(evidence) == "0 of 8 documents, 1 workflow"
    assert community.exhibits(evidence, Settings()) == ()
    assert community.applies(world.change(), Settings()) == ""


def test_every_rule_belongs_to_the_check() -> None:
    ids = [rule.id for rule in community.RULES]
    assert len(ids) == len(set(ids))
    assert all(i.startswith("community/") for i in ids)


def test_a_real_repository(repo: Repo) -> None:
    base = repo.commit(PROJECT)
    repo.git("rm", "-q", "LICENSE")
    head = repo.commit({CI: UNPINNED})
    with GitWorld(repo.path) as world:
        evidence = community.collect(world.change(base, head), world, Settings())
    findings = community.judge(evidence, Settings())
    assert told(findings) == [("removed", "failure", "LICENSE"), ("unpinned-action", "failure", CI)]
    assert findings[1].location.line == 6
