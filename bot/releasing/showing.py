"""`release show` and `release list`: from the ledger alone, without MLflow, DVC or a model."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import UsageError
from bot.printing import write
from bot.quoting import plain
from bot.releasing.job import Place
from bot.releasing.place import aliases, others, place, trust_at, version_of
from bot.report.bars import table
from registry.errors import RegistryError
from registry.release import log
from registry.release.graph import as_svg
from registry.release.ledger import ALIASES, Issued, Ledger
from registry.release.lineage import Lineage, lineage
from registry.release.tree import as_tree
from registry.release.values import Release
from security.auditentry import Entry
from security.errors import SecurityError
from security.trust.releases import rank

if TYPE_CHECKING:
    from bot.releasing.differing import Difference


def show(
    *, version: str | None, repo: Path, at: str | None, svg: Path | None, diff: str | None,
    format_: str,
) -> int:  # fmt: skip
    """Show one release; return 0, or 1 where a link of its lineage is missing."""
    with place(repo) as there:
        ledger = there.book.ledger(fresh=False)
        if at is not None:
            return _then(there, ledger, version or "champion", at, format_)
        issued = _chosen(there, ledger, version)
        release = there.book.document(there.artifact, issued.version)
        proven = _proven(there, issued, release)
        graph = lineage(release, issued.root, {entry.path for entry in _all(release)})
        compared = _diff(there, ledger, release, diff) if diff is not None else None
    if svg is not None:
        write(as_svg(graph), svg)
    if format_ == "json":
        click.echo(
            json.dumps(_document(ledger, issued, release, graph, compared, proven), indent=2)
        )
    else:
        click.echo("\n".join(_lines(ledger, issued, release, graph, proven)))
        if compared:
            click.echo(compared.text)
    accepted = {
        t.partition(": ")[0] for g in release.checks if g.check == "lineage" for t in g.waived
    }
    return 1 if any(link.what not in accepted for link in graph.missing) else 0


def _all(release: Release) -> tuple[Any, ...]:
    return (*release.weights.files, *release.outputs)


def _chosen(there: Place, ledger: Ledger, version: str | None) -> Issued:
    if version is not None:
        return version_of(ledger, there.artifact, version)
    mine = [one for one in ledger.issued if one.artifact == there.artifact and not one.withdrawn]
    if not mine:
        raise UsageError(
            f"no release of {there.artifact} is known here",
            others(ledger, there.artifact)
            or "make one: modelwarden release plan; or fetch its ledger: modelwarden release list",
        )
    return max(mine, key=lambda one: rank(one.version))


def _document(
    ledger: Ledger, issued: Issued, release: Release, graph: Lineage, compared: Difference | None,
    proven: Collection[str],
) -> Mapping[str, Any]:  # fmt: skip
    return {
        "issued": asdict(issued),
        "aliases": _aliases(ledger, issued),
        "approvals": [_said(entry, proven) for entry in _approved(ledger, issued)],
        "release": asdict(release),
        "lineage": asdict(graph),
        "diff": compared and compared.data,
    }


def _lines(
    ledger: Ledger, issued: Issued, release: Release, graph: Lineage, proven: Collection[str]
) -> list[str]:
    pointing = ", ".join(_aliases(ledger, issued))
    lines = [as_tree(graph)]
    lines += [f"aliases: {pointing}"] if pointing else []
    lines += [f"withdrawn: {plain(issued.withdrawn)}"] if issued.withdrawn else []
    for entry in _approved(ledger, issued):
        doubt = "" if entry.actor in proven else ", says the ledger; not proven"
        lines.append(f"approved by {plain(entry.actor)} at {entry.time[:16]}Z{doubt}")
    for gated in release.checks:
        lines += [f"accepted: {gated.check}: {plain(text)}" for text in gated.waived]
    return lines


def _aliases(ledger: Ledger, issued: Issued) -> list[str]:
    found = aliases(ledger, issued.artifact)
    return [alias for alias in ALIASES if found[alias] == issued.version]


def _approved(ledger: Ledger, issued: Issued) -> tuple[Entry, ...]:
    return log.approvals(ledger, issued.artifact, issued.version)


def _said(entry: Entry, proven: Collection[str]) -> Mapping[str, Any]:
    said = {"person": entry.actor, "at": entry.time, **dict(entry.details)}
    return {**said, "proven": entry.actor in proven}


def _proven(there: Place, issued: Issued, release: Release) -> frozenset[str]:
    """Return who signed, or agreed in what is signed: whoever writes to the ledger may name all."""
    from bot.releasing.steps.attested import (
        attested,  # what checks signatures is loaded for that alone
    )

    try:
        trust = trust_at(there.world, there.commit)
        if trust is None:
            return frozenset()
        found = attested(there.book, issued, trust, datetime.fromisoformat(issued.at))
    except (SecurityError, RegistryError):
        return frozenset()
    owners = trust.owners()
    reviewers = {one.person for one in release.approvals if one.how == "review"}
    return frozenset({owners.get(one.hint, one.name) for one in found.signers} | reviewers)


def _then(there: Place, ledger: Ledger, alias: str, at: str, format_: str) -> int:
    """Answer what an alias pointed at on a day (its end, UTC) or at a moment, and who approved."""
    if alias not in ALIASES:
        raise UsageError(f"--at with {plain(alias)}", f"name an alias: {', '.join(ALIASES)}")
    when = _moment(at)
    if hint := others(ledger, there.artifact):
        raise UsageError(f"no release of {there.artifact} is known here", hint)
    found = log.at(ledger, there.artifact, alias, when)
    said: dict[str, Any] = {"artifact": there.artifact, "alias": alias, "at": when.isoformat()}
    said |= {"version": None}
    if found is not None:
        issued = version_of(ledger, there.artifact, found.version)
        release = there.book.document(there.artifact, issued.version)
        proven = _proven(there, issued, release)
        people = [e.actor for e in _approved(ledger, issued) if e.actor in proven]
        said |= {
            "version": found.version, "since": found.since, "pointed_by": found.actor,
            "reason": found.reason, "root": issued.root, "released_by": issued.actor,
            "approved_by": people,
        }  # fmt: skip
    if format_ == "json":
        click.echo(json.dumps(said, indent=2))
    elif found is None:
        click.echo(f"{there.artifact} {alias} pointed at nothing at {when:%Y-%m-%d %H:%M}Z")
    else:
        approved = ", ".join(map(plain, said["approved_by"])) or "nobody else"
        click.echo(f"{there.artifact} {alias} was {found.version} at {when:%Y-%m-%d %H:%M}Z")
        click.echo(f"  since {found.since[:16]}Z, pointed by {plain(found.actor)}")
        click.echo(f"  released by {plain(said['released_by'])}, approved by {approved}")
        click.echo(f"  root digest {said['root']}")
    return 0


def _moment(text: str) -> datetime:
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError as error:
        hint = "write 2026-03-01, or 2026-03-01T12:00"
        raise UsageError(f"--at {text[:40]!r} is no date", hint) from error


def _diff(there: Place, ledger: Ledger, release: Release, other: str) -> Difference:
    from bot.releasing.differing import between

    issued = version_of(ledger, there.artifact, other)
    return between(there, there.book.document(there.artifact, issued.version), release)


def list_(*, repo: Path, whole: bool, format_: str) -> int:
    """List versions, newest first, and what waits or was begun; return 0."""
    with place(repo) as there:
        ledger = there.book.ledger()
        if format_ == "json":
            said = {
                "artifact": there.artifact,
                "releases": [asdict(one) for one in ledger.issued],
                "claims": [asdict(one) for one in ledger.claims],
                "aliases": [asdict(one) for one in ledger.aliases],
            } | ({"log": [asdict(entry) for entry in ledger.entries]} if whole else {})
            click.echo(json.dumps(said, indent=2))
            return 0
        click.echo("\n".join(_log(ledger) if whole else _listed(there, ledger)))
    return 0


def _listed(there: Place, ledger: Ledger) -> list[str]:
    rows = []
    for one in sorted(
        ledger.issued, key=lambda one: (one.artifact, rank(one.version)), reverse=True
    ):
        found = aliases(ledger, one.artifact)
        names = [alias for alias in ALIASES if found[alias] == one.version]
        names += ["withdrawn"] if one.withdrawn else []
        rows.append((one.artifact, one.version, one.at[:10], one.commit[:12], one.root[:12],
                     plain(one.actor), ", ".join(names)))  # fmt: skip
    heads = ("artifact", "version", "date", "commit", "root", "by", "is")
    lines = list(table(heads, tuple(rows), 120, most=len(rows))) if rows else []
    for claim in ledger.claims:
        lines.append(
            f"begun: {claim.artifact} {claim.version} by {plain(claim.actor)} since "
            f"{claim.since[:16]}Z"
        )
    return lines or [f"no release of {there.artifact} yet: modelwarden release plan"]


def _log(ledger: Ledger) -> list[str]:
    return [
        f"{e.sequence:>5}  {e.time[:19]}Z  {e.action:<9} {e.artifact}  {plain(e.actor)}  "
        + " ".join(f"{name}={plain(value)[:80]}" for name, value in e.details)
        for e in ledger.entries
    ]
