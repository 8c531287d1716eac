"""A shell script as commands and words, each on its line; nothing is run or expanded here.

The part of the POSIX shell language (and bash's arrays) that decides where a command ends
and what its words are: quotes, escapes, operators, comments, redirections, here-documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from registry.documents import DocumentError

WORD_LIMIT = 100_000  # pieces of words of one script
_TOKEN = re.compile(
    r"""(?P<join>\\\r?\n)|(?P<newline>\n)|(?P<blank>[ \t\r]+)|(?P<single>'[^']*')"""
    r"""|(?P<double>")|(?P<ansi>\$'(?:[^'\\]|\\.)*')|(?P<dollar>\$)|(?P<back>`[^`]*`)|(?P<escape>\\.)"""
    r"""|(?P<here><<-?(?!<))|(?P<redirect>&>>?|>>|<<<|>&|<&|>\||>|<)"""
    r"""|(?P<operator>&&|\|\||;;|[;|&()])|(?P<comment>\#)|(?P<plain>[^\s'"\\$`;&|<>()#]+)""",
    re.DOTALL | re.VERBOSE,
)
_INSIDE = re.compile(r'[^"\\$`]+')
_COMMENT = re.compile(r"[^\n]*")
_EXPRESSION = re.compile(r"\$\{\{([^{}\n]{0,400})\}\}")
_SIMPLE = re.compile(r"\$(?:([A-Za-z_]\w*|[0-9@*#?$!-])|\{([A-Za-z_]\w*|[0-9@*])(?:\[[@*]\])?\})")
_DEFAULTED = re.compile(r"\$\{([A-Za-z_]\w*):?[-=]([^{}$`\"']*)\}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word: text as it is, a variable, or what a command would print.

    `text` is the text, the variable's name or the command; `default` is the variable's, if
    it has one. What is not `quoted` is parted at blanks once it is known.
    """

    kind: Literal["text", "variable", "command"]
    text: str
    quoted: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """The pieces of one word and its line (1-based)."""

    pieces: tuple[Piece, ...]
    line: int

    @property
    def plain(self) -> str:
        """Its text where no variable is in it, else ""."""
        if any(p.kind != "text" for p in self.pieces):
            return ""
        return "".join(p.text for p in self.pieces)


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command. `body` is the here-document it is given, which starts on `start`."""

    words: tuple[Word, ...]
    body: str = ""
    start: int = 0


class _Reader:
    def __init__(self, text: str, line: int) -> None:
        self.text, self.line, self.place = text, line, 0
        self.commands: list[Command] = []
        self.words: list[Word] = []
        self.pieces: list[Piece] = []
        self.at = line  # where the word began
        self.count = 0
        self.skip = False  # the next word is where a redirection goes
        self.here = False  # the next word ends a here-document
        self.array = False  # between the parentheses of NAME=(...)
        self.waiting: list[tuple[str, int]] = []  # delimiters, and whose command

    def add(self, piece: Piece) -> None:
        self.count += 1
        if self.count > WORD_LIMIT:
            raise DocumentError(f"more than {WORD_LIMIT:,} words", self.line)
        if not self.pieces:
            self.at = self.line
        self.pieces.append(piece)

    def end_word(self) -> None:
        if not self.pieces:
            return
        word = Word(tuple(self.pieces), self.at)
        self.pieces = []
        if self.here:
            self.waiting.append((word.plain, len(self.commands)))
            self.here = False
        elif self.skip:
            self.skip = False
        else:
            self.words.append(word)

    def end_command(self) -> None:
        self.end_word()
        self.skip = self.here = False
        pending = any(index == len(self.commands) for _, index in self.waiting)
        if self.words or pending:
            self.commands.append(Command(tuple(self.words)))
        self.words = []

    def read(self) -> list[Command]:
        while self.place < len(self.text):
            match = _TOKEN.match(self.text, self.place)
            if match is None:  # a quote that never ends, or a lone character
                if self.text[self.place] in "'`":
                    raise DocumentError("a quotation that never ends", self.line)
                self.add(Piece("text", self.text[self.place]))
                self.place += 1
                continue
            kind = match.lastgroup or ""
            if kind in ("dollar", "double", "comment"):
                getattr(self, f"_{kind}")()
            else:
                self.place = match.end()
                self._token(kind, match[0])
                if kind != "newline":
                    self.line += match[0].count("\n")
        self.end_command()
        return self.commands

    def _token(self, kind: str, text: str) -> None:
        if kind == "newline":
            self._newline()
        elif kind == "blank":
            self._blank()
        elif kind in ("single", "ansi"):
            self.add(Piece("text", text[text.index("'") + 1 : -1], quoted=True))
        elif kind == "escape":
            self.add(Piece("text", text[1], quoted=True))
        elif kind == "back":
            self.add(Piece("command", text[1:-1]))
        elif kind == "plain":
            self.add(Piece("text", text))
        elif kind in ("here", "redirect"):
            if all(p.kind == "text" and p.text.isdigit() for p in self.pieces):
                self.pieces = []  # the number of a stream
            self.end_word()
            self.skip, self.here = kind == "redirect", kind == "here"
        elif kind == "operator":
            self._operator(text)

    def _blank(self) -> None:
        if self.array:
            self.add(Piece("text", " "))
        else:
            self.end_word()

    def _operator(self, text: str) -> None:
        if self.array and text == ")":
            self.array = False
        elif text == "(" and self.pieces and self.pieces[-1].text.endswith("="):
            self.array = True
        elif not (self.skip and text == "&"):
            self.end_command()

    def _newline(self) -> None:
        self.line += 1
        if self.array:
            self.add(Piece("text", " "))
            return
        self.end_command()
        for delimiter, index in self.waiting:
            start, body = self.line, []
            while self.place < len(self.text):
                end = self.text.find("\n", self.place)
                end = len(self.text) if end < 0 else end
                row, self.place = self.text[self.place : end], end + 1
                self.line += 1
                if row.strip() == delimiter:
                    break
                body.append(row)
            said = self.commands[index]
            self.commands[index] = Command(said.words, "\n".join(body), start)
        self.waiting = []

    def _comment(self) -> None:
        if self.pieces:
            self.add(Piece("text", "#"))
            self.place += 1
            return
        match = _COMMENT.match(self.text, self.place)
        self.place = match.end() if match else len(self.text)

    def _double(self) -> None:
        self.place += 1
        self.add(Piece("text", "", quoted=True))
        while self.place < len(self.text):
            character = self.text[self.place]
            if character == '"':
                self.place += 1
                return
            if character == "$":
                self._dollar(quoted=True)
            elif character == "\\":
                self._escaped()
            elif character == "`":
                end = self.text.find("`", self.place + 1)
                if end < 0:
                    break
                self._command(self.text[self.place + 1 : end], end + 1, quoted=True)
            elif match := _INSIDE.match(self.text, self.place):
                self.add(Piece("text", match[0], quoted=True))
                self.line += match[0].count("\n")
                self.place = match.end()
        raise DocumentError("a quotation that never ends", self.at)

    def _escaped(self) -> None:
        following = self.text[self.place + 1 : self.place + 2]
        if following == "\n":
            self.line += 1
        else:
            kept = following if following in '"\\$`' else f"\\{following}"
            self.add(Piece("text", kept, quoted=True))
        self.place += 2

    def _command(self, text: str, end: int, *, quoted: bool) -> None:
        self.add(Piece("command", text, quoted))
        self.line += self.text.count("\n", self.place, end)
        self.place = end

    def _dollar(self, *, quoted: bool = False) -> None:
        for pattern in (_EXPRESSION, _DEFAULTED, _SIMPLE):
            if match := pattern.match(self.text, self.place):
                name = next(g for g in match.groups() if g is not None).strip()
                default = match[2] if pattern is _DEFAULTED else None
                whole = quoted and not match[0].endswith(("[@]}", "[*]}"))
                self.add(Piece("variable", name, whole, default))
                self.place = match.end()
                return
        opening = self.text[self.place + 1 : self.place + 2]
        if opening not in ("(", "{"):
            self.add(Piece("text", "$", quoted))
            self.place += 1
            return
        end = _closing(self.text, self.place + 1)
        if end < 0:
            raise DocumentError("a substitution that never ends", self.line)
        inner = self.text[self.place + 2 : end]
        if opening == "(":
            self._command(inner, end + 1, quoted=quoted)
        else:
            self.add(Piece("variable", inner[:80], quoted))
            self.line += inner.count("\n")
            self.place = end + 1


def _closing(text: str, place: int) -> int:
    """Return the offset of the bracket that closes the one at `place`, or -1."""
    opening = text[place]
    closing = {"(": ")", "{": "}"}[opening]
    depth, quote = 0, ""
    for offset in range(place, min(len(text), place + 20_000)):
        character = text[offset]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                return offset
    return -1


def commands(text: str, line: int = 1) -> list[Command]:
    """Return the simple commands of a script whose first line is `line`. Raises DocumentError."""
    return _Reader(text, line).read()
