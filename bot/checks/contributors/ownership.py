"""Who owns the sensitive paths of a change, before and after it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.change import Change
from bot.checks.contributors.codeowners import PLACES, SIZE_LIMIT, Line, Owners, parse
from bot.errors import CouldNotTell
from bot.finding import Finding, Level, Location, Rule
from bot.patterns import any_matches, compiled
from bot.wording import plural
from bot.world import World
from registry.documents import DocumentError

MATCH_BUDGET = 2_000_000  # lines times paths; about five seconds
MAX_LISTED = 20  # findings of one kind

UNOWNED = Rule(
    "contributors/unowned",
    Level.WARNING,
    "A sensitive path that the change touches has no owner in CODEOWNERS.",
    "Without an owner nobody in particular is asked to review what matters most.",
    "Add a line for it to CODEOWNERS: `<path> @owner`.",
)
EDITED = Rule(
    "contributors/codeowners-edited",
    Level.WARNING,
    "The change edits CODEOWNERS or takes owners away.",
    "Who reviews the next change is decided here; this one is judged by the file at its base.",
    "Have a present owner approve it.",
)
INVALID = Rule(
    "contributors/codeowners-invalid",
    Level.WARNING,
    "The change adds a line to CODEOWNERS that GitHub skips.",
    "A skipped line looks like protection and gives none.",
    "Correct the line; GitHub shows its errors on the page of the file.",
)
UNTOLD = Rule(
    "contributors/owners-unknown",
    Level.UNKNOWN,
    "CODEOWNERS cannot be read, or is too large for the paths to judge.",
    "An unreadable file cannot be said to cover anything.",
    "Keep CODEOWNERS plain text below 3 MB, with few and wide patterns.",
)
NONE = Rule(
    "contributors/no-codeowners",
    Level.NOTE,
    "The change touches sensitive paths and the repository has no CODEOWNERS.",
    "GitHub can ask the right people for review by itself.",
    "Add .github/CODEOWNERS with a line for each sensitive path.",
)
RULES = (UNOWNED, EDITED, INVALID, UNTOLD, NONE)


@dataclass(frozen=True, slots=True)
class Side:
    """CODEOWNERS at one commit: its path ("" where none), content, or why it is unreadable."""

    path: str = ""
    blob: str = ""
    owners: Owners = field(default_factory=Owners)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Both sides and the sensitive paths that the change touches."""

    base: Side = field(default_factory=Side)
    head: Side = field(default_factory=Side)
    touched: tuple[str, ...] = ()


def collect(change: Change, world: World, sensitive: tuple[str, ...], maker: str) -> Ownership:
    """Read CODEOWNERS before and after, and list the sensitive paths touched."""
    patterns = tuple(compiled(p) for p in sensitive)
    touched = tuple(f.path for f in change.files if not f.deleted and any_matches(patterns, f.path))
    edited = any(f.path in PLACES for f in change.files)
    if not touched and not edited:
        return Ownership()
    if not edited:
        same = _side(world, change.base, maker)
        return Ownership(same, same, touched)
    before = _side(world, change.merge_base, maker)
    return Ownership(before, _side(world, change.head, maker), touched)


def _side(world: World, commit: str, maker: str) -> Side:
    for path in PLACES:
        entry = world.entry(commit, path)
        if entry is not None and entry.is_file:
            try:
                return Side(path, entry.blob, _owners(world, entry.blob, maker))
            except (CouldNotTell, DocumentError) as error:
                return Side(path, entry.blob, trouble=error.message)
    return Side()


def _owners(world: World, blob: str, maker: str) -> Owners:
    def make() -> Owners:
        return parse(world.read(blob, SIZE_LIMIT))

    return world.facts(f"{maker}/codeowners", blob, Owners, make)


def judge(ownership: Ownership) -> tuple[Finding, ...]:
    """Find sensitive paths nobody owns, and what the change does to CODEOWNERS itself."""
    base, head = ownership.base, ownership.head
    if not base.path and not head.path:
        if not ownership.touched:
            return ()
        message = f"the change touches {_listed(ownership.touched)}; there is no CODEOWNERS"
        return (NONE.at(message, Location(ownership.touched[0])),)
    for side in (base, head):
        if side.trouble:
            return (UNTOLD.at(f"{side.path}: {side.trouble}", Location(side.path)),)
    lines = max(len(base.owners.lines), len(head.owners.lines))
    if lines * len(ownership.touched) > MATCH_BUDGET:
        message = f"{lines:,} lines of CODEOWNERS over {len(ownership.touched):,} sensitive paths"
        return (UNTOLD.at(message + " are too many to match", Location(head.path)),)
    return (*_edit(base, head), *_invalid(base, head), *_unowned(ownership))


def _edit(base: Side, head: Side) -> list[Finding]:
    if (base.path, base.blob) == (head.path, head.blob) or not base.path:
        return []
    if not head.path:
        message = f"the change removes {base.path}: no path has an owner after it"
        return [EDITED.at(message, Location(base.path))]
    found = []
    if base.path != head.path:
        message = f"GitHub reads {head.path} instead of {base.path} after this change"
        found.append(EDITED.at(message, Location(head.path)))
    else:
        message = f"the change edits {head.path}; it is judged by the file at its base"
        found.append(EDITED.at(message, Location(head.path)))
    lost = _lost(base.owners, head.owners)
    if lost:
        message = f"the change takes the owners of {_listed(tuple(x.text for x in lost))} away"
        found.append(EDITED.at(message, Location(head.path, _line_at_head(lost, head))))
    return found


def _lost(base: Owners, head: Owners) -> list[Line]:
    """Patterns that had owners and have none, and new patterns that take owners away."""
    before = {line.text: line for line in base.lines}
    after = {line.text: line for line in head.lines}
    gone = [x for text, x in before.items() if x.owners and not _owned(after, text)]
    freed = [x for text, x in after.items() if not x.owners and text not in before]
    return gone + freed


def _owned(lines: dict[str, Line], text: str) -> bool:
    return text in lines and bool(lines[text].owners)


def _line_at_head(lost: list[Line], head: Side) -> int:
    texts = {line.text for line in lost}
    return next((line.number for line in head.owners.lines if line.text in texts), 0)


def _invalid(base: Side, head: Side) -> list[Finding]:
    known = {(line.text, line.why) for line in base.owners.bad}
    new = [line for line in head.owners.bad if (line.text, line.why) not in known]
    return [
        INVALID.at(f"GitHub skips this line: {line.why}", Location(head.path, line.number))
        for line in new[:MAX_LISTED]
    ]


def _unowned(ownership: Ownership) -> list[Finding]:
    base, head = ownership.base, ownership.head
    bare = [path for path in ownership.touched if not head.owners.of(path)]
    found = []
    for path in bare[:MAX_LISTED]:
        if base.owners.of(path):
            found.append(EDITED.at(f"{path} has no owner after this change", Location(path)))
        else:
            where = head.path or base.path
            found.append(UNOWNED.at(f"{path} has no owner in {where}", Location(path)))
    if len(bare) > MAX_LISTED:
        more = plural(len(bare) - MAX_LISTED, "more sensitive path")
        found.append(UNOWNED.at(f"{more} without an owner", Location(bare[MAX_LISTED])))
    return found


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(name[:100] for name in names[:3]) + more
