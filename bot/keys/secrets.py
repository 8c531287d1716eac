"""Where passphrases and keys come from: a terminal or a private file, never arguments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from bot.errors import UsageError
from bot.quoting import plain
from security.errors import BadKey
from security.identity import Signer
from security.storing import read_private

LEAST = 8  # characters of a new passphrase


def asked(file: Path | None, what: str) -> Callable[[], bytes]:
    """Return a way to get the passphrase of `what`, used only if there is one."""

    def ask() -> bytes:
        return _from(file) if file is not None else _prompt(f"Passphrase of {plain(what)}").encode()

    return ask


def fresh(file: Path | None, what: str) -> bytes:
    """Return a new passphrase, typed twice or from a file. Raises UsageError for a short one."""
    if file is not None:
        word = _from(file)
    else:
        word = _prompt(f"New passphrase for {plain(what)}").encode()
        if _prompt("The same again").encode() != word:
            raise UsageError("the two passphrases differ", "try again")
    if len(word) < LEAST:
        raise UsageError(f"a passphrase of {len(word)} bytes", f"take {LEAST} or more, best words")
    return word


def signers(
    keys: Sequence[Path], token: str | None, program: str | None, passphrase_file: Path | None
) -> tuple[Signer, ...]:
    """Open every signing key that the command names. Raises UsageError where there is none."""
    from security.sign.keys import load_signer

    found: list[Signer] = []
    for path in keys:
        data = read_private(path)
        try:
            found.append(load_signer(data, asked(passphrase_file, str(path))))
        except BadKey as error:
            raise BadKey(f"{path}: {error.message}", error.hint) from None
    if token:
        from security.sign.token import TokenSigner

        found.append(TokenSigner(token, asked(passphrase_file, "the token (PIN)")))
    if program:
        import shlex

        from security.sign.program import Program, ProgramSigner

        found.append(ProgramSigner(Program(tuple(shlex.split(program)))))
    if not found:
        raise UsageError("no key to sign with", "name one: --key, --token or --program")
    return tuple(found)


def _from(file: Path) -> bytes:
    return read_private(file).split(b"\n", 1)[0].rstrip(b"\r")


def _prompt(text: str) -> str:
    if not sys.stdin.isatty():
        hint = "run it in a terminal, or give --passphrase-file (mode 0600)"
        raise UsageError(f"{text}: nobody can be asked", hint)
    return str(click.prompt(text, hide_input=True, err=True))
