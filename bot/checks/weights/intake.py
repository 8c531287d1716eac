"""What sniffing and scanning one file comes to: findings."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from bot.checks.weights import rules
from bot.checks.weights.files import PLAIN, ModelFile
from bot.finding import Finding, Level, Location
from bot.quoting import plain
from registry.modelconfig import CONFIG_NAMES
from security.scan.rules import RULES
from security.scan.values import Judgement, Threat
from security.sniff import RUNS_CODE, Format, is_model_name, is_pickle_name

SHOWN = 3  # threats in one message
# What a scan says that other rules of this check say in their own words: of any file, of
# programs that no name makes weights, of configurations, and of indices.
_SAID = frozenset({"unknown"})
_NO_MODEL = frozenset({"executable"})
_SAID_OF_CONFIGS = frozenset({"config-code", "broken", "limit"})


def judge(file: ModelFile, *, scan: bool) -> Iterator[Finding]:
    """Decide on one file; with `scan`, a pickle in which nothing was found is a warning."""
    content, path, where = file.content, file.path, Location(file.path)
    label = f"{path}{file.origin}"
    if content.format in RUNS_CODE or (content.format == Format.ZIP and is_pickle_name(path)):
        yield _pickle(file, label, scan=scan)
        return
    threats = _threats(file)
    if content.defect:
        yield rules.SAFETENSORS.at(f"{label}: {content.defect}", where)
        threats = tuple(t for t in threats if t.rule != "broken")
    yield from _scanned(label, where, threats)
    if content.defect or threats:
        return
    if content.doubt:
        yield rules.UNDECIDED.at(f"{label}: {content.doubt}", where)
    elif content.format == Format.UNKNOWN and is_model_name(path):
        yield rules.UNDECIDED.at(f"{label} is named like weights, but is of no known format", where)
    elif is_pickle_name(path) and content.format not in PLAIN:
        # Bytes can be both: an unpickler skips "GGUF" and a whole safetensors header as strings.
        message = f"{label} looks like {content.format}, but has the name of a pickle"
        yield rules.UNDECIDED.at(message, where, remedy="Give it the name of what it is.")
    elif file.scanned is not None and file.scanned.reason and is_model_name(path):
        why = f"({content.format}: {file.scanned.reason})"
        yield rules.UNDECIDED.at(f"{label} is named like weights, but is none {why}", where)


def _pickle(file: ModelFile, label: str, *, scan: bool) -> Finding:
    message = f"{label} would be read as a pickle ({file.content.format})"
    level = Level.FAILURE
    if file.scanned is not None:
        judgement = file.scanned.judgement
        if file.scanned.threats:
            message += f": {_told(file.scanned.threats)}"
        elif judgement is Judgement.CLEAN:
            message += "; a dry run of it called nothing that is not harmless"
        if scan:
            level = _LEVELS[judgement]
    return rules.PICKLE.at(message, Location(file.path), level=level)


_LEVELS = {
    Judgement.CLEAN: Level.WARNING,
    Judgement.SKIP: Level.UNKNOWN,
    Judgement.UNDECIDED: Level.UNKNOWN,
    Judgement.FLAG: Level.FAILURE,
}


def _threats(file: ModelFile) -> tuple[Threat, ...]:
    """Return what the scan found and no other rule says."""
    if file.scanned is None:
        return ()
    name = posixpath.basename(file.path)
    said = _SAID
    if not is_model_name(file.path):
        said |= _NO_MODEL
    if name in CONFIG_NAMES and file.content.format in PLAIN:
        said |= _SAID_OF_CONFIGS
    return tuple(threat for threat in file.scanned.threats if threat.rule not in said)


def _scanned(label: str, where: Location, threats: tuple[Threat, ...]) -> Iterator[Finding]:
    """One finding for each kind of threat, the certain ones first."""
    groups: dict[str, list[Threat]] = {}
    for threat in sorted(threats, key=lambda t: not t.certain):
        groups.setdefault(threat.rule, []).append(threat)
    for rule, found in groups.items():
        certain = found[0].certain
        message = f"{label}: {_told(found)}"
        known = RULES.get(rule)
        remedy = known.remedy if known else ""
        if certain:
            yield rules.HOSTILE.at(message, where, remedy=remedy or rules.HOSTILE.remedy)
            continue
        # An adapter mostly names its base without a revision: worth saying, no reason to stop.
        unpinned = rule == "outside" and where.path.endswith("adapter_config.json")
        level = Level.WARNING if unpinned else Level.UNKNOWN
        remedy = remedy or rules.UNDECIDED.remedy
        yield rules.UNDECIDED.at(message, where, level=level, remedy=remedy)


def _told(threats: tuple[Threat, ...] | list[Threat]) -> str:
    """Return the first threats as text, each with its place inside the file and its offset."""
    told = []
    for threat in threats[:SHOWN]:
        inside = threat.place.partition("!/")[2]
        at = f" (byte {threat.offset:,}" if threat.offset >= 0 else ""
        at += (" of " if at else " (in ") + plain(inside) if inside else ""
        told.append(plain(threat.what) + (at + ")" if at else ""))
    more = f" and {len(threats) - SHOWN:,} more" if len(threats) > SHOWN else ""
    return "; ".join(told) + more
