"""What changed files hold, for the weights check: sniffed by content, headers read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.change import SYMLINK, Change, FileChange
from bot.checks.weights.scans import Scanner, is_text_of_model
from bot.world import World
from registry.modelconfig import CONFIG_NAMES
from security.errors import InvalidSafetensors
from security.safetensors import header_length, read_header
from security.scan.values import Scanned
from security.sniff import PREFIX, RUNS_CODE, Format, is_pickle_name, may_run_code, sniff

PLAIN = frozenset({Format.TEXT, Format.EMPTY, Format.LFS_POINTER})
HEADER_LIMIT = 10_000_000  # bytes of a header that are read; real ones stay far below
# Sources and documents that no loader takes for weights: not even opened here.
SOURCE_SUFFIXES = (
    ".py", ".pyi", ".md", ".rst", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".rs", ".go", ".java",
    ".js", ".jsx", ".ts", ".tsx", ".css", ".html", ".sh", ".toml", ".cfg", ".ini", ".yml",
    ".yaml", ".svg", ".tex", ".bib",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Content:
    """What some bytes are. `defect` says why a safetensors header is invalid, `doubt` why
    nothing can be said."""

    format: str
    size: int
    tensors: int = 0
    defect: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file the change brings. `place` is "git", "lfs" or "dvc"; `before` is the size of the
    git blob that was there, -1 where the path is new. `scanned` is what a scan of it found; None
    for plain text and for pointers."""

    path: str
    place: str
    content: Content
    before: int = -1
    scanned: Scanned | None = None

    @property
    def origin(self) -> str:
        """Where the bytes are, where that is not git."""
        return "" if self.place == "git" else f" (its {self.place.upper()} object)"


def is_source_text(path: str) -> bool:
    """Whether the name alone says that this is no model file."""
    return path.lower().endswith(SOURCE_SUFFIXES)


def examine(path: str, size: int, read: Callable[[int], bytes]) -> Content:
    """Say what a file is; `read(n)` gives at most its first n bytes."""
    prefix = read(PREFIX)
    found = sniff(prefix, path)
    named = path.lower().endswith(".safetensors")
    if found is Format.ZIP:  # what it holds may lie anywhere in it
        found = sniff(read(min(size, HEADER_LIMIT)), path)
    if found in RUNS_CODE or found is Format.LFS_POINTER:
        return Content(found, size)
    if not named and found is not Format.SAFETENSORS:
        return Content(found, size)
    try:
        length = header_length(prefix, size)
        if length > HEADER_LIMIT:
            doubt = f"its header has {length:,} bytes, more than {HEADER_LIMIT:,}"
            return Content(Format.SAFETENSORS, size, doubt=doubt)
        header = read_header(read(8 + length), size)
    except InvalidSafetensors as error:
        if not named:  # a chance likeness of the first nine bytes
            return Content(Format.UNKNOWN, size)
        return Content(Format.SAFETENSORS, size, defect=error.message)
    return Content(Format.SAFETENSORS, size, len(header.tensors))


def names_code(path: str) -> bool:
    """Whether a loader may run code that a file of this name brings or names."""
    return may_run_code(path) or path.rpartition("/")[2] in CONFIG_NAMES


def links(change: Change) -> tuple[str, ...]:
    """Return the changed symlinks under names that a loader opens for code or for names."""
    after = (f.after for f in change.files if f.after is not None and f.after.mode == SYMLINK)
    return tuple(e.path for e in after if names_code(e.path) or e.path.endswith(".index.json"))


def of_change(
    file: FileChange, change: Change, world: World, maker: str, scanner: Scanner
) -> ModelFile | None:
    """Examine and scan a changed file; None where it is gone, a link or source text."""
    entry = file.file
    if entry is None or is_source_text(file.path):
        return None
    blob = entry.blob

    def make() -> Content:
        return examine(file.path, world.size(blob), lambda count: world.prefix(blob, count))

    named = file.path.lower().endswith(".safetensors")
    hint = "pickle" if is_pickle_name(file.path) else "safetensors" if named else ""
    content = world.facts(f"{maker}/{hint}", blob, Content, make)
    before = file.before
    old = world.size(before.blob) if before is not None and before.is_file else -1
    scans = content.format not in PLAIN or (
        content.format == Format.TEXT and is_text_of_model(file.path, change, world)
    )
    scanned = scanner.blob(file.path, blob) if scans else None
    return ModelFile(file.path, "git", content, old, scanned)
