"""Workflows and composite actions: what their run steps install."""

import pytest

from registry.documents import DocumentError
from registry.manifests import read


def said(text: str) -> list[str]:
    found = read("workflow", text.encode())
    rows = [f"{r.line} {r.name}{r.specifier}{r.url and ' @ ' + r.url}" for r in found.requirements]
    rows += [f"{o.line} {o.name} {o.value}" for o in found.options]
    return rows + [f"{p.line} ?" for p in found.problems]


def job(steps: str, more: str = "") -> str:
    return f"on: push\njobs:\n  a:\n{more}    steps:\n{steps}"


STEP = "      - run: pip install torch=={}\n"
BLOCK = (
    "      - name: x\n        run: |\n          pip install \\\n            torch\n          ls\n"
)
MATRIX = "    strategy:\n      matrix:\n        v: ['1', '2']\n"
INPUTS = "on:\n  workflow_dispatch:\n    inputs:\n      v:\n        default: '2.1'\njobs:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (job(STEP.format("1")), ["5 torch==1"]),
        (job(BLOCK), ["8 torch"]),
        (job("      - run: >\n          pip install\n          torch\n"), ["6 torch"]),
        (job("      - uses: x/y@v1\n      - run: pip install -r r\n"), ["6 --requirement r"]),
        ("runs:\n  using: composite\n  steps:\n    - run: pip install torch\n      shell: bash\n",
         ["4 torch"]),
        # shells of other languages
        (job("      - shell: python\n        run: pip install torch\n"), []),
        (job("      - run: echo pip install torch\n"), []),
        # values
        ("env:\n  V: 1\n" + job(STEP.format("$V")), ["7 torch==1"]),
        ("env:\n  V: 1\n" + job(STEP.format("${{ env.V }}")), ["7 torch==1"]),
        (job(STEP.format("$V"), "    env: {V: '1.0'}\n"), ["6 torch==1.0"]),
        (job("      - run: pip install torch==$V\n        env:\n          V: 3\n"), ["5 torch==3"]),
        (job(STEP.format("${{ matrix.v }}"), MATRIX), ["8 torch==1", "8 torch==2"]),
        (INPUTS + "  a:\n    steps:\n" + STEP.format("${{ inputs.v }}"), ["9 torch==2.1"]),
        ("env:\n  PIP_EXTRA_INDEX_URL: https://i\n" + job("      - run: pip install torch\n"),
         ["7 torch", "2 --extra-index-url https://i"]),
        (job("      - run: pip install ${{ matrix.what }}\n"), ["5 ?"]),
        (job("      - run: pip install torch==${{ matrix.what }}\n"), ["5 torch"]),
        (job("      - run: pip install 'torch\n"), ["5 ?"]),
        # other shapes
        ("pip", []), ("- pip", []), ("jobs: pip", []), ("jobs: {pip: }", []),
        ("jobs: {a: {steps: pip}}", []), ("jobs: {a: {steps: [pip, {run: [pip]}]}}", []),
        ("env: [pip]\njobs: {a: {env: pip, strategy: {matrix: pip}}}", []),
        ("", []),
    ],
)  # fmt: skip
def test_what_is_installed(text: str, expected: list[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [pip, *a]\n",
        "pip: 1\npip: 2\n",
        "pip: [" * 2_000,
        "pip: !!python/object:os.system x\n",
        "pip: {\n",
        "a: pip\0",
        "jobs:\n a:\n  steps:\n" + "   - run: pip\n" * 5_001,
        "env:\n" + "".join(f" a{n}: pip\n" for n in range(1_100)),
    ],
)
def test_what_is_hostile_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        read("workflow", text.encode())


def test_what_an_anchor_repeats_is_read() -> None:
    # GitHub reads anchors and aliases in workflows since 2025.
    text = (
        "jobs:\n  a:\n    steps: &s\n      - run: pip install a==1\n  b:\n    steps: *s\n"
        "  c:\n    steps:\n      - &i {run: pip install b==2}\n      - *i\n"
    )
    found = read("workflow", text.encode()).requirements
    assert [(r.name, r.line) for r in found] == [("a", 4), ("b", 9)]
