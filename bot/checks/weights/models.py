"""Which safetensors files make one model at a commit, and which model it says it comes from."""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass

from bot.change import TreeEntry
from bot.checks.community.forms import front_matter
from bot.checks.weights.configs import INDEX, LIMIT
from bot.checks.weights.contents import Held
from bot.errors import TooLarge
from bot.world import World
from registry import objects
from registry.documents import DocumentError, load_yaml
from registry.errors import UnsafeWeights
from registry.modelconfig import ConfigError, read_index
from registry.outputs import outputs
from registry.pointers import (
    DVC_LIMIT,
    LFS_LIMIT,
    Pointer,
    PointerKind,
    is_safe,
    read_dir,
    read_lfs,
)
from registry.project import Project, local_caches
from security.sniff import is_lfs

SUFFIX = ".safetensors"
MAX_FILES = 2_000
MAX_INDICES = 20  # of one folder
CARDS = ("README.md", "MODEL_CARD.md")
CARD_LIMIT = 1_000_000
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}\.safetensors")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The safetensors files of one folder at a commit, by model: "model" for model.safetensors
    and for its shards."""

    models: tuple[tuple[str, tuple[Held, ...]], ...] = ()

    def model(self, stem: str) -> tuple[Held, ...]:
        """Return the files of one model; () where there is none."""
        return dict(self.models).get(stem, ())


def shelf(world: World, commit: str, folder: str) -> Shelf:
    """List a folder, not those below it. Raises RegistryError, TooLarge, Missing."""
    entries = tuple(e for e in world.folder(commit, folder) if e.is_file)
    if sum(e.path.endswith(SUFFIX) for e in entries) > MAX_FILES:
        raise UnsafeWeights(
            f"{folder or 'the root'} holds more than {MAX_FILES:,} safetensors files",
            "give each model a folder of its own",
        )
    files = {e.path: _in_git(world, e) for e in entries if e.path.endswith(SUFFIX)}
    for held in _in_dvc(world, commit, folder):
        files.setdefault(held.path, held)
    shards = _shards(world, entries)
    models: dict[str, list[Held]] = {}
    for path, held in sorted(files.items()):
        models.setdefault(stem_of(path, shards), []).append(held)
    return Shelf(tuple((stem, tuple(files)) for stem, files in models.items()))


def stem_of(path: str, shards: dict[str, str]) -> str:
    """Return which model of its folder a file belongs to."""
    name = posixpath.basename(path)
    if name in shards:
        return shards[name]
    found = _SHARD.fullmatch(name)
    return found[1] if found else name.removesuffix(SUFFIX)


def _shards(world: World, entries: tuple[TreeEntry, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    indices = [e for e in entries if e.path.endswith(SUFFIX + INDEX)]
    for entry in indices[:MAX_INDICES]:
        name = posixpath.basename(entry.path)
        try:
            index = read_index(world.read(entry.blob, LIMIT), name)
        except (ConfigError, TooLarge):
            continue  # judged as an index; the names of its shards say the same
        found |= dict.fromkeys(index.shards, name.removesuffix(SUFFIX + INDEX))
    return found


def _in_git(world: World, entry: TreeEntry) -> Held:
    if world.size(entry.blob) <= LFS_LIMIT:
        data = world.read(entry.blob, LFS_LIMIT)
        if is_lfs(data):
            digest = read_lfs(data, entry.path).digest
            path = objects.lfs_object(world.git_dir, digest)
            return Held(entry.path, digest, "lfs", path if objects.is_at_hand(path) else None)
    return Held(entry.path, entry.blob)


def _in_dvc(world: World, commit: str, folder: str) -> list[Held]:
    found = []
    for output in outputs(world, commit, folder):
        project = Project(local_caches(world.worktree, output.source))
        for pointer in _files(output.pointer, project):
            inside = posixpath.dirname(pointer.path) == folder
            if pointer.digest and inside and pointer.path.endswith(SUFFIX):
                found.append(Held(pointer.path, pointer.digest, "dvc", project.find(pointer)))
    return found


def _files(pointer: Pointer, project: Project) -> tuple[Pointer, ...]:
    if pointer.kind is not PointerKind.DVC_FOLDER:
        return (pointer,)
    listing = project.find(pointer) if pointer.digest else None
    if listing is None:
        return ()
    members = read_dir(objects.read(listing, pointer.digest, DVC_LIMIT), pointer.path)
    return tuple(
        Pointer(f"{pointer.path}/{m.path}", PointerKind.DVC, m.digest, -1, pointer.legacy)
        for m in members
    )


def declared(world: World, commit: str, folder: str) -> str:
    """Return the base model that the card or the configuration of a folder names, or ""."""
    names = {posixpath.basename(e.path): e for e in world.folder(commit, folder) if e.is_file}
    for card in CARDS:
        if card in names:
            found = _of_card(world, names[card].blob)
            if found:
                return found
    if "config.json" not in names:
        return ""
    named = config(world, names["config.json"]).get("_name_or_path")
    return named[:200] if isinstance(named, str) else ""


def _of_card(world: World, blob: str) -> str:
    try:
        card = load_yaml(front_matter(world.read(blob, CARD_LIMIT)), limit=CARD_LIMIT).value
    except (DocumentError, TooLarge):
        return ""  # the check `community` says what is wrong with a card
    found = card.get("base_model") if isinstance(card, dict) else None
    first = found[0] if isinstance(found, list) and found else found
    return first[:200] if isinstance(first, str) else ""


def config(world: World, entry: TreeEntry) -> dict[str, object]:
    """Return a JSON object of the repository; {} where it is none."""
    try:
        found = json.loads(world.read(entry.blob, LIMIT))
    except (ValueError, RecursionError, TooLarge):
        return {}  # judged with the configurations
    return found if isinstance(found, dict) else {}


def local(world: World, commit: str, folder: str, name: str) -> tuple[str, Shelf]:
    """Return the folder of this repository that a declared base names, with what it holds."""
    path = name.removeprefix("./").rstrip("/")
    above = posixpath.dirname(folder)
    for place in (path, posixpath.normpath(posixpath.join(folder, name)), f"{above}/{path}"):
        place = place.strip("/")
        if place != folder and is_safe(place):
            found = shelf(world, commit, place)
            if found.models:
                return place, found
    return "", Shelf()
