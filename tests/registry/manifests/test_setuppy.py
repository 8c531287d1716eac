"""setup.py: what it gives to setup, found without running it."""

import pytest

from registry.manifests import DocumentError, Manifest, read

HEAD = "from setuptools import setup, find_packages\nimport os, re\n"


def setup(text: str) -> Manifest:
    return read("setup-py", (HEAD + text).encode())


def said(text: str) -> list[str]:
    found = setup(text)
    assert not found.problems, found.problems
    rows = [f"{r.group}:{r.name}{r.specifier}".lstrip(":") for r in found.requirements]
    return rows + [f"-r {o.value}" for o in found.options]


A = "setup(install_requires="
E = "setup(extras_require="
READ = "def get():\n    with open('r.txt', encoding='utf-8') as f:\n        "
TABLE = '_deps = ["torch>=2", "numpy"]\n'
BY_NAME = TABLE + (
    "deps = {b: a for a, b in (re.findall("
    'r"^(([^!=<>~ ]+)(?:[!=<>~ ].*)?$)", x)[0] for x in _deps)}\n'
    "def deps_list(*pkgs):\n    return [deps[pkg] for pkg in pkgs]\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # literals
        (A + "['torch', 'numpy>=1,<2'])", ["torch", "numpy<2,>=1"]),
        (A + "('torch',))", ["torch"]),
        (A + "'torch\\nnumpy')", ["torch", "numpy"]),
        (A + "'''torch\n# not this\nnumpy''')", ["torch", "numpy"]),
        ("R = ['torch']\nR += ['numpy']\n" + A + "R)", ["torch", "numpy"]),
        ("R = ['torch']\nR.append('numpy')\nR.extend(['tqdm'])\n" + A + "R)",
         ["torch", "numpy", "tqdm"]),
        ("V = '2.0'\n" + A + "[f'torch=={V}', 'numpy>=' + V, 'tqdm==%s' % V, 'av=={}'.format(V)])",
         ["torch==2.0", "numpy>=2.0", "tqdm==2.0", "av==2.0"]),
        (A + "[n + '>=1' for n in ['torch', 'numpy']])", ["torch>=1", "numpy>=1"]),
        (A + "[*['torch'], *('numpy',)])", ["torch", "numpy"]),
        (A + "sorted(set(['torch'] + ['torch'])))", ["torch"]),
        (A + "'torch numpy'.split())", ["torch", "numpy"]),
        ("import setuptools\nsetuptools." + A + "['torch'])", ["torch"]),
        ("from setuptools import setup as s\n" + A.replace("setup", "s") + "['torch'])", ["torch"]),
        (A + "['torch'], setup_requires=['numpy'], tests_require=['pytest'])",
         ["torch", "build:numpy", "group:tests:pytest"]),
        # tables
        (E + "{'gpu': ['torch'], 'all': ['torch', 'numpy']})",
         ["extra:gpu:torch", "extra:all:torch", "extra:all:numpy"]),
        (E + "dict(gpu=['torch']))", ["extra:gpu:torch"]),
        (E + "{'gpu': 'torch'})", ["extra:gpu:torch"]),
        ("e = {}\ne['a'] = ['torch']\ne['b'] = e['a'] + ['numpy']\n" + E + "e)",
         ["extra:a:torch", "extra:b:torch", "extra:b:numpy"]),
        ("e = {'a': ['torch']}\ne.update({'b': ['numpy']})\ne.update(c=['tqdm'])\n" + E + "e)",
         ["extra:a:torch", "extra:b:numpy", "extra:c:tqdm"]),
        ("e = {'a': ['torch']}\ne['all'] = [x for v in e.values() for x in v]\n" + E + "e)",
         ["extra:a:torch", "extra:all:torch"]),
        ("e = {'a': ['torch']}\ne['all'] = sum(e.values(), [])\n" + E + "e)",
         ["extra:a:torch", "extra:all:torch"]),
        ("e = {'a': ['torch']}\ne['a'] += ['numpy']\n" + E + "e)",
         ["extra:a:torch", "extra:a:numpy"]),
        ("a = {'x': ['torch']}\n" + E + "{**a, 'y': ['numpy']})",
         ["extra:x:torch", "extra:y:numpy"]),
        (E + "{':python_version<\"3.9\"': ['torch']})", ["torch"]),
        ("args = dict(install_requires=['torch'])\nargs['extras_require'] = {'a': ['numpy']}\n"
         "setup(**args)", ["torch", "extra:a:numpy"]),
        (BY_NAME + A + "[deps['torch']], extras_require={'x': deps_list('numpy', 'torch')})",
         ["torch>=2", "extra:x:numpy", "extra:x:torch>=2"]),
        ("setup(name='Own_It', extras_require={'all': ['own-it[gpu]', 'torch']})",
         ["extra:all:torch"]),
        # conditions: either way counts
        ("R = ['torch']\nif os.name == 'nt':\n    R = ['numpy']\n" + A + "R)", ["numpy", "torch"]),
        ("R = ['torch']\nif os.name == 'nt':\n    R.append('numpy')\n" + A + "R)",
         ["torch", "numpy"]),
        (A + "['torch' if os.name == 'nt' else 'numpy'])", ["torch", "numpy"]),
        ("try:\n    R = ['torch']\nexcept OSError:\n    R = ['numpy']\n" + A + "R)",
         ["torch", "numpy"]),
        ("def f():\n    if os.name:\n        return ['torch']\n    return ['numpy']\n" + A + "f())",
         ["torch", "numpy"]),
        ("R = []\nfor n in ('torch', 'numpy'):\n    R.append(n)\n" + A + "R)", ["torch", "numpy"]),
        ("def more(r):\n    r.append('numpy')\nR = ['torch']\nmore(R)\n" + A + "R)",
         ["torch", "numpy"]),
        ("def main():\n    " + A + "['torch'])\nif __name__ == '__main__':\n    main()", ["torch"]),
        ("def main():\n    " + A + "['torch'])\n", ["torch"]),
        # files
        (READ + "return f.read().splitlines()\n" + A + "get())", ["-r r.txt"]),
        (READ + "c = f.read()\n        return [l.strip() for l in c.split('\\n') if l]\n"
         + A + "get())", ["-r r.txt"]),
        (READ + "return f.readlines()\n" + A + "get() + ['torch'])", ["torch", "-r r.txt"]),
        (READ + "pass\nR = []\nfor l in open('r.txt'):\n    R.append(l.strip())\n" + A + "R)",
         ["-r r.txt"]),
        ("here = os.path.abspath(os.path.dirname(__file__))\n"
         + A + "open(os.path.join(here, 'req', 'r.txt')).read().split())", ["-r req/r.txt"]),
        ("from pathlib import Path\n"
         + A + "(Path(__file__).parent / 'r.txt').read_text().splitlines())", ["-r r.txt"]),
        ("from pip.req import parse_requirements\n"
         + A + "[str(r.req) for r in parse_requirements('r.txt', session=False)])", ["-r r.txt"]),
        ("setup(name='a')", []),
    ],
)  # fmt: skip
def test_what_setup_is_given(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def test_a_requirement_stands_on_its_own_line() -> None:
    found = setup("R = [\n    'torch',\n    'numpy',\n]\n" + A + "R + '''\na\nb'''.splitlines())")
    assert [(r.name, r.line) for r in found.requirements] == [
        ("torch", 4),
        ("numpy", 5),
        ("a", 8),
        ("b", 9),
    ]


def test_an_old_marker_in_the_name_of_an_extra() -> None:
    (found,) = setup(E + "{'x:python_version<\"3.9\"': ['torch']})").requirements
    assert (found.group, found.marker) == ("extra:x", 'python_version < "3.9"')


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (A + "read_them())", 3),
        (A + "['torch', name()])", 3),
        (A + "[os.environ['X']])", 3),
        ("R = fetch()\n" + A + "R)", 3),
        ("R = ['torch']\nif os.name:\n    R = fetch()\n" + A + "R)", 5),
        (A + "[f'torch=={version()}'])", 3),
        (A + "'{:>9999999999}'.format('a'))", 3),
        (E + "extras())", 3),
        (E + "{'a': more()})", 3),
        (E + "{**extras()})", 3),
        ("setup(**config())", 3),
        ("from x import deps\n" + A + "[deps['torch']])", 4),
        (A + "eval('[]'))", 3),
        (A + "re.findall('(a+)+$', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'))", 3),
        ("def f():\n    return f()\n" + A + "f())", 3),
        (A + "['r\\u0435quests ==', '???'])", 3),
    ],
)
def test_what_cannot_be_told_is_said_on_its_line(text: str, line: int) -> None:
    assert line in [p.line for p in setup(text).problems]


def test_nothing_is_run() -> None:
    setup("raise SystemExit(1)\n" + A + "[__import__('os').system('false')])")
    assert setup("x = 9 ** 9 ** 9 ** 9\n" + A + "['torch'])").requirements


BOMB = "x = 'aaaaaaaaaa'\n" + "x = x + x\n" * 60 + A + "[x])"
LISTS = "x = ['torch']\n" + "x = x + x\n" * 60 + A + "x)"
LOOPS = "x = []\n" + "".join(
    f"{'    ' * n}for a{n} in ['1','2','3','4','5','6','7','8','9','0']:\n" for n in range(15)
)


@pytest.mark.parametrize(
    "text",
    [
        "setup(install_requires=[",
        "x = " + "(" * 5_000,
        "x = " + "[" * 150 + "]" * 150,
        "x = " + "-" * 90_000 + "1",
        "x = '" + "a" * 600_000 + "'",
        LISTS,
        LOOPS + "    " * 15 + "x.append('a')\n" + A + "x)",
        "def f(n):\n" + "    f(n)\n" * 50 + "f(1)",
        "\tx\n  y",
        f"t = '{'a ' * 40_000}'\n" + LOOPS + "    " * 15 + "x = t.split()\n",
        f"t = '{'a ' * 40_000}'\n" + LOOPS + "    " * 15 + "x = t.upper() + t.lower()\n",
        "t = ['a'] * 1\n" + "t = t + t\n" * 12 + "x = '" + "a" * 90_000 + "'.join(t)\n" + A + "x)",
        "".join(f"t = [{'t, ' * 9}]\n" for _ in range(30)) + A + "t)",
    ],
)
def test_what_is_hostile_is_refused_or_bounded(text: str) -> None:
    try:
        found = setup(text)
    except DocumentError:
        return
    assert len(found.requirements) < 100


def test_a_text_that_doubles_stays_unknown() -> None:
    assert setup(BOMB).problems
    assert setup("x = 'a'\n" + "x = x.replace('a', 'aa')\n" * 60 + A + "[x])").problems
    assert setup("x = '%s%s'\n" + "x = x % (x, x)\n" * 60 + A + "[x])").problems
    assert setup("x = 'a'\n" + "x = x.join([x, x, x])\n" * 60 + A + "[x])").problems
    assert setup("x = 'a'\n" + "x = f'{x}{x}'\n" * 60 + A + "[x])").problems
    both = "".join(f"x{n} = 'a' if y else 'b{n}'\n" for n in range(20))
    grown = "x = ''\n" + both + "".join(f"x = x + x{n}\n" for n in range(20))
    assert setup(grown + A + "[x])").problems


@pytest.mark.parametrize("data", [b"\xff", b"a\0b", "setup()".encode("utf-16")])
def test_what_is_not_text_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError):
        read("setup-py", data)


def test_other_line_ends_and_a_byte_order_mark() -> None:
    data = b"\xef\xbb\xbffrom setuptools import setup\r\nsetup(install_requires=[\r\n'torch'])\r\n"
    (found,) = read("setup-py", data).requirements
    assert (found.name, found.line) == ("torch", 3)


@pytest.mark.parametrize(
    "text",
    [
        "import setuptools as s\nz = s.setup\nz(install_requires=['a==1'])\n",
        "from distutils.core import setup as z\nz(install_requires=['a==1'])\n",
    ],
)
def test_setup_under_another_name(text: str) -> None:
    assert [r.name for r in read("setup-py", text.encode()).requirements] == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        "import setuptools as s\ngetattr(s, 'setup')(install_requires=['a==1'])\n",
        "from setuptools import setup\nexec('setup(install_requires=[\"a==1\"])')\n",
    ],
)
def test_setup_that_nobody_is_seen_to_call(text: str) -> None:
    found = read("setup-py", text.encode())
    assert [(p.line, "cannot be told" in p.message) for p in found.problems] == [(1, True)]
    assert read("setup-py", b"print('no package is built here')\n").problems == ()
