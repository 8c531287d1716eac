"""The page docs/chatops.md, made from the table of commands and what waiving refuses."""

from __future__ import annotations

from collections.abc import Iterator

from bot.talk.approving import DIGITS
from bot.talk.commands import COMMANDS, Spec
from bot.talk.values import WAIVER_DAYS
from bot.talk.waiving import LONGEST, NEVER, SHORTEST

_HEAD = """\
# Commands in comments

Made from the table in `bot/talk/commands.py`; a test keeps it equal to the code.

A command stands at the start of a line, in plain text, in a comment of a pull request:

```
/warden check licenses
```

- It counts only in a new comment by a person. An edited comment, one older than three days, and \
one written by an App or a bot are not read: write a new one.
- It does not count in quotes, code, HTML comments, lists, tables, headings, links, emphasis, \
footnotes, formulas, or inside of any HTML element; nor with blanks before it.
- Commands and options may be written in any case. A value with blanks is quoted: \
`--suite "short answers"`. What follows `because` is plain text and needs no quotes.
- A line with characters that cannot be seen is refused, so that what is done is what was read. A \
comment may hold five commands; more, and none is done.
- The answer to all commands of a comment is one reply, and a refusal says what is missing: the \
role, or the right line to type. Roles are read from GitHub when the command is done.
"""

_TAIL = """\
## What an approval is bound to

`measure` lets the weights of one head be loaded, on one base, for one check and its suites, by \
one person, for a while. It names at least {digits} hex digits of the head; anything but the \
present head is refused with the line that would be right. A push, a force-push, another base, \
closing, reopening and conversion to a draft end it. Before it is given, the request lists the \
changed files that could run code, the estimated minutes, and what is left of the day's budget of \
the author and of the repository. The day is one of UTC.

## What a comment cannot waive

A waiver by comment is for one head of one pull request (a push ends it), one rule, at most {days} \
days, with a reason of {shortest} to {longest} characters, and never for one's own \
change. A merge queue honours it where it keeps that head, as merge commits do; for squash \
or rebase, put the waiver into the policy. These rules can be waived only in the policy \
file, or not at all:

| Rules | Why |
|---|---|
"""


def page() -> str:
    """Return the page."""
    tail = _TAIL.format(digits=DIGITS, days=WAIVER_DAYS, shortest=SHORTEST, longest=LONGEST)
    parts = [_HEAD, *_table(), "", *map(_section, COMMANDS.values()), tail + "\n".join(_never())]
    return "\n".join(parts).rstrip("\n") + "\n"


def _table() -> Iterator[str]:
    yield "| Command | For | Does |"
    yield "|---|---|---|"
    for spec in COMMANDS.values():
        yield f"| `{spec.usage}` | {spec.who} | {spec.does} |"


def _section(spec: Spec) -> str:
    barred = " Not for people with a conflict of interest." if spec.barred else ""
    return f"### {spec.name}\n\n{spec.does} {spec.more}{barred}\n\nExample: `{spec.example}`\n"


def _never() -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for rule, why in NEVER.items():
        reasons.setdefault(why, []).append(f"`{rule}*`" if rule.endswith("/") else f"`{rule}`")
    for why, rules in reasons.items():
        yield f"| {', '.join(rules)} | {why[0].upper()}{why[1:]}. |"
