"""`modelwarden verify URL`: who signed it first, then only what they signed, whatever serves it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import UsageError
from bot.keys import transport
from registry.release import assets
from security.manifest import Entry
from tests.bot.keys.conftest import Warden
from tests.bot.keys.releaseserver import (
    Handler,
    Site,
    dying,
    endless,
    failing,
    lying,
    redirecting,
    serving,
)

ROOT = Path(__file__).parents[3]
SPLIT = 30_000  # bytes: the weights of the small model come in three parts
LARGE = [f"model.safetensors.part-{n:03}-of-003" for n in (1, 2, 3)]


def published(folder: Path, name: str = "tiny") -> dict[str, bytes]:
    """Return the assets of a signed folder, with their index."""
    entries = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            sha = hashlib.sha256(data).hexdigest()
            entries.append(Entry(path.relative_to(folder).as_posix(), len(data), sha))
    digests = assets.measure(folder, entries, SPLIT)
    index = assets.plan(name, "1.0.0", entries, digests, SPLIT)
    found = {assets.INDEX: assets.dump(index), assets.SUMS: assets.sums(index)}
    for file, part in index.parts:
        data = (folder / file.path).read_bytes()
        found[part.name] = data[part.offset : part.offset + part.size]
    return found


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSE", 0.01)
    monkeypatch.setattr(transport, "TIMEOUT", 3.0)


@pytest.fixture
def site(warden: Warden, model: Path, key: Path) -> Iterator[Site]:
    """A server of the signed model."""
    done = warden("keys", "sign", model, "--key", key, "--release", "1.0.0", "--scan")
    assert done.code == 0
    with serving(published(model)) as found:
        yield found


def held(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in folder.rglob("*") if p.is_file()}  # fmt: skip


def left(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in tmp_path.iterdir() if "modelwarden" in p.name or p.name == "out")


def test_fetched_verified_and_kept(warden: Warden, site: Site, model: Path, tmp_path: Path) -> None:
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert done.code == 0, done.err
    assert held(tmp_path / "out") == held(model)
    assert left(tmp_path) == ["out"]
    assert f"{site.url}: verified, 4 files" in done.out
    assert "version 1.0.0" in done.out
    assert "kept in out" in done.out
    order = [name for name, _ in site.seen]
    assert order[:3] == ["modelwarden-assets.json", "model.sig", "model.intoto.jsonl"]
    assert site.asked["SHA256SUMS"] == 0
    assert set(LARGE) <= set(order)
    again = warden("verify", "out", "--key", "release.key.pub")
    assert again.code == 0
    assert "This proves" not in again.out


def test_the_page_of_explanation(warden: Warden, site: Site) -> None:
    done = warden("verify", site.url, "--key", "release.key.pub")
    page = " ".join(done.out.partition("This proves:")[2].split())
    for words in (
        "Who: release.key.pub (ecdsa-p256,",
        "signed it under the name tiny.",
        "What: 4 files,",
        "Which: version 1.0.0, the first, as they say.",
        "Said of it by people who may: its version, a scan of its files.",
        "It does not prove:",
        "That release.key.pub is the project's",
        "say which by --artifact NAME",
        "only that none was seen on this machine",
        "they say that they scanned it; add --scan",
        "Anything about its licences, its bill of materials, how it was built, how it was measured",
        "these files are gone again",
    ):
        assert words in page
    assert all(len(line) <= 100 for line in done.out.splitlines())
    scanned = warden("verify", site.url, "--key", "release.key.pub", "--scan", "--format", "json")
    said = scanned.json()
    assert scanned.code == 0
    assert any("scan found nothing" in line for line in said["explained"]["proven"])
    assert "output" not in said


@pytest.mark.parametrize("tail", ["", "modelwarden-assets.json"])
def test_a_folder_or_its_index(warden: Warden, site: Site, tail: str, tmp_path: Path) -> None:
    address = site.url if tail else site.url.rstrip("/")
    assert warden("verify", f"{address}{tail}", "--key", "release.key.pub").code == 0
    assert left(tmp_path) == []  # nothing is kept that was not asked for


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://github.com/acme/small/releases/tag/v1.0.0",
         "https://github.com/acme/small/releases/download/v1.0.0/"),
        ("https://github.com/acme/small/releases/tag/acme/small@v1.0.0/",
         "https://github.com/acme/small/releases/download/acme/small@v1.0.0/"),
        ("https://models.example/small/", "https://models.example/small/"),
        ("https://models.example/small", "https://models.example/small/"),
        ("https://models.example:444/small/modelwarden-assets.json",
         "https://models.example:444/small/"),
        ("https://models.example/a/b/releases/tag/v1",
         "https://models.example/a/b/releases/tag/v1/"),
        ("http://[::1]:8000/x/", "http://[::1]:8000/x/"),
    ],
)  # fmt: skip
def test_addresses(address: str, base: str) -> None:
    assert transport.server(address).base == base


@pytest.mark.parametrize(
    "address",
    [
        "http://models.example/small/",
        "http://127.0.0.1.models.example/",
        "https://",
        "https:///x",
        "https://user@models.example/",
        "https://user:secret@models.example/",
        "https://models.example/?token=secret",
        "https://models.example/#x",
        "https://models.example:port/",
        "https://[::1/",
        "https://models.example/a b",
        "https://mödels.example/",
        "file:///etc/passwd",
        "ftp://models.example/",
        "data:,x",
    ],
)
def test_addresses_that_are_not_taken(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        transport.server(address)
    assert "secret" not in caught.value.message.replace("?token=secret", "")


def test_nothing_large_is_asked_for_before_the_signature_holds(
    warden: Warden, site: Site, tmp_path: Path
) -> None:
    warden("keys", "generate", "other.key", "--no-passphrase")
    done = warden("verify", site.url, "--key", "other.key.pub", "--output", "out")
    assert done.code == 1
    assert set(site.asked) == {"modelwarden-assets.json", "model.sig"}
    assert left(tmp_path) == []


def test_another_name_than_was_asked_for(warden: Warden, site: Site) -> None:
    done = warden("verify", site.url, "--key", "release.key.pub", "--artifact", "acme/large")
    assert (done.code, "signed as tiny, not as acme/large" in done.err) == (1, True)
    assert not set(LARGE) & set(site.asked)


Spoil = Callable[[Site], None]


def index_with(change: Callable[[dict[str, dict[str, object]]], object]) -> Spoil:
    """Return what changes files of the index, by path."""

    def spoil(site: Site) -> None:
        found = json.loads(site.files[assets.INDEX])
        files = {file["path"]: file for file in found["files"]}
        change(files)
        found["files"] = [files[path] for path in sorted(files)]
        site.files[assets.INDEX] = json.dumps(found).encode()

    return spoil


def swap(site: Site) -> None:
    part = bytearray(site.files[LARGE[1]])
    part[100] ^= 1
    site.files[LARGE[1]] = bytes(part)


def odd(name: str, answer: Callable[[Handler], bool]) -> Spoil:
    return lambda site: site.odd.update({name: answer})


def other(path: str) -> Callable[[dict[str, dict[str, object]]], object]:
    def change(files: dict[str, dict[str, object]]) -> None:
        digest = "0" * 64
        parts = files[path]["parts"]
        assert isinstance(parts, list)
        parts[0]["sha256"] = files[path]["sha256"] = digest

    return change


def longer(files: dict[str, dict[str, object]]) -> None:
    parts = files["config.json"]["parts"]
    assert isinstance(parts, list)
    parts[0]["size"] = files["config.json"]["size"] = 10**6


def shorter(files: dict[str, dict[str, object]]) -> None:
    parts = files["config.json"]["parts"]
    assert isinstance(parts, list)
    parts[0]["size"] = files["config.json"]["size"] = 5


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (swap, 1, "model.safetensors: what came is not what was signed"),
        (lambda s: s.files.update({LARGE[0]: s.files[LARGE[1]]}), 1, "what came is not what was"),
        (lambda s: s.files.pop("model.sig"), 3, "model.sig: not there (404)"),
        (lambda s: s.files.pop(assets.INDEX), 3, "modelwarden-assets.json: not there (404)"),
        (lambda s: s.files.pop(LARGE[2]), 3, f"{LARGE[2]}: not there (404)"),
        (lambda s: s.files.update({assets.INDEX: b"<html>"}), 3, "modelwarden-assets.json: line 1"),
        (lambda s: s.files.update({"model.sig": b"{}"}), 3, ""),
        (index_with(lambda f: f.pop("config.json")), 1, "config.json was signed and is not"),
        (index_with(lambda f: f.pop("model.sig")), 3, "lists no model.sig"),
        (index_with(other("config.json")), 1, "config.json: other bytes are offered than"),
        (index_with(longer), 3, "config.json: less than the 1,000,000 bytes"),
        (index_with(shorter), 1, "config.json: more than the 5 bytes"),
        (odd("config.json", lying(10)), 3, "config.json: less than the"),
        (odd("model.sig", lying(10**6)), 3, "model.sig: the connection ended early"),
        (odd(LARGE[1], endless), 1, f"{LARGE[1]}: more than the 30,000 bytes"),
        (odd(assets.INDEX, endless), 3, "modelwarden-assets.json: more than 20,000,000 bytes"),
        (odd("config.json", failing(500, 99)), 3, "config.json: the server answered 500"),
        (odd("config.json", failing(403, 99)), 3, "config.json: not allowed (403)"),
        (odd("config.json", failing(418, 99)), 3, "config.json: the server answered 418"),
        (odd("config.json", failing(206, 99)), 3, "an answer (206) to another question"),
        (odd("config.json", redirecting("config.json")), 3, "redirects that are not followed"),
        (odd("config.json", redirecting("file:///etc/passwd")), 3, "redirects that are not"),
        (odd("config.json", redirecting("ftp://127.0.0.1/x")), 3, "neither https nor on this"),
        (odd("config.json", redirecting("http://192.0.2.1/x")), 3, "neither https nor on this"),
        (odd("config.json", redirecting("http://a:b@127.0.0.1/")), 3, "a name or password"),
    ],
)  # fmt: skip
def test_hostile_servers(
    warden: Warden, site: Site, tmp_path: Path, spoil: Spoil, code: int, words: str
) -> None:
    spoil(site)
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, words in done.err) == (code, True), done.err
    assert len(done.err.splitlines()) == 2, done.err
    assert not (tmp_path / "out").exists()
    assert sum(site.asked.values()) < 40
    assert not (tmp_path / "state/modelwarden/seen.json").exists()


def test_a_file_nobody_signed_is_not_fetched(warden: Warden, site: Site, tmp_path: Path) -> None:
    data = b"import os\n"
    extra = {"path": "setup.py", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    part = {"name": "setup.py", "offset": 0, "size": len(data), "sha256": extra["sha256"]}
    index_with(lambda files: files.update({"setup.py": extra | {"parts": [part]}}))(site)
    site.files["setup.py"] = data
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, site.asked["setup.py"]) == (0, 0)
    assert "1 file offered and not signed: not fetched" in done.out
    assert not (tmp_path / "out/setup.py").exists()


def test_a_server_that_is_busy_for_a_while(warden: Warden, site: Site) -> None:
    site.odd[assets.INDEX] = failing(503, 2)
    site.odd[LARGE[0]] = failing(429, 3)
    site.odd["config.json"] = lying(10**6)  # but what comes is what was signed
    site.odd[LARGE[1]] = dying(1_000, times=6)  # each time it brings some bytes
    assert warden("verify", site.url, "--key", "release.key.pub").code == 0
    assert site.asked[LARGE[1]] == 7


@pytest.mark.parametrize("ranges", [True, False])
def test_a_server_that_dies_half_way_is_gone_on_with(
    warden: Warden, site: Site, model: Path, tmp_path: Path, ranges: bool
) -> None:
    site.odd[LARGE[1]] = dying(0, times=99)
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, "it goes on where it stopped" in done.err) == (3, True)
    assert left(tmp_path) == [".out.modelwarden"]
    site.odd[LARGE[1]] = dying(12_345)
    site.ranges = ranges
    site.seen.clear()
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert done.code == 0, done.err
    assert held(tmp_path / "out") == held(model)
    assert left(tmp_path) == ["out"]
    assert site.asked[LARGE[0]] == 0  # it was there
    assert (LARGE[1], "bytes=12345-") in site.seen
    assert site.asked["config.json"] == 0


def test_what_another_day_left_is_not_believed(
    warden: Warden, site: Site, model: Path, tmp_path: Path
) -> None:
    site.odd[LARGE[1]] = dying(0, times=99)
    warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    (waiting,) = (tmp_path / ".out.modelwarden/parts").iterdir()
    waiting.write_bytes(b"x" * waiting.stat().st_size)
    (tmp_path / ".out.modelwarden/model/old.bin").write_bytes(b"old")
    config = tmp_path / ".out.modelwarden/model/config.json"
    config.write_bytes(b"x" * config.stat().st_size)
    site.odd.clear()
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert done.code == 0, done.err
    assert held(tmp_path / "out") == held(model)


def test_a_server_that_goes_on_elsewhere(warden: Warden, site: Site, tmp_path: Path) -> None:
    site.odd[LARGE[1]] = dying(7, times=2)
    site.odd[LARGE[2]] = failing(500, 99)
    warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    (waiting,) = (tmp_path / ".out.modelwarden/parts").iterdir()
    os.truncate(waiting, 2 * SPLIT - 5)

    def elsewhere(handler: Handler) -> bool:
        handler.give(206, bytes(5), {"Content-Range": f"bytes 0-4/{SPLIT}"})
        return True

    site.odd[LARGE[1]] = elsewhere
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, "an answer (206) to another question" in done.err) == (3, True), done.err


def test_killed_while_it_fetches(warden: Warden, site: Site, model: Path, tmp_path: Path) -> None:
    stuck: list[Handler] = []

    def hang(handler: Handler) -> bool:
        dying(5_000)(handler)
        handler.wfile.flush()
        stuck.append(handler)
        child.kill()
        return True

    site.odd[LARGE[2]] = hang
    command = [sys.executable, "-m", "modelwarden", "verify", site.url, "--key",
               str(tmp_path / "release.key.pub"), "--output", str(tmp_path / "out")]  # fmt: skip
    child = subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.PIPE)
    child.communicate(timeout=60)
    assert stuck
    assert left(tmp_path) == [".out.modelwarden"]
    site.odd.clear()
    site.seen.clear()
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, site.asked[LARGE[0]]) == (0, 0)
    assert held(tmp_path / "out") == held(model)


def test_an_older_version_is_noticed(
    warden: Warden, site: Site, model: Path, tmp_path: Path
) -> None:
    old = dict(site.files)
    warden("keys", "sign", model, "--key", "release.key", "--release", "1.1.0", "--force")
    site.files = published(model)
    assert warden("verify", site.url, "--key", "release.key.pub").code == 0
    site.files = old
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, "version 1.0.0 is older than 1.1.0" in done.err) == (1, True)
    assert not (tmp_path / "out").exists()


def test_sizes_that_the_signed_document_does_not_say(
    warden: Warden, site: Site, model: Path
) -> None:
    weights = (model / "model.safetensors").read_bytes()
    said = {"path": "model.safetensors", "size": len(weights),
            "digest": hashlib.sha256(weights).hexdigest()}  # fmt: skip
    (model / "release").mkdir()
    (model / "release/release.json").write_text(json.dumps({"weights": {"files": [said]}}))
    warden("keys", "sign", model, "--key", "release.key", "--release", "1.1.0", "--force")
    site.files = published(model)
    assert warden("verify", site.url, "--key", "release.key.pub").code == 0

    def huge(files: dict[str, dict[str, object]]) -> None:
        parts = files["model.safetensors"]["parts"]
        assert isinstance(parts, list)
        parts[2]["size"] += 10**9
        files["model.safetensors"]["size"] = len(weights) + 10**9

    index_with(huge)(site)
    site.seen.clear()
    done = warden("verify", site.url, "--key", "release.key.pub")
    assert (done.code, "bytes are offered, released were 70," in done.err) == (1, True), done.err
    assert not set(LARGE) & set(site.asked)
    site.files["release__release.json"] = b"{}"
    assert warden("verify", site.url, "--key", "release.key.pub").code == 1


def test_no_room(warden: Warden, site: Site) -> None:
    def vast(files: dict[str, dict[str, object]]) -> None:
        parts = files["model.safetensors"]["parts"]
        assert isinstance(parts, list)
        parts[2]["size"] += 10**15
        total = sum(part["size"] for part in parts)
        files["model.safetensors"]["size"] = total

    index_with(vast)(site)
    done = warden("verify", site.url, "--key", "release.key.pub")
    assert (done.code, "bytes are to come" in done.err) == (2, True), done.err
    assert not set(LARGE) & set(site.asked)


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_what_is_there_is_not_overwritten(
    warden: Warden, site: Site, tmp_path: Path, what: str
) -> None:
    out = tmp_path / "out"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years")
    match what:
        case "file":
            out.write_text("years")
        case "folder":
            (tmp_path / "mine").rename(out)
        case _:
            out.symlink_to("mine")
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, "is there already" in done.err) == (2, True)
    assert not site.seen


def test_a_hidden_folder_of_somebody_else(warden: Warden, site: Site, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".out.modelwarden").symlink_to("elsewhere")
    done = warden("verify", site.url, "--key", "release.key.pub", "--output", "out")
    assert (done.code, "not a folder of yours alone" in done.err) == (2, True)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--scan-only"], "is not on this machine"),
        (["--signature", "x.sig"], "--signature with an address"),
        (["--open-with", "mine.age"], "--open-with without --output"),
        ([], "whom to trust?"),
    ],
)
def test_options_that_do_not_fit(warden: Warden, site: Site, words: list[str], hint: str) -> None:
    key = [] if hint.startswith("whom") else ["--key", "release.key.pub"]
    done = warden("verify", site.url, *key, *words)
    assert (done.code, hint in done.err) == (2, True), done.err
    assert not site.seen


@pytest.fixture
def sealed(warden: Warden, model: Path, key: Path, tmp_path: Path) -> Path:
    """The model sealed for mine.age, signed before and after."""
    for name in ("mine.age", "other.age"):
        warden("keys", "generate", name, "--kind", "age-x25519", "--no-passphrase")
    done = warden("keys", "seal", model, "--recipients", "mine.age.pub", "--output", "sealed",
                  "--key", key)  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / "sealed"


def test_sealed_releases(warden: Warden, sealed: Path, model: Path, tmp_path: Path) -> None:
    with serving(published(sealed, "sealed")) as site:
        closed = warden("verify", site.url, "--key", "release.key.pub")
        assert closed.code == 0
        assert "What 5 sealed files would open to" in closed.out
        done = warden("verify", site.url, "--key", "release.key.pub", "--open-with", "mine.age",
                      "--output", "out")  # fmt: skip
        assert done.code == 0, done.err
        assert "opened: 4 plain files" in done.out
        plain = held(tmp_path / "out")
        assert {k: v for k, v in plain.items() if k != "model.sig"} == held(model)
        assert left(tmp_path) == ["out"]
        wrong = warden("verify", site.url, "--key", "release.key.pub", "--open-with", "other.age",
                       "--output", "out2")  # fmt: skip
        assert wrong.code == 2
        assert not (tmp_path / "out2").exists()
        assert not (tmp_path / ".out2.modelwarden/plain").exists()


def test_a_sealed_folder_that_is_here(
    warden: Warden, sealed: Path, model: Path, tmp_path: Path
) -> None:
    done = warden("verify", sealed, "--key", "release.key.pub", "--open-with", "mine.age",
                  "--output", "out", "--explain")  # fmt: skip
    assert done.code == 0, done.err
    assert "4 files that were sealed in it are what release.key.pub" in " ".join(done.out.split())
    assert (tmp_path / "out/config.json").read_bytes() == (model / "config.json").read_bytes()
    nothing = warden("verify", tmp_path / "out", "--key", "release.key.pub", "--open-with",
                     "mine.age", "--output", "out3")  # fmt: skip
    assert (nothing.code, "nothing in it is sealed" in nothing.err) == (2, True)


def test_plaintext_that_nobody_signed_does_not_stay(
    warden: Warden, sealed: Path, tmp_path: Path
) -> None:
    (sealed / "model.sig.age").unlink()
    warden("keys", "sign", sealed, "--key", "release.key", "--force")
    done = warden("verify", sealed, "--key", "release.key.pub", "--open-with", "mine.age",
                  "--output", "out")  # fmt: skip
    assert (done.code, "model.sig" in done.err) == (3, True)
    assert not (tmp_path / "out").exists()


def test_nothing_heavy_is_needed(site: Site, tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['modelwarden', *sys.argv[1:]]\n"
        "import modelwarden\n"
        "try: modelwarden.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(sorted({'torch', 'mlflow', 'dvc', 'numpy', 'transformers', 'github'}"
        " & set(sys.modules)))"
    )
    words = ["verify", site.url, "--key", str(tmp_path / "release.key.pub"), "--no-memory"]
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True,
                          text=True)  # fmt: skip
    assert done.stdout.endswith("[]\n"), done.stdout + done.stderr
