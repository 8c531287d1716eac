"""`${{ }}` expressions of workflows: which of their values a stranger chooses."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CONTEXT = re.compile(r"(?<![\w.-])(?:github|env)(?:\.[a-z0-9_*-]+)*")
_BOOLEAN_CALLS = ("contains(", "startswith(", "endswith(")
FREE_TEXT = frozenset(
    ("title", "body", "message", "page_name", "head_ref", "head_branch", "display_title")
)
OF_THE_HEAD = frozenset(("ref", "label", "default_branch", "description", "homepage"))
OF_A_PERSON = frozenset(("name", "email"))
SET_BY_WRITERS = frozenset(("inputs", "client_payload"))


def expressions(text: str) -> Iterator[str]:
    """Yield the inside of each `${{ }}`; quotes may hold braces, an open end runs to the end."""
    at = text.find("${{")
    while at >= 0:
        start = end = at + 3
        quoted = False
        while end < len(text) and (quoted or not text.startswith("}}", end)):
            quoted ^= text[end] == "'"
            end += 1
        yield text[start:end]
        at = text.find("${{", end)


def normal(expression: str) -> str:
    """Return it in lower case without blanks, `a['b'][0]` written `a.b.*`, other strings empty."""
    out: list[str] = []
    at = 0
    while at < len(expression):
        char = expression[at]
        if char == "'":
            end = expression.find("'", at + 1)
            end = len(expression) if end < 0 else end
            out.append("." + expression[at + 1 : end] if out and out[-1] == "[" else "''")
            at = end
        elif not char.isspace():
            out.append(char)
        at += 1
    text = "".join(out).lower()
    return re.sub(r"\[[0-9*]{0,9}\]", ".*", text).replace("[.", ".").replace("]", "")


def contexts(expression: str) -> tuple[str, ...]:
    """Return the `github.…` and `env.…` values it may become; yes-or-no answers are none."""
    text = _without_boolean_calls(normal(expression))
    if ("==" in text or "!=" in text) and "||" not in text and "&&" not in text:
        return ()
    return tuple(dict.fromkeys(_CONTEXT.findall(text)))


def _without_boolean_calls(text: str) -> str:
    for call in _BOOLEAN_CALLS:
        pieces = text.split(call)
        text = pieces[0] + "".join(_after_call(piece) for piece in pieces[1:])
    return text


def _after_call(text: str) -> str:
    depth = 1
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return text[at + 1 :]
    return ""


def strangers(text: str, tainted: frozenset[str] = frozenset()) -> tuple[tuple[str, str], ...]:
    """Return (expression, context) for each value in the text that a stranger chooses.

    `tainted` names the environment variables (lower case) that hold such a value.
    """
    found = []
    for expression in expressions(text):
        whole = "tojson(" in normal(expression)
        for context in contexts(expression):
            root, _, name = context.partition(".")
            if (root == "env" and name in tainted) or _is_strangers(context, whole=whole):
                found.append((expression, context))
    return tuple(found)


def _is_strangers(context: str, *, whole: bool) -> bool:
    root, *path = context.split(".")
    if root != "github":
        return False
    if path == ["head_ref"]:
        return True
    if path[:1] != ["event"]:
        return whole and not path
    rest = path[1:]
    if not rest or rest[0] in SET_BY_WRITERS:
        return whole and not rest
    last = rest[-1]
    if last in FREE_TEXT or ("head" in rest and last in OF_THE_HEAD):
        return True
    if last in OF_A_PERSON and len(rest) > 1 and rest[-2] in ("author", "committer"):
        return True
    return whole and last not in ("number", "id", "sha", "action", "login")


def is_pull_request_head(context: str) -> bool:
    """Whether the value names the code of a pull request, that is of anybody."""
    return context.startswith(
        (
            "github.head_ref",
            "github.event.number",
            "github.event.pull_request.head",
            "github.event.pull_request.number",
            "github.event.pull_request.merge_commit_sha",
            "github.event.workflow_run.head",
            "github.event.workflow_run.pull_requests",
        )
    )
