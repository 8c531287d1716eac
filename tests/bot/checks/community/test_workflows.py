import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.community import workflows
from bot.checks.community.workflows import looks_like_one, read

SHA = "0123456789abcdef0123456789abcdef01234567"
GOOD = f"""\
name: CI
on: [push, pull_request]
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@{SHA}  # v4
      - uses: ./local/action
      - uses: docker://alpine@sha256:{"0" * 64}
      - run: make test
        env:
          TITLE: ${{{{ github.event.pull_request.title }}}}
"""


def found(text: str | bytes) -> list[tuple[str, int]]:
    data = text.encode() if isinstance(text, str) else text
    return [(p.rule.removeprefix("community/"), p.line) for p in read(data, "f" * 40).each]


def steps(*lines: str, on: str = "push") -> str:
    head = ["on: " + on, "permissions: {}", "jobs:", "  a:", "    runs-on: x", "    steps:"]
    return "\n".join([*head, *("      " + line for line in lines), ""])


def test_a_good_workflow() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("workflow-invalid", 1)]),
        ("[]", [("workflow-invalid", 1)]),
        ("a: [", [("workflow-invalid", 2)]),
        ("a: 1\na: 2\n", [("workflow-invalid", 2)]),
        (b"\xff", [("workflow-invalid", 1)]),
        ("permissions: {}\njobs: {a: {steps: []}}", [("workflow-invalid", 1)]),
        ("on: push\npermissions: {}\n", [("workflow-invalid", 1)]),
        ("on: push\npermissions: {}\njobs: []\n", [("workflow-invalid", 3)]),
        ("on: push\npermissions: {}\njobs:\n  a: 1\n", [("workflow-invalid", 4)]),
        ("on: push\npermissions: {}\njobs:\n  a: {steps: [1]}\n", [("workflow-invalid", 4)]),
        ("on:\njobs: {}\npermissions: {}", [("workflow-invalid", 1), ("workflow-invalid", 2)]),
        ("x: &a [*a]\non: push\n", [("unreadable", 1)]),
        ("on: !!python/object:os.system push\n", [("workflow-invalid", 1)]),
        ("on: !!set {push}\n", [("unreadable", 1)]),
        ("a: " + "[" * 200 + "]" * 200, [("workflow-invalid", 1)]),
        (b"#" * 1_000_001, [("unreadable", 0)]),
    ],
)
def test_what_github_cannot_run(text: str | bytes, expected: list[tuple[str, int]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on: push\njobs:\n  a:\n    steps: []\n", [("workflow-permissions", 3)]),
        ("on: push\njobs:\n  a:\n    steps: []\n    permissions: {}\n", []),
        ("on: push\npermissions: write-all\njobs: {a: {steps: []}}", [("workflow-permissions", 2)]),
        ("on: push\npermissions: read-all\njobs: {a: {steps: []}}", []),
        ("on: push\npermissions:\njobs:\n  a: {steps: []}", [("workflow-permissions", 4)]),
        (
            "on: push\npermissions: {}\njobs:\n  a:\n    permissions: write-all\n    steps: []\n",
            [("workflow-permissions", 5)],
        ),
    ],
)
def test_permissions(text: str, expected: list[tuple[str, int]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("uses", "pinned"),
    [
        (f"actions/checkout@{SHA}", True),
        (f"actions/cache/save@{SHA}", True),
        ("./.github/actions/x", True),
        ("$/.github/actions/x", True),  # this repository at the commit that runs
        ("$/", True),
        ("actions/checkout@v4", False),
        ("actions/checkout@main", False),
        ("actions/checkout", False),
        (f"actions/checkout@{SHA[:-1]}", False),
        (f"actions/checkout@{SHA}0", False),
        (f"actions/checkout@{SHA[:-1]}g", False),
        (f"docker://alpine@{SHA}", False),
        ("docker://alpine:3", False),
        ("docker://alpine@sha256:" + "0" * 64, True),
        ("../other", False),
    ],
)
def test_pinning(uses: str, pinned: bool) -> None:
    expected = [] if pinned else [("unpinned-action", 7)]
    assert found(steps(f"- uses: {uses}")) == expected
    job = f"on: push\npermissions: {{}}\njobs:\n  a:\n    uses: {uses}\n"
    assert found(job) == [(rule, 5) for rule, _ in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (steps("- run: echo ${{ github.event.issue.title }}"), [("script-injection", 7)]),
        (
            steps("- name: x", "  run: |", "    true", "    echo ${{ github.head_ref }}"),
            [("script-injection", 10)],
        ),
        (steps("- run: echo $T", "  env: {T: '${{ github.head_ref }}'}"), []),
        (
            steps("- env: {T: '${{ github.head_ref }}'}", "  run: echo ${{ env.t }}"),
            [("script-injection", 8)],
        ),
        (
            steps("- uses: actions/github-script@" + SHA, "  with:",
                  "    script: log('${{ github.event.comment.body }}')"),
            [("script-injection", 9)],
        ),
        (steps("- run: echo ${{ github.sha }}"), []),
    ],
)  # fmt: skip
def test_script_injection(text: str, expected: list[tuple[str, int]]) -> None:
    assert found(text) == expected


CHECKOUT = "- uses: actions/checkout@" + SHA
HEAD_SHA = "${{ github.event.pull_request.head.sha }}"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((CHECKOUT,), []),
        ((CHECKOUT, "  with: {fetch-depth: 0}"), []),
        ((CHECKOUT, "  with: {ref: main}"), []),
        ((CHECKOUT, "  with: {ref: '${{ github.event.pull_request.base.sha }}'}"), []),
        ((CHECKOUT, f"  with: {{ref: '{HEAD_SHA}'}}"), [("pull-request-target", 8)]),
        ((CHECKOUT, "  with: {ref: '${{ github.head_ref }}'}"), [("pull-request-target", 8)]),
        ((CHECKOUT, "  with: {ref: 'refs/pull/${{ github.event.number }}/merge'}"),
         [("pull-request-target", 8)]),
        ((CHECKOUT, "  with:", f"    repository: {HEAD_SHA[:-6]}repo.full_name }}}}"),
         [("pull-request-target", 9)]),
        ((CHECKOUT, "  with: {ref: '${{ env.SHA }}'}", f"  env: {{SHA: '{HEAD_SHA}'}}"),
         [("pull-request-target", 8)]),
        ((CHECKOUT, "  with: {ref: '${{ steps.x.outputs.ref }}'}"), [("checkout-unknown", 8)]),
        ((CHECKOUT, "  with: {ref: '${{ env.NOPE }}'}"), [("checkout-unknown", 8)]),
        (("- run: gh pr checkout 1",), [("pull-request-target", 7)]),
        (("- run: git fetch origin pull/1/head",), [("pull-request-target", 7)]),
        (("- run: git checkout $SHA", f"  env: {{SHA: '{HEAD_SHA}'}}"),
         [("pull-request-target", 7)]),
        (("- run: git checkout main", f"  env: {{SHA: '{HEAD_SHA}'}}"), []),
        (("- run: echo $SHA", f"  env: {{SHA: '{HEAD_SHA}'}}"), []),
    ],
)  # fmt: skip
def test_rights_of_the_base_with_code_of_the_head(
    lines: tuple[str, ...], expected: list[tuple[str, int]]
) -> None:
    for on in (
        "pull_request_target", "[push, pull_request_target]", "{workflow_run: {}}", "issue_comment"
    ):  # fmt: skip
        assert found(steps(*lines, on=on)) == expected
    assert found(steps(*lines, on="pull_request")) == []


def test_looks_like_one() -> None:
    assert looks_like_one(GOOD.encode())
    assert not looks_like_one(b"on: push\n")
    assert not looks_like_one(b"\xff")


def test_keys_do_not_depend_on_the_line() -> None:
    one, two = (
        read(GOOD.replace(SHA, "v4").encode(), "1"),
        read(b"# moved\n" + GOOD.replace(SHA, "v4").encode(), "2"),
    )
    assert [p.key for p in one.each] == [p.key for p in two.each]
    assert one.each[0].subject == "actions/checkout"


def test_hostile_sizes_take_no_time() -> None:
    started = time.perf_counter()
    variables = "".join(f"  V{i}: ${{{{ github.head_ref }}}}\n" for i in range(30_000))
    assert found("on: push\nenv:\n" + variables + "jobs: {}\n") == [("unreadable", 2)]
    many = steps(*["- run: ${{ github.head_ref }}"] * 15_000, on="pull_request_target")
    assert len(found(many)) == workflows.MAX_PROBLEMS + 1
    assert ("unreadable", 1) in found(many)
    assert time.perf_counter() - started < 20


LINES = st.sampled_from(
    ["on: pull_request_target", "on:", "jobs:", "  a:", "    steps:", "      - uses: x/checkout@v1",
     "        with: {ref: '${{ github.head_ref }}'}", "      - run: ${{ github.event.issue.body }}",
     "    env: {A: '${{ env.A }}'}", "  - 1", "    uses: 1", "permissions: write-all", "\t", "? x",
     "env: [1]", "        with: 3",
     "  2: {steps: {}}", "      - run: [1]", "      - \u202e: \u202e"]
)  # fmt: skip


@given(st.lists(LINES, max_size=14))
def test_any_mixture_is_judged(lines: list[str]) -> None:
    text = "\n".join(lines)
    for problem in read(text.encode(), "b").each:
        assert problem.message.isprintable()
        assert 0 <= problem.line <= len(lines) + 1
