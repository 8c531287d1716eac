"""Keys behind a program: the example of the document, and programs that misbehave."""

import json
import os
import re
import stat
import sys
import time
from pathlib import Path

import pytest

from security.errors import BadKey, Refused, Tampered, Unavailable
from security.identity import ED25519, MLDSA65, P256, P384
from security.seal import header, identities, x25519
from security.seal.header import Stanza
from security.sign import keys, program
from security.sign.program import Program, ProgramIdentity, ProgramSigner

ROOT = Path(__file__).parents[3]
KEY = bytes(range(16))


def script(folder: Path, text: str, *args: str, wait: float = 20.0) -> Program:
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n{text}")
    path.chmod(stat.S_IRWXU)
    return Program((str(path), *args), wait)


@pytest.fixture
def example(tmp_path: Path) -> Program:
    text = (ROOT / "docs/formats/signers.md").read_text()
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return script(tmp_path, found[1], str(tmp_path))


@pytest.mark.parametrize("kind", [P256, P384, ED25519, MLDSA65])
def test_the_example_signs(tmp_path: Path, example: Program, kind: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(keys.generate(kind))
    path.chmod(0o600)
    signer = ProgramSigner(example)
    assert signer.public == keys.load_signer(path.read_bytes()).public
    assert keys.check(signer.public, signer.sign(b"weights"), b"weights")


@pytest.mark.parametrize("hybrid", [False, True])
def test_the_example_opens(tmp_path: Path, example: Program, hybrid: bool) -> None:
    secret, public = identities.generate(hybrid)
    identities.write_identity(tmp_path / "identity", secret)
    others = [identities.recipient(identities.generate(hybrid)[1])]
    mine = ProgramIdentity(example)
    head = header.build(KEY, [*others, identities.recipient(public)])
    assert header.unseal(header.parse(head), [mine]) == KEY
    assert mine.unwrap(header.parse(header.build(KEY, others)).stanzas[0]) is None


def test_large_data_does_not_wait_on_a_full_pipe(tmp_path: Path, example: Program) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(keys.generate())
    path.chmod(0o600)
    signer = ProgramSigner(example)
    data = bytes(3_000_000)
    assert keys.check(signer.public, signer.sign(data), data)


ANSWERS = [
    ("no JSON", "print('PEM')"),
    ("no JSON", "print('{')"),
    ("no JSON", "sys.stdout.buffer.write(b'\\xff')"),
    ("no JSON", "pass"),
    ("no JSON", 'print(\'{"public": "a", "public": "b"}\')'),
    ("no JSON", "print('[' * 5000)"),
    ("no JSON", "print('{}'); print('{}')"),
    ("no JSON object", "print('[]')"),
    ("other than 'public'", "print('{}')"),
    ("other than 'public'", "print('{\"public\": 1}')"),
    ("other than 'public'", 'print(\'{"public": "a", "more": "b"}\')'),
    ("other than 'public'", 'print(\'{"signature": "a"}\')'),
    ("no public key", "print('{\"public\": null}')"),
    ("not one public key", 'print(\'{"public": "a"}\')'),
    ("status 3", "sys.exit(3)"),
    ("status 3", "print('{}'); sys.exit(3)"),
    (r"status -9|status -11", "import os; os.kill(os.getpid(), 9)"),
    ("answered more than 65,536", "print('x' * 70000)"),
    ("answered more than 65,536", "while True: print('x' * 4096)"),
    ("refused: not today", 'print(\'{"error": "not today"}\')'),
    (r"refused: a\?\[31mb", 'print(\'{"error": "a\\\\u001b[31mb"}\')'),
]


@pytest.mark.parametrize(("why", "text"), ANSWERS)
def test_a_bad_answer_is_an_error_that_names_the_program(
    tmp_path: Path, why: str, text: str
) -> None:
    asked = script(tmp_path, text)
    with pytest.raises((Unavailable, BadKey), match=why) as caught:
        ProgramSigner(asked)
    if not isinstance(caught.value, BadKey):
        assert asked.name in caught.value.message and "signers.md" in caught.value.hint


def test_a_long_refusal_is_cut(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        ProgramSigner(script(tmp_path, "print('{\"error\": \"' + 'a' * 60000 + '\"}')"))
    assert len(caught.value.message) < 200 + len(str(tmp_path)) + 40


@pytest.mark.parametrize(
    "text",
    [
        "import time; time.sleep(60)",
        "import os, time; os.fork() or time.sleep(60); print('{}')",
        "while True: sys.stdout.write('x' * (not 1)); sys.stdout.flush()",
    ],
)
def test_one_that_never_ends_is_ended(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unavailable, match=r"within 0\.5 s"):
        ProgramSigner(script(tmp_path, text, wait=0.5))


def test_what_it_started_is_ended_with_it(tmp_path: Path) -> None:
    text = f"""
import os, time
pid = os.fork()
if not pid:
    os.closerange(0, 3)
    time.sleep(60)
open({str(tmp_path / "pid")!r}, "w").write(str(pid))
print('{{"error": "x"}}')
"""
    with pytest.raises(Unavailable, match="refused"):
        ProgramSigner(script(tmp_path, text))
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().split()[2]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail("it still runs")


@pytest.mark.parametrize(
    ("why", "command"),
    [
        ("no absolute path", ()),
        ("no absolute path", ("true",)),
        ("no absolute path", ("./program",)),
        ("no absolute path", ("bin/true",)),
        ("cannot be run", ("/absent/program",)),
        ("cannot be run", ("/",)),
        ("cannot be run", ("/etc/passwd",)),
    ],
)
def test_what_cannot_be_run(why: str, command: tuple[str, ...]) -> None:
    with pytest.raises(Unavailable, match=why):
        ProgramSigner(Program(command))


def test_a_path_is_no_shell(tmp_path: Path) -> None:
    asked = script(tmp_path, "import json; print(json.dumps({'error': repr(sys.argv[1:])}))")
    given = Program((*asked.command, "$(id)", "a b", "; true"))
    with pytest.raises(Unavailable, match=re.escape(repr(["$(id)", "a b", "; true"]))):
        ProgramSigner(given)
    assert "$(id)" not in given.name


def test_a_signature_of_another_key_is_not_given_away(tmp_path: Path) -> None:
    pem = keys.load_signer(keys.generate()).public.pem
    for text in ("AAAA", "", None):
        answers = {"public": {"public": pem}, "sign": {"signature": text}}
        asked = script(
            tmp_path,
            f"import json; a = json.loads({json.dumps(answers)!r})\n"
            "print(json.dumps(a[json.loads(sys.stdin.readline())['do']]))",
        )
        with pytest.raises(BadKey, match="another key"):
            ProgramSigner(asked).sign(b"weights")


@pytest.mark.parametrize("text", ["***", "AAA", "é"])
def test_what_is_no_base64(tmp_path: Path, text: str) -> None:
    asked = script(tmp_path, f"import json; print(json.dumps({{'file_key': {text!r}}}))")
    with pytest.raises(Unavailable, match="base64"):
        ProgramIdentity(asked).unwrap(Stanza("X25519", (), b""))


def test_a_wrong_file_key_is_not_believed(tmp_path: Path) -> None:
    head = header.parse(header.build(KEY, [x25519.generate().recipient]), "w.age")
    wrong = script(tmp_path, 'print(\'{"file_key": "AAAAAAAAAAAAAAAAAAAAAA=="}\')')
    with pytest.raises(Tampered, match=r"w\.age"):
        header.unseal(head, [ProgramIdentity(wrong)])
    short = script(tmp_path, 'print(\'{"file_key": "AAAA"}\')')
    with pytest.raises(BadKey, match="of 3 bytes"):
        header.unseal(head, [ProgramIdentity(short)])


def test_it_is_asked_about_its_types_only_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "TRIES", 2)
    count = tmp_path / "count"
    text = f"open({str(count)!r}, 'a').write('x'); print('{{\"file_key\": null}}')"
    mine = ProgramIdentity(script(tmp_path, text), ("X25519",))
    for kind in ("scrypt", header.PADDING, "mlkem768x25519"):
        assert mine.unwrap(Stanza(kind, (), b"")) is None
    assert not count.exists()
    assert [mine.unwrap(Stanza("X25519", (), b"")) for _ in range(2)] == [None, None]
    with pytest.raises(Refused, match="more than 2 recipients"):
        mine.unwrap(Stanza("X25519", (), b""))
    assert count.read_text() == "xx"


def test_no_secret_reaches_arguments_or_environment(tmp_path: Path) -> None:
    text = "import json, os; print(json.dumps({'error': 'x'}))\n"
    text += f"open({str(tmp_path / 'seen')!r}, 'w').write(repr((sys.argv[1:], dict(os.environ))))"
    with pytest.raises(Unavailable):
        ProgramIdentity(script(tmp_path, text)).unwrap(Stanza("X25519", ("shareshare",), KEY))
    seen = (tmp_path / "seen").read_text()
    assert "shareshare" not in seen and os.environ["PATH"] in seen
