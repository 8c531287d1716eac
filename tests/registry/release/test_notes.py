"""Release notes: what changed is said, what is not known is not made up."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings

from lab.tensors.values import Diff, Kind, Numbers, Shift
from registry.bom.difference import Changes, Relicensed, Updated
from registry.bom.values import Component
from registry.release.pages.deltas import FileChange, data_changes, weights_change
from registry.release.pages.notes import notes
from registry.release.values import (
    Artifact,
    Gated,
    Licence,
    Lock,
    Person,
    Pipeline,
    Pointed,
    Release,
    Stage,
)
from security.manifest import Entry
from tests.registry.release.made import (
    HOSTILE,
    MODEL,
    hashed,
    minimal,
    pipeline,
    record,
    releases,
    typical,
)
from tests.registry.release.test_card import harmless, headings

HEADINGS = [
    "Measurements", "Weights", "Data", "Environment", "Licences", "Contributors", "Waived",
    "How to verify",
]  # fmt: skip


def before() -> Release:
    """The release before the typical one: everything that can differ does."""
    base = typical()
    files = (
        *base.weights.files[:3],
        Entry("tok.json", 60_000, hashed("4")),
        Entry("x", 1, hashed("9")),
    )
    first = replace(
        base.data[0], pointers=(replace(base.data[0].pointers[0], digest=hashed("a", 40)),)
    )
    dropped = Artifact(
        "old.txt", "data", (Pointed("old.txt", "blob", hashed("b", 40), 9, "old.txt"),)
    )
    stages = (replace(pipeline().stages[0], command="python other.py"), *pipeline().stages[1:2])
    return replace(
        base,
        version="1.1.0",
        measurements=(record("held-out", 0.88),),
        weights=replace(base.weights, files=files),
        data=(first, *base.data[2:], dropped),
        fingerprint=hashed("0"),
        environment=(Lock("constraints.txt", hashed("0"), 260), Lock("gone.txt", hashed("1"), 1)),
        pipeline=Pipeline("dvc.lock", hashed("0"), (*stages, Stage("old", "rm", (), ()))),
        licences=(Licence("code", "LICENSE", "MIT"), Licence("weights", "", "Apache-2.0")),
        contributors=(Person("Ada L.", "ada", 4),),
    )


@pytest.mark.parametrize(
    "line",
    [
        "# acme/tiny 1.2.0",
        f"Released from commit `{hashed('c', 40)}` of 2026-11-22T10:00:00Z."
        f" It follows `1.1.0` (commit `{hashed('d', 40)}`).",
        "- Against `1.1.0`: **equivalent**. held-out: -0.001 bits Report `555555555555`.",
        "| held-out | `accuracy` | all | 0.8800 (0.8300 to 0.9300) | 0.9070 (0.8570 to 0.9570)"
        " | +0.0270 | better |",
        "| next-line | `accuracy` | act: 5 | – | 0.7000 | – | new |",
        f"- 4 files, 952 kB; fingerprint `{'f' * 64}`",
        f"- Before: 952 kB; `{hashed('0')}`",
        "| `tokenizer.json`, was `tok.json` | renamed | 60 kB | 60 kB |",
        "| `x` | removed | 1 byte | – |",
        "- `examples/tiny-llm/data/00.txt`: 130 kB → 130 kB",
        "| `examples/tiny-llm/data/00.txt` | changed | 130 kB | 130 kB |",
        "- `examples/tiny-llm/data/01.txt`: new, 130 kB, `bbbbbbbbbbbb`",
        "- `old.txt`: no longer used",
        "- `constraints.txt`: `000000000000` → `dddddddddddd`",
        "- `gone.txt`: gone",
        "- stage `prepare`: `python other.py` → `python examples/tiny-llm/prepare.py`",
        "- stage `measure`: new, `modelwarden measure`",
        "- stage `old`: gone",
        "- code: `MIT` → `Apache-2.0`",
        "- data examples/tiny-llm/data/00.txt: new, `CC0-1.0`",
        "- Ada Lovelace (`ada`), 12 commits\n",
        "- Bob, 3 commits, not among those of `1.1.0`\n",
        "- `licenses`: old package, replaced in 1.3",
        "modelwarden verify . --artifact acme/tiny --trust trust.toml",
        "It must name version `1.2.0`",
    ],
)
def test_what_changed_is_said(line: str) -> None:
    assert line in notes(typical(), before())


def test_what_did_not_change_is_not() -> None:
    text = notes(typical(), replace(before(), data=typical().data))
    assert "data/02.txt`:" not in notes(typical(), before())
    assert "## Data\n\nUnchanged." in text
    assert "| `config.json`" not in text


def test_nothing_changed() -> None:
    text = notes(typical(), replace(typical(), version="1.1.0"))
    assert "- The files are those of the release before." in text
    assert text.count("\nUnchanged.\n") == 3  # data, environment, licences
    assert "not among those" not in text


def test_packages() -> None:
    one = Component("pkg:pypi/torch@2.13.0", "package", "torch", "2.13.0", "BSD-3-Clause")
    bom = Changes(
        added=(replace(one, name="new|er"),),
        removed=(replace(one, licence=""),),
        updated=(Updated(one, replace(one, version="2.14.0")), Updated(one, one)),
        relicensed=(Relicensed(one, "MIT", ""),),
    )
    text = notes(typical(), before(), bom)
    assert "- updated `torch`: `2.13.0` → `2.14.0`" in text
    assert "- changed `torch 2.13.0` (package, `BSD-3-Clause`), under the same version" in text
    assert "- added new&#124;er 2.13.0 (package, `BSD-3-Clause`)" in text
    assert "- removed `torch 2.13.0` (package)" in text
    assert "- `torch` is under not stated now, was `MIT`" in text
    many = Changes(tuple(replace(one, name=f"p{i}") for i in range(150)))
    assert "- … and 50 more" in notes(typical(), before(), many)


def test_tensors() -> None:
    numbers = Numbers(0.0123, 0.5, 0.25)
    shifts = (
        Shift("lm_head.weight", Kind.CHANGED, "F32 [8, 4]", "F32 [8, 4]", numbers=numbers),
        Shift("embed", Kind.RESHAPED, "F32 [8, 4]", "F32 [9, 4]"),
        Shift("new", Kind.RENAMED, "F32 [8]", "F32 [8]", was="old"),
    )
    diff = Diff(20, 17, shifts, 2, (("changed", 3), ("reshaped", 1), ("renamed", 1), ("added", 0)))
    text = notes(typical(), before(), tensors=diff)
    assert "20 tensors: 17 the same, 3 changed, 1 reshaped, 1 renamed." in text
    assert "| `lm_head.weight` | changed | 25.0 % | 0.0123 |" in text
    assert "| `embed` | reshaped, `F32 [8, 4]` → `F32 [9, 4]` | – | – |" in text
    assert "| `new` | renamed, was `old` | – | – |" in text
    assert "… and 2 more tensors." in text


def test_the_first_release_says_so() -> None:
    text = notes(replace(typical(), previous=None, against=()))
    assert "This is the first release." in text
    assert "Against" not in text
    assert "not among" not in text
    assert "| `accuracy` | all | 0.9070 | 0.8570 to 0.9570 | 107 | higher |" in text
    assert headings(text) == HEADINGS


def test_a_release_before_that_is_not_at_hand_is_said() -> None:
    text = notes(typical())
    assert "It follows `1.1.0`" in text
    assert "What that held is not at hand: what changed is not stated." in text
    assert "first release" not in text


def test_nothing_is_made_up() -> None:
    text = notes(minimal())
    assert "Not measured." in text
    assert text.count("\nNot stated.\n") == 4  # data, environment, licences, contributors
    assert "- not stated; fingerprint not stated" in text


def test_no_paired_comparison_is_said() -> None:
    text = notes(replace(typical(), against=()), before())
    assert "- No paired comparison with an earlier release is part of this one." in text


def test_nothing_waived() -> None:
    assert "## Waived\n\nNothing." in notes(
        replace(typical(), checks=(Gated("weights", "pass", ""),))
    )


def held(*pointers: tuple[str, str, str, int]) -> Artifact:
    return Artifact("d", "data", tuple(Pointed(*one, "d.dvc") for one in pointers))


A, B = held(("d/a", "dvc", "1", 5)), held(("d/b", "dvc", "1", 5))


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        (A, A, ()),
        (A, held(("d/a", "dvc", "2", 6)), (FileChange("a", "changed", 5, 6),)),
        (A, B, (FileChange("b", "renamed", 5, 5, "a"),)),
        (held(), B, (FileChange("b", "added", -1, 5),)),
        (B, held(), (FileChange("b", "removed", 5),)),
        (
            held(("d", "dvc-folder", "1", 5)),
            held(("d", "dvc-folder", "2", -1)),
            (FileChange("d", "changed", 5, -1),),
        ),
        (A, held(("d/a", "lfs", "1", 5)), (FileChange("a", "changed", 5, 5),)),
        (
            held(("d/a", "dvc", "1", 5), ("d/b", "dvc", "1", 5)),
            held(("d/c", "dvc", "1", 5)),
            (FileChange("b", "removed", 5), FileChange("c", "renamed", 5, 5, "a")),
        ),
    ],
)
def test_files_then_and_now(old: Artifact, new: Artifact, changes: tuple[FileChange, ...]) -> None:
    before_, after = replace(typical(), data=(old,)), replace(typical(), data=(new,))
    (found,) = data_changes(before_, after)
    assert found.files == changes
    assert found.changed is bool(changes)


def test_files_are_compared_with_files_and_pointers_with_pointers() -> None:
    files = (Entry("model.safetensors", 1, hashed("1")),)
    old = replace(typical(), weights=replace(typical().weights, files=files))
    assert len(weights_change(old, typical()).files) == 4
    unread = replace(typical(), weights=replace(typical().weights, files=()))
    assert not weights_change(unread, typical()).changed
    moved = replace(typical(), weights=replace(typical().weights, path="model"))
    assert not weights_change(typical(), moved).changed
    assert weights_change(typical(), moved).path == "model" != MODEL


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    release = replace(
        typical(),
        artifact=text,
        version=text,
        date=text,
        measurements=(record(text),),
        contributors=(Person(text, text, 1),),
        licences=(Licence(text, text, text),),
        checks=(Gated(text, text, text, (text,)),),
        environment=(Lock(text, text, 1),),
    )
    one = Component(text, "package", text, text, text)
    moved = Updated(one, replace(one, version="2"))
    bom = Changes((one,), (one,), (moved, Updated(one, one)), (Relicensed(one, text, text),))
    tensors = Diff(2, 1, (Shift(text, Kind.RENAMED, text, text, text),), 0, ((text, 1),))
    for page in (notes(release, before(), bom, tensors), notes(release)):
        harmless(page, "")
        assert headings(page) == HEADINGS
        assert re.match(r"# ", page)


@settings(max_examples=60, deadline=None)
@given(releases(), releases())
def test_any_text_stays_text(release: Release, previous: Release) -> None:
    page = notes(release, previous)
    page.encode()
    harmless(page, "")
    assert headings(page) == HEADINGS
    assert page == notes(release, previous)
