"""`modelwarden keys generate` and `show`: key pairs, and what to tell others about them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import secrets
from bot.keys.trail import Trail
from security import storing
from security.errors import BadKey, SecurityError
from security.identity import PublicKey
from security.sign import reading

LIMIT = 1_000_000  # bytes of a file of public keys
AGE = "age"


def generate(
    *,
    file: Path,
    kind: str,
    no_passphrase: bool,
    passphrase_file: Path | None,
    log: Path | None,
    format_: str,
) -> int:
    """Write FILE (0600) and FILE.pub; return 0. Nothing that is there is replaced."""
    if file.name in ("", ".."):
        raise UsageError(f"{file} is a folder", "name the file of the new key")
    public = file.with_name(file.name + ".pub")
    for path in (file, public):
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already", "a key is never replaced: name another")
    if no_passphrase and passphrase_file:
        raise UsageError("--no-passphrase and --passphrase-file", "give one of the two")
    word = None if no_passphrase else secrets.fresh(passphrase_file, str(file))
    with Trail(log).doing("generate", str(file)) as entry:
        if kind.startswith(AGE):
            text = _identity(file, hybrid=kind == AGE, passphrase=word)
            hint = text
        else:
            text, hint = _signing_key(file, kind, word)
        try:
            storing.write(
                public, text.encode() + b"\n" * (not text.endswith("\n")), overwrite=False
            )
        except (SecurityError, KeyboardInterrupt):
            file.unlink()  # ours, and of no use without its public half
            raise
        entry.details["public"] = hint
    said = {"private": str(file), "public": str(public), "kind": kind}
    said |= {"recipient": text} if kind.startswith(AGE) else {"hint": hint}
    if format_ == "json":
        click.echo(json.dumps(said, indent=2))
        return 0
    click.echo(f"{file}: private, {'no passphrase' if word is None else 'behind a passphrase'}")
    click.echo(f"{public}: public, {_brief(text) if kind.startswith(AGE) else f'hint {hint}'}")
    click.echo(_next(public, kind))
    return 0


def show(*, file: Path, format_: str) -> int:
    """Print what a public key, or a list of recipients, is; return 0."""
    data = _bounded(file)
    if b"PRIVATE KEY" in data or b"AGE-SECRET-KEY-" in data:
        raise BadKey(f"{file} is a private key", f"show its public half: {file}.pub")
    if data.lstrip().startswith(b"-----BEGIN"):
        said = [_of_key(_public(file, data))]
    else:
        from security.seal.identities import read_recipients

        said = [{"kind": r.kind, "recipient": str(r)} for r in read_recipients(file)]
    if format_ == "json":
        click.echo(json.dumps(said, indent=2))
        return 0
    for each in said:
        click.echo("\n".join(f"{name}: {value}" for name, value in each.items()))
    if "public" in said[0]:
        click.echo(f"\nIn a trust file:\n{_table(file.name.split('.')[0], said[0]['public'])}")
    return 0


def read_public(file: Path) -> PublicKey:
    """Read a public key file. Raises BadKey, Unreadable, which name it."""
    return _public(file, _bounded(file))


def _public(file: Path, data: bytes) -> PublicKey:
    from security.sign.keys import read_public as read

    try:
        return read(data)
    except BadKey as error:
        raise BadKey(f"{file}: {error.message}", error.hint) from None


def _signing_key(file: Path, kind: str, word: bytes | None) -> tuple[str, str]:
    from security.sign import keys

    pem = keys.generate(kind)
    public = keys.load_signer(pem).public
    data = keys.encrypted(pem, word) if word is not None else pem
    storing.write(file, data, mode=0o600, overwrite=False)
    return public.pem, public.hint


def _identity(file: Path, *, hybrid: bool, passphrase: bytes | None) -> str:
    from security.seal import identities

    secret, recipient = identities.generate(hybrid)
    identities.write_identity(file, secret, passphrase)
    return recipient


def _of_key(key: PublicKey) -> dict[str, str]:
    return {"kind": key.kind, "hint": key.hint, "public": key.pem}


def _table(name: str, pem: str) -> str:
    # People and keys share one space of names: the key of ada cannot be called ada too.
    return f'[keys.{name}-key]\nowner = "{name}"\npublic = """\n{pem}"""'


def _next(public: Path, kind: str) -> str:
    if kind.startswith(AGE):
        return f"Next: give {public} to those who seal for you."
    return f"Next: modelwarden keys show {public}    # the lines for the trust file"


def _brief(recipient: str) -> str:
    """A hybrid recipient has two thousand characters."""
    return recipient if len(recipient) < 100 else f"{recipient[:24]}... ({len(recipient):,} long)"


def _bounded(file: Path) -> bytes:
    return reading.read(file, LIMIT, hint="name the file of a public key")
