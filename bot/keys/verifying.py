"""`modelwarden verify`: who signed a model, that no byte has changed, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.errors import UsageError
from bot.keys import claims, following, trusting
from bot.keys.making import read_public
from bot.keys.places import Places
from bot.keys.trail import MEMORY_HINT, made, seen_path
from bot.progress import Bar
from bot.quoting import plain
from bot.wording import plural
from security.errors import BadKey, Untrusted
from security.sign import reading
from security.sign.attestations import Attestation
from security.sign.certificates import CHAIN_LIMIT
from security.trust import artifacts, releases, single
from security.trust.memory import Memory
from security.trust.trustfile import TrustFile
from security.trust.trusting import Trust
from security.verify import Verified
from security.verify import verify as prove

if TYPE_CHECKING:
    from security.scan.values import Scanned

_OUTCOMES = {0: "pass", 1: "fail", 3: "undecided"}
_ROOTS = "name a file of root certificates, PEM"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `verify` was asked for."""

    model: Path
    trust: Path | None
    key: Path | None
    root: Path | None
    identity: str | None
    issuer: str | None
    artifact: str | None
    signature: Path | None
    memory: Path | None
    no_memory: bool
    scan: bool
    scan_only: bool
    jobs: int
    format_: str

    @property
    def folder(self) -> str:
        """What the model is called here, by whoever unpacked it."""
        return self.model.resolve().name


def verify(asked: Asked) -> int:
    """Print what was proven; return 0, or 1 where a scan finds something.

    Raises Tampered, Untrusted and the other errors of verification.
    """
    places = Places.of(asked.model, asked.signature)
    if asked.scan_only:
        return _scanned(_scan(asked), asked.format_)
    trust = _trust(asked)
    file = trust if isinstance(trust, TrustFile) else None
    wanted = asked.artifact or (asked.folder if file else "")
    with Bar(f"Reading {places.name}") as bar:
        verified = prove(
            asked.model, trust=trust, bundle=asked.signature, artifact=wanted,
            jobs=asked.jobs, progress=bar,
        )  # fmt: skip
    version = _version(verified)
    if not asked.no_memory:
        _remember(asked, wanted or _signed_name(asked, verified), verified, version, file)
    scanned = _scan(asked) if asked.scan else ()
    _show(asked, verified, version, scanned)
    return _code(scanned)


def _trust(asked: Asked) -> Trust:
    """Return whom the command says to trust. Raises UsageError unless it is exactly one."""
    if asked.issuer and not asked.identity:
        raise UsageError("--issuer without --identity", "say whose keyless signature you expect")
    ways = [asked.trust, asked.key, asked.root, asked.issuer]
    if sum(way is not None for way in ways) != 1:
        hint = "give one: --trust FILE, --key FILE, --root FILE, or --identity with --issuer"
        raise UsageError("whom to trust?" if not any(ways) else "several to trust", hint)
    if asked.identity and (asked.trust or asked.key):
        hint = "leave it out, or name it with --root or --issuer"
        raise UsageError("--identity with --trust or --key, which say who signs", hint)
    if asked.trust is not None:
        return trusting.read(asked.trust)
    if asked.key is not None:
        return single.KeyTrust(read_public(asked.key), asked.key.name)
    if asked.root is not None:
        pem = reading.read(asked.root, CHAIN_LIMIT, hint=_ROOTS)
        if b"-----BEGIN CERTIFICATE-----" not in pem:
            raise BadKey(f"{asked.root} holds no certificate", _ROOTS)
        return single.CertificateTrust((pem,), asked.identity or "")
    return single.PersonTrust(asked.identity or "", asked.issuer or "")


def _version(verified: Verified) -> str:
    """Return the one version that trusted statements name, "" for none."""
    found = {releases.read(a.predicate.encode()).version for a in verified.claims(releases.RELEASE)}
    if len(found) > 1:
        raise Untrusted(f"stated as several versions: {', '.join(sorted(found))}", "ask the signer")
    return found.pop() if found else ""


def _signed_name(asked: Asked, verified: Verified) -> str:
    """Return what the signer calls the model: a folder is called as whoever packed it likes."""
    return asked.folder if artifacts.fault(verified.name) else verified.name


def _remember(
    asked: Asked, name: str, verified: Verified, version: str, file: TrustFile | None
) -> None:
    path = asked.memory or seen_path()
    made(path.parent, MEMORY_HINT)
    if file is not None and asked.trust is not None:
        following.follow(path, asked.trust, file)
    # Also without a version: whoever leaves the statement of it away may be hiding an old one.
    Memory(path).accept(name, version, verified.manifest.root, file, datetime.now(UTC))


def _show(asked: Asked, verified: Verified, version: str, scanned: tuple[Scanned, ...]) -> None:
    if asked.format_ == "json":
        click.echo(json.dumps(_document(verified, version, scanned), indent=2))
        return
    manifest = verified.manifest
    click.echo(f"{plain(asked.model)}: verified, {plural(len(manifest.entries), 'file')},"
               f" {manifest.size:,} bytes")  # fmt: skip
    click.echo(f"root digest {manifest.root}")
    for signer in verified.signers:
        click.echo(f"signed by {plain(signer.name)} ({signer.kind}, {signer.hint[:16]})")
    if version:
        click.echo(f"version {plain(version)}")
    for said in verified.attestations:
        click.echo(_claim(said))
    if scanned:
        from bot.keys import scanning

        click.echo("\n".join(scanning.lines(scanned)))


def _document(verified: Verified, version: str, scanned: tuple[Scanned, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "outcome": _OUTCOMES[_code(scanned)],
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


def _scan(asked: Asked) -> tuple[Scanned, ...]:
    from bot.keys import scanning

    return scanning.scan(asked.model, asked.jobs)


def _scanned(found: tuple[Scanned, ...], format_: str) -> int:
    from bot.keys import scanning

    if format_ == "json":
        click.echo(json.dumps(scanning.document(found), indent=2))
    else:
        click.echo("\n".join(scanning.lines(found)))
    return _code(found)


def _code(found: tuple[Scanned, ...]) -> int:
    """Return 1 for a threat, 3 for what could not be decided."""
    if any(threat.certain for scanned in found for threat in scanned.threats):
        return 1
    return 3 if any(scanned.threats for scanned in found) else 0
