"""Text to standard output, or to a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import click

from bot.errors import UsageError
from bot.quoting import plain


def on_a_screen() -> bool:
    """Whether a person sees standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def in_colour() -> bool:
    """Whether what goes to standard output may be coloured."""
    return on_a_screen() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def tell(line: str) -> None:
    """Say on standard error how far long work is, or what else a person should know."""
    click.echo(plain(line), err=True)


def write(text: str, target: Path | None = None) -> None:
    """Write to standard output, or to a file that appears whole or not at all."""
    if target is None:
        _print(text.encode("utf-8", "replace"))
        return
    if target.is_dir():
        raise UsageError(f"{plain(target)} is a folder", "name a file in it")
    try:
        if target.parent.parts[:2] in (("/", "dev"), ("/", "proc")) or _is_special(target):
            target.write_text(text, encoding="utf-8", errors="replace")  # never replace a device
        else:
            _replace(text, target)
    except OSError as error:
        raise UsageError(
            f"{plain(target)} cannot be written: {error.strerror or error}",
            "name a file in a folder that is there, may be written and has space left",
        ) from error


def _replace(text: str, target: Path) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _is_special(target: Path) -> bool:
    return target.exists() and not target.is_file()


def _print(data: bytes) -> None:
    """Write to standard output. A reader that has gone does not change the verdict."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is buffered still goes somewhere
