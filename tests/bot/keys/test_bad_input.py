"""What is given to the commands and is not what it should be: one error of two lines each."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.bot.keys.conftest import Done, Warden, tensors


def refused(done: Done, *codes: int) -> str:
    """Return the one error, of two lines that show nothing but text, and of nothing else."""
    first, second = done.err.splitlines()
    assert (done.code in (codes or (2, 3)), done.out) == (True, ""), done
    assert first.startswith("modelwarden: ") and second.startswith("  ") and second.strip()
    assert (first + second).isprintable()
    assert "unexpected error" not in first and "Traceback" not in done.err
    return first


@pytest.fixture
def place(warden: Warden, model: Path, key: Path, tmp_path: Path) -> Iterator[Path]:
    """A folder of everything that can be named by mistake."""
    for name in ("mine", "other"):
        warden("keys", "generate", f"{name}.age", "--kind", "age-x25519", "--no-passphrase")
    secret = (tmp_path / "mine.age").read_text()
    files = {
        "empty": b"",
        "noise": os.urandom(300),
        "cut.key": key.read_bytes()[:100],
        "cut.age": secret.encode()[:150],
        "word": b"correct horse battery\n",
        "deep.json": b"[" * 100_000,
        "list.json": b"[]",
        "twice.json": b'{"bomFormat": 1, "bomFormat": 2}',
        "bom.json": b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}',
        "rsa.key": _pem("genpkey", "-algorithm", "RSA"),
        "x.crt": _pem("req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null",
                      "-subj", "/CN=x"),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "sparse").chmod(0o600)
    before = names(tmp_path)
    yield tmp_path
    assert names(tmp_path) == before  # nothing is written beside


@cache
def _pem(*words: str) -> bytes:
    return subprocess.run(["openssl", *words], capture_output=True, check=True).stdout


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*") if "state" not in p.parts and "cache" not in p.parts}


def recipient(name: str = "mine") -> str:
    return Path(f"{name}.age.pub").read_text().strip()


ODD = ("nowhere", "folder", "pipe", "loop", "empty", "sparse", "noise")
KEYS = (*ODD, "cut.key", "mine.age", "mine.age.pub", "release.key.pub", "rsa.key", "x.crt")
IDENTITIES = (*ODD, "cut.age", "release.key", "release.key.pub", "mine.age.pub", "x.crt")
PUBLIC = (*ODD, "release.key", "mine.age", "rsa.key", "x.crt")


def test_keys_that_cannot_be_used(warden: Warden, place: Path) -> None:
    warden("keys", "seal", "tiny/config.json", "--to", recipient(), "--output", "tiny/a.age")
    sealed = Path("tiny/a.age").read_bytes()
    for name in KEYS:
        assert name in refused(warden("keys", "sign", "tiny", "--key", name))
        assert name in refused(warden("keys", "endorse", "word", "--key", name))
        refused(warden("keys", "seal", "tiny", "--to", recipient(), "--key", name))
        refused(warden("keys", "rewrap", "tiny/a.age", "--identity", "mine.age",
                       "--to", recipient("other"), "--key", name))  # fmt: skip
    for name in IDENTITIES:
        for words in (("open", "tiny/a.age", "--output", "o"), ("rewrap", "tiny/a.age")):
            to = () if words[0] == "open" else ("--to", recipient())
            assert name in refused(warden("keys", *words, "--identity", name, *to))
    for name in (*PUBLIC, "mine.age.pub"):
        assert name in refused(warden("verify", "tiny/a.age", "--key", name))
    for name in PUBLIC:
        assert name in refused(warden("keys", "show", name))
    assert Path("tiny/a.age").read_bytes() == sealed
    Path("tiny/a.age").unlink()


def test_a_public_key_where_a_private_belongs_is_called_that(warden: Warden, place: Path) -> None:
    done = warden("keys", "sign", "tiny", "--key", "release.key.pub")
    assert "public" in refused(done, 2) and "chmod" not in done.err
    done = warden("keys", "open", "tiny/config.json", "--identity", "mine.age.pub",
                  "--output", "o")  # fmt: skip
    assert "public" in refused(done, 2)


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "generate", "{}/x", "--no-passphrase"),
        ("keys", "generate", "new", "--passphrase-file", "{}"),
        ("keys", "sign", "tiny", "--key", "release.key", "--certificate", "{}"),
        ("keys", "attest", "tiny", "--type", "bom", "--key", "release.key", "--predicate", "{}"),
        ("keys", "rotate", "{}", "--from", "{}"),
        ("keys", "endorse", "{}", "--key", "release.key"),
        ("keys", "seal", "tiny", "--recipients", "{}"),
        ("keys", "open", "{}", "--identity", "mine.age", "--output", "o"),
        ("keys", "rewrap", "{}", "--identity", "mine.age", "--to", "{to}"),
        ("keys", "audit", "--trust", "{}"),
        ("verify", "tiny", "--trust", "{}"),
        ("verify", "tiny", "--root", "{}", "--identity", "x"),
        ("verify", "{}", "--key", "release.key.pub"),
    ],
)
def test_files_that_are_none(warden: Warden, place: Path, words: tuple[str, ...]) -> None:
    if words[1] in ("attest", "tiny"):
        warden("keys", "sign", "tiny", "--key", "release.key")
    for name in ODD:
        if words[1] == "generate" and name in ("folder", "noise"):  # a good place, a good word
            continue
        done = warden(*(word.replace("{to}", recipient()).format(name) for word in words))
        refused(done)
    Path("tiny/model.sig").unlink(missing_ok=True)


def test_what_is_not_there_is_asked_for_as_what_it_is(warden: Warden, place: Path) -> None:
    warden("keys", "sign", "tiny", "--key", "release.key")
    (place / "trust.toml").write_text(
        'format = 1\nproject = "tiny"\nversion = 1\nexpires = 2100-01-01\n[people.a]\n[roles.all]\n'
        'actions = ["rotate"]\nmembers = ["a"]\nthreshold = 1\nartifacts = ["tiny"]\n'
    )
    for words, hint in (
        ("keys rotate nowhere --from trust.toml", "name a trust file"),
        ("keys rotate trust.toml --from nowhere", "name a trust file"),
        ("keys rotate trust.toml --from trust.toml", "modelwarden keys endorse trust.toml"),
        ("keys endorse nowhere --key release.key", "name a trust file"),
        ("keys audit --trust nowhere", "name a trust file"),
        ("verify tiny --trust nowhere", "name a trust file"),
        ("keys attest tiny --type bom --key release.key --predicate nowhere", "name the JSON file"),
    ):
        done = warden(*words.split())
        refused(done)
        assert hint in done.err, words
    Path("tiny/model.sig").unlink()
    (place / "trust.toml").unlink()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("generate", ".", "--no-passphrase"), 2, "folder"),
        (("generate", "..", "--no-passphrase"), 2, "folder"),
        (("generate", "", "--no-passphrase"), 2, "empty name"),
        (("generate", "a\0b", "--no-passphrase"), 2, r"a\x00b"),
        (("generate", "a\nb", "--no-passphrase"), 2, r"a\nb"),
        (("generate", "a\x1b[2Jb", "--no-passphrase"), 2, r"a\x1b[2Jb"),
        (("generate", "a\u202eb", "--no-passphrase"), 2, r"a\u202eb"),
        (("generate", "x" * 300, "--no-passphrase"), 2, "xxx"),
        (("generate", "loop", "--no-passphrase"), 2, "loop"),
        (("generate", "new"), 2, "nobody can be asked"),
        (("sign", "tiny"), 2, "no key"),
        (("sign", "tiny", "--program", "'"), 2, "--program"),
        (("sign", "tiny", "--program", "/bin/false"), 2, "/bin/false"),
        (("sign", "tiny", "--program", "/bin/cat"), 2, "/bin/cat"),
        (("sign", "tiny", "--token", "pkcs11:x"), 2, "--token"),
        (("sign", "tiny", "--key", "release.key", "--keyless"), 2, "--keyless"),
        (("sign", "tiny", "--keyless", "--release", "1.0.0"), 2, "keyless"),
        (("sign", "tiny", "--key", "release.key", "--release", ""), 3, "version"),
        (("sign", "tiny", "--key", "release.key", "--release", "\x1b[2J"), 3, "version"),
        (("sign", "tiny", "--key", "release.key", "--ignore", "../x"), 3, "../x"),
        (("sign", "tiny", "--key", "release.key", "--add"), 3, "model.sig"),
        (("sign", "tiny", "--key", "release.key", "--signature", "loop"), 2, "loop"),
        (("sign", "tiny", "--key", "release.key", "--signature", "loop/x"), 2, "loop"),
        (("sign", "tiny", "--key", "release.key", "--signature", "word/x"), 2, "word"),
        (("sign", "folder", "--key", "release.key"), 3, "folder"),
        (("sign", "pipe", "--key", "release.key"), 3, "pipe"),
        (("attest", "tiny", "--type", "bom", "--key", "release.key"), 3, "model.sig"),
        (("seal", "folder", "--to", "{to}"), 2, "folder"),
        (("seal", "tiny", "--to", "{to}", "--output", "loop"), 2, "loop"),
        (("seal", "tiny", "--to", "{to}", "--output", "tiny/in"), 2, "tiny/in"),
        (("seal", "word", "--to", "{to}", "--output", "word", "--force"), 2, "word"),
        (("seal", "tiny", "--to", "{to}", "--room", "1000000000"), 2, "--room"),
        (("seal", ".", "--to", "{to}"), 2, "--output"),
        (("seal", "pipe", "--to", "{to}"), 3, "pipe"),
        (("seal", "tiny", "--to", "AGE-SECRET-KEY-1XYZ"), 2, "secret key"),
        (("audit", "--head", "1"), 2, "--head"),
        (("audit", "--log", "nowhere"), 2, "nowhere"),
        (("audit", "--log", "pipe"), 3, "pipe"),
        (("audit", "--log", "noise"), 1, "noise"),
    ],
)
def test_what_cannot_be_done(
    warden: Warden, place: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = warden("keys", *(word.format(to=recipient()) for word in words))
    assert refused(done, code) and said in done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "--trust"),
        (("--key", "release.key.pub", "--trust", "word"), 2, "several"),
        (("--key", "release.key.pub", "--identity", "me"), 2, "--identity"),
        (("--trust", "word", "--identity", "me"), 2, "--identity"),
        (("--issuer", "x"), 2, "--identity"),
        (("--key", "release.key.pub", "--memory", "word/x"), 2, "word"),
    ],
)
def test_whom_to_trust(
    warden: Warden, place: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    warden("keys", "sign", "tiny", "--key", "release.key", "--release", "1.0.0")
    done = warden("verify", "tiny", *words)
    Path("tiny/model.sig").unlink()
    Path("tiny/model.intoto.jsonl").unlink()
    assert refused(done, code) and said in done.err


@pytest.mark.parametrize("name", ["folder", "pipe", "nowhere"])
def test_nothing_to_scan_is_no_pass(warden: Warden, place: Path, name: str) -> None:
    assert name in refused(warden("verify", name, "--scan-only"))


def test_signatures_that_are_none(warden: Warden, place: Path) -> None:
    warden("keys", "sign", "tiny", "--key", "release.key")
    bundle = Path("tiny/model.sig")
    whole = bundle.read_bytes()
    found = json.loads(whole)
    newer = found | {"mediaType": "application/vnd.dev.sigstore.bundle.v9+json"}
    for data in (b"", whole[:100], whole[:-1], b"{}", b"[" * 100_000, whole + b"x", b"\0" * 99,
                 b"\xff" + whole, json.dumps(newer).encode(),
                 whole.replace(b'"sig"', b'"gis"')):  # fmt: skip
        bundle.write_bytes(data)
        for words in (("verify", "tiny", "--key", "release.key.pub"),
                      ("keys", "sign", "tiny", "--key", "release.key", "--add"),
                      ("keys", "attest", "tiny", "--type", "bom", "--predicate", "bom.json",
                       "--key", "release.key")):  # fmt: skip
            assert "tiny/model.sig" in refused(warden(*words), 1, 3)
        assert bundle.read_bytes() == data
    bundle.write_bytes(whole)
    said = Path("tiny/model.intoto.jsonl")
    for data in (b"x\n", b"{}\n", b"\xff\n"):
        said.write_bytes(data)
        for more in (("sign", "tiny", "--key", "release.key", "--add"),
                      ("attest", "tiny", "--type", "bom", "--predicate", "bom.json",
                       "--key", "release.key")):  # fmt: skip
            assert "tiny/model.intoto.jsonl" in refused(warden("keys", *more), 3)
        assert (bundle.read_bytes(), said.read_bytes()) == (whole, data)
    assert warden("keys", "sign", "tiny", "--key", "release.key", "--force").code == 0
    assert not said.exists()
    bundle.unlink()


def test_sealed_files_that_are_none(warden: Warden, place: Path) -> None:
    Path("tiny/w.safetensors").write_bytes(tensors({"a": bytes(200_000)}))
    warden("keys", "seal", "tiny/w.safetensors", "--to", recipient(), "--output", "tiny/s.age")
    whole = Path("tiny/s.age").read_bytes()
    version = whole.replace(b"org/v1", b"org/v2")
    headers = b"age-encryption.org/v1\n" + b"-> x y\n\n" * 1_000_000
    for data in (b"", whole[:50], whole[:5000], whole[:-1], version, whole + b"x", headers,
                 whole[:-5] + b"\0" + whole[-4:], whole.replace(b"X25519", b"X25518"),
                 b"-----BEGIN AGE ENCRYPTED FILE-----\n" + b"A" * 40_000_000):  # fmt: skip
        Path("tiny/s.age").write_bytes(data)
        for words in (("open", "--output", "o"), ("open", "--tensor", "b", "--output", "o"),
                      ("rewrap", "--reencrypt", "--to", recipient())):  # fmt: skip
            done = warden("keys", words[0], "tiny/s.age", "--identity", "mine.age", *words[1:])
            assert "tiny/s.age" in refused(done, 1, 2, 3)
        assert Path("tiny/s.age").read_bytes() == data
    Path("tiny/s.age").unlink()
    Path("tiny/w.safetensors").unlink()


def test_a_folder_is_rewrapped_whole_or_not(warden: Warden, place: Path) -> None:
    warden("keys", "seal", "tiny", "--to", recipient(), "--output", "tiny.age")
    warden("keys", "seal", "word", "--to", recipient(), "--output", "word.age")
    sealed = {p: p.read_bytes() for p in Path("tiny.age").rglob("*.age")}
    beside = Path("word.age").read_bytes()
    change = ("keys", "rewrap", "tiny.age", "--identity", "mine.age", "--to", recipient("other"))
    spoil = Path("tiny.age/zz.age")
    for make in (lambda: spoil.symlink_to("../word.age"), lambda: spoil.write_bytes(b"junk")):
        make()
        assert "zz.age" in refused(warden(*change), 3)
        assert sealed == {p: p.read_bytes() for p in sealed}
        assert Path("word.age").read_bytes() == beside
        spoil.unlink()
    assert warden(*change).code == 0
    for path in (*sealed, Path("word.age")):
        path.unlink()
    Path("tiny.age/tokenizer").rmdir()
    Path("tiny.age").rmdir()
