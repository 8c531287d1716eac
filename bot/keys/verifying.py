"""`modelwarden verify`: who signed a model, that no byte has changed, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.errors import UsageError
from bot.keys import claims, explaining, following, telling, trusting
from bot.keys.making import read_public
from bot.keys.places import Places
from bot.keys.telling import Found
from bot.keys.trail import MEMORY_HINT, made, seen_path
from bot.progress import Bar
from bot.quoting import plain
from security.errors import BadKey, Untrusted
from security.seal.sealing import SUFFIX
from security.sign import reading
from security.sign.certificates import CHAIN_LIMIT
from security.trust import artifacts, releases, single
from security.trust.memory import Memory
from security.trust.trustfile import TrustFile
from security.trust.trusting import Trust
from security.verify import Verified
from security.verify import verify as prove

if TYPE_CHECKING:
    from security.scan.values import Scanned

_ROOTS = "name a file of root certificates, PEM"


@dataclass(frozen=True, slots=True)
class Asked:
    """What `verify` was asked for."""

    model: Path | str
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
    output: Path | None = None
    open_with: Sequence[Path] = ()
    passphrase_file: Path | None = None
    explain: bool = False

    @property
    def path(self) -> Path:
        """The model, where it is on this machine. Raises UsageError."""
        if isinstance(self.model, str):
            raise UsageError(f"{self.model} is not on this machine", "leave out --scan-only")
        return self.model

    @property
    def folder(self) -> str:
        """What the model is called here, by whoever unpacked it."""
        return self.path.resolve().name


def verify(asked: Asked) -> int:
    """Print what was proven; return 0, or 1 where a scan finds something.

    Raises Tampered, Untrusted and the other errors of verification.
    """
    if asked.scan_only:
        return _scanned(_scan(asked.path, asked.jobs), asked.format_)
    if asked.open_with and asked.output is None:
        raise UsageError("--open-with without --output", "say where the plain files go")
    found = _fetched(asked) if isinstance(asked.model, str) else _local(asked)
    explains = asked.explain or isinstance(asked.model, str)
    telling.show(found, asked.format_, explaining.page(_known(asked, found)) if explains else None)
    return telling.code(found.scanned)


def _local(asked: Asked) -> Found:
    Places.of(asked.path, asked.signature)
    if asked.output is not None and not asked.open_with:
        raise UsageError("--output for what is here already", "name an address, or --open-with")
    trust = _trust(asked)
    wanted = asked.artifact or (asked.folder if isinstance(trust, TrustFile) else "")
    found = _proven(asked, asked.path, trust, wanted)
    if asked.open_with and asked.output is not None:
        plain = _opened(asked, found.verified, trust, wanted, asked.output)
        return replace(found, plain=plain, kept=str(asked.output))
    return found


def _fetched(asked: Asked) -> Found:
    """Fetch a release and prove it; it gets its name only when everything holds."""
    from bot.keys import downloading

    if asked.signature is not None:
        raise UsageError("--signature with an address", "its signature is the one it is with")
    trust, address = _trust(asked), str(asked.model)
    with Bar("Fetching") as bar, downloading.fetched(
        address, trust, asked.artifact or "", asked.output, bar
    ) as place:  # fmt: skip
        found = _proven(asked, place.folder, trust, place.artifact)
        found = replace(found, what=address, skipped=place.skipped)
        if asked.output is None:
            return found
        if asked.open_with:
            target = place.work / "plain"
            plain = _opened(asked, found.verified, trust, place.artifact, target)
            place.keep(asked.output, target)
            return replace(found, plain=plain, kept=str(asked.output))
        place.keep(asked.output)
        return replace(found, kept=str(asked.output))


def _proven(asked: Asked, path: Path, trust: Trust, wanted: str) -> Found:
    file = trust if isinstance(trust, TrustFile) else None
    with Bar(f"Reading {path.resolve().name}") as bar:
        verified = prove(
            path, trust=trust, bundle=asked.signature, artifact=wanted,
            jobs=asked.jobs, progress=bar,
        )  # fmt: skip
    version = _version(verified)
    if not asked.no_memory:
        name = wanted or _signed_name(path, verified)
        _remember(asked, _as_sealed(name, verified), verified, version, file)
    return Found(str(path), verified, version, _scan(path, asked.jobs) if asked.scan else ())


def _as_sealed(name: str, verified: Verified) -> str:
    """Return the name to remember by: a sealed release has another root than what is in it."""
    sealed = all(entry.path.endswith(SUFFIX) for entry in verified.manifest.entries)
    return f"{name}{SUFFIX}" if sealed else name


def _opened(asked: Asked, sealed: Verified, trust: Trust, wanted: str, target: Path) -> Verified:
    from bot.keys import unsealing

    return unsealing.opened(
        sealed, asked.open_with, asked.passphrase_file, target, trust, wanted, asked.jobs
    )


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


def _signed_name(path: Path, verified: Verified) -> str:
    """Return what the signer calls the model: a folder is called as whoever packed it likes."""
    return path.resolve().name if artifacts.fault(verified.name) else verified.name


def _remember(
    asked: Asked, name: str, verified: Verified, version: str, file: TrustFile | None
) -> None:
    path = asked.memory or seen_path()
    made(path.parent, MEMORY_HINT)
    if file is not None and asked.trust is not None:
        following.follow(path, asked.trust, file)
    # Also without a version: whoever leaves the statement of it away may be hiding an old one.
    Memory(path).accept(name, version, verified.manifest.root, file, datetime.now(UTC))


def _known(asked: Asked, found: Found) -> explaining.Known:
    """Return what the page of explanation needs to know of a verification."""
    said = found.verified.claims(releases.RELEASE)
    previous = releases.read(said[0].predicate.encode()).previous if said else ""
    names = {uri: name for name, uri in claims.KINDS.items()}
    stated = [names.get(a.predicate_type, plain(a.predicate_type))
              for a in found.verified.attestations if not a.doubt]  # fmt: skip
    anchor = asked.trust or asked.key or asked.root or asked.issuer
    return explaining.Known(
        verified=found.verified,
        version=found.version,
        previous=previous,
        stated=tuple(stated),
        wanted=asked.artifact or "",
        anchor=str(anchor),
        remembers=not asked.no_memory,
        scanned=bool(found.scanned),
        flagged=any(scanned.threats for scanned in found.scanned),
        plain=found.plain,
        skipped=found.skipped,
        kept=found.kept if isinstance(asked.model, str) else asked.folder,
    )


def _scan(path: Path, jobs: int) -> tuple[Scanned, ...]:
    from bot.keys import scanning

    return scanning.scan(path, jobs)


def _scanned(found: tuple[Scanned, ...], format_: str) -> int:
    from bot.keys import scanning

    if format_ == "json":
        click.echo(json.dumps(scanning.document(found), indent=2))
    else:
        click.echo("\n".join(scanning.lines(found)))
    return telling.code(found)
