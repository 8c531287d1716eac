"""What `modelwarden verify` proved, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from bot.keys import claims, explaining
from bot.keys.explaining import Page
from bot.quoting import plain
from bot.wording import plural
from security.sign.attestations import Attestation
from security.verify import Verified

if TYPE_CHECKING:
    from security.scan.values import Scanned

_OUTCOMES = {0: "pass", 1: "fail", 3: "undecided"}


@dataclass(frozen=True, slots=True)
class Found:
    """What was proven of `what`, `plain` is of what was sealed in it."""

    what: str
    verified: Verified
    version: str
    scanned: tuple[Scanned, ...] = ()
    plain: Verified | None = None
    skipped: int = 0
    kept: str = ""


def show(found: Found, format_: str, page: Page | None) -> None:
    """Print what was proven, and the page that explains it, if there is one."""
    verified, version = found.verified, found.version
    if format_ == "json":
        said = _document(verified, version, found.scanned)
        said |= {"explained": explaining.document(page)} if page else {}
        said |= {"output": found.kept} if found.kept else {}
        said |= {"plain_root": found.plain.manifest.root} if found.plain else {}
        click.echo(json.dumps(said, indent=2))
        return
    manifest = verified.manifest
    click.echo(f"{plain(found.what)}: verified, {plural(len(manifest.entries), 'file')},"
               f" {manifest.size:,} bytes")  # fmt: skip
    click.echo(f"root digest {manifest.root}")
    for signer in verified.signers:
        click.echo(f"signed by {plain(signer.name)} ({signer.kind}, {signer.hint[:16]})")
    if version:
        click.echo(f"version {plain(version)}")
    for said_of in verified.attestations:
        click.echo(_claim(said_of))
    if found.scanned:
        from bot.keys import scanning

        click.echo("\n".join(scanning.lines(found.scanned)))
    if found.plain:
        click.echo(f"opened: {plural(len(found.plain.manifest.entries), 'plain file')},"
                   f" root digest {found.plain.manifest.root}")  # fmt: skip
    if found.kept:
        click.echo(f"kept in {plain(found.kept)}")
    if page:
        click.echo("\n".join(("", *explaining.lines(page))))


def code(found: tuple[Scanned, ...]) -> int:
    """Return 1 for a threat, 3 for what could not be decided."""
    if any(threat.certain for scanned in found for threat in scanned.threats):
        return 1
    return 3 if any(scanned.threats for scanned in found) else 0


def _document(verified: Verified, version: str, scanned: tuple[Scanned, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "outcome": _OUTCOMES[code(scanned)],
        "root": verified.manifest.root,
        "name": verified.name,
        "version": version,
        "files": len(verified.manifest.entries),
        "bytes": verified.manifest.size,
        "signers": [_signer(s) for s in verified.signers],
        "attestations": [
            {
                "type": a.predicate_type,
                "predicate": json.loads(a.predicate) if not a.doubt else None,
                "signers": [_signer(s) for s in a.signers],
                "doubt": a.doubt,
            }
            for a in verified.attestations
        ],
    }
    if scanned:
        from bot.keys import scanning

        found["scan"] = scanning.document(scanned)
    return found


def _signer(signer: Any) -> dict[str, str]:
    return {"name": signer.name, "method": signer.method, "kind": signer.kind, "hint": signer.hint}


def _claim(said: Attestation) -> str:
    kind = next((n for n, uri in claims.KINDS.items() if uri == said.predicate_type), "")
    name = kind or plain(said.predicate_type) or "a statement"
    if said.doubt:
        return f"not believed: {name}: {plain(said.doubt)}"
    who = ", ".join(plain(signer.name) for signer in said.signers)
    return f"{name} stated by {who}: {_gist(kind, json.loads(said.predicate))}"


def _gist(kind: str, said: dict[str, Any]) -> str:
    """Return the line of a statement that a reader looks for first."""
    match kind:
        case "release":
            return plain(said.get("version"))
        case "scan":
            return f"{plain(said.get('outcome'))}, {plain(said.get('files'))} files"
        case "bom":
            parts = said.get("components")
            return plural(len(parts) if isinstance(parts, list) else 0, "component")
        case "licence":
            found = said.get("licences")
            return plain(", ".join(map(str, found)) if isinstance(found, list) else found)
        case "provenance":
            run = said.get("runDetails")
            return plain(run.get("builder") if isinstance(run, dict) else run)
        case _:
            return plain(", ".join(said))
