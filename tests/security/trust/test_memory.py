import json
import multiprocessing
from pathlib import Path

import pytest

from security.auditentry import Head
from security.errors import Malformed, Refused, SecurityError, Untrusted, WriteFailed
from security.trust.memory import Memory
from tests.security.trust.people import NOW, read, role, text, top

A, B = "a" * 64, "b" * 64
TRUST = {n: read(text(role(), head=top(n), keys=("alice-1",))) for n in (1, 2, 3)}


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "seen.json")


def seen(memory: Memory, version: str, root: str = A, trust: int = 0) -> None:
    memory.accept("acme/small", version, root, TRUST.get(trust), NOW)


def refused(memory: Memory, why: str, version: str, root: str = A, trust: int = 0) -> None:
    before = memory.path.read_bytes()
    with pytest.raises(Untrusted) as caught:
        seen(memory, version, root, trust)
    assert why in caught.value.message and caught.value.hint
    assert memory.path.read_bytes() == before


def test_versions_only_grow(memory: Memory) -> None:
    for version in ("1.0.0-rc.1", "1.0.0", "1.0.0", "v1.0", "1.4.0"):
        seen(memory, version)
    refused(memory, "version 1.3.9 is older than 1.4.0, which was seen before", "1.3.9", B)
    refused(memory, "version 1.4.0-rc.1 is older", "1.4.0-rc.1", B)
    refused(memory, "version 1.4 was seen before with other content", "1.4", B)
    refused(memory, "version 1.4.0+x was seen before with other content", "1.4.0+x", B)
    refused(memory, "nothing states its version, but 1.4.0 was seen", "", A)
    seen(memory, "1.5.0", B)
    memory.accept("acme/other", "0.1", B, None, NOW)


def test_without_a_version_nothing_is_remembered(memory: Memory) -> None:
    seen(memory, "")
    assert not memory.path.exists()
    seen(memory, "1.0")


def test_trust_files_only_grow(memory: Memory) -> None:
    seen(memory, "1.0", trust=2)
    refused(memory, "version 1 of the trust file, but version 2 was seen", "1.1", trust=1)
    other = read(text(role(), head=top(2), keys=("bob-1",)))
    with pytest.raises(Untrusted, match="another trust file of version 2 was seen"):
        memory.accept("acme/small", "1.1", A, other, NOW)
    seen(memory, "1.1", trust=3)
    seen(memory, "1.2")  # by a single key that the caller named


def test_an_expired_trust_file(memory: Memory) -> None:
    seen(memory, "1.0", trust=1)
    with pytest.raises(Untrusted, match="expired on 2027-06-30"):
        memory.accept("acme/small", "1.1", A, TRUST[1], NOW.replace(year=2028))


def test_a_refused_version_leaves_the_trust_file_unseen(memory: Memory) -> None:
    seen(memory, "2.0", trust=1)
    refused(memory, "is older", "1.0", trust=3)
    seen(memory, "2.1", trust=2)


def test_forgetting_is_said(memory: Memory) -> None:
    seen(memory, "2.0", A)
    memory.forget("acme/small")
    seen(memory, "1.0", B)
    with pytest.raises(Refused, match="nothing is known of 'x'"):
        memory.forget("x")


@pytest.mark.parametrize(
    ("artifact", "version", "root"),
    [
        ("acme//small", "1", A),
        ("", "1", A),
        ("a", "one", A),
        ("a", "1", A[1:]),
        ("a", "1", "A" * 64),
    ],
)
def test_names_versions_and_roots_are_strict(
    memory: Memory, artifact: str, version: str, root: str
) -> None:
    with pytest.raises((Malformed, Untrusted)):
        memory.accept(artifact, version, root, None, NOW)
    assert not memory.path.exists()


def test_heads_of_audit_logs(memory: Memory) -> None:
    assert memory.head(A) is None
    memory.keep(A, Head(5, B))
    memory.keep(A, Head(5, B))
    assert memory.head(A) == Head(5, B)
    for head in (Head(4, B), Head(5, A)):
        with pytest.raises(Untrusted, match="before or beside what was seen"):
            memory.keep(A, head)
    memory.keep(A, Head(6, A))
    with pytest.raises(Malformed):
        memory.keep("x", Head(1, A))


GOOD = {"format": 1, "artifacts": {"a": {"root": A, "version": "1"}}, "trusts": {}, "logs": {}}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"{}", b"\xff", b'{"format":1,"format":1}'),
        json.dumps({**GOOD, "format": 2}).encode(),
        json.dumps({**GOOD, "format": True}).encode(),
        json.dumps({**GOOD, "more": {}}).encode(),
        json.dumps({**GOOD, "artifacts": []}).encode(),
        json.dumps({**GOOD, "artifacts": {"a": {"root": A}}}).encode(),
        json.dumps({**GOOD, "artifacts": {"a": {"root": A, "version": 1}}}).encode(),
        json.dumps({**GOOD, "artifacts": {"a": {"root": A, "version": "x"}}}).encode(),
        json.dumps({**GOOD, "artifacts": {"a": {"root": "", "version": "1"}}}).encode(),
        json.dumps({**GOOD, "trusts": {"p": {"digest": A, "version": True}}}).encode(),
        json.dumps({**GOOD, "logs": {A: {"hash": "x", "sequence": 1}}}).encode(),
    ],
)
def test_a_damaged_memory_is_never_started_anew(memory: Memory, content: bytes) -> None:
    memory.path.write_bytes(content)
    for artifact in ("a", "other"):
        with pytest.raises(Malformed) as caught:
            memory.accept(artifact, "9.0", A, None, NOW)
        assert str(memory.path) in caught.value.message and "restore" in caught.value.hint
    assert memory.path.read_bytes() == content


def test_a_memory_that_is_gone_is_not_a_new_one(memory: Memory) -> None:
    seen(memory, "1.0")
    memory.path.unlink()
    with pytest.raises(Malformed, match="what was seen before is gone"):
        seen(memory, "0.9", B)


def test_names_are_bounded(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("security.trust.memory.MOST", 2)
    for name in "ab":
        memory.accept(name, "1", A, None, NOW)
    with pytest.raises(Refused, match="more than 2 artifacts"):
        memory.accept("c", "1", A, None, NOW)
    memory.accept("b", "2", A, None, NOW)


def test_odd_files(memory: Memory) -> None:
    memory.path.mkdir()
    with pytest.raises(SecurityError):
        seen(memory, "1.0")
    with pytest.raises(WriteFailed, match="cannot be locked"):
        seen(Memory(memory.path / "none" / "x"), "1.0")


def test_modes(memory: Memory) -> None:
    seen(memory, "1.0")
    assert memory.path.stat().st_mode & 0o777 == 0o600
    names = sorted(path.name for path in memory.path.parent.iterdir())
    assert names == ["seen.json", "seen.json.lock"]


def _many(path: Path, worker: int) -> None:
    for number in range(15):
        Memory(path).accept(f"a{worker}/{number}", f"{number}.0", A, None, NOW)


def test_processes_take_turns(memory: Memory) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_many, args=(memory.path, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(json.loads(memory.path.read_bytes())["artifacts"]) == 60
