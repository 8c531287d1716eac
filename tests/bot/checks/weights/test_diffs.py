"""Changed models in real repositories, compared with what they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter
from safetensors.numpy import save

from bot.cache import Cache
from bot.checks import weights
from bot.checks.weights import Evidence, Settings
from bot.checks.weights.diffs import ModelDiff
from bot.cli import cli
from bot.exhibit import Table
from bot.finding import Finding
from bot.repository import GitWorld
from tests.gitrepo import Repo

Arrays = Mapping[str, np.ndarray[Any, Any]]
NAME = "m/model.safetensors"


def tensors(count: int = 12, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    made = np.random.default_rng(seed)
    return {
        f"layers.{n}.weight": made.standard_normal((16, 8)).astype(np.float32) for n in range(count)
    }


def noisy(base: Arrays, *names: str, by: float = 0.1) -> dict[str, np.ndarray[Any, Any]]:
    made = np.random.default_rng(1)
    return {
        name: array + np.float32(by) * made.standard_normal(array.shape, np.float32)
        if name in names
        else array
        for name, array in base.items()
    }


def stored(arrays: Arrays) -> bytes:
    return save(dict(arrays))


def look(repo: Repo, base: str, head: str, settings: Settings | None = None) -> Evidence:
    with GitWorld(repo.path) as world:
        found = weights.collect(world.change(base, head), world, settings or Settings())
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def one(found: Evidence) -> ModelDiff:
    [model] = found.models
    return model


def judged(found: Evidence) -> list[Finding]:
    return list(weights.judge(found, Settings()))


def said(found: Evidence) -> list[tuple[str, str]]:
    return [(f.rule.removeprefix("weights/"), str(f.severity)) for f in judged(found)]


BASE = tensors()
THREE = ("layers.2.weight", "layers.5.weight", "layers.11.weight")


def test_noise_in_three_tensors_shows_exactly_those_three(repo: Repo) -> None:
    base = repo.commit({NAME: stored(BASE)})
    head = repo.commit({NAME: stored(noisy(BASE, *THREE))})
    found = look(repo, base, head)
    model = one(found)
    assert {s.name for s in model.diff.shifts} == set(THREE) and model.diff.same == 9
    [finding] = judged(found)
    assert finding.rule == "weights/tensors-changed" and "3 of 12 tensors" in finding.message
    [table] = weights.exhibits(found, Settings())
    assert isinstance(table, Table)
    assert {row[0] for row in table.rows} == set(THREE)
    sizes = [float(row[1]) for row in table.rows]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_the_command_shows_the_three(repo: Repo, form: str) -> None:
    base = repo.commit({"README.md": "x", NAME: stored(BASE)})
    head = repo.commit({NAME: stored(noisy(BASE, *THREE))})
    line = ["check", "--repo", str(repo.path), "--base", base, "--head", head, "--only", "weights",
            "--format", form]  # fmt: skip
    done = CliRunner().invoke(cli, line, standalone_mode=False)
    assert done.exception is None and done.return_value == 0
    shown = {name for name in BASE if name in done.output}
    assert shown == set(THREE)
    assert "relative L2" in done.output


def test_what_changed_in_the_layout_is_a_table_of_its_own(repo: Repo) -> None:
    base = repo.commit({NAME: stored(BASE)})
    after = dict(BASE)
    after["renamed"] = after.pop("layers.0.weight")
    after["layers.1.weight"] = after["layers.1.weight"].astype(np.float16)
    after["layers.2.weight"] = after["layers.2.weight"][:4]
    after["extra"] = np.ones(3, np.float32)
    del after["layers.3.weight"]
    found = look(repo, base, repo.commit({NAME: stored(after)}))
    tables = weights.exhibits(found, Settings())
    layout = tables[-1]
    assert isinstance(layout, Table) and layout.title.endswith("layout")
    assert {row[:2] for row in layout.rows} == {
        ("renamed", "renamed"), ("layers.1.weight", "retyped"), ("layers.2.weight", "reshaped"),
        ("extra", "added"), ("layers.3.weight", "removed"),
    }  # fmt: skip


def test_tables_are_bounded(repo: Repo) -> None:
    many = tensors(40)
    base = repo.commit({NAME: stored(many)})
    head = repo.commit({NAME: stored(noisy(many, *many))})
    [table] = weights.exhibits(look(repo, base, head), Settings(compare_rows=5))
    assert isinstance(table, Table) and len(table.rows) == 6
    assert table.rows[-1][0] == "and 35 more"
    assert len({len(row) for row in table.rows}) == 1


def odd(**values: float) -> dict[str, np.ndarray[Any, Any]]:
    made = {name: array.copy() for name, array in tensors(3).items()}
    for name, value in values.items():
        made[f"layers.{name[1:]}.weight"][0, 0] = value
    return made


ODD = [
    ("nan", odd(), odd(t0=np.nan), [("not-finite", "failure"), ("tensors-changed", "note")]),
    ("infinity", odd(), odd(t1=np.inf), [("not-finite", "failure"), ("tensors-changed", "note")]),
    ("nan before", odd(t0=np.nan), odd(t0=np.inf), [("not-finite", "note"),
                                                    ("tensors-changed", "note")]),
    ("nan left alone", odd(t0=np.nan), odd(t0=np.nan, t1=5), [("tensors-changed", "note")]),
    ("zeroed", odd(), odd() | {"layers.1.weight": np.zeros((16, 8), np.float32)},
     [("zeroed", "warning"), ("tensors-changed", "note")]),
    ("new with nan", None, odd(t2=np.nan), [("not-finite", "failure")]),
    ("new", None, odd(), []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), [o[1:] for o in ODD],
                         ids=[o[0] for o in ODD])  # fmt: skip
def test_odd_numbers_are_found(
    repo: Repo, before: Arrays | None, after: Arrays, expected: list[tuple[str, str]]
) -> None:
    base = repo.commit({"a.txt": "x"} if before is None else {NAME: stored(before)})
    assert said(look(repo, base, repo.commit({NAME: stored(after)}))) == expected


def test_a_message_names_file_tensor_and_count(repo: Repo) -> None:
    base = repo.commit({NAME: stored(odd())})
    found = judged(look(repo, base, repo.commit({NAME: stored(odd(t0=np.nan))})))
    assert "m/model.safetensors: NaN or infinity in layers.0.weight (1 NaN" in found[0].message
    assert found[0].location.path == NAME


def test_the_vocabulary_must_fit_the_embedding(repo: Repo) -> None:
    name = "model.embed_tokens.weight"
    base = repo.commit({NAME: stored({name: BASE["layers.0.weight"]}),
                        "m/config.json": json.dumps({"vocab_size": 16})})  # fmt: skip
    grown = stored({name: np.zeros((20, 8), np.float32)})
    head = repo.commit({NAME: grown})
    [finding, *_] = [f for f in judged(look(repo, base, head)) if f.rule == "weights/vocabulary"]
    assert "20 rows" in finding.message and "16" in finding.message
    fixed = repo.commit({"m/config.json": json.dumps({"text_config": {"vocab_size": 20}})})
    assert "vocabulary" not in dict(said(look(repo, base, fixed)))


def test_every_tensor_a_little_reads_as_a_number_format(repo: Repo) -> None:
    base = repo.commit({NAME: stored(BASE)})
    rounded = {n: a.astype(np.float16).astype(np.float32) for n, a in BASE.items()}
    [finding] = judged(look(repo, base, repo.commit({NAME: stored(rounded)})))
    assert "as a number format would" in finding.message


def shards(arrays: Arrays, *counts: int) -> dict[str, bytes | str]:
    names, files, at = list(arrays), dict[str, bytes | str](), 0
    mapping: dict[str, str] = {}
    for number, count in enumerate(counts, 1):
        shard = f"model-{number:05}-of-{len(counts):05}.safetensors"
        part = {name: arrays[name] for name in names[at : at + count]}
        files[f"m/{shard}"] = stored(part)
        mapping |= dict.fromkeys(part, shard)
        at += count
    files["m/model.safetensors.index.json"] = json.dumps({"weight_map": mapping})
    return files


def test_a_model_may_be_cut_into_other_shards(repo: Repo) -> None:
    base = repo.commit({NAME: stored(BASE)})
    (repo.path / NAME).unlink()
    head = repo.commit(shards(noisy(BASE, *THREE), 5, 7))
    model = one(look(repo, base, head))
    assert {s.name for s in model.diff.shifts} == set(THREE) and model.diff.same == 9
    other = repo.commit(shards(noisy(BASE, *THREE), 6, 6))
    model = one(look(repo, head, other))
    assert model.diff.shifts == () and model.diff.same == 12


def test_shards_left_alone_are_not_read(repo: Repo) -> None:
    base = repo.commit(shards(BASE, 4, 4, 4))
    head = repo.commit(shards(noisy(BASE, "layers.5.weight"), 4, 4, 4))
    with GitWorld(repo.path) as world:
        exported: list[str] = []
        read = world.read
        change = world.change(base, head)
        world.read = lambda blob, limit=5_000_000: exported.append(blob) or read(blob, limit)  # type: ignore[method-assign, func-returns-value]
        model = one(weights.collect(change, world, Settings()))
        same = world.entry(head, "m/model-00001-of-00003.safetensors")
    assert [s.name for s in model.diff.shifts] == ["layers.5.weight"] and model.diff.tensors == 4
    assert same is not None and same.blob not in exported and exported


def test_an_index_gives_shards_of_any_name_to_their_model(repo: Repo) -> None:
    names = list(BASE)
    index = {name: "a.safetensors" if n < 6 else "b.safetensors" for n, name in enumerate(names)}
    half = {n: BASE[n] for n in names[:6]}, {n: BASE[n] for n in names[6:]}
    files: dict[str, bytes | str] = {
        "m/a.safetensors": stored(half[0]),
        "m/b.safetensors": stored(half[1]),
        "m/model.safetensors.index.json": json.dumps({"weight_map": index}),
    }
    base = repo.commit({NAME: stored(BASE)})
    (repo.path / NAME).unlink()
    model = one(look(repo, base, repo.commit(files)))
    assert model.model == NAME and model.diff.same == 12 and model.path == "m/a.safetensors"


CARD = "---\nlicense: mit\nbase_model: {}\n---\n# Card\n"


@pytest.mark.parametrize("how", ["card", "config"])
@pytest.mark.parametrize("name", ["base", "models/base"])
def test_a_new_model_is_compared_with_the_base_that_it_declares(
    repo: Repo, how: str, name: str
) -> None:
    base = repo.commit({"models/base/model.safetensors": stored(BASE)})
    files: dict[str, bytes | str] = {"models/new/model.safetensors": stored(noisy(BASE, *THREE))}
    if how == "card":
        files["models/new/README.md"] = CARD.format(f"../{name}" if name == "base" else name)
    else:
        files["models/new/config.json"] = json.dumps({"_name_or_path": name})
    model = one(look(repo, base, repo.commit(files)))
    assert model.base == f"its declared base models/base at {base[:12]}"
    assert {s.name for s in model.diff.shifts} == set(THREE)


def test_a_base_that_the_change_itself_brings_is_said_to_be_one(repo: Repo) -> None:
    base = repo.commit({"a.txt": "x"})
    files = {"base/model.safetensors": stored(BASE), NAME: stored(noisy(BASE, *THREE))}
    head = repo.commit({**files, "m/README.md": CARD.format("base")})
    (model,) = (m for m in look(repo, base, head).models if m.model == NAME)
    assert model.base == f"its declared base base at {head[:12]}, which this change brings itself"


def test_a_base_that_is_not_here_is_said(repo: Repo) -> None:
    base = repo.commit({"a.txt": "x"})
    head = repo.commit({NAME: stored(BASE), "m/README.md": CARD.format("org/llm")})
    found = look(repo, base, head)
    assert said(found) == [("not-compared", "note")]
    assert "org/llm" in judged(found)[0].message


def test_a_base_with_other_tensors_is_no_base(repo: Repo) -> None:
    base = repo.commit({"base/model.safetensors": stored({"x": np.ones((2, 2), np.float32)})})
    head = repo.commit({NAME: stored(odd(t0=np.nan)), "m/README.md": CARD.format("base")})
    assert said(look(repo, base, head)) == [("not-finite", "failure"), ("not-compared", "note")]


def test_beyond_the_limit_it_is_said(repo: Repo) -> None:
    base = repo.commit({NAME: stored(BASE)})
    head = repo.commit({NAME: stored(noisy(BASE, *THREE))})
    found = look(repo, base, head, Settings(compare_bytes=3_000))
    assert ("not-compared", "note") in said(found)
    assert look(repo, base, head, Settings(compare=False)).models == ()


def test_a_comparison_is_remembered(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({NAME: stored(BASE)})
    head = repo.commit({NAME: stored(noisy(BASE, *THREE))})
    seen = []
    for _ in range(2):
        with GitWorld(repo.path, Cache(tmp_path / "kept.db")) as world:
            read = world.read
            reads: list[int] = []
            world.read = lambda blob, limit=5_000_000: reads.append(1) or read(blob, limit)  # type: ignore[method-assign, func-returns-value]  # noqa: B023
            found = weights.collect(world.change(base, head), world, Settings())
        seen.append((found, len(reads)))
    assert seen[0][0] == seen[1][0] and seen[1][1] < seen[0][1]


def put(repo: Repo, data: bytes, place: str) -> str:
    sha, md5 = hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()
    if place == "lfs":
        name = f".git/lfs/objects/{sha[:2]}/{sha[2:4]}/{sha}"
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha}\nsize {len(data)}\n"
    else:
        name = f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}"
        text = f"outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: model.safetensors\n"
    path = repo.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return text


@pytest.mark.parametrize("place", ["lfs", "dvc"])
def test_objects_of_lfs_and_dvc_are_compared(repo: Repo, place: str) -> None:
    name = NAME if place == "lfs" else NAME + ".dvc"
    repo.write({".gitignore": ".dvc\n"})
    base = repo.commit({name: put(repo, stored(BASE), place)})
    head = repo.commit({name: put(repo, stored(noisy(BASE, *THREE)), place)})
    model = one(look(repo, base, head))
    assert {s.name for s in model.diff.shifts} == set(THREE) and model.base == base[:12]


def test_from_git_to_lfs_nothing_changed(repo: Repo) -> None:
    base = repo.commit({NAME: stored(BASE)})
    head = repo.commit({NAME: put(repo, stored(BASE), "lfs")})
    model = one(look(repo, base, head))
    assert model.diff.same == 12 and not model.diff.shifts


def test_a_base_that_is_not_at_hand_is_said(repo: Repo) -> None:
    base = repo.commit({NAME: put(repo, stored(BASE), "lfs")})
    for path in (repo.path / ".git/lfs").rglob("*"):
        if path.is_file():
            path.unlink()
    found = look(repo, base, repo.commit({NAME: put(repo, stored(odd()), "lfs")}))
    [finding] = [f for f in judged(found) if f.rule == "weights/not-compared"]
    assert "not at hand" in finding.message


def test_names_of_tensors_are_shown_as_text(repo: Repo) -> None:
    evil = "a\n::error::<script>\u202e|`x`"
    base = repo.commit({NAME: stored({evil: np.ones(4, np.float32)})})
    head = repo.commit({NAME: stored({evil: np.full(4, np.nan, np.float32)})})
    found = look(repo, base, head)
    for finding in judged(found):
        assert finding.message.isprintable()
    [table] = weights.exhibits(found, Settings())
    assert isinstance(table, Table) and all(c.isprintable() for row in table.rows for c in row)
