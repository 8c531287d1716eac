"""Which links of a release's lineage are missing: each is named, with why and what to do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from registry.licenses.names import UNSTATED
from registry.release.pages.prose import count, short
from registry.release.pipeline import CODE
from registry.release.values import Artifact, Pipeline, Pointed, Release, Stage
from security.manifest import Manifest, is_digest

BILL = ("bom.cdx.json", "bom.spdx.json")
# What a stage reads and training data may be: these are bound by name, or missing.
DATA = (".jsonl", ".csv", ".tsv", ".parquet", ".arrow", ".npy", ".npz", ".bin", ".zip", ".gz",
        ".zst", ".tar", ".safetensors", ".h5", ".hdf5", ".lance", ".tfrecord")  # fmt: skip
_REPRODUCE = "run 'dvc repro', commit dvc.lock, and release that commit"
_HELD = ("dvc-folder", "dvc")


@dataclass(frozen=True, slots=True)
class Missing:
    """A link that is not there: `what` names it and stays the same, `remedy` says what to do."""

    what: str
    why: str
    remedy: str


def missing(release: Release, root: str, present: Collection[str] | None) -> Iterator[Missing]:
    """Yield the missing links of a release, in the order of its making."""
    if len(release.commit) not in (40, 64):
        yield Missing("code", f"{release.commit!r:.80} is no commit id", "release a commit of git")
    yield from _artifacts(release)
    yield from _pipeline(release)
    if not release.environment:
        why = "no file pins the packages it was made with"
        yield Missing("environment", why, "commit a lock file, or requirements with ==")
    yield from _measurements(release)
    yield from _licences(release)
    if not release.contributors:
        why = "nobody is named who made its commits"
        yield Missing("contributors", why, "fetch the whole history: git fetch --unshallow")
    if not release.checks:
        yield Missing("checks", "no check looked at what is new", "run 'modelwarden check'")
    yield from _published(release, root, present)


def touching(paths: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Return what tells which of the paths are one, hold it or lie in it.

    Quick for thousands of paths: a release may name as many.
    """
    kept = sorted(set(paths))
    known = frozenset(kept)

    @cache
    def found(path: str) -> tuple[str, ...]:
        folders = []
        above = path.rpartition("/")[0]
        while above:
            folders += [above] if above in known else []
            above = above.rpartition("/")[0]
        inside = path + "/"
        start = bisect_left(kept, inside)
        stop = bisect_left(kept, path + "0", start)  # "0" comes right after "/"
        below = [one for one in kept[start:stop] if one.startswith(inside)]
        return (*sorted(folders), *([path] if path in known else []), *below)

    return found


def is_code(path: str) -> bool:
    """Whether a file that a stage reads is code or settings, which the commit binds."""
    return path.endswith(CODE)


def producers(pipeline: Pipeline | None) -> Callable[[str], Stage | None]:
    """Return what tells the stage that writes a path, or a folder that holds it."""
    by: dict[str, Stage] = {}
    for stage in pipeline.stages if pipeline else ():
        for out, _ in stage.outs:
            by.setdefault(out, stage)

    def made(path: str) -> Stage | None:
        while path and path not in by:
            path = path.rpartition("/")[0]
        return by.get(path)

    return made


def places(weights: Artifact) -> tuple[str, ...]:
    """Return where the weights lie: their folder, or each file of a model in the root."""
    return (weights.path,) if weights.path else tuple(one.path for one in weights.pointers)


def writers(release: Release) -> tuple[Stage, ...]:
    """Return the stages that write weights, or part of them."""
    stages = release.pipeline.stages if release.pipeline else ()
    where = touching(places(release.weights))
    return tuple(s for s in stages if any(where(out) for out, _ in s.outs))


def _artifacts(release: Release) -> Iterator[Missing]:
    if not release.data:
        why = "no training data is bound"
        yield Missing("data", why, "name it under release.data, or let a stage of dvc.yaml read it")
    for one in (release.weights, *release.data):
        name = one.role if one.role == "weights" else f"data {one.path}"
        if not one.pointers:
            why = f"commit {short(release.commit)} holds no pointer to {one.path or 'it'}"
            yield Missing(name, why, "track it: 'dvc add', or git")
        if one.files and Manifest(one.files).root != one.root:
            why = f"its root {short(one.root) or '(none)'} is not that of its files"
            yield Missing(f"root of {name}", why, "read the files again: 'modelwarden release run'")
    if not release.weights.files:
        why = "no byte of them was read: only pointers are known"
        yield Missing("bytes of weights", why, "fetch them: 'modelwarden release run' does")
    yield from _pointed(release.weights)


def _pointed(weights: Artifact) -> Iterator[Missing]:
    """LFS names files by SHA-256: those must be the files that were read."""
    files = {entry.path: entry for entry in weights.files}
    for pointer in weights.pointers if files else ():
        entry = files.get(pointer.path) or files.get(_inside(pointer.path, weights.path))
        if pointer.kind == "lfs" and (entry is None or entry.digest != pointer.digest):
            why = f"its pointer names sha256 {short(pointer.digest)}, which is not what was read"
            yield Missing(f"bytes of {pointer.path}", why, "fetch it again: 'git lfs fetch'")


def _inside(path: str, folder: str) -> str:
    return path.removeprefix(folder + "/") if folder else path


def _pipeline(release: Release) -> Iterator[Missing]:
    pipeline, weights = release.pipeline, release.weights
    if pipeline is None:
        why = f"no stage of a dvc.lock writes {weights.path or 'the weights'}"
        yield Missing("pipeline", why, "make the weights by a stage of dvc.yaml; " + _REPRODUCE)
        return
    written = bool(writers(release))
    if not written:
        why = f"no stage of {pipeline.path} writes {weights.path or 'them'}"
        yield Missing("stage of weights", why, "name them as outs of a stage; " + _REPRODUCE)
    outs = {path: md5 for s in pipeline.stages for path, md5 in s.outs}
    made = producers(pipeline)
    for pointer in weights.pointers:
        yield from _agreed(pointer, outs, pipeline.path, "wrote")
        if written and made(pointer.path) is None and pointer.kind != "blob":
            why = f"no stage of {pipeline.path} writes it"
            yield Missing(f"stage of {pointer.path}", why, _REPRODUCE)
    deps = {path: md5 for s in pipeline.stages for path, md5 in s.deps}
    for pointer in (pointer for one in release.data for pointer in one.pointers):
        yield from _agreed(pointer, deps, pipeline.path, "read")
    yield from _sources(release, pipeline)


def _agreed(pointer: Pointed, locked: dict[str, str], path: str, did: str) -> Iterator[Missing]:
    """DVC's pointer and `dvc.lock` must name one md5; other kinds have no md5 to compare."""
    md5 = locked.get(pointer.path, "").removesuffix(".dir")
    if pointer.kind in _HELD and md5 and md5 != pointer.digest:
        why = (
            f"{path} says that a stage {did} md5 {short(md5)},"
            f" {pointer.source} names {short(pointer.digest)}"
        )
        yield Missing(f"md5 of {pointer.path}", why, _REPRODUCE)


def _sources(release: Release, pipeline: Pipeline) -> Iterator[Missing]:
    """What the weights were made from must be bound, and what is bound must be read."""
    open_, made = list(writers(release)), producers(pipeline)
    seen: dict[str, None] = {}
    reads: dict[str, None] = {}
    while open_:
        stage = open_.pop()
        if stage.name in seen:
            continue
        seen[stage.name] = None
        for path, _ in stage.deps:
            reads[path] = None
            before = made(path)
            open_ += [before] if before is not None else []
    if not seen:
        return
    used = touching(reads)
    for one in release.data:
        if not used(one.path):
            why = f"no stage of {pipeline.path} that the weights come from reads it"
            yield Missing(
                f"use of {one.path}", why, "take it out of release.data, or name it as deps"
            )
    locks = (lock.path for lock in release.environment)
    bound = touching((*(one.path for one in release.data), *locks))
    for path in reads:
        known = made(path) is not None
        if path.endswith(DATA) and not known and not bound(path):
            why = f"a stage of {pipeline.path} reads it, and the release does not bind it"
            yield Missing(f"data {path}", why, "name it under release.data")


def _measurements(release: Release) -> Iterator[Missing]:
    if not release.fingerprint:
        why = "nothing names the weights, configuration and tokenizer that were measured"
        yield Missing("fingerprint", why, "measure it: 'modelwarden measure'")
    if not release.measurements:
        why = "it was not measured"
        yield Missing("measurements", why, "name suites under release.suites, and measure it")
    for record in release.measurements:
        if record.fingerprint != release.fingerprint:
            why = (
                f"record {short(record.digest)} is of {short(record.fingerprint)},"
                f" the weights are {short(release.fingerprint) or '(not stated)'}"
            )
            yield Missing(f"measurement {record.task}", why, "measure the weights of this release")
    if (previous := release.previous) is None:
        return
    found = [one for one in release.against if one.version == previous.version]
    if not found:
        why = f"nothing compares it with {previous.version}, which it follows"
        yield Missing(
            f"comparison with {previous.version}", why, "measure both: 'release run' does"
        )
    for one in found:
        if one.root != previous.root:
            why = (
                f"it was with root {short(one.root)}, {previous.version} is {short(previous.root)}"
            )
            yield Missing(f"comparison with {one.version}", why, "compare with what was released")


def _licences(release: Release) -> Iterator[Missing]:
    stated = [one for one in release.licences if one.expression not in ("", *UNSTATED)]
    for of, remedy in (("code", "add a LICENSE"), ("weights", "set release.licence")):
        if not any(one.of == of for one in stated):
            yield Missing(f"licence of {of}", f"no licence is stated for the {of}", remedy)
    names = {one.name for one in stated if one.of == "data"}
    named = touching(names)
    for data in release.data:
        if "" not in names and not named(data.path):
            why = f"no licence is stated for {data.path}"
            remedy = "state it in the front matter of a README.md beside the data"
            yield Missing(f"licence of {data.path}", why, remedy)
    packages = [one for one in release.licences if one.of == "package"]
    silent = sorted({one.name for one in packages if one.expression in ("", *UNSTATED)})
    if silent:
        names_ = ", ".join(silent[:10]) + (", …" if len(silent) > 10 else "")
        why = f"no licence is known for {count(len(silent), 'package')}: {names_}"
        yield Missing("licences of packages", why, "see 'modelwarden check' (licenses)")


def _published(release: Release, root: str, present: Collection[str] | None) -> Iterator[Missing]:
    if (earlier := release.previous) is not None and not is_digest(earlier.root):
        why = f"the root of {earlier.version} is not known"
        yield Missing("previous release", why, "run 'modelwarden release doctor'")
    if root and not is_digest(root):
        yield Missing("signature", f"{root!r:.80} is no root digest", "sign it again")
    paths = [output.path for output in release.outputs]
    for bill in BILL if paths else ():
        if not any(path.endswith(bill) for path in paths):
            why = f"no {bill} is among its files"
            yield Missing(f"bill of materials {bill}", why, "run 'modelwarden release run'")
    if present is not None:
        there = frozenset(present)
        for path in (path for path in paths if path not in there):
            yield Missing(f"file {path}", "listed, but absent", "run 'modelwarden release doctor'")
