"""What a pickle of torch claims of its tensors' bytes is held against what the file holds."""

from __future__ import annotations

import collections
import io
import pickle
import pickletools
import warnings
import zipfile
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from security.scan import storages
from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from security.scan.values import Judgement, Scanned
from tests.security.scan.hostile import torch_file, zipped

BASE = torch.arange(24.0).reshape(4, 6)
TIED = torch.ones(3, 3)
with warnings.catch_warnings():  # torch will do without them one day; files will not
    warnings.simplefilter("ignore")
    LINE = torch.quantize_per_tensor(torch.ones(5), 0.1, 3, torch.quint8)
    ROWS = (torch.ones(3), torch.zeros(3), 0)
    CHANNELS = torch.quantize_per_channel(torch.ones(3, 5), *ROWS, torch.qint8)
    HALVES = torch.quantize_per_channel(torch.ones(3, 5), *ROWS, torch.quint4x2)
ODD = torch.tensor([], dtype=torch.float32)
ODD.set_(torch.UntypedStorage(10), 0, (2,))  # type: ignore[no-untyped-call, call-overload]
HARMLESS: dict[str, Any] = {
    "plain": {"w": BASE},
    "tied": {"a": TIED, "b": TIED, "c": TIED.t()},
    "sliced": [BASE[1:, ::2], BASE[3], BASE[:, 5:], BASE.T[2:]],
    "nothing": [BASE[3:, 6:], BASE[4:], torch.empty(0), torch.empty(0, 7), torch.empty(3, 0)],
    "retyped nothing": [ODD[:0], (none := torch.empty(0)), none.view(torch.int32)],
    "expanded": [torch.ones(1).expand(1000, 1000), torch.ones(3, 1).expand(3, 10**9)],
    "scalar": torch.tensor(3),
    "types": [torch.ones(3).to(kind) for kind in (
        torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
        torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128)],
    "quantised": [LINE, CHANNELS],
    "two in a byte": HALVES,
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "conjugate": torch.ones(2, dtype=torch.complex64).conj(),
    "storage": BASE.untyped_storage(),
    "rest of a storage": ODD,
    "many": [torch.ones(1) for _ in range(5000)],
}  # fmt: skip


@dataclass(frozen=True)
class Id:
    """Something that a pickle names by a persistent id."""

    pid: Any


class View:
    """A tensor, whatever torch would say of it."""

    def __init__(self, *args: Any, by: Any = torch._utils._rebuild_tensor_v2) -> None:
        self.args, self.by = args, by

    def __reduce__(self) -> Any:
        return self.by, (*self.args, False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value.pid if isinstance(value, Id) else None


def stored(count: Any, kind: Any = torch.FloatStorage, key: Any = "0", **more: Any) -> Id:
    return Id(("storage", kind, key, "cpu", count, *more.values()))


def pickled(made: object) -> bytes:
    out = io.BytesIO()
    Pickler(out, 2).dump(made)
    return out.getvalue()


def archived(made: object, record: int = 16, *, name: str = "m/data.pkl") -> bytes:
    folder = name.removesuffix(".pkl")
    return zipped({name: pickled(made), f"{folder}/0": bytes(record), f"{folder}/1": bytes(16)})


def legacy(made: object) -> bytes:
    """Put a pickle in the place of that of a file of torch before 1.6."""
    data = torch_file(TIED, new=False)
    ends = [0]
    for _ in range(4):
        ends.append(
            ends[-1] + 1 + max(at or 0 for _, _, at in pickletools.genops(data[ends[-1] :]))
        )
    return data[: ends[3]] + pickled(made) + data[ends[4] :]


FOUR = stored(4)
WRONG_SIZES = [
    ("smaller", archived(FOUR, 15), "storage 0 is 16 bytes of which 15 are there"),
    ("empty", archived(FOUR, 0), "storage 0 is 16 bytes of which 0 are there"),
    ("larger", archived(FOUR, 20), "storage 0 is 16 bytes of which 20 are there"),
    ("huge", archived(stored(2**60)), "storage 0 is 4,611,686,018,427,387,904 bytes of which 16"),
    ("of nothing", archived(stored(0)), "storage 0 is 0 bytes of which 16 are there"),
    ("missing", zipped({"m/data.pkl": pickled(FOUR)}), "of which none are there"),
    ("other folder", zipped({"m/data.pkl": pickled(FOUR), "n/data/0": bytes(16)}), "none are"),
    ("root for folder", zipped({"x!/data.pkl": pickled(FOUR), "data/0": bytes(16)}), "none are"),
    ("name in capitals", archived(FOUR, 15, name="m/DATA.pkl"), "of which 15 are there"),
    ("no folder", archived(FOUR, 15, name="data.pkl"), "of which 15 are there"),
    ("constants", archived(FOUR, 15, name="m/constants.pkl"), "of which 15 are there"),
    ("number for a key", archived(stored(4, key=0), 15), "storage 0 is 16 bytes of which 15"),
    ("doubles", archived(stored(4, torch.DoubleStorage)), "storage 0 is 32 bytes of which 16"),
    ("cuda", archived(stored(4, torch.cuda.DoubleStorage)), "storage 0 is 32 bytes of which 16"),
    ("untyped", archived(stored(17, torch.UntypedStorage)), "storage 0 is 17 bytes of which 16"),
    ("id as bytes", archived(Id((b"storage", torch.ByteStorage, "0", "", 17))), "is 17 bytes"),
    ("second of two", archived([FOUR, stored(5, key="1")]), "storage 1 is 20"),
    ("behind a view", archived(View(stored(8), 0, (4,), (1,))), "storage 0 is 32 bytes of"),
    ("packed", zipped({"m/data.pkl": pickled(FOUR), "m/data/0": b"x"}, zipfile.ZIP_DEFLATED),
     "storage 0 is 16 bytes of which 1 are there"),
    ("second pickle", zipped({"m/data.pkl": pickled(FOUR) + pickled(stored(9)),
                              "m/data/0": bytes(16)}), "storage 0 is 36 bytes of which 16"),
]  # fmt: skip
WRONG_CLAIMS = [
    ("negative", stored(-1), "storage 0 is -1 elements of torch.FloatStorage"),
    ("overflow", stored(2**61), "storage 0 is 2305843009213693952 elements"),
    ("beyond 64 bits", stored(2**64 + 4), "storage 0 is 18446744073709551620 elements"),
    ("float", stored(4.0), "storage 0 is 4.0 elements"),
    ("bool", stored(True), "storage 0 is True elements"),
    ("no type", stored(4, "torch.FloatStorage"), "4 elements of 'torch.FloatStorage'"),
    ("wrong type", stored(4, torch.Size), "4 elements of torch.Size"),
    ("path for a key", stored(4, key="0" * 41), "names a storage by"),
    ("letters for a key", stored(4, key="é"), "names a storage by"),
    ("no key", stored(4, key=""), "names a storage by ''"),
    ("list for a key", stored(4, key=[0]), "names a storage by [0]"),
    ("two sizes", [FOUR, stored(5)], "4 elements of FloatStorage, then 5"),
    ("two types", [FOUR, stored(4, torch.DoubleStorage)], "then 4 of DoubleStorage"),
]  # fmt: skip
WRONG_VIEWS = [
    ("beyond", (0, (5,), (1,)), "size (5), stride (1) and offset 0 reaches beyond its storage"),
    ("offset", (1, (4,), (1,)), "offset 1 reaches"),
    ("stride", (0, (2, 2), (3, 1)), "stride (3, 1)"),
    ("negative offset", (-1, (1,), (1,)), "offset -1"),
    ("negative size", (0, (-4,), (1,)), "size (-4)"),
    ("negative sizes", (0, (-2, -2), (1, 1)), "size (-2, -2)"),
    ("negative stride", (3, (4,), (-1,)), "stride (-1)"),
    ("overflow to nothing", (0, (2**62, 4), (0, 0)), "size (4611686018427387904, 4)"),
    ("overflow of strides", (0, (2, 2), (2**63, 1)), "reaches"),
    ("overflow of the sum", (0, (3, 3), (2**63 - 1, 2)), "reaches"),
    ("overflow by nothing", (0, (0, 2**62, 2**62), (1, 1, 1)), "reaches"),
    ("offset of nothing", (2**62, (0,), (1,)), "reaches"),
    ("beyond 64 bits", (2**64, (1,), (1,)), "reaches"),
    ("scalar", (4, (), ()), "size (), stride () and offset 4 reaches"),
    ("more strides", (0, (1,), (1, 1)), "reaches"),
    ("fewer strides", (0, (9, 1), (1,)), "reaches"),
    ("dimensions", (0, (1,) * 65, (1,) * 65), "reaches"),
    ("no sizes", (0, 4, 1), "size 4, stride 1"),
    ("floats", (0, (4.0,), (1,)), "size (4.0)"),
]  # fmt: skip


def judged(data: bytes, booth: Booth) -> Scanned:
    return scan_file(of_bytes("m.pt", data), booth=booth)


def held(found: Scanned, said: str) -> bool:
    """Whether this was found, for certain."""
    named = [t for t in found.threats if t.rule == "pickle-argument" and said in t.what]
    return bool(named) and found.judgement is Judgement.FLAG


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("new", [True, False])
def test_what_torch_saves_passes(name: str, new: bool, booth: Booth) -> None:
    if name == "storage" and not new:
        pytest.skip("torch does not read such a file of its own")
    assert judged(torch_file(HARMLESS[name], new=new), booth).threats == ()


def test_the_order_of_bytes_and_the_folder_do_not_matter(booth: Booth) -> None:
    for name in ("m/data.pkl", "archive/data.pkl"):
        assert judged(archived(FOUR, name=name), booth).threats == ()
        folder = name.partition("/")[0]
        made = {name: pickled(FOUR), f"{folder}/byteorder": b"big", f"{folder}/data/0": bytes(16)}
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            assert judged(zipped(made, method), booth).threats == ()


@pytest.mark.parametrize(("name", "data", "said"), WRONG_SIZES)
def test_records_of_another_size(name: str, data: bytes, said: str, booth: Booth) -> None:
    assert held(judged(data, booth), said)


@pytest.mark.parametrize(("name", "made", "said"), WRONG_CLAIMS)
def test_storages_that_cannot_be(name: str, made: object, said: str, booth: Booth) -> None:
    assert held(judged(archived(made), booth), said)
    assert held(judged(pickled(made), booth), said)


@pytest.mark.parametrize("by", ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_qtensor"])
@pytest.mark.parametrize(("name", "args", "said"), WRONG_VIEWS)
def test_tensors_beyond_their_storage(
    name: str, args: tuple[Any, ...], said: str, by: str, booth: Booth
) -> None:
    made = View(FOUR, *args, by=getattr(torch._utils, by))
    assert held(judged(archived(made), booth), said)


def test_the_first_claim_is_what_counts(booth: Booth) -> None:
    """As torch does: a larger second claim must not widen what views are held against."""
    view = View(stored(40), 0, (40,), (1,))
    assert held(judged(archived([FOUR, view]), booth), "reaches beyond its storage of 4 elements")


def test_files_of_torch_before_one_six(booth: Booth) -> None:
    nine = stored(9, view=None)
    part = stored(9, view=("1", 3, 6))
    for good in (View(nine, 0, (3, 3), (3, 1)), View(part, 0, (6,), (1,))):
        assert judged(legacy(good), booth).threats == ()
    assert held(judged(legacy(View(nine, 0, (10,), (1,))), booth), "of 9 elements")
    assert held(judged(legacy(View(part, 0, (7,), (1,))), booth), "of 6 elements")
    assert held(judged(legacy(stored(9, view=("1", 4, 6))), booth), "has the view ('1', 4, 6)")
    assert held(judged(legacy(stored(9, view=("1", -1, 2))), booth), "has the view")


@pytest.mark.parametrize(
    "storage", [None, "x", (1,), Id(("module", torch.Tensor, "", "")), Id("0")]
)
def test_a_tensor_of_no_storage_is_undecided(storage: Any, booth: Booth) -> None:
    found = judged(archived(View(storage, 0, (1,), (1,))), booth)
    assert {threat.rule for threat in found.threats} == {"pickle-argument"}


def test_a_storage_cannot_be_given_a_state(booth: Booth) -> None:
    data = pickled(FOUR)[:-1] + b"}b."
    assert held(
        judged(zipped({"m/data.pkl": data, "m/data/0": bytes(16)}), booth), "sets the state"
    )


@pytest.mark.parametrize("made", [
    b"ctorch\nTensor\n)\x81", b"ctorch\nTensor\n)R", b"ctorch.nn.parameter\nParameter\n)\x81",
    b"ctorch._utils\n_rebuild_parameter\nN\x85R", pickled(View(FOUR, 0, (4,), (1,)))[2:-1],
])  # fmt: skip
def test_the_state_of_a_tensor_is_a_view(made: bytes, booth: Booth) -> None:
    """torch.Tensor.__setstate__, which torch.load(weights_only=True) calls as well."""
    for size, said in ((4, ""), (5, "size (5), stride (1) and offset 0 reaches beyond")):
        state = pickled((FOUR, 0, (size,), (1,)))[2:-1]
        members = {"m/data.pkl": b"\x80\x02" + made + state + b"b.", "m/data/0": bytes(16)}
        found = judged(zipped(members), booth)
        assert held(found, said) if said else found.threats == ()
    members["m/data.pkl"] = b"\x80\x02" + made + b"Nb."
    assert "sets the state of" in judged(zipped(members), booth).threats[0].what


def test_other_loaders_name_what_they_like(booth: Booth) -> None:
    made = [Id(("storage", 1)), Id(("rows", 1, 2, 3, 4)), Id((7, 1, 2, 3, 4)), Id("x"), Id(7)]
    found = scan_file(of_bytes("rows.pkl", pickled(made)), booth=booth)
    assert found.judgement is Judgement.CLEAN


def test_more_storages_than_are_followed(booth: Booth) -> None:
    made = [stored(1, key=str(n)) for n in range(storages.MAX_CLAIMS + 1)]
    found = judged(pickled(made), booth)
    assert found.judgement is Judgement.UNDECIDED
    assert {threat.rule for threat in found.threats} == {"limit"}
