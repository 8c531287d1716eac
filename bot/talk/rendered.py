"""Which lines of a comment a reader sees as plain text at the start of a line.

Two readings must agree. The CommonMark parser says where a line of a paragraph begins outside of
code spans, comments, titles and the like; and in the page it renders, the spot must lie directly
in a paragraph: in no quote, list, table, heading, emphasis, link, nor any element that is typed.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from bot.talk.commands import WORD

_START = re.compile(rf"(?ai){re.escape(WORD)}")
_LINE_END = re.compile(r"\r\n?|\n")
_SPOT = re.compile("\0([0-9]+)\0")  # the parser makes every NUL of the text another character
_TOKEN = "warden"
# GitHub reads these as footnotes and formulas, which CommonMark does not know.
_FOOTNOTE = re.compile(r" {0,3}\[\^[^\]]*\]:")
_FORMULA = re.compile(r" {0,3}\$\$")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
     "track", "wbr")
)  # fmt: skip


def command_lines(body: str) -> tuple[str, ...]:
    """Return the lines that begin with /warden, as typed. Bound the body first."""
    if not _START.search(body):
        return ()
    parser, env = _parser(), dict[str, list[str]](found=[])
    tokens = parser.parse(body, env)
    outside = _outside(tokens, _LINE_END.split(body))
    page = _Page()
    try:
        page.feed(parser.renderer.render(tokens, parser.options, env))
        page.close()
    except AssertionError:  # a marked section it does not know: what follows it is not read
        pass
    return tuple(env["found"][spot] for spot in page.spots if spot in outside)


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    parser.inline.ruler.before("text", _TOKEN, _begin)
    parser.add_render_rule(_TOKEN, _mark)
    return parser


def _begin(state: StateInline, silent: bool) -> bool:
    """Take /warden where the text of a line begins."""
    start = state.pos
    found = _START.match(state.src, start, state.posMax)
    if found is None or not _ends(state.src[found.end() : found.end() + 1]):
        return False
    if start and state.src[start - 1] != "\n":
        return False
    if not silent:
        lines: list[str] = state.env["found"]
        token = state.push(_TOKEN, "", 0)
        token.meta = {"spot": len(lines), "first": start == 0}
        lines.append(state.src[start:].partition("\n")[0])
    state.pos = found.end()
    return True


def _ends(following: str) -> bool:
    """Whether the word ends here. A character that cannot be seen ends it, to be refused."""
    return not following or following.isspace() or not following.isprintable()


def _mark(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return f"\0{tokens[index].meta['spot']}\0"


def _outside(tokens: Sequence[Token], lines: list[str]) -> frozenset[int]:
    """Return the spots at the very start of their line, in no footnote and no formula."""
    spots: set[int] = set()
    special = _special(lines)
    for token in tokens:
        if token.type != "inline" or token.map is None or token.map[0] in special:
            continue
        indented = not lines[token.map[0]].startswith(WORD[0])
        for child in token.children or ():
            if child.type == _TOKEN and not (child.meta["first"] and indented):
                spots.add(child.meta["spot"])
    return frozenset(spots)


def _special(lines: list[str]) -> frozenset[int]:
    """Return the lines that stand together with one that begins a footnote or a formula."""
    found: set[int] = set()
    for full, group in itertools.groupby(range(len(lines)), lambda n: bool(lines[n].strip())):
        together = tuple(group)
        if full and any(_FOOTNOTE.match(lines[n]) or _FORMULA.match(lines[n]) for n in together):
            found.update(together)
    return frozenset(found)


class _Page(HTMLParser):
    """Reads a page for the spots that lie in a paragraph and in nothing else."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []  # elements, and whether they carry attributes
        self.spots: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element, also one that is typed as if it closed itself."""
        if tag not in _VOID:
            self.open.append((tag, bool(attrs)))

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element of this name, and none that was opened in it."""
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place][0] == tag:
                del self.open[place]
                return

    def handle_data(self, data: str) -> None:
        """Note the spots in text."""
        if self.open == [("p", False)]:  # attributes may hide it
            self.spots += map(int, _SPOT.findall(data))
