"""Whether a folder holds exactly what a manifest says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from security.errors import Malformed, Tampered
from security.hashing.digests import algorithm as of_name
from security.hashing.sinks import shard_name
from security.hashing.walk import File, Tree, walk
from security.hashing.working import Plan, Progress, digest_all, digest_one
from security.manifest import SHA256, Entry, Manifest
from security.paths import IGNORED, WHOLE, canonical, hidden, is_ignored, shown

HINT = "do not load it: fetch the model again from where it was released"


def compare(
    root: Path,
    expected: Manifest,
    *,
    ignored: tuple[str, ...] = (),
    algorithm: str = SHA256,
    shard: int = 0,
    jobs: int = 0,
    progress: Progress | None = None,
) -> Manifest:
    """Return `expected` with every size known, if the folder holds exactly that.

    What neither the manifest nor `ignored` nor the usual list leaves out must be listed. Sizes of
    less than 0 are not known. Every byte is read. Raises Tampered at the first difference, naming
    the file and for signed tensors which of them; Malformed for a manifest that cannot be compared.
    """
    wanted = _wanted(expected, Path(root).name, single=not root.is_dir(), shard=shard)
    left_out = _left_out(expected, ignored, wanted, shard)
    plan = Plan(of_name(algorithm), shard, jobs=jobs, progress=progress)
    with Tree.of(root) as tree:
        files = walk(tree, root, left_out)
        _check_names(files, wanted, shard)

        def judge(file: File, entries: tuple[Entry, ...]) -> None:
            for entry in entries:
                if entry.digest != wanted[entry.path].digest:
                    raise _tampered(tree, file, wanted[entry.path])

        found = digest_all(tree, files, plan, judge)
    sizes = {entry.path: entry.size for entries in found.values() for entry in entries}
    entries = tuple(
        replace(entry, size=sizes[path])
        for path, entry in zip(wanted, expected.entries, strict=True)
    )
    return Manifest(entries, expected.ignored)


def _wanted(expected: Manifest, name: str, *, single: bool, shard: int) -> dict[str, Entry]:
    """Return the entries by path, in their order: each canonical, none twice."""
    if not expected.entries:
        raise Malformed(f"{name}: the signature lists no file", "ask the signer to sign again")
    found: dict[str, Entry] = {}
    for entry in expected.entries:
        path = entry.path
        if single and (path == name or (shard and path.startswith(f"{name}:"))):
            path = WHOLE + path[len(name) :]  # the spec's name for it, not the reference's
        if path != WHOLE and not (shard and path.startswith(f"{WHOLE}:")):
            canonical(path)
        if path in found:
            raise Malformed(f"{shown(path)} is listed twice", "ask the signer to sign again")
        found[path] = entry
    return found


def _left_out(
    expected: Manifest, ignored: tuple[str, ...], wanted: dict[str, Entry], shard: int
) -> tuple[str, ...]:
    """Return what is not looked at: never a path that is listed."""
    paths = {path.rsplit(":", 2)[0] for path in wanted} if shard else set(wanted)
    said = hidden((*expected.ignored, *ignored))
    tops = frozenset(said)
    for path in paths:
        if is_ignored(path, tops):
            raise Malformed(
                f"{shown(path)} is listed and left out at once", "ask the signer to sign again"
            )
    usual = tuple(name for name in IGNORED if not any(is_ignored(p, (name,)) for p in paths))
    return tuple(dict.fromkeys((*usual, *said)))


def _check_names(files: tuple[File, ...], wanted: dict[str, Entry], shard: int) -> None:
    """Compare names, and sizes as far as they are known, before anything is read."""
    here: dict[str, int] = {}
    names: dict[str, str] = {}
    for file in files:
        names[file.path] = file.name
        size = file.stamp.size
        if shard:
            if -(-size // shard) > len(wanted):  # before as many names are made
                raise Tampered(f"{file.name} has more shards than were signed", HINT)
            cuts = [(at, min(at + shard, size)) for at in range(0, size, shard)]
            here |= {shard_name(file.path, at, end): end - at for at, end in cuts}
        else:
            here[file.path] = size
    for path, size in here.items():
        name = names.get(path) or shown(path)
        if path not in wanted:
            raise Tampered(f"{name} is there but was not signed", HINT)
        signed = wanted[path].size
        if signed >= 0 and signed != size:
            raise Tampered(f"{name} has {size:,} bytes, signed were {signed:,}", HINT)
    for path in wanted:
        if path not in here:
            raise Tampered(f"{shown(path)} was signed and is not there", HINT)


def _tampered(tree: Tree, file: File, signed: Entry) -> Tampered:
    """Return the error for content that differs: for signed tensors, which of them."""
    what = f"{file.name} is not what was signed"
    if signed.path != file.path and signed.path.startswith(f"{file.path}:"):
        _, start, end = signed.path.rsplit(":", 2)
        what += f", in bytes {start} to {end}"
    if signed.tensors:
        with tree.copy() as own:  # the caller may be one of many threads
            (entry,) = digest_one(own, file, Plan(of_name(SHA256), tensors=True))
        what += f": {differing(entry, signed)}"
    return Tampered(what, HINT)


def differing(found: Entry, signed: Entry) -> str:
    """Say which tensors of a safetensors file differ from the signed ones, at most ten by name."""
    have = {tensor.name: tensor.digest for tensor in found.tensors}
    want = {tensor.name: tensor.digest for tensor in signed.tensors}
    if not have:
        return "its header cannot be read"
    names = sorted(name for name in have | want if have.get(name) != want.get(name))
    if not names:
        return "its header differs, its tensors do not"
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    listed = ", ".join(shown(name) for name in names[:10])
    return f"tensor{'s' if len(names) > 1 else ''} {listed}{more}"
