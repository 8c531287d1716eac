"""The ledger: what may follow what, what it comes to, and which logs are refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from gto.tag import parse_name
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import Blocked, Lost, RegistryError, ReleaseError
from registry.release import details, log
from registry.release.ledger import ALIASES, Ledger, New
from security import auditcheck, auditentry
from tests.ledgers import (
    EMPTY,
    NOW,
    A,
    abandon,
    claim,
    commit,
    ledger,
    made,
    out,
    promote,
    release,
    rollback,
    root,
    withdraw,
)


def points(found: Ledger) -> dict[str, str]:
    return {one.alias: one.version for one in found.aliases if one.artifact == A}


def test_a_version_is_claimed_then_released() -> None:
    found = ledger(claim("1.0.0"))
    assert [(c.version, c.holder, c.actor) for c in found.claims] == [("1.0.0", "run-1", "alice")]
    found = ledger(*out("1.0.0"))
    assert found.claims == ()
    (one,) = found.issued
    assert (one.version, one.root, one.tag) == ("1.0.0", root("1.0.0"), "v1.0.0")
    assert one.at == "2027-01-15T12:31:00.000000Z"


def test_versions_come_in_the_order_they_came_out() -> None:
    found = ledger(*out("2.0.0", "1.0.0", "10.0.0"))
    assert [one.version for one in found.issued] == ["2.0.0", "1.0.0", "10.0.0"]


WRONG: tuple[tuple[str, tuple[New, ...], New, type[RegistryError], str], ...] = (
    ("claimed twice", (claim("1.0.0"),), claim("1.0.0", "run-2"), Lost,
     "being released by alice since 2027-01-15T12:30:00.000000Z (run run-1)"),
    ("claimed twice by one", (claim("1.0.0"),), claim("1.0.0"), Lost, "run-1"),
    ("claimed in other words", (claim("1.0.0"),), claim("1.0"), Lost, "small 1.0.0 is being"),
    ("claimed when out", out("1.0.0"), claim("1.0.0", "run-2"), Lost, "was released by alice at"),
    ("the same number, other build", out("1.0.0"), claim("1.0.0+b"), Lost, "small 1.0.0 was rel"),
    ("released unclaimed", (), release("1.0.0"), Lost, "is not claimed"),
    ("released by another", (claim("1.0.0"),), release("1.0.0", "run-2"), Lost, "by alice"),
    ("released twice", out("1.0.0"), release("1.0.0"), Lost, "was released by alice"),
    ("released after abandon", (claim("1.0.0"), abandon("1.0.0")), release("1.0.0"), Lost, "not"),
    ("another commit", (claim("1.0.0"),), release("1.0.0", commit="a" * 40), ReleaseError,
     "was claimed for commit"),
    ("a tag twice", (*out("1.0.0"), claim("2.0.0")), release("2.0.0", tag="v1.0.0"), Lost,
     "the tag v1.0.0 is that of another"),
    ("abandoned by another name", (claim("1.0.0"),), abandon("1.0.0", "run-2"), Lost, "alice"),
    ("abandoned unclaimed", (), abandon("1.0.0"), Lost, "not claimed"),
    ("withdrawn, never out", (claim("1.0.0"),), withdraw("1.0.0"), ReleaseError, "never released"),
    ("withdrawn twice", (*out("1.0.0"), withdraw("1.0.0")), withdraw("1.0.0"), Blocked, "already"),
    ("withdrawn champion", (*out("1.0.0"), promote("1.0.0")), withdraw("1.0.0"), Blocked,
     "what champion points at"),
    ("withdrawn previous", (*out("1.0.0", "2.0.0"), promote("1.0.0"), promote("2.0.0", "1.0.0")),
     withdraw("1.0.0"), Blocked, "what previous points at"),
    ("promoted, never out", (claim("1.0.0"),), promote("1.0.0"), ReleaseError, "never released"),
    ("promoted in other words", out("1.0.0"), promote("1.0"), ReleaseError, "never released"),
    ("promoted, withdrawn", (*out("1.0.0"), withdraw("1.0.0")), promote("1.0.0"), Blocked, "leaks"),
    ("promoted against nothing", (*out("1.0.0", "2.0.0"), promote("1.0.0")), promote("2.0.0"),
     Lost, "points at 1.0.0 since 2027-01-15T12:34:00.000000Z, by carol, not at nothing"),
    ("promoted against another", out("1.0.0", "2.0.0"), promote("1.0.0", "2.0.0"), Lost,
     "points at nothing, not at 2.0.0"),
    ("promoted twice", (*out("1.0.0"), promote("1.0.0")), promote("1.0.0", "1.0.0"), Blocked,
     "points at 1.0.0 already"),
    ("promoted other bytes", out("1.0.0"), promote("1.0.0", root="a" * 64), Blocked, "the root"),
    ("champion as previous", (*out("1.0.0"), promote("1.0.0")), promote("1.0.0", alias="previous"),
     Blocked, "is the champion"),
    ("rolled back to nothing", (*out("1.0.0"), promote("1.0.0")), rollback("1.0.0", "1.0.0"),
     Blocked, "nothing that champion"),
    ("rolled back elsewhere",
     (*out("1", "2", "3"), promote("1"), promote("2", "1"), promote("3", "2")),
     rollback("1", "3"), Blocked, "goes back to 2, not to 1"),
    ("rolled back late", (*out("1", "2"), promote("1"), promote("2", "1")), rollback("1", "1"),
     Lost, "points at 2 since"),
    ("rolled back previous", (*out("1", "2"), promote("1"), promote("2", "1")),
     rollback("2", "1", "previous"), Blocked, "nothing that previous"),
    ("a twin in the tags", out("1.0.0"), New("a", "claim", "acme-small", claim("1").details),
     Blocked, "acme-small and acme/small would have the same tags"),
)  # fmt: skip


@pytest.mark.parametrize(("before", "new", "kind", "said"), [w[1:] for w in WRONG],
                         ids=[w[0] for w in WRONG])  # fmt: skip
def test_what_may_not_follow(
    before: tuple[New, ...], new: New, kind: type[RegistryError], said: str
) -> None:
    there = ledger(*before)
    with pytest.raises(kind) as caught:
        log.written(there, [new], NOW + timedelta(hours=1))
    assert said in caught.value.message
    assert caught.value.hint
    assert caught.type is kind
    # What must not be written is not read either, whoever wrote it.
    bad = forged(made(*before), new)
    line = len(there.entries) + 1 if before else 2
    with pytest.raises(ReleaseError, match=f"line {line}: "):
        log.read_log(bad)


def forged(data: bytes, new: New, **more: object) -> bytes:
    """Append an entry with a right chain, whatever it says."""
    data = data or begun()
    last = auditentry.read(data[:-1].rpartition(b"\n")[2])
    values = {"time": last.time, "outcome": "done", "previous": last.hash} | more
    entry = auditentry.Entry(
        last.sequence + 1, str(values["time"]), new.actor, new.action, new.artifact,
        str(values["outcome"]), tuple(sorted(new.details.items())), str(values["previous"]),
    )  # fmt: skip
    return data + auditentry.written(entry)[0]


def begun() -> bytes:
    return log.written(EMPTY, [], NOW, "0" * 32)


def test_a_dead_claim_is_taken_over_at_once() -> None:
    there = ledger(claim("1.0.0"))
    data = log.written(there, [abandon("1.0.0"), claim("1.0.0", "run-2", "bob")], NOW)
    found = log.read_log(made(claim("1.0.0")) + data)
    assert [(c.holder, c.actor) for c in found.claims] == [("run-2", "bob")]


def test_the_champion_leaves_its_place_to_previous() -> None:
    steps = [*out("1", "2", "3"), promote("1"), promote("2", "1"), promote("3", "2")]
    assert points(ledger(*steps)) == {"champion": "3", "previous": "2"}
    steps += [rollback("2", "3")]
    assert points(ledger(*steps)) == {"champion": "2", "previous": "1"}
    steps += [withdraw("3"), rollback("1", "2")]
    assert points(ledger(*steps)) == {"champion": "1", "previous": ""}
    assert log.back(ledger(*steps), A, "champion") == ""


def test_what_was_withdrawn_is_not_gone_back_to() -> None:
    steps = [*out("1", "2", "3"), promote("1"), promote("2", "1"), promote("3", "2")]
    steps += [withdraw("1")]
    assert log.back(ledger(*steps), A, "champion") == "2"
    steps += [rollback("2", "3")]
    assert points(ledger(*steps)) == {"champion": "2", "previous": ""}


def test_previous_can_be_let_go_so_that_it_can_be_withdrawn() -> None:
    steps = [*out("1", "2"), promote("1"), promote("2", "1")]
    steps += [promote("", "1", "previous"), withdraw("1")]
    assert points(ledger(*steps)) == {"champion": "2", "previous": ""}
    other = [*out("1", "2", "3"), promote("1"), promote("2", "1"), promote("3", "1", "previous")]
    assert log.back(ledger(*other), A, "champion") == "3"


def test_an_alias_is_not_emptied_without_a_reason() -> None:
    new = promote("", "1")
    without = New(new.actor, new.action, A, {k: v for k, v in new.details.items() if k != "reason"})
    with pytest.raises(Blocked, match="without a reason"):
        log.written(ledger(*out("1"), promote("1")), [without], NOW)
    assert points(ledger(*out("1"), promote("1"), new)) == {"champion": "", "previous": "1"}


def test_the_challenger_has_a_past_of_its_own() -> None:
    steps = [*out("1", "2"), promote("1"), promote("1", "", "challenger")]
    steps += [promote("2", "1", "challenger")]
    assert points(ledger(*steps)) == {"champion": "1", "challenger": "2"}
    steps += [rollback("1", "2", "challenger")]
    assert points(ledger(*steps)) == {"champion": "1", "challenger": "1"}


def test_what_was_there_at_a_date() -> None:
    found = ledger(*out("1", "2"), promote("1"), promote("2", "1"), rollback("1", "2"))
    minutes = {3: None, 4: "1", 5: "2", 6: "1", 60 * 24 * 365: "1"}
    for minute, version in minutes.items():
        there = log.at(found, A, "champion", NOW + timedelta(minutes=minute))
        assert (there.version if there else None) == version
    there = log.at(found, A, "champion", NOW + timedelta(minutes=5, seconds=59))
    assert there is not None
    assert (there.actor, there.since) == ("carol", "2027-01-15T12:35:00.000000Z")
    assert there.reason == "it is better"
    assert log.at(found, A, "challenger", NOW + timedelta(days=1)) is None
    assert log.at(found, "acme/other", "champion", NOW + timedelta(days=1)) is None
    assert log.at(found, A, "champion", NOW - timedelta(days=1)) is None


def test_who_said_yes() -> None:
    yes = New("bob", "approve", A, {"version": "1", "how": "signature", "root": root("1")})
    found = ledger(*out("1", "2"), yes)
    assert [entry.actor for entry in log.approvals(found, A, "1")] == ["bob"]
    assert log.approvals(found, A, "2") == ()


def test_each_move_has_a_tag_that_gto_reads() -> None:
    steps = [*out("1", "2"), promote("1"), promote("2", "1"), rollback("1", "2")]
    found = ledger(*steps)
    names = {tag.name: tag.commit for tag in log.tags(found)}
    assert names == {
        "v1": commit("1"),
        "v2": commit("2"),
        "acme-small#champion#1": commit("1"),
        "acme-small#champion#2": commit("2"),
        "acme-small#previous#1": commit("1"),
        "acme-small#champion#3": commit("1"),
    }
    for name in list(names)[2:]:
        parsed = parse_name(name)
        assert (parsed["name"], parsed["counter"]) == ("acme-small", int(name[-1]))
        assert parsed["stage"] in ALIASES
    moves = log.moves(ledger(*steps[:-1]), found)
    assert [tag.name for tag in moves] == ["acme-small#champion#3"]


def test_it_is_an_audit_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(made(*out("1.0.0"), promote("1.0.0")))
    assert auditcheck.check(path, ()).entries == 4


def test_a_clock_that_is_behind() -> None:
    there = ledger(*out("1"), promote("1"))
    data = log.written(there, [claim("2")], NOW - timedelta(hours=2))
    late = log.read_log(made(*out("1"), promote("1")) + data).entries[-1]
    assert late.time == there.entries[-1].time
    with pytest.raises(ReleaseError, match="but it is 2027-01-13") as caught:
        log.written(there, [claim("2")], NOW - timedelta(days=2))
    assert "clock" in caught.value.hint


def test_secrets_and_long_texts_are_not_written() -> None:
    there = ledger(*out("1"))
    with pytest.raises(Blocked, match="private key"):
        log.written(there, [promote("1", reason="AGE-SECRET-KEY-1")], NOW)
    with pytest.raises(ReleaseError, match="more than 500"):
        log.written(there, [promote("1", reason="x" * 501)], NOW)


# Hostile logs: (why, log, what the error says)


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    return b"".join(change(made(*out("1.0.0", "2.0.0"), promote("1.0.0")).splitlines(True)))


def _json(number: int, **more: object) -> bytes:
    def change(lines: list[bytes]) -> list[bytes]:
        found = json.loads(lines[number]) | more
        lines[number] = json.dumps(found, separators=(",", ":")).encode() + b"\n"
        return lines

    return _lines(change)


def _said(action: str, artifact: str = A, actor: str = "eve", **said: str) -> bytes:
    return forged(made(*out("1.0.0")), New(actor, action, artifact, said))


_GOOD = dict(claim("9").details)
HOSTILE: tuple[tuple[str, bytes, str], ...] = (
    ("no newline", made(claim("1"))[:-1], "line 2: it has no end"),
    ("half a line", made(claim("1"))[:-40], "line 2"),
    ("a line out", _lines(lambda x: [*x[:2], *x[3:]]), "line 3: it does not follow"),
    ("the first out", _lines(lambda x: x[1:]), "line 1"),
    ("a line twice", _lines(lambda x: [*x, x[-1]]), "line 7: it does not follow"),
    ("two swapped", _lines(lambda x: [x[0], x[2], x[1], *x[3:]]), "line 2"),
    ("actor changed", _json(1, actor="mallory"), "line 2: it was changed"),
    ("number changed", _json(1, sequence=7), "line 2"),
    ("previous changed", _json(2, previous="0" * 64), "line 3: it was changed"),
    ("a wrong link", forged(made(claim("1")), claim("2"), previous="1" * 64), "3: it does not"),
    ("two logs", made(claim("1")) + made(claim("2")), "line 3"),
    ("an empty line", made(claim("1")) + b"\n", "line 3"),
    ("spaces", made(claim("1")).replace(b",", b", "), "line 1"),
    ("no JSON", b"hello\n", "line 1"),
    ("UTF-16", made(claim("1")).decode().encode("utf-16"), "line 1"),
    ("a mark in front", b"\xef\xbb\xbf" + made(claim("1")), "line 1"),
    ("CRLF", made(claim("1")).replace(b"\n", b"\r\n"), "line 1"),
    ("zeros", b"\0" * 4096, "line 1"),
    ("a long line", b"x" * 200_000 + b"\n", "line 1: it has no end, or is longer"),
    ("deep", b"[" * 100_000 + b"\n", "line 1"),
    ("an unknown action", _said("publish", version="1"), "line 4: the action 'publish'"),
    ("a checkpoint", _said("checkpoint", keyid="x"), "the action 'checkpoint'"),
    ("a repair", _said("repair", bytes="1"), "the action 'repair'"),
    ("begins twice", _said("begin", "", "modelwarden", nonce="0" * 32), "not where a ledger"),
    ("something refused", forged(made(*out("1")), claim("9"), outcome="refused"), "not what was"),
    ("older", forged(made(*out("1")), claim("9"), time="2026-01-01T00:00:00.000000Z"), "of 2026"),
    ("a detail too few", _said("claim", version="9", holder="x"), "claim lacks commit"),
    ("a detail too many", _said("claim", **_GOOD, extra="1"), "claim has an unknown extra"),
    ("a short commit", _said("claim", **_GOOD | {"commit": "abc"}), "an odd commit"),
    ("a commit in capitals", _said("claim", **_GOOD | {"commit": "A" * 40}), "an odd commit"),
    ("no version", _said("claim", **_GOOD | {"version": "latest"}), "an odd version"),
    ("a version with v", _said("claim", **_GOOD | {"version": "v9"}), "an odd version"),
    ("an empty version", _said("claim", **_GOOD | {"version": ""}), "an odd version"),
    ("a path as version", _said("claim", **_GOOD | {"version": "../9"}), "an odd version"),
    ("an empty holder", _said("claim", **_GOOD | {"holder": ""}), "an odd holder"),
    ("a holder of two lines", _said("claim", **_GOOD | {"holder": "a\nb"}), "an odd holder"),
    ("a holder that turns", _said("claim", **_GOOD | {"holder": "a\u202eb"}), "an odd holder"),
    ("no actor", _said("claim", A, "", **_GOOD), "who did it"),
    ("an alias of theirs", _said("promote", version="1.0.0", alias="x", expect=""), "odd alias"),
    ("an odd place", _said("record", version="1", place="A B", id="1"), "odd place"),
    *((f"artifact {name!a:.20}", _said("claim", name, **_GOOD), "no name of an artifact")
      for name in ("", "/", "a/", "/a", "a//b", "..", "a/../b", ".git", "a/.git", "a b", "a\n",
                   "-a", "a.lock", "a.json/b", "a.git", "a#b", "a:b", "ä", "x" * 201, "a..b")),
    *((f"tag {name!a:.20}",
       forged(made(claim("9")), release("9", tag=name)), "an odd tag")
      for name in ("", "-d", "a..b", "a b", "a~1", "a^", "a:b", "a\\b", "a/", "a//b", ".a",
                   "a.lock", "a@{1}", "a*", "a#champion#1", "x" * 201, "a/.b", "a.")),
)  # fmt: skip


@pytest.mark.parametrize(("data", "said"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_logs_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        log.read_log(data)
    assert said in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 500


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made(*out("1"))
    monkeypatch.setattr(log, "LIMIT", len(data) - 1)
    with pytest.raises(ReleaseError, match="bytes, more than"):
        log.read_log(data)
    monkeypatch.undo()
    monkeypatch.setattr(log, "MOST", 2)
    with pytest.raises(ReleaseError, match="one too many"):
        log.read_log(data)
    with pytest.raises(Blocked, match="more than 2 entries"):
        log.written(EMPTY, out("1"), NOW)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    whole = made(*out("1.0.0"), promote("1.0.0"))
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[place]))
    with pytest.raises(ReleaseError):
        log.read_log(whole[:place] + bytes([byte]) + whole[place + 1 :])


@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ReleaseError):
        log.read_log(b"x" + noise)


@given(st.text(max_size=30))
def test_names_are_fit_for_refs_and_paths(text: str) -> None:
    if details.is_artifact(text):
        assert ".." not in text
        assert not text.startswith(("/", "-", "."))
        assert parse_name(f"{text.replace('/', '-').replace('.', '-')}#prod#1")
    if details.is_tag(text):
        assert not set(text) & set(" ~^:?*[\\\x7f\n")


# A model that knows nothing of the code: what each operation must come to.

OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "abandon", "release", "withdraw", "promote", "rollback"]),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["run-1", "run-2"]),
        st.sampled_from(["champion", "challenger"]),
        st.sampled_from(["", "1", "2", "3"]),
    ),
    max_size=40,
)


class Model:
    def __init__(self) -> None:
        self.claims: dict[str, str] = {}
        self.issued: dict[str, bool] = {}  # whether withdrawn
        self.past: dict[str, list[str]] = {"champion": [], "challenger": []}  # the last is now

    def now(self, alias: str) -> str:
        return self.past[alias][-1] if self.past[alias] else ""

    def back(self, alias: str) -> str:
        """What the last one before now is, that is neither now nor withdrawn."""
        older = [v for v in self.past[alias][:-1] if v != self.now(alias) and not self.issued[v]]
        return older[-1] if older else ""

    def do(self, action: str, version: str, holder: str, alias: str, expect: str) -> bool:
        free = version not in self.claims and version not in self.issued
        held = self.claims.get(version) == holder
        if action == "claim" and free:
            self.claims[version] = holder
        elif action == "abandon" and held:
            del self.claims[version]
        elif action == "release" and held:
            del self.claims[version]
            self.issued[version] = False
        elif action == "withdraw" and self.issued.get(version) is False:
            if version in (self.now("champion"), self.now("challenger"), self.back("champion")):
                return False
            self.issued[version] = True
        elif action == "promote" and self.now(alias) == expect != version:
            if self.issued.get(version) is not False:
                return False
            self.past[alias].append(version)
        elif action == "rollback" and self.now(alias) == expect:
            if not version or self.back(alias) != version:
                return False
            past = self.past[alias]
            past.pop()
            while past[-1] != version:
                past.pop()
        else:
            return False
        return True


@given(OPERATIONS)
@settings(max_examples=300, deadline=None)
def test_any_sequence_comes_to_what_the_model_says(
    operations: list[tuple[str, str, str, str, str]],
) -> None:
    model, data = Model(), begun()
    for action, version, holder, alias, expect in operations:
        new = {
            "claim": claim(version, holder),
            "abandon": abandon(version, holder),
            "release": release(version, holder),
            "withdraw": withdraw(version),
            "promote": promote(version, expect, alias),
            "rollback": rollback(version, expect, alias),
        }[action]
        try:
            data += log.written(log.read_log(data), [new], NOW)
            done = True
        except RegistryError as error:
            assert error.hint
            done = False
        assert done == model.do(action, version, holder, alias, expect)
    found = log.read_log(data)
    assert {c.version: c.holder for c in found.claims} == model.claims
    assert {i.version: bool(i.withdrawn) for i in found.issued} == model.issued
    now = points(found)
    assert now.get("champion", "") == model.now("champion")
    assert now.get("challenger", "") == model.now("challenger")
    assert now.get("previous", "") == model.back("champion")
    assert log.read_log(data) == found


def test_a_thousand_versions_are_few_bytes_and_one_pass() -> None:
    news = [new for n in range(1000) for new in out(f"1.{n}")]
    data = log.written(EMPTY, news, NOW, "0" * 32)
    found = log.read_log(data)
    assert len(found.issued) == 1000
    assert len(data) < 2_000_000


def test_the_example_of_the_format() -> None:
    page = Path(__file__).parents[3] / "docs" / "formats" / "releases.md"
    shown = page.read_text().split("## Example\n```\n")[1].split("```")[0]
    assert shown.encode() == made(*out("1.0.0"), promote("1.0.0"))
    for action in ("begin", "claim", "record"):
        assert f"| `{action}` |" in page.read_text()
