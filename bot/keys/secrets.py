"""Where passphrases and keys come from: a terminal or a private file, never arguments."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import click

from bot.errors import UsageError
from bot.quoting import plain
from security.errors import BadKey
from security.identity import Signer
from security.storing import read_private

if TYPE_CHECKING:
    from security.sign.program import Program
    from security.sign.token import Place

LEAST = 8  # characters of a new passphrase


def asked(file: Path | None, what: str) -> Callable[[], bytes]:
    """Return a way to get the passphrase of `what`, used only if there is one."""

    @cache
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


@contextmanager
def signers(
    keys: Sequence[Path], token: str | None, program: str | None, passphrase_file: Path | None
) -> Iterator[tuple[Signer, ...]]:
    """Open every signing key that the command names; a token is logged out of at the end.

    Raises UsageError where none is named, BadKey, Unavailable.
    """
    if not (keys or token or program):
        raise UsageError("no key to sign with", "name one: --key, --token or --program")
    with ExitStack() as stack:
        found: list[Signer] = [_file(path, passphrase_file) for path in keys]
        if token:
            from security.sign.token import opened

            pin = asked(passphrase_file, "the token (its PIN)")
            found.append(stack.enter_context(opened(place(token), pin)))
        if program:
            from security.sign.program import ProgramSigner

            found.append(ProgramSigner(service(program)))
        yield tuple(found)


def place(uri: str) -> Place:
    """Read a PKCS#11 URI (RFC 7512) that names token, object and module. Raises UsageError."""
    from security.sign.token import Place

    path, _, query = uri.removeprefix("pkcs11:").partition("?")
    pairs = [part.partition("=") for part in (*path.split(";"), *query.split("&")) if part]
    found = {name: unquote(value) for name, _, value in pairs}
    wanted = {"token", "object", "module-path"}
    if not uri.startswith("pkcs11:") or set(found) != wanted or len(pairs) != len(wanted):
        hint = "write pkcs11:token=LABEL;object=KEY?module-path=/usr/lib/...so"
        raise UsageError(f"--token {plain(uri)}: not such a PKCS#11 URI", hint)
    return Place(Path(found["module-path"]), found["token"], found["object"])


def service(program: str, option: str = "--program") -> Program:
    """Return the program of a key service. Raises UsageError for a line with open quotes."""
    from security.sign.program import Program

    try:
        return Program(tuple(shlex.split(program)))
    except ValueError as error:  # its text is the library's, nothing of the command
        raise UsageError(f"{option}: {error}", "quote it as a shell wants it") from None


def _file(path: Path, passphrase_file: Path | None) -> Signer:
    from security.sign.keys import load_signer

    data = read_private(path)
    try:
        return load_signer(data, asked(passphrase_file, str(path)))
    except BadKey as error:
        raise BadKey(f"{path}: {error.message}", error.hint) from None


def _from(file: Path) -> bytes:
    return read_private(file).split(b"\n", 1)[0].rstrip(b"\r")


def _prompt(text: str) -> str:
    if not sys.stdin.isatty():
        hint = "run it in a terminal, or give --passphrase-file (mode 0600)"
        raise UsageError(f"{text}: nobody can be asked", hint)
    return str(click.prompt(text, hide_input=True, err=True))
