"""`modelwarden keys ...` as click sees it. Every command imports what it needs when it runs."""

from __future__ import annotations

from typing import Any

import click

from bot.keys.options import (
    FILE,
    KINDS,
    PLACE,
    TYPES,
    examples,
    forced,
    formatted,
    identity,
    logged,
    passphrase,
    recipients,
    signature,
    signing,
    threads,
    trusted,
)  # fmt: skip


@click.group()
def keys() -> None:
    """Make keys; sign, seal and open artifacts; keep trust and the audit log."""


@keys.command(
    epilog=examples(
        "modelwarden keys generate release.key",
        "modelwarden keys generate mine.age --kind age      # to open what is sealed for you",
    )
)
@click.argument("file", type=FILE)
@click.option("--kind", type=click.Choice(KINDS), default="ecdsa-p256", show_default=True,
              help="age kinds open sealed files, the others sign.")  # fmt: skip
@click.option("--no-passphrase", is_flag=True, help="Protect it by file permissions alone.")
@passphrase
@logged
@formatted
def generate(**options: Any) -> int:
    """Make a key pair: FILE (yours alone, mode 0600) and FILE.pub."""
    from bot.keys.making import generate as run

    return run(**options)


@keys.command(epilog=examples("modelwarden keys show release.key.pub"))
@click.argument("file", type=FILE)
@formatted
def show(**options: Any) -> int:
    """Show what a public key is, and the lines that name it in a trust file."""
    from bot.keys.making import show as run

    return run(**options)


@keys.command(
    epilog=examples(
        "modelwarden keys sign model --key release.key --release 1.4.0 --scan",
        "modelwarden keys sign model --key bob.key --add --release 1.4.0   # the second of two",
        "modelwarden keys sign model --key ec.key --key pq.key    # EC first, ML-DSA beside it",
    )
)
@click.argument("model", type=FILE)
@signing
@signature
@click.option("--add", is_flag=True, help="Add a signature to the one that is there.")
@click.option("--release", metavar="VERSION", help="Also state which version this is.")
@click.option(
    "--artifact",
    metavar="NAME",
    help="Its name in trust files, as acme/small  [default: the folder's name].",
)
@click.option(
    "--scan",
    is_flag=True,
    help="Also scan it; refuse to sign what is flagged, and state the verdict.",
)
@click.option(
    "--ignore",
    metavar="PATH",
    multiple=True,
    help="Leave out a top-level path; verifiers must allow it.",
)
@click.option(
    "--tensors/--no-tensors",
    default=True,
    show_default=True,
    help="Digests of single tensors, so that tampering names the tensor.",
)
@click.option(
    "--certificate", metavar="FILE", type=FILE, help="Certificate of the key and its chain, PEM."
)
@click.option("--keyless", is_flag=True, help="Sign by Sigstore, with the identity of this job.")
@click.option("--no-cache", is_flag=True, help="Read every file, also those known unchanged.")
@forced
@threads
@formatted
def sign(**options: Any) -> int:
    """Sign a model: every file, by OpenSSF Model Signing v1.0."""
    from bot.keys.signing import Asked
    from bot.keys.signing import sign as run

    return run(Asked(**options))


@keys.command(
    epilog=examples(
        "modelwarden keys attest model --type scan --key release.key",
        "modelwarden keys attest model --type bom --predicate bom.json --key release.key",
    )
)
@click.argument("model", type=FILE)
@click.option("--type", "type_", type=click.Choice(TYPES), required=True, help="What it states.")
@click.option("--predicate", metavar="FILE", type=FILE, help="What it states, JSON.")
@signing
@signature
@formatted
def attest(**options: Any) -> int:
    """State something about a signed model, on the same root digest."""
    from bot.keys.stating import attest as run

    return run(**options)


@keys.command(
    epilog=examples(
        "modelwarden keys seal model --to age1pq1... --output sealed --key release.key",
        "modelwarden keys seal weights.safetensors --passphrase",
    )
)
@click.argument("path", type=FILE)
@recipients
@click.option("--passphrase", is_flag=True, help="Seal with a passphrase instead.")
@click.option("--output", metavar="PATH", type=FILE, help="[default: PATH.age]")
@click.option(
    "--room",
    type=click.IntRange(min=1),
    metavar="N",
    default=4,
    show_default=True,
    help="How many recipients the header has room for, without sealing again.",
)
@click.option("--scan", is_flag=True, help="Also scan it; refuse to seal what is flagged.")
@signing
@threads
@forced
@formatted
def seal(**options: Any) -> int:
    """Encrypt a file or folder in the age format; with --key, sign plain and sealed files."""
    from bot.keys.sealing import Asked
    from bot.keys.sealing import seal as run

    return run(Asked(**options))


@keys.command(
    "open",
    epilog=examples(
        "modelwarden keys open sealed --identity mine.age --output model",
        "modelwarden keys open w.safetensors.age --identity mine.age --tensor NAME --output NAME",
    ),
)
@click.argument("path", type=FILE)
@identity
@click.option("--output", metavar="PATH", type=FILE, help="[default: PATH without .age]")
@click.option("--tensor", metavar="NAME", help="Open this tensor alone, as safetensors.")
@passphrase
@logged
@threads
@forced
@formatted
def open_(**options: Any) -> int:
    """Decrypt a sealed file or folder."""
    from bot.keys.opening import open_ as run

    return run(**options)


@keys.command(
    epilog=examples(
        "modelwarden keys rewrap sealed --identity mine.age --to age1pq1... --to age1pq1...",
        "modelwarden keys rewrap sealed --identity mine.age --to age1pq1... --reencrypt",
    )
)
@click.argument("path", type=FILE)
@identity
@recipients
@click.option(
    "--reencrypt",
    is_flag=True,
    help="Encrypt the content anew: old recipients may have kept the file key.",
)
@signing
@threads
@formatted
def rewrap(**options: Any) -> int:
    """Change who may open a sealed file or folder; those not named are out."""
    from bot.keys.opening import rewrap_ as run

    return run(**options)


@keys.command(epilog=examples("modelwarden keys endorse .github/trust.toml --key alice.key"))
@click.argument("file", type=FILE)
@signing
@formatted
def endorse(**options: Any) -> int:
    """Add a signature to FILE.sig of a trust file."""
    from bot.keys.trusting import endorse as run

    return run(**options)


@keys.command(epilog=examples("modelwarden keys rotate .github/trust.toml --from old-trust.toml"))
@click.argument("file", type=FILE)
@click.option("--from", "old", metavar="FILE", type=FILE, required=True,
              help="The trust file that you trust now.")  # fmt: skip
@formatted
def rotate(**options: Any) -> int:
    """Say whether a trust file is a rightful successor of another, and what changes."""
    from bot.keys.trusting import rotate as run

    return run(**options)


@keys.command(
    epilog=examples(
        "modelwarden keys audit",
        "modelwarden keys audit --checkpoint --key release.key",
        "modelwarden keys audit --trust .github/trust.toml --format json",
    )
)
@signing
@click.option("--checkpoint", is_flag=True, help="First sign the head of the log.")
@click.option("--trust", metavar="FILE", type=FILE, help="Whose checkpoints count.")
@click.option(
    "--public",
    metavar="FILE",
    type=FILE,
    multiple=True,
    help="A public key whose checkpoints count; repeatable.",
)
@click.option("--head", metavar="HEAD", help="A head that you remember, NUMBER:HASH.")
@formatted
def audit(**options: Any) -> int:
    """Prove that the audit log lacks nothing and was not edited; show it."""
    from bot.keys.auditing import audit as run

    return run(**options)


@click.command(
    epilog=examples(
        "modelwarden verify model --trust trust.toml --artifact acme/small",
        "modelwarden verify model --key release.key.pub",
        "modelwarden verify https://github.com/OWNER/NAME/releases/tag/v1.0.0 --trust trust.toml",
        "modelwarden verify model --root ca.pem --identity release@example.org",
        "modelwarden verify download --scan-only      # not signed: only look for what would run",
    )
)
@click.argument("model", type=PLACE, metavar="DIR-or-URL")
@trusted
@click.option(
    "--artifact", metavar="NAME", help="Its name in the trust file  [default: the folder's]."
)
@signature
@click.option("--memory", metavar="FILE", type=FILE,
              help="Newest versions seen  [default: seen.json of your user].")  # fmt: skip
@click.option("--no-memory", is_flag=True, help="Neither use nor keep it: no rollback is noticed.")
@click.option("--scan", is_flag=True, help="Also scan the files.")
@click.option("--scan-only", is_flag=True, help="Scan files that nobody signed.")
@click.option("--output", metavar="DIR", type=FILE,
              help="Keep what is fetched or opened in this new folder.")  # fmt: skip
@click.option("--open-with", metavar="FILE", type=FILE, multiple=True,
              help="Private age key: open what is sealed, into --output; repeatable.")  # fmt: skip
@passphrase
@click.option("--explain", is_flag=True,
              help="Say what this proves, and what not; of an address always.")  # fmt: skip
@threads
@formatted
def verify(**options: Any) -> int:
    """Prove who signed a model and that no byte has changed. Reads everything, runs nothing.

    A URL names a folder that holds modelwarden-assets.json, or a release page of GitHub. Its
    signature is fetched and believed first, then what was signed.

    Exit code: 0 proven, 1 it is not what it should be, 2 usage or environment, 3 could not tell.
    """
    from bot.keys.verifying import Asked
    from bot.keys.verifying import verify as run

    return run(Asked(**options))
