"""Shell scripts: their install lines, and nothing else of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.documents import DocumentError
from registry.manifests import Manifest, read
from registry.manifests.shellwords import commands

HEX = "0123456789abcdef0123456789abcdef01234567"


def script(text: str) -> Manifest:
    return read("script", text.encode())


def said(text: str) -> list[str]:
    found = script(text)
    rows = []
    for r in found.requirements:
        extras = f"[{','.join(r.extras)}]" if r.extras else ""
        rows.append(f"{r.name}{extras}{r.specifier}{' @ ' + r.url if r.url else ''}".strip())
    rows += [f"{o.name} {o.value}" for o in found.options]
    return rows + [f"? {p.line}" for p in found.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # who installs
        ("pip install torch", ["torch"]),
        ("pip3.11 install 'torch>=2,<3' numpy==1.26", ["torch<3,>=2", "numpy==1.26"]),
        ("python -m pip install torch", ["torch"]),
        ("/opt/venv/bin/python3 -m pip --no-cache-dir install -U torch", ["torch"]),
        ("pip --proxy http://p install torch", ["torch"]),
        ("sudo -H pip install torch", ["torch"]),
        ("A=1 B='x y' pip install torch", ["torch"]),
        ("uv pip install --system torch", ["torch"]),
        ("uv add 'torch>=2' --group dev", ["torch>=2"]),
        ("uv run pip install torch", ["torch"]),
        ("uv run --with ruff==0.1 pytest", ["ruff==0.1"]),
        ("uvx ruff@0.4.1 check", ["ruff==0.4.1"]),
        ("uv tool install ruff", ["ruff"]),
        ("pipx install 'ruff==0.1'", ["ruff==0.1"]),
        ("pipx run ruff check", ["ruff"]),
        ("poetry add torch@^2 numpy@1.2 'tqdm>=4' -G dev", ["torch^2", "numpy==1.2", "tqdm>=4"]),
        ("pdm add -G x torch", ["torch"]),
        ("conda install -y -c pytorch torch=2.1 numpy",
         ["torch==2.1.*", "numpy", "channel pytorch"]),
        ("mamba create -n e python=3.11 torch", ["python==3.11.*", "torch"]),
        ("conda env create -f environment.yml", ["--requirement environment.yml"]),
        ("conda run -n e pip install torch", ["torch"]),
        ("pip-sync requirements.txt", ["--requirement requirements.txt"]),
        ("uv pip sync a.txt b.txt", ["--requirement a.txt", "--requirement b.txt"]),
        # who does not
        ("echo pip install torch", []),
        ("# pip install torch", []),
        ("pip uninstall -y torch", []),
        ("pip freeze > requirements.txt", []),
        ("apt-get install -y python3-pip torch", []),
        ("git commit -m 'pip install torch'", []),
        ("npm install torch", []),
        ("cat <<EOF\npip install torch\nEOF\n", []),
        ("grep 'pip install torch' x", []),
        ("pipeline install torch", []),
        # arguments
        ("pip install -r r.txt -c c.txt --require-hashes",
         ["--requirement r.txt", "--constraint c.txt"]),
        ("pip install --index-url=https://i/s -fhttps://f torch",
         ["torch", "--index-url https://i/s", "--find-links https://f"]),
        ("pip install torch --extra-index-url https://i --trusted-host i -t /x --no-deps",
         ["torch", "--extra-index-url https://i", "--trusted-host i"]),
        ("pip install -e . -e '.[dev, b_c]'", ["[b-c,dev] @ ."]),
        ("pip install -e --pre '.[dev]'", ["[dev] @ ."]),
        (f"pip install git+https://h/x@{HEX}", [f"@ git+https://h/x@{HEX}"]),
        ("pip install 'x @ https://h/x.zip' ./dist/y-1-py3-none-any.whl",
         ["x @ https://h/x.zip", "y @ ./dist/y-1-py3-none-any.whl"]),
        ("pip install torch[cuda]==2 # why", ["torch[cuda]==2"]),
        ("pip install numpy>=1.20 torch", ["numpy", "torch"]),  # a redirection, to the file =1.20
        ("pip install torch > log 2>&1", ["torch"]),
        ("pip install r\u0435quests", ["r\u0435quests"]),
        # the language
        ("cd x && pip install \\\n  torch \\\n  numpy || exit 1; pip install tqdm",
         ["torch", "numpy", "tqdm"]),
        ("(pip install torch) & { pip install numpy; }", ["torch", "numpy"]),
        ("if [ -f x ]; then pip install torch; else pip install numpy; fi", ["torch", "numpy"]),
        ("if true; then\n pip install torch \\\nfi;", ["torch"]),
        ("f() {\n  pip install torch\n}", ["torch"]),
        ("bash -c 'pip install torch'", ["torch"]),
        ("bash -lc \"cd x; pip install torch\"", ["torch"]),
        ("eval pip install torch", ["torch"]),
        ("bash <<'EOF'\npip install torch\nEOF\npip install numpy", ["torch", "numpy"]),
        ("python - <<EOF\npip install torch\nEOF\npip install numpy", ["numpy"]),
        ("x=$(pip install torch)", []),
        ("run $(pip install torch)", ["torch"]),
        # variables
        ("V=2.1\npip install torch==$V", ["torch==2.1"]),
        ("V=2.1\npip install \"torch==${V}\"", ["torch==2.1"]),
        ("pip install torch==${V:-2.1}", ["torch==2.1"]),
        ("P='torch numpy'\npip install $P", ["torch", "numpy"]),
        ("P=(torch\n numpy)\npip install \"${P[@]}\"", ["torch", "numpy"]),
        ("P=torch\nP+=' numpy'\npip install $P", ["torch", "numpy"]),
        ("export PIP_INDEX_URL=https://i", ["--index-url https://i"]),
        ("PIP_EXTRA_INDEX_URL=https://i pip install torch", ["torch", "--extra-index-url https://i"]),
        ("pip config set global.index-url https://i", ["--index-url https://i"]),
        ("for p in torch numpy; do pip install $p==1; done", ["torch==1", "numpy==1"]),
        ("E=a\nif x; then E=\"$E,b\"; fi\npip install .[$E]", ["[a,b] @ ."]),
        ("I=https://a\nif x; then I=https://b; fi\npip install torch -i $I",
         ["torch", "--index-url https://a", "--index-url https://b"]),
        # what cannot be told
        ("pip install torch==$V", ["torch"]),
        ("pip install 'torch'[$E]", ["torch"]),
        ("pip install $P", ["? 1"]),
        ("\npip install \"$@\"", ["? 2"]),
        ("pip install torch-$V", ["? 1"]),
        ("cat r.txt | xargs pip install", ["? 1"]),
        ("cat r.txt | pip install -r /dev/stdin", ["? 1"]),
        ("pip install $(cat r.txt)", ["? 1"]),
        ("pip install \"$(ls dist/*.whl | head -1)\"", ["@ ./*.whl"]),
        ("pip install ${DIR}/dist", ["@ ${DIR}/dist"]),
        ("pip install -r $DIR/r.txt", ["--requirement ${DIR}/r.txt"]),
        ("pip install '???'", ["? 1"]),
    ],
)  # fmt: skip
def test_what_a_script_installs(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def test_each_argument_stands_on_its_line() -> None:
    text = (
        "#!/bin/sh\n\npip install \\\n  torch \\\n  'numpy' && \\\n  pip install -r r.txt\ntqdm\n"
    )
    found = script(text)
    assert [(r.name, r.line) for r in found.requirements] == [("torch", 4), ("numpy", 5)]
    assert [o.line for o in found.options] == [6]
    body = "x\nbash <<EOF\n# c\npip install torch\nEOF\npip install numpy"
    assert [(r.name, r.line) for r in script(body).requirements] == [("torch", 4), ("numpy", 6)]


def test_what_is_installed_twice_is_said_once_on_its_first_line() -> None:
    text = "if x; then\npip install -q torch\nelse\npip install torch\nfi"
    assert [(r.name, r.line) for r in script(text).requirements] == [("torch", 2)]


def test_a_long_script_in_one_word_is_read_whole() -> None:
    assert said(f"bash -c 'echo {'a' * 20_000}; pip install torch'") == ["torch"]


def test_many_conditions_that_add_to_a_list() -> None:
    rows = "".join(f'if [ $A{n} ]; then E="$E,e{n}"; fi\n' for n in range(12))
    assert said(f"E=e\n{rows}pip install -e .[$E]") == [
        f"[{','.join(sorted(['e', *(f'e{n}' for n in range(12))]))}] @ ."
    ]


DEEP = "pip install x"
for _ in range(8):
    DEEP = f"bash -c {DEEP!r}"


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'torch",
        'pip install "torch',
        "pip install `x",
        "pip install $(x",
        DEEP,
        "X=aaaaaaaaaa\n" + "X=$X$X\n" * 60 + "pip install $X",
        "".join(f"if a; then X=a{n}; fi\n" for n in range(60)) + "pip install $X",
        "pip install " + "".join("$X" for _ in range(2_000)),
    ],
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    try:
        assert script(text).problems
    except DocumentError as error:
        assert error.line >= 1


@pytest.mark.parametrize(
    "data",
    [
        b"pip install \xff",
        b"pip install a\0b",
        "pip install torch".encode("utf-16"),
        b"pip install " + b"a " * 110_000,
        b"pip" + b"'" * 99_999,
        b"pip" + b"$(" * 50_000,
        b"pip" + b"<<A " * 50_000,
        b"pip" + b"\\\n" * 200_000,
    ],
    ids=["latin", "nul", "utf-16", "words", "quotes", "brackets", "documents", "joins"],
)
def test_what_is_hostile_is_refused_or_bounded(data: bytes) -> None:
    try:
        found = read("script", data)
    except DocumentError:
        return
    assert len(found.requirements) < 100


@settings(max_examples=150, deadline=None)
@given(st.text("pip install$(){}[]'\"`\\\n;&|<>#=!ab \t", max_size=80))
def test_any_text_is_parted_or_refused(text: str) -> None:
    try:
        found = commands(text)
    except DocumentError:
        return
    last = text.count("\n") + 1
    assert all(1 <= word.line <= last for command in found for word in command.words)


WORDS = st.text("abcXYZ019.-_=@/+:,~%", min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_plain_words_are_parted_like_a_shell_parts_them(words: list[str]) -> None:
    (found,) = commands(" ".join(words))
    assert [w.plain for w in found.words] == words
