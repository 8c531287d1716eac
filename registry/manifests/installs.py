"""What a shell script installs: the install lines of it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from registry.documents import DocumentError, text_of
from registry.manifests.arguments import arguments
from registry.manifests.expansion import CHOICES, Slot, Values, open_piece, said, slots, whole
from registry.manifests.installers import (
    CONFIG,
    MENTIONS,
    SETTINGS,
    SHELLS,
    TALKERS,
    installer,
    is_pip,
)
from registry.manifests.requirement import (
    ITEM_LIMIT,
    Item,
    Manifest,
    Option,
    Problem,
    Requirement,
    manifest,
)
from registry.manifests.shellwords import Command, Word, commands

DEPTH = 4  # scripts within words of scripts
STORED = 2_000_000  # characters that variables of one script may hold
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)(\+?=)(.*)$", re.DOTALL)
_OPENERS = frozenset({"if", "while", "until", "for", "case", "select"})
_CLOSERS = frozenset({"fi", "done", "esac"})
_PREFIXES = frozenset({"then", "do", "else", "elif", "if", "while", "until", "!", "{", "time"})
_DECLARE = frozenset({"export", "local", "declare", "readonly", "typeset"})
_HOME = {"GITHUB_WORKSPACE": (".",), "github.workspace": (".",), "PWD": (".",)}


def read_script(data: bytes) -> Manifest:
    """Read the install lines of a shell script. Raises DocumentError."""
    text = text_of(data, limit=len(data))
    if not mentions(text):
        return manifest("script", ())
    return manifest("script", merged(Session().run(text, 1)))


def mentions(text: str) -> bool:
    """Whether a text names anything that installs packages."""
    return any(word in text for word in MENTIONS)


def merged(items: Iterator[Item]) -> Iterator[Item]:
    """Yield each item once: what both ways of a condition install is installed once.

    Items of one line that differ only in extras become one: a variable listed them.
    """
    found: dict[object, Item] = {}
    for number, item in enumerate(items):
        if number >= ITEM_LIMIT:
            raise DocumentError(f"more than {ITEM_LIMIT:,} things to install", item.line)
        if not isinstance(item, Requirement):
            found.setdefault(replace(item, line=0), item)
            continue
        key = replace(item, extras=())
        other = found.get(key)
        if isinstance(other, Requirement):
            item = replace(item, extras=tuple(sorted({*item.extras, *other.extras})))
        found[key] = item
    once: dict[object, Item] = {}
    for item in found.values():
        once.setdefault(replace(item, line=0), item)
    yield from once.values()


class Session:
    """A shell with its variables. What a condition decides may go either way."""

    def __init__(self, values: Values | None = None, depth: int = 0) -> None:
        self.values: dict[str, tuple[str, ...]] = {**_HOME, **(values or {})}
        self.depth, self.blocks, self.stored = depth, 0, 0

    def run(self, text: str, line: int) -> Iterator[Item]:
        """Yield what the script asks for. Raises DocumentError."""
        for command in commands(text, line):
            yield from self._command(command)

    def assign(self, name: str, texts: tuple[str, ...], *, more: bool = False) -> None:
        """Give a variable its values; within a block it may as well keep those it had."""
        before = self.values.get(name)
        if more:
            texts = tuple(b + t for b in before or ("",) for t in texts)
        if self.blocks and before is not None:
            texts = tuple(dict.fromkeys((*before, *texts)))
        self.stored += sum(map(len, texts))
        if len(texts) > CHOICES:
            texts = _widest(texts)
        if len(texts) > CHOICES or self.stored > STORED:
            texts = (open_piece(name),)
        self.values[name] = texts

    def _command(self, command: Command) -> Iterator[Item]:
        words = list(command.words)
        while words and words[0].plain in {*_PREFIXES, *_OPENERS, *_CLOSERS, "}"}:
            first = words.pop(0).plain
            self.blocks += (first in _OPENERS) - (first in _CLOSERS)
            self.blocks = max(self.blocks, 0)
            if first in ("for", "select"):
                self._loop(words)
                return
            if first == "case":
                return
        if words and words[0].plain in _DECLARE:
            words = [w for w in words[1:] if not w.plain.startswith("-")]
        while words and (match := _ASSIGNED.match(_head(words[0]))):
            yield from self._assignment(words.pop(0), match)
        if not words:
            return
        yield from self._simple(words, command)
        if words[-1].plain in _CLOSERS and len(words) > 1:
            self.blocks = max(self.blocks - 1, 0)

    def _assignment(self, word: Word, match: re.Match[str]) -> Iterator[Item]:
        name, sign, start = match[1], match[2], match[3]
        first = replace(word.pieces[0], text=start)
        texts = whole(replace(word, pieces=(first, *word.pieces[1:])), self.values)
        self.assign(name, texts, more=sign == "+=")
        yield from setting(name, texts, word.line)

    def _loop(self, words: list[Word]) -> None:
        # `for x in a b; do`: what follows sees every value.
        if len(words) > 1 and words[1].plain == "in":
            items = [t for s in slots(tuple(words[2:]), self.values) for t in s.texts]
            known = tuple(dict.fromkeys(items))
            self.values[words[0].plain] = known or ("",)
            if len(known) > 200:
                self.values[words[0].plain] = (open_piece(words[0].plain),)

    def _simple(self, words: list[Word], command: Command) -> Iterator[Item]:
        arguments_of = list(slots(tuple(words), self.values))
        texts = [s.text for s in arguments_of]
        if not texts or texts[0].rpartition("/")[2] in TALKERS:
            return
        for word in words:
            for piece in word.pieces:
                if piece.kind == "command" and mentions(piece.text):
                    yield from self._nested(piece.text, word.line)
        yield from self._shell(texts, arguments_of, command)
        yield from _configured(texts, arguments_of)
        found = installer(texts)
        if found is None:
            return
        how, start = found
        if "xargs" in texts[:start]:
            yield Problem("installs packages that another command names", words[0].line)
        yield from arguments(arguments_of[start:], how)

    def _shell(self, texts: list[str], given: list[Slot], command: Command) -> Iterator[Item]:
        base = texts[0].rpartition("/")[2]
        names = [t.rpartition("/")[2] for t in texts]
        shell = next((i for i, n in enumerate(names[:4]) if n in SHELLS), None)
        if command.body and shell is not None:
            yield from self._nested(command.body, command.start)
        if base == "eval":
            yield from self._nested(" ".join(texts[1:]), given[0].line)
        elif shell is not None:
            for slot, after in zip(given[shell + 1 :], given[shell + 2 :], strict=False):
                if slot.text.startswith("-") and slot.text.endswith("c"):
                    yield from self._nested(after.text, after.line)
                    break

    def _nested(self, text: str, line: int) -> Iterator[Item]:
        if not mentions(text):
            return
        if self.depth >= DEPTH:
            yield Problem("scripts within scripts, too deep to follow", line)
            return
        inner = Session(self.values, self.depth + 1)
        yield from inner.run(said(text), line)


def setting(name: str, texts: tuple[str, ...], line: int) -> Iterator[Item]:
    """Yield the options that an environment variable of pip or uv stands for."""
    if option := SETTINGS.get(name):
        for text in texts:
            yield from (Option(option, said(one), line) for one in text.split())


def _widest(texts: tuple[str, ...]) -> tuple[str, ...]:
    # A list that many conditions add to: the last one, where all hold, says all of the others.
    most = set(texts[-1].replace(",", " ").split())
    others = (t for t in texts[:-1] if not set(t.replace(",", " ").split()) <= most)
    return (*others, texts[-1])


def _head(word: Word) -> str:
    return word.pieces[0].text if word.pieces[0].kind == "text" and word.pieces else ""


def _configured(texts: list[str], given: list[Slot]) -> Iterator[Item]:
    # `pip config set global.index-url URL`
    for place, text in enumerate(texts[:8]):
        if is_pip(text.rpartition("/")[2]) and texts[place + 1 : place + 2] == ["config"]:
            words = [s for s in given[place + 2 :] if not s.text.startswith("-")]
            if len(words) < 3 or words[0].text != "set":
                return
            option = CONFIG.get(words[1].text.rpartition(".")[2])
            for value in words[2].texts if option else ():
                yield Option(option or "", said(value), words[2].line)
            return
