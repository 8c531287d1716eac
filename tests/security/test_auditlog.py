import hashlib
import json
import multiprocessing
import os
import resource
import signal
import stat
import tempfile
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security import auditentry
from security.auditentry import BEGIN, CHECKPOINT, FIRST, REPAIR, Entry, EntryError, Head
from security.auditlog import append, check, checkpoint, entries
from security.errors import Refused, SecurityError, Tampered, Unreadable, Untrusted, WriteFailed
from security.sign.keys import KeySigner, generate, load_signer

SIGNER, OTHER = load_signer(generate()), load_signer(generate("ed25519"))
KEYS = (("log", SIGNER.public),)
BOTH = (*KEYS, ("other", OTHER.public))
NOW = datetime(2027, 1, 15, 12, 30, 5, 7, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def add(path: Path, artifact: str = "acme/small", action: str = "release", **details: str) -> Head:
    return append(path, actor="alice", action=action, artifact=artifact, details=details, now=NOW)


def filled(path: Path, *, signer: KeySigner = SIGNER) -> list[bytes]:
    """Begin a log of entries 0 to 7: begin, 3 acts, checkpoint, 2 acts, checkpoint."""
    for number in range(3):
        add(path, f"a{number}")
    checkpoint(path, signer, NOW)
    for number in range(2):
        add(path, f"b{number}")
    checkpoint(path, signer, NOW)
    return path.read_bytes().splitlines(keepends=True)


def refused(path: Path, why: str, expected: Head | None = None) -> SecurityError:
    with pytest.raises((Tampered, Untrusted)) as caught:
        check(path, KEYS, expected)
    assert caught.value.message.startswith(f"{path}: ")
    assert why in caught.value.message and caught.value.hint
    return caught.value


def test_what_an_entry_says(log: Path) -> None:
    append(
        log,
        actor="bob",
        action="waive",
        artifact="acme/small",
        outcome="refused",
        details={"why": "no", "commit": "ab"},
        now=NOW,
    )
    begin, entry = entries(log)
    assert (begin.action, begin.sequence, begin.previous) == (BEGIN, 0, FIRST)
    assert (entry.sequence, entry.actor, entry.action) == (1, "bob", "waive")
    assert (entry.artifact, entry.outcome) == ("acme/small", "refused")
    assert entry.time == "2027-01-15T12:30:05.000007Z"
    assert entry.details == (("commit", "ab"), ("why", "no"))
    assert entry.previous == begin.hash
    assert log.stat().st_mode & 0o777 == 0o600


def test_what_a_check_says(log: Path) -> None:
    filled(log)
    head = add(log)
    found = check(log, KEYS)
    assert (found.entries, found.refused, found.head) == (9, 0, head)
    assert found.signed == Head(6, list(entries(log))[6].hash) and found.signer == "log"
    assert (found.unsigned, found.checkpoints, found.doubtful) == (1, 2, 0)
    assert found.log == next(entries(log)).hash
    assert check(log, KEYS, head) == check(log, KEYS, found.signed) == found


def test_without_a_checkpoint_nothing_is_signed(log: Path) -> None:
    add(log)
    found = check(log, KEYS)
    assert (found.signed, found.signer, found.unsigned) == (None, "", 2)


CHANGES = [
    ("an edit", lambda x: [*x[:2], x[2].replace(b"alice", b"malle"), *x[3:]], "3 was changed"),
    ("one out", lambda x: [*x[:2], *x[3:]], "line 3 is entry 3, not 2"),
    ("the first out", lambda x: x[1:], "line 1 is entry 1, not 0"),
    ("two swapped", lambda x: [*x[:2], x[3], x[2], *x[4:]], "line 3 is entry 3, not 2"),
    ("one twice", lambda x: [*x[:3], x[2], *x[3:]], "line 4 is entry 2, not 3"),
    ("an empty line", lambda x: [*x[:3], b"\n", *x[3:]], "line 4 is not an entry in JSON"),
    ("a line of spaces", lambda x: [*x, b" \n"], "line 9 is not an entry"),
    ("spaces in a line", lambda x: [x[0].replace(b",", b", ", 1), *x[1:]], "line 1 was changed"),
    ("an end of DOS", lambda x: [x[0][:-1] + b"\r\n", *x[1:]], "line 1 was changed"),
    ("cut in a line", lambda x: [*x[:7], x[7][:40]], "line 8 has no end"),
    ("no last newline", lambda x: [*x[:7], x[7][:-1]], "line 8 has no end"),
    ("nothing left", lambda x: [], "the audit log is empty"),
    ("junk after", lambda x: [*x, b"x" * 200_000], "line 9 is longer than an entry can be"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "why"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_changes_are_found(log: Path, change, why: str) -> None:  # type: ignore[no-untyped-def]
    log.write_bytes(b"".join(change(filled(log))))
    refused(log, why)


def forged(lines: list[bytes], at: int, **words: object) -> list[bytes]:
    """Change a line, and write the hashes of all after it anew."""
    found, before = lines[:at], json.loads(lines[at])["previous"]
    for number, line in enumerate(lines[at:]):
        values = json.loads(line) | (words if not number else {})
        values |= {"previous": before, "details": tuple(values["details"].items())}
        text, head = auditentry.written(Entry(**values))
        found.append(text)
        before = head.hash
    return found


def test_a_chain_written_anew_breaks_the_checkpoint(log: Path) -> None:
    log.write_bytes(b"".join(forged(filled(log), 2, actor="mallory")))
    refused(log, "line 5 is a forged checkpoint")


def test_one_edit_with_its_hash_written_anew(log: Path) -> None:
    lines = filled(log)
    log.write_bytes(b"".join([*lines[:2], forged(lines, 2, actor="mallory")[2], *lines[3:]]))
    refused(log, "line 4 does not follow the line before it")


def test_a_log_begins_once_and_first(log: Path) -> None:
    lines = filled(log)
    for at, action in ((0, "release"), (2, BEGIN)):
        log.write_bytes(b"".join(forged(lines, at, action=action)[:4]))
        refused(log, f"line {at + 1} is not where a log begins")


def test_what_a_checkpoint_signs(log: Path) -> None:
    lines = filled(log)
    details = json.loads(lines[4])["details"]
    for words, why in (
        ({"time": "2027-01-16T00:00:00.000000Z"}, "line 5 is a forged checkpoint"),
        ({"actor": "alice"}, "line 5 is not what a checkpoint has to be"),
        ({"artifact": "x"}, "line 5 is not what a checkpoint has to be"),
        ({"outcome": "refused"}, "line 5 is not what a checkpoint has to be"),
        ({"details": {}}, "line 5 is not what a checkpoint has to be"),
        ({"details": {**details, "z": ""}}, "line 5 is not what a checkpoint has to be"),
        ({"details": {**details, "signature": "AAAA"}}, "line 5 is a forged checkpoint"),
        ({"details": {**details, "signature": "AAA"}}, "the signature is not base64"),
    ):
        log.write_bytes(b"".join(forged(lines, 4, **words)[:5]))
        refused(log, why)


def test_a_checkpoint_of_another_log(log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    add(other)
    checkpoint(other, SIGNER, NOW)
    signature = json.loads(other.read_bytes().splitlines()[2])["details"]
    lines = filled(log)
    log.write_bytes(b"".join(forged(lines, 4, details=signature)[:5]))
    refused(log, "line 5 is a forged checkpoint")


def test_a_checkpoint_by_another_key(log: Path) -> None:
    filled(log)
    checkpoint(log, OTHER, NOW)
    error = refused(log, "line 9 is a checkpoint by a key that was not given")
    assert isinstance(error, Untrusted)
    assert check(log, BOTH).signer == "other"
    with pytest.raises(Untrusted):
        check(log, ())
    # One by a key we know vouches for the line as for any other.
    checkpoint(log, SIGNER, NOW)
    assert check(log, KEYS).doubtful == 1


def test_a_key_that_pretends_to_be_another(log: Path) -> None:
    lines = filled(log)
    checkpoint(log, OTHER, NOW)
    mine = log.read_bytes().splitlines(keepends=True)[8]
    hint = SIGNER.public.hint
    details = json.loads(mine)["details"] | {"keyid": hint}
    log.write_bytes(b"".join(forged([*lines, mine], 8, actor=hint, details=details)))
    refused(log, "line 9 is a forged checkpoint")


def test_the_end_cut_off(log: Path) -> None:
    lines = filled(log)
    head = check(log, KEYS).head
    log.write_bytes(b"".join(lines[:5]))
    assert check(log, KEYS).entries == 5  # the log itself cannot tell
    refused(log, "it ends at line 5, but line 8 was seen before", head)


def test_the_end_written_anew(log: Path) -> None:
    filled(log)
    head = add(log, "real")
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(forged(lines, 8, artifact="fake")))
    add(log)
    assert check(log, KEYS).entries == 10
    refused(log, "line 9 or one before it is not what was seen before", head)


def test_a_log_begun_anew(log: Path) -> None:
    filled(log)
    head = check(log, KEYS).head
    log.unlink()
    filled(log)
    refused(log, "the log was written anew", head)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("log") / "audit.jsonl"
    return b"".join(filled(path))


@given(st.data(), st.integers(1, 255))
def test_any_change_of_a_byte_is_found(whole: bytes, data: st.DataObject, change: int) -> None:
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= change
    _found(bytes(damaged))


@given(st.data())
def test_any_byte_put_in_or_taken_out_is_found(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        _found(whole[:at] + data.draw(st.binary(min_size=1, max_size=2)) + whole[at:])
    else:
        _found(whole[:at] + whole[at + 1 :])


def test_each_byte_of_the_last_lines(whole: bytes) -> None:
    start = whole[:-1].rindex(b"\n")
    for at in range(start, len(whole), 3):
        _found(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])


def _found(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audit.jsonl")
        path.write_bytes(data)
        with pytest.raises(Tampered):
            check(path, KEYS)


line = st.fixed_dictionaries(
    {"sequence": st.just(0) | st.floats() | st.booleans() | st.text(max_size=3)},
    optional={name: st.text(max_size=70) | st.none() for name in auditentry.FIELDS[1:]},
).map(lambda d: json.dumps(d).encode())


@given(line | st.binary(max_size=100))
def test_any_line_ends_in_one_error(data: bytes) -> None:
    with pytest.raises(EntryError):
        auditentry.read(data)


def entry_line(**words: object) -> bytes:
    values = {
        "sequence": 0,
        "time": "2027-01-15T12:30:05.000007Z",
        "actor": "a",
        "action": "release",
        "artifact": "x",
        "outcome": "done",
        "details": {"a": "b"},
        "previous": FIRST,
    } | words
    body = json.dumps(values, separators=(",", ":"))
    return (body[:-1] + f',"hash":"{auditentry.digest(body.encode())}"}}').encode()


BAD: dict[str, tuple[object, ...]] = {
    "sequence": (-1, True, 1.0, "0", None, 2**53),
    "time": (
        *("", 1, "2027-01-15T12:30:05Z", "2027-02-30T12:30:05.000007Z"),
        *("2027-01-15T12:30:05.000007+00:00", "\u0662027-01-15T12:30:05.000007Z"),
    ),
    "actor": (1, None, "x" * 501, "\ud800", []),
    "action": ("", "Release", "a b", "a" * 41, "\u00e9"),
    "artifact": (0, "x" * 1001),
    "outcome": ("", "maybe", True),
    "details": (
        *([], None, {"A": ""}, {"b": "", "a": ""}, {"a": 1}, {"a": "x" * 501}),
        {f"a{n:02}": "" for n in range(17)},
    ),
    "previous": ("", "A" * 64, "0" * 63, 0),
    "more": (1,),
}
WRONG = [{name: value} for name, values in BAD.items() for value in values]


@pytest.mark.parametrize("words", WRONG, ids=str)
def test_lines_with_the_right_hash_and_a_wrong_value(words: dict[str, object]) -> None:
    assert auditentry.read(entry_line()).actor == "a"
    with pytest.raises(EntryError):
        auditentry.read(entry_line(**words))


def test_two_readers_read_one_thing() -> None:
    good = entry_line()
    assert auditentry.read(good)
    twice = good.replace(b'"actor":"a"', b'"actor":"b","actor":"a"')
    body = twice[: twice.rindex(b',"hash"')] + b"}"
    own = auditentry.digest(body).encode()
    for text in (twice, body[:-1] + b',"hash":"' + own + b'"}'):
        with pytest.raises(EntryError):
            auditentry.read(text)
    for deep in (b"[" * 100_000, b'{"a":' * 30_000, b"1" * 100_000):
        with pytest.raises(EntryError):
            auditentry.read(deep)


@pytest.mark.parametrize(
    "secret",
    [
        "AGE-SECRET-KEY-1QQ",
        "age-secret-key-pq-1qq",
        "AGE-PLUGIN-X-1",
        "-----BEGIN PRIVATE KEY-----",
        "x -----BEGIN ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "x" * 2_000 + "AGE-SECRET-KEY-1",
    ],
)
def test_key_material_is_refused(log: Path, secret: str) -> None:
    for actor, artifact, details in ((secret, "", {}), ("", secret, {}), ("", "", {"a": secret})):
        with pytest.raises(Refused) as caught:
            append(log, actor=actor, action="open", artifact=artifact, details=details)
        assert secret not in str(caught.value)
    with pytest.raises(Refused):
        add(log, action=secret)
    assert not log.exists()


@pytest.mark.parametrize("action", ["", "Release", "a b", BEGIN, CHECKPOINT, REPAIR, "a" * 41])
def test_actions_are_words_and_not_the_logs_own(log: Path, action: str) -> None:
    with pytest.raises(Refused, match="no audit entry has the action"):
        add(log, action=action)


def test_details_are_bounded(log: Path) -> None:
    for details in (
        {f"a{n}": "" for n in range(17)},
        {"A": ""},
        {"a b": ""},
        {"age-secret-key-1": ""},
    ):
        with pytest.raises(Refused, match="audit"):
            append(log, actor="a", action="open", artifact="b", details=details)


def test_hostile_texts_are_kept_within_a_line(log: Path) -> None:
    add(log, "\U0001f512\n" * 5_000, why="\x00" * 5_000)
    add(log, "not \udcff Unicode")
    _, one, two = entries(log)
    assert len(one.artifact) == 1_000 and one.artifact.endswith("... (10000 characters)")
    assert one.details[0][1].endswith("... (5000 characters)")
    assert two.artifact == "not \\udcff Unicode"
    largest = {f"a{n}": "\U0001f512" * 500 for n in range(16)}
    lock = "\U0001f512"
    append(log, actor=lock * 500, action="open", artifact=lock * 1_000, details=largest)
    assert check(log, KEYS).entries == 4


@pytest.mark.parametrize("keep", [1, 5, 30, 200])
def test_a_torn_line_is_cut_and_said(log: Path, keep: int) -> None:
    lines = filled(log)
    torn = lines[7][:keep]
    log.write_bytes(b"".join(lines[:7]) + torn)
    refused(log, "line 8 has no end")
    add(log)
    *_, repair, _ = entries(log)
    assert repair.action == REPAIR and repair.sequence == 7
    assert dict(repair.details) == {
        "bytes": str(keep),
        "sha256": hashlib.sha256(torn).hexdigest(),
    }
    assert check(log, KEYS).entries == 9


def test_a_line_that_lacks_its_newline_is_kept(log: Path) -> None:
    lines = filled(log)
    log.write_bytes(b"".join(lines)[:-1])
    checkpoint(log, SIGNER, NOW)
    assert log.read_bytes().startswith(b"".join(lines))
    assert check(log, KEYS).entries == 9


def test_blocks_of_zeros_are_cut(log: Path) -> None:
    filled(log)
    with log.open("ab") as file:
        file.write(bytes(4096))
    checkpoint(log, SIGNER, NOW)
    assert [e.action for e in entries(log)][8:] == [REPAIR, CHECKPOINT]


def test_a_torn_beginning(log: Path) -> None:
    add(log)
    log.write_bytes(log.read_bytes()[:60])
    add(log)
    assert [e.action for e in entries(log)] == [BEGIN, REPAIR, "release"]


@pytest.mark.parametrize(
    "content", [b"weights", b"a\nb\n", b"\0" * 100, b'{"sequence":0}', b"x" * 500_000, b"\n"]
)
def test_what_is_no_log_is_never_changed(log: Path, content: bytes) -> None:
    log.write_bytes(content)
    with pytest.raises(Tampered):
        add(log)
    with pytest.raises(Tampered):
        checkpoint(log, SIGNER)
    assert log.read_bytes() == content


def test_a_damaged_end_is_not_built_upon(log: Path) -> None:
    lines = filled(log)
    log.write_bytes(b"".join([*lines[:-1], lines[-1].replace(b"done", b"refused")]))
    with pytest.raises(Tampered, match="last line was changed"):
        add(log)


def test_only_what_a_crash_leaves_is_cut(log: Path) -> None:
    whole = b"".join(filled(log))
    other = forged(whole.splitlines(keepends=True), 6, actor="mallory")[7]
    for tail in (b'{"sequence":8,"time":"' + b"x" * 200_000, b'{"sequence":9,"', b"\0 ", b" "):
        log.write_bytes(whole + tail)
        with pytest.raises(Tampered, match="its end is no entry"):
            add(log)
        assert log.read_bytes() == whole + tail
    cut = b"".join(whole.splitlines(keepends=True)[:7]) + other[:-1]
    log.write_bytes(cut)
    with pytest.raises(Tampered, match="its last line does not follow"):
        add(log)
    assert log.read_bytes() == cut


def test_odd_files(log: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no audit log"):
        checkpoint(log, SIGNER)
    with pytest.raises(
        WriteFailed, match="cannot be written"
    ):  # "name one that was begun" is no help
        add(tmp_path / "none" / "log")
    with pytest.raises(Unreadable):
        check(log, KEYS)
    log.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteFailed):
        add(log)
    assert not (tmp_path / "elsewhere").exists()
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none" / "x"):
        with pytest.raises(SecurityError):
            add(path)
        with pytest.raises(SecurityError):
            check(path, KEYS)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def _limited(path: Path, size: int, report: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        add(path)
    except WriteFailed as error:
        Path(report).write_text(error.message)


def test_a_full_disk_leaves_whole_lines(log: Path, tmp_path: Path) -> None:
    filled(log)
    before = log.read_bytes()
    context = multiprocessing.get_context("fork")
    report = str(tmp_path / "report")
    child = context.Process(target=_limited, args=(log, len(before) + 100, report))
    child.start()
    child.join()
    assert "cannot be written" in Path(report).read_text()
    assert log.read_bytes() == before


def _many(path: Path, worker: int) -> None:
    for number in range(20):
        add(path, f"{worker}/{number}")
        if number % 10 == worker:
            checkpoint(path, SIGNER)


def test_processes_take_turns(log: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_many, args=(log, n)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    found = check(log, KEYS)
    assert (found.entries, found.checkpoints) == (1 + 4 * 22, 8)
    by_worker: dict[str, list[int]] = {}
    for entry in entries(log):
        if entry.action == "release":
            worker_name, number = entry.artifact.split("/")
            by_worker.setdefault(worker_name, []).append(int(number))
    assert all(numbers == list(range(20)) for numbers in by_worker.values())


def _forever(path: Path) -> None:
    while True:
        add(path, "x" * 900, why="y" * 400)


def test_a_killed_writer_leaves_a_log_that_goes_on(log: Path) -> None:
    context = multiprocessing.get_context("fork")
    for _ in range(5):
        child = context.Process(target=_forever, args=(log,))
        child.start()
        child.join(0.05)
        child.kill()
        child.join()
        add(log, "after")
        check(log, KEYS)
    assert sum(e.artifact == "after" for e in entries(log)) == 5


def test_a_long_log_is_checked_in_little_memory(log: Path) -> None:
    head = add(log)
    with log.open("ab") as file:
        for number in range(2, 5_000):
            entry = Entry(number, auditentry.stamp(NOW), "a", "open", "x", "done", (), head.hash)
            text, head = auditentry.written(entry)
            file.write(text)
    tracemalloc.start()
    found = check(log, KEYS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.entries == 5_000 and log.stat().st_size > 1_000_000
    assert peak < 500_000


def test_a_log_may_grow_while_it_is_checked(log: Path) -> None:
    filled(log)
    seen = 0
    for _ in entries(log):
        seen += 1
        add(log)
    assert seen == 8 and check(log, KEYS).entries == 16
