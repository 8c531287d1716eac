from __future__ import annotations

import _compat_pickle
import io
import pickle
import pickletools
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.scan import walk
from security.scan.allowed import table
from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.pickles import runs
from security.scan.source import of_bytes
from security.scan.values import Judgement, Threat
from tests.security.scan.hostile import PROTO, name, streams, text

EVIL = PROTO + name("os", "system") + text("id") + b"\x85R."
CLEAN: tuple[tuple[str, bool], ...] = ()
CODE = ("pickle-code", True)
UNLISTED = ("pickle-unlisted", False)
BROKEN = ("pickle-broken", False)
ARGUMENT = ("pickle-argument", False)
CASES = [
    ("x.pkl", EVIL, (CODE,)),
    ("x.pkl", EVIL[:-1], (CODE, BROKEN)),
    ("x.pkl", PROTO + name("models", "Net") + b".", (UNLISTED,)),
    ("x.pkl", PROTO + name("torch", "FloatStorage") + b")R.", CLEAN),
    ("x.pkl", PROTO + name("torch", "FloatStorage") + b"K\x05\x85R.", (ARGUMENT,)),
    ("x.pkl", PROTO + name("builtins", "int") + b"K\x05\x85R.", CLEAN),
    ("x.pkl", PROTO + name("builtins", "str") + b"]\x85R.", (ARGUMENT,)),
    ("x.pkl", PROTO + name("builtins", "list") + b"]\x85R.", (ARGUMENT,)),
    ("x.pkl", PROTO + name("os", "environ") + text("A") + b"Ns.", (CODE,)),
    ("x.pkl", pickle.dumps(1)[:-1], (BROKEN,)),
    ("x.pkl", pickle.dumps(1) + b"tail", (("trailing", False),)),
    ("x.pkl", pickle.dumps(1) + pickle.dumps(2), CLEAN),
    # Not pickles, whatever they begin like.
    ("x.txt", b"cat\nsat\nand more\n", CLEAN),
    ("x.txt", b"N. is short\n", CLEAN),
    ("x.dat", b"\x80\x04\xff\xff\xff", CLEAN),
    ("x.dat", b"\x80\x02\x00\x00\x00", CLEAN),
    ("x.md", b"(lp0\n.", CLEAN),
    # Pickles, whatever they are called.
    ("x.txt", b"cos\nsystem\n(S'id'\ntR.", (CODE,)),
    ("x.txt", b"cos\nsystem\n(S'id'\ntR broken", (CODE, BROKEN)),
    ("x.md", b"(S'id'\nios\nsystem\n.", (CODE,)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "data", "rules"), CASES)
def test_streams(
    label: str, data: bytes, rules: tuple[tuple[str, bool], ...], booth: Booth
) -> None:
    found = scan_file(of_bytes(label, data), booth=booth).threats
    assert tuple((threat.rule, threat.certain) for threat in found) == rules


def test_a_threat_says_where_and_what(booth: Booth) -> None:
    data = pickle.dumps([1, 2, 3]) + EVIL
    (threat,) = scan_file(of_bytes("m/x.pkl", data), booth=booth).threats
    at = data.index(b"\x93")
    assert threat == Threat("pickle-code", "m/x.pkl", at, "calls os.system('id')")


@pytest.mark.parametrize("opcode", [b"\x82\x07", b"\x83\x07\0", b"\x84\x07\0\0\0"])
def test_an_extension_code_is_named_by_its_place(opcode: bytes, booth: Booth) -> None:
    data = PROTO + name("collections", "OrderedDict") + b"0" + opcode + b"."
    (threat,) = scan_file(of_bytes("x.pkl", data), booth=booth).threats
    assert (threat.rule, threat.offset, threat.certain) == ("pickle-code", data.index(opcode), True)


def test_what_is_allowed_is_not_mapped_to_something_else() -> None:
    """Protocols 0 to 2 map old names to new ones; an allowed name may only become an allowed."""
    allowed = set(table())
    for pair in allowed:
        module, attribute = pair.split("\n")
        if (module, attribute) in _compat_pickle.NAME_MAPPING:
            module, attribute = _compat_pickle.NAME_MAPPING[module, attribute]
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
        assert f"{module}\n{attribute}" in allowed, pair


def test_allowed_names_are_plain() -> None:
    for pair in table():
        module, attribute = pair.split("\n")
        assert "." not in attribute and attribute.isidentifier(), pair
        assert all(part.isidentifier() for part in module.split(".")), pair
    assert not {pair for pair in table() if pair.split("\n")[1] in ("eval", "getattr", "load")}


@pytest.mark.parametrize(
    ("module", "attribute", "certain"),
    [
        ("os", "system", True), ("nt", "system", True), ("collections", "abc", True),
        ("torch.hub", "load", True), ("torch.hubs", "load", False), ("sklearn.svm", "SVC", False),
        ("anything", "dotted.name", True), ("", "", False),
    ],
)  # fmt: skip
def test_names_that_surely_run_code(module: str, attribute: str, certain: bool) -> None:
    assert runs(module, attribute) is certain


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_changed_streams_never_raise_and_never_pass_with_a_call(data: st.DataObject) -> None:
    made = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(made) - 1))
        made[at] = data.draw(st.integers(0, 255))
    asked: list[str] = []

    class Watched(pickle._Unpickler):
        def find_class(self, module: str, attribute: str) -> type:
            asked.append(f"{module}\n{attribute}")
            return type("Any", (), {"__init__": lambda *_: None, "__setstate__": id})

    with suppress(Exception):
        Watched(io.BytesIO(bytes(made))).load()
    found = scan_file(of_bytes("x.pkl", bytes(made)), booth=SHARED)
    if set(asked) - table().keys():
        assert found.judgement in (Judgement.FLAG, Judgement.UNDECIDED)


SEEDS = [data for key, data in streams("id").items() if len(data) < 1000]
SHARED = Booth()


@pytest.fixture(scope="module", autouse=True)
def close() -> object:
    yield
    SHARED.close()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_can_be_walked(data: bytes) -> None:
    source = of_bytes("x", data)
    assert list(walk.imports(source, 0, len(data))) == list(walk.imports(source, 0, len(data)))
    walk.may_import(source)


def test_walking_agrees_with_the_parser() -> None:
    for key, data in streams("id").items():
        if len(data) > 100_000:
            continue
        ours: list[int] = []
        theirs: list[int] = []
        with suppress(walk.Broken):
            ours.extend(at for at, _ in walk.walk(of_bytes(key, data), 0, len(data)))
        with suppress(ValueError, OverflowError):
            theirs.extend(at or 0 for _, _, at in pickletools.genops(data))
        assert ours[: len(theirs)] == theirs[: len(ours)], key
        assert abs(len(ours) - len(theirs)) <= 1, key
