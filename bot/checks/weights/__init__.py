"""Weights: changed model files must be formats that cannot run code, whole, and well kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from bot.change import Change
from bot.check import Section
from bot.checks.weights import (
    configs,
    differing,
    diffs,
    files,
    intake,
    models,
    pointers,
    rules,
    shown,
    storage,
    storageshown,
)
from bot.checks.weights.configs import ConfigChange, IndexChange
from bot.checks.weights.diffs import ModelDiff
from bot.checks.weights.files import ModelFile
from bot.checks.weights.pointers import PointerChange
from bot.checks.weights.scans import Scanner
from bot.checks.weights.storage import Storage
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Location
from bot.wording import plural
from bot.world import World
from registry.outputs import is_source
from security.sniff import Format

NAME = "weights"
VERSION = 5
RULES = rules.RULES
_NOTHING = Storage()


class Settings(Section):
    """Policy of the weights check."""

    max_git_bytes: int = Field(
        default=5_000_000,
        ge=0,
        description="Largest binary file that may be committed to git itself.",
    )
    pointers: Literal["report", "require-content"] = Field(
        default="report",
        description="What to do about a pointer whose content is not at hand: report a note (a"
        " name of a pickle format blocks all the same), or require the content.",
    )
    pickles: Literal["refuse", "scan"] = Field(
        default="refuse",
        description="What to do about a pickle: refuse any, or refuse those that the scan finds"
        " something in and warn of the others.",
    )
    libraries: tuple[str, ...] = Field(
        default=(
            "transformers",
            "diffusers",
            "tokenizers",
            "peft",
            "sentence_transformers",
            "stable_diffusion",
            "onnxruntime",
            "optimum",
        ),
        description="Libraries whose classes a model configuration may name.",
    )
    compare: bool = Field(
        default=True,
        description="Compare changed safetensors models with what they were before, or with the"
        " base model that they declare, tensor by tensor.",
    )
    compare_bytes: int = Field(
        default=50_000_000_000,
        ge=0,
        description="Bytes of each changed model that the comparison reads at most; what lies"
        " beyond is reported as not compared.",
    )
    compare_rows: int = Field(
        default=20,
        ge=1,
        le=1_000,
        description="Tensors that each table of differences lists, the largest first.",
    )
    listings: Literal["fetch", "local"] = Field(
        default="fetch",
        description="Lists of files of changed DVC folders: fetch those alone that are not at"
        " hand, as the base commit's .dvc/config says, or use local ones only.",
    )
    file_rows: int = Field(
        default=50,
        ge=1,
        le=1_000,
        description="Files behind pointers that the table of their changes lists; totals have all.",
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the change brings: files, pointers, malformed pointers, configurations, indices,
    symlinks under names by which loaders find code, models compared, texts of models, and what
    happens to the files behind pointers."""

    files: tuple[ModelFile, ...] = ()
    pointers: tuple[PointerChange, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    configs: tuple[ConfigChange, ...] = ()
    indices: tuple[IndexChange, ...] = ()
    models: tuple[ModelDiff, ...] = ()
    texts: tuple[ModelFile, ...] = ()
    storage: Storage = _NOTHING


def applies(change: Change, settings: Settings) -> str:
    """Source text alone cannot bring weights."""
    if all(files.is_source_text(f.path) for f in change.files):
        return "no changed file could hold or name weights"
    return ""


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Sniff, scan and compare changed files; read changed pointers, configurations, indices."""
    maker = f"{NAME}/{VERSION}"
    libraries = frozenset(settings.libraries)
    changed = [f for f in change.files if not is_source(f.path)]
    with Scanner(world, maker) as scanner:
        found = [(f, files.of_change(f, change, world, maker, scanner)) for f in changed]
        lfs = tuple(f for f, m in found if m and m.content.format == Format.LFS_POINTER)
        held = pointers.collect(change, world, lfs, libraries, scanner)
    in_git = [m for _, m in found if m]
    judged = (*(m for m in in_git if m.content.format not in files.PLAIN), *held.files)
    valid = [m.path for m in judged if m.content.tensors and m.path.endswith(models.SUFFIX)]
    limit = settings.compare_bytes
    return Evidence(
        judged,
        held.changes,
        held.broken,
        files.links(change),
        (*configs.configs(change, world, libraries), *held.configs),
        configs.indices(change, world),
        diffs.collect(change, world, valid if settings.compare else (), maker, limit),
        tuple(m for m in in_git if m.content.format in files.PLAIN and m.scanned),
        storage.collect(change, world, fetch=settings.listings == "fetch"),
    )


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Decide, purely."""
    findings: list[Finding] = []
    for file in (*evidence.files, *evidence.texts):
        findings += intake.judge(file, scan=settings.pickles == "scan")
    for file in evidence.files:
        findings += _weight(file, settings.max_git_bytes)
    for pointer in evidence.pointers:
        findings.append(_pointer(pointer, settings))
    for path, reason in evidence.broken:
        findings.append(rules.MALFORMED.at(reason, Location(path)))
    for path in evidence.links:
        message = f"{path} is a symbolic link; what it leads to is not judged under this name"
        remedy = "Put the file itself there."
        findings.append(rules.UNDECIDED.at(message, Location(path), remedy=remedy))
    for config in evidence.configs:
        findings += _config(config)
    for index in evidence.indices:
        findings += _shards(index)
    for model in evidence.models:
        findings += differing.judge(model)
    return tuple(findings)


def summary(evidence: Evidence) -> str:
    """Count what was judged."""
    files, pointers, configs = len(evidence.files), len(evidence.pointers), len(evidence.configs)
    return (
        f"{plural(files, 'binary file')}, {plural(pointers, 'pointer')},"
        f" {plural(configs, 'model configuration')}"
    )


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show which tensors differ, and how much, and what happens to files behind pointers."""
    tensors = shown.tables(evidence.models, settings.compare_rows)
    return (*tensors, *storageshown.tables(evidence.storage, settings.file_rows))


def _weight(file: ModelFile, limit: int) -> Iterator[Finding]:
    size = file.content.size
    if file.place != "git" or size <= limit:
        return
    grown = file.before <= limit
    yield rules.BINARY.at(
        f"{file.path} has {size:,} bytes in git itself, more than {limit:,}",
        Location(file.path),
        level=Level.FAILURE if grown else Level.WARNING,
    )


def _pointer(pointer: PointerChange, settings: Settings) -> Finding:
    size = f"{pointer.size:,} bytes" if pointer.size >= 0 else "size not stated"
    was = f", before {pointer.before[:12]}" if pointer.before else ", new"
    text = f"{pointer.path}: {pointer.kind} {pointer.digest[:12]} ({size}{was})"
    where = Location(pointer.source)
    if not pointer.doubt:
        return rules.POINTER.at(text, where)
    blocks = settings.pointers == "require-content" or pointer.suspect
    level = Level.UNKNOWN if blocks else Level.NOTE
    return rules.UNSEEN.at(f"{text} was not judged: {pointer.doubt}", where, level=level)


def _config(config: ConfigChange) -> Iterator[Finding]:
    where = Location(config.path)
    if config.unreadable:
        yield rules.UNREADABLE.at(f"{config.path} is not JSON: {config.unreadable}", where)
    if config.doubt:
        yield rules.UNDECIDED.at(f"{config.path} cannot be judged: {config.doubt}", where)
    for name in config.names:
        old = name in config.named
        yield rules.CODE.at(
            f"{config.path} {'already names' if old else 'names'} code to import: {name}",
            where,
            level=Level.NOTE if old else Level.FAILURE,
        )


def _shards(index: IndexChange) -> Iterator[Finding]:
    where = Location(index.path)
    if index.doubt:
        yield rules.UNDECIDED.at(f"{index.path} cannot be read: {index.doubt}", where)
    faults = [(name, f"names the unsafe file {name}") for name in index.unsafe]
    faults += [(name, f"names {name}, which is not there") for name in index.missing]
    for name, message in faults:
        level = Level.NOTE if name in index.faults_before else Level.FAILURE
        yield rules.INDEX.at(f"{index.path} {message}", where, level=level)
