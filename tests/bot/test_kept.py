"""Which scores of earlier runs are reused, and which never."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="scores are kept by its version")

from bot import kept
from bot.kept import Kept
from lab.protocol import (
    Generation,
    Item,
    ItemScore,
    Kind,
    Metric,
    ModelScores,
    Task,
    TaskScores,
)

ITEMS = tuple(Item(str(n), "", (f"text {n}",)) for n in range(8))
TASK = Task("words", ITEMS, Kind.TEXT, digest="d" * 64)
PRINT = "f" * 64


class MemoryStore(dict[str, bytes]):
    put = dict.__setitem__


def scores_of(task: Task, count: int) -> ModelScores:
    found = tuple(ItemScore(item.id, float(n), 1, 1) for n, item in enumerate(task.items[:count]))
    tasks = (TaskScores(task.name, found),)
    return ModelScores("before", PRINT, 1, "Llama", "cpu", "float32", tasks)


def reused(known: ModelScores | None) -> list[str]:
    return [item.id for item in known.tasks[0].items] if known else []


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    Kept(found, "cpu").keep(scores_of(TASK, 5), [TASK])
    return found


def test_what_is_kept_comes_back_under_the_names_asked_for(store: MemoryStore) -> None:
    other = replace(TASK, name="other", digest="e" * 64)
    known = Kept(store, "cpu").known("now", PRINT, [other])
    assert known == replace(
        scores_of(TASK, 5),
        model="now",
        tasks=(TaskScores("other", scores_of(TASK, 5).tasks[0].items),),
    )


def test_fewer_items_are_a_part_and_more_are_added_to(store: MemoryStore) -> None:
    found = Kept(store, "cpu")
    assert reused(found.known("m", PRINT, [replace(TASK, items=ITEMS[:2])])) == ["0", "1"]
    found.keep(scores_of(TASK, 3), [TASK])  # less than is known
    assert reused(found.known("m", PRINT, [TASK])) == ["0", "1", "2", "3", "4"]
    found.keep(scores_of(TASK, 8), [TASK])
    assert len(reused(found.known("m", PRINT, [TASK]))) == 8


@pytest.mark.parametrize(
    "task",
    [
        replace(TASK, items=(replace(ITEMS[0], choices=("text",)), *ITEMS[1:])),
        replace(TASK, items=(replace(ITEMS[0], context="Say: "), *ITEMS[1:])),
        replace(TASK, kind=Kind.TARGET),
        replace(TASK, delimiter=" "),
        replace(TASK, generation=Generation(tokens=3)),
        replace(TASK, metrics=(Metric("bits_per_byte"),)),
    ],
)
def test_another_task_of_the_same_file_is_not_known(store: MemoryStore, task: Task) -> None:
    """As the tasks of one group file are: same data, other words around it."""
    assert Kept(store, "cpu").known("m", PRINT, [task]) is None


def test_items_are_reused_up_to_the_first_that_differs(store: MemoryStore) -> None:
    items = (*ITEMS[:2], replace(ITEMS[2], choices=("same id, other text",)), *ITEMS[3:])
    assert reused(Kept(store, "cpu").known("m", PRINT, [replace(TASK, items=items)])) == ["0", "1"]


def test_other_weights_device_libraries_or_code_are_not_known(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Kept(store, "cpu").known("m", "0" * 64, [TASK]) is None
    assert Kept(store, "cuda").known("m", PRINT, [TASK]) is None
    assert Kept(store, "cuda:0").known("m", PRINT, [TASK]) is None
    with monkeypatch.context() as patch:
        patch.setattr(kept, "versions", lambda: (("torch", "0"),))
        assert Kept(store, "cpu").known("m", PRINT, [TASK]) is None
    with monkeypatch.context() as patch:
        patch.setattr("lab.record.harness", lambda: "0" * 64)
        assert Kept(store, "cpu").known("m", PRINT, [TASK]) is None
    assert Kept(store, "cpu").known("m", PRINT, [TASK]) is not None


def test_a_damaged_entry_is_as_none(store: MemoryStore) -> None:
    [(name, whole)] = store.items()
    document = json.loads(whole)
    document["scores"]["tasks"] *= 2
    short = json.loads(whole)
    short["items"].pop()
    for damaged in (
        b"",
        b"{",
        whole[:-9],
        json.dumps(document).encode(),
        json.dumps(short).encode(),
    ):
        store[name] = damaged
        assert Kept(store, "cpu").known("m", PRINT, [TASK]) is None
    Kept(store, "cpu").keep(scores_of(TASK, 1), [TASK])
    assert reused(Kept(store, "cpu").known("m", PRINT, [TASK])) == ["0"]


def test_auto_is_the_gpu_where_one_is(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = tmp_path_factory.getbasetemp() / "no such device"
    monkeypatch.setattr(kept, "_NVIDIA", nowhere)
    assert Kept(store, "auto").known("m", PRINT, [TASK]) is not None
    monkeypatch.setattr(kept, "_NVIDIA", nowhere.parent)
    assert Kept(store, "auto").known("m", PRINT, [TASK]) is None
