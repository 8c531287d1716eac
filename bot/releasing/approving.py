"""`release approve`: the second of two people proves the bytes here, and signs the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import secrets
from bot.keys.trail import Trail, named
from bot.printing import tell
from bot.quoting import plain
from bot.releasing.job import Place
from bot.releasing.numbering import number
from bot.releasing.place import place, trust_at
from bot.releasing.steps.agreeing import Waiting, examine
from bot.releasing.steps.waiting import pending
from registry.release.ledger import APPROVE, New
from security.identity import Signer
from security.paths import ATTESTATIONS, SIGNATURE
from security.sign import bundle as bundles
from security.sign import signing
from security.sign.attestations import LIMIT


def approve(
    *,
    version: str,
    repo: Path,
    keys: Sequence[Path],
    token: str | None,
    program: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    jobs: int,
    format_: str,
) -> int:
    """Add signatures to what waits; return 0. Raises Tampered where the bytes are others."""
    version = number(version)
    with (
        place(repo, say=tell) as there,
        secrets.signers(keys, token, program, passphrase_file) as signers,
        Trail(log).doing("approve", f"{there.artifact} {version}") as entry,
    ):
        ledger = there.book.ledger()
        bundle = there.book.file(pending(there.artifact, version, SIGNATURE), bundles.LIMIT)
        said = there.book.file(pending(there.artifact, version, ATTESTATIONS), LIMIT)
        if bundle is None or said is None:
            raise UsageError(
                f"no release {plain(version)} of {there.artifact} waits for a signature",
                "see what does: modelwarden release list",
            )
        root = examine(there, ledger, version, Waiting(bundle, said), jobs=jobs, tell=tell)
        more = signing.cosign(bundle, signers)
        lines = [signing.cosign(line, signers) for line in said.splitlines()]
        files = {
            pending(there.artifact, version, SIGNATURE): more,
            pending(there.artifact, version, ATTESTATIONS): b"".join(
                line.rstrip(b"\n") + b"\n" for line in lines
            ),
        }
        who = _names(there, signers)
        news = tuple(
            New(
                name,
                APPROVE,
                there.artifact,
                {"version": version, "how": "signature", "root": root},
            )
            for name in who
        )
        there.book.append(news, files, expect=ledger.head)
        entry.details |= {"root": root} | named(signers)
    if format_ == "json":
        click.echo(json.dumps({"version": version, "root": root, "approved_by": who}))
    else:
        click.echo(f"{there.artifact} {version}: approved by {', '.join(map(plain, who))}")
        click.echo(f"root digest {root}; whoever releases it now runs: modelwarden release run")
    return 0


def room(there: Place) -> Path:
    """Return a folder where objects of the repository can be linked, not copied."""
    found = there.world.git_dir / "modelwarden"
    found.mkdir(exist_ok=True)
    return found


def _names(there: Place, signers: Sequence[Signer]) -> list[str]:
    trust = trust_at(there.world, there.commit)
    owners = trust.owners() if trust else {}
    return list(dict.fromkeys(owners.get(s.public.hint) or s.public.hint[:16] for s in signers))
