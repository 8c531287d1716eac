"""A comment's text -> commands, or why a line is none that can be done. A small strict grammar."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from bot.report.neutral import visible
from bot.talk.commands import COMMANDS, WORD, Spec
from bot.talk.rendered import command_lines
from bot.wording import nearest

BODY = 16_000  # characters of a comment that is read
LINE = 1_000  # characters of a command
MOST = 5  # commands of a comment

_DASHES = ("\u2014", "\u2013", "\u2212")  # what phones make of two hyphens
_LOST = "\ufffd"  # what stands for characters that could not be kept, NUL among them
_SOME_LINE = re.compile(rf"(?aim)^{re.escape(WORD)}\b")


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `values` holds what was given, by the names of the table: RULE, SHA ..."""

    name: str
    values: tuple[tuple[str, str], ...] = ()
    line: str = ""

    def value(self, name: str) -> str:
        """Return what was given for a name of the table, "" for nothing."""
        return dict(self.values).get(name, "")


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that is meant as a command and is none; `line` is "" for the comment as a whole.

    `why` may hold the stranger's words: it is quoted where it is shown. `remedy` is ours.
    """

    line: str
    why: str
    remedy: str


Said = Command | Unread


class _Wrong(Exception):
    """Why a line is no command, and what to do."""


def read(body: str) -> tuple[Said, ...]:
    """Return the commands of a comment in order; nothing else in it counts.

    A comment too long, or with more than MOST commands, is refused as a whole.
    """
    if len(body) > BODY:
        if not _SOME_LINE.search(body):
            return ()
        why = f"the comment has {len(body):,} characters, more than {BODY:,}"
        return (Unread("", why, "Write the command in a comment of its own."),)
    lines = command_lines(body)
    if len(lines) > MOST:
        why = f"the comment holds {len(lines):,} commands, more than {MOST}; none was done"
        return (Unread("", why, "Write fewer in one comment."),)
    return tuple(map(parse, lines))


def parse(line: str) -> Said:
    """Read one line that begins with /warden."""
    shown = line.rstrip(" \t")
    try:
        return replace(_command(shown.replace("\t", " ")), line=shown)
    except _Wrong as wrong:
        why, remedy = wrong.args
        return Unread(shown, why, remedy)


def _command(line: str) -> Command:
    help_ = f"`{WORD} help` lists the commands."
    if len(line) > LINE:
        why = f"the line has {len(line):,} characters, more than {LINE:,}"
        raise _Wrong(why, "Shorten it.")
    unseen = next((c for c in line if visible(c) != c or c == _LOST), "")
    if unseen:
        why = f"it holds a character that cannot be seen, U+{ord(unseen):04X}"
        raise _Wrong(why, "Type the line anew, with plain spaces.")
    rest = line[len(WORD) :].strip(" ")
    if not rest:
        return Command("help")
    verb = rest.split(" ", 1)[0]
    spec = COMMANDS.get(verb.lower())
    if spec is None:
        raise _Wrong(f"there is no command '{verb}'{nearest(verb.lower(), COMMANDS)}", help_)
    return Command(spec.name, _values(spec, rest[len(verb) :].strip(" ")))


def _values(spec: Spec, text: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    if spec.tail:
        text, found[spec.tail] = _tail(spec, text)
    words = _words(spec, text)
    left = _flags(spec, words, found)
    for shape in spec.words:
        name = shape.strip("[]")
        if not left:
            if name == shape:
                raise _Wrong(f"'{name}' is missing", _usage(spec))
        elif name.islower():
            if left.pop(0).lower() != name:
                raise _Wrong(f"'{name}' is missing", _usage(spec))
        else:
            found[name] = left.pop(0)
    if left:
        raise _Wrong(f"'{left[0]}' is too much", _usage(spec))
    return tuple(found.items())


def _tail(spec: Spec, text: str) -> tuple[str, str]:
    """Split the text at the word that begins the plain part."""
    parts = re.split(rf"(?i)(?:^| ){re.escape(spec.tail)}(?: |$)", text, maxsplit=1)
    plain = parts[1].strip(" ") if len(parts) == 2 else ""
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'":
        plain = plain[1:-1].strip(" ")
    if not plain:
        raise _Wrong(f"'{spec.tail}' and the reason are missing", _usage(spec))
    return parts[0], plain


def _words(spec: Spec, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise _Wrong("a quote is not closed", _usage(spec)) from error


def _flags(spec: Spec, words: list[str], found: dict[str, str]) -> list[str]:
    """Take the options out of the words; return the rest."""
    known = {f"--{flag.name}": flag.value for flag in spec.flags}
    left = []
    waiting = iter(words)
    for word in waiting:
        if not word.startswith(("-", *_DASHES)):
            left.append(word)
            continue
        flag, equals, value = word.partition("=")
        name = known.get(flag.lower())
        if name is None:
            near = nearest(flag.lower(), known)
            raise _Wrong(f"there is no option '{flag}'{near}", _usage(spec))
        if name in found:
            raise _Wrong(f"'{flag}' is given twice", _usage(spec))
        value = value if equals else next(waiting, "")
        if not value or value.startswith("--"):
            raise _Wrong(f"'{flag}' needs a value", _usage(spec))
        found[name] = value
    return left


def _usage(spec: Spec) -> str:
    return f"It is typed as `{spec.usage}`, for example `{spec.example}`."
