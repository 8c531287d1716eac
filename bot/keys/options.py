"""What the commands about keys have in common, as click sees it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.errors import UsageError
from security.paths import shown

F = TypeVar("F", bound=Callable[..., Any])
UNSHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories of characters that a terminal would obey


class Name(click.Path):
    """A path that every message can show as it is; whether it may be read, its reader says."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path. Raises UsageError for an empty one, and one that cannot be shown."""
        text = os.fspath(value)
        if not text:
            where = param.get_error_hint(ctx) if param and ctx else "a path"
            raise UsageError(f"{where}: an empty name", "name the file or folder")
        if any(unicodedata.category(each) in UNSHOWN for each in text):
            raise UsageError(
                f"{shown(text)}: a name that cannot be shown", "rename it: no control characters"
            )
        return super().convert(value, param, ctx)


class Place(Name):
    """A path, or a web address, which stays text: as a path it would lose a slash."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path, or the address."""
        found = super().convert(value, param, ctx)
        text = os.fspath(value)
        return text if text.lower().startswith(("https://", "http://")) else found


FILE = Name(path_type=Path, readable=False)
PLACE = Place(path_type=Path, readable=False)
KINDS = ("ecdsa-p256", "ecdsa-p384", "ed25519", "ml-dsa-65", "age", "age-x25519")
TYPES = ("release", "scan", "licence", "bom", "provenance", "measurement")


def examples(*lines: str) -> str:
    """Return the end of a help page."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


formatted = click.option("--format", "format_", type=click.Choice(("text", "json")), default="text",
                       show_default=True)  # fmt: skip
forced = click.option("--force", is_flag=True, help="Replace what is there.")
threads = click.option("--jobs", type=click.IntRange(min=0), default=0, metavar="N",
                     help="Threads  [default: the cores at hand].")  # fmt: skip
passphrase = click.option("--passphrase-file", metavar="FILE", type=FILE,
                     help="Read the passphrase there (mode 0600) instead of asking.")  # fmt: skip
logged = click.option("--log", metavar="FILE", type=FILE, envvar="MODELWARDEN_AUDIT_LOG",
                    help="The audit log  [default: audit.jsonl of your user].")  # fmt: skip
signing = _all(
    click.option("--key", "keys", metavar="FILE", type=FILE, multiple=True,
                 help="Sign with this private key; repeatable."),
    click.option("--token", metavar="URI", help="Sign with a PKCS#11 key (RFC 7512)."),
    click.option("--program", metavar="COMMAND",
                 help="Sign with a program that asks a key service."),
    passphrase,
    logged,
)  # fmt: skip
signature = click.option("--signature", metavar="FILE", type=FILE,
                          help="The signature  [default: model.sig in the folder].")  # fmt: skip
recipients = _all(
    click.option("--to", metavar="RECIPIENT", multiple=True, help="Who may open it; repeatable."),
    click.option("--recipients", metavar="FILE", type=FILE, multiple=True,
                 help="A file of recipients, one a line; repeatable."),
)  # fmt: skip
identity = _all(
    click.option("--identity", "identities", metavar="FILE", type=FILE, multiple=True,
                 help="Private age key; repeatable."),
    click.option("--identity-program", metavar="COMMAND",
                 help="Open with a program that asks a key service."),
)  # fmt: skip
trusted = _all(
    click.option("--trust", metavar="FILE", type=FILE, help="Trust file of the project."),
    click.option("--key", metavar="FILE", type=FILE, help="One public key."),
    click.option("--root", metavar="FILE", type=FILE, help="Root certificates, PEM."),
    click.option("--identity", metavar="NAME", help="Of the signer's certificate."),
    click.option("--issuer", metavar="URL", help="Who vouches for a keyless identity."),
)
