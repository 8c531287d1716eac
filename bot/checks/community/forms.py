"""Files of `.github` that GitHub reads as forms: issue forms, templates, their config, funding."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from bot.checks.community.workflows import unread
from bot.finding import Level, Rule
from bot.problems import Problem, Problems
from bot.quoting import plain
from registry.documents import DocumentError, KeyPath, load_yaml, text_of

SIZE_LIMIT = 1_000_000  # bytes
FUNDING_FILE = ".github/FUNDING.yml"
PLATFORMS = frozenset(
    ("buy_me_a_coffee", "community_bridge", "custom", "github", "issuehunt", "ko_fi",
     "lfx_crowdfunding", "liberapay", "open_collective", "otechie", "patreon", "polar",
     "thanks_dev", "tidelift")
)  # fmt: skip
MAX_FUNDED = 4  # names under `github` and `custom`
FORM_KEYS = frozenset(
    ("name", "description", "body", "assignees", "labels", "title", "projects", "type")
)
ITEMS = frozenset(("markdown", "textarea", "input", "dropdown", "checkboxes", "upload"))
ITEM_KEYS = frozenset(("type", "id", "attributes", "validations"))
ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
LINK_KEYS = ("name", "url", "about")

FUNDING = Rule(
    "community/funding",
    Level.FAILURE,
    "FUNDING.yml is not valid.",
    "GitHub shows no sponsor button for a file with errors.",
    "Use the platform names GitHub knows, each with one account name.",
)
TEMPLATE = Rule(
    "community/issue-template",
    Level.FAILURE,
    "An issue form, an issue template or their config.yml is not valid.",
    "GitHub leaves a broken template out of the list, so people cannot choose it.",
    "Give it what GitHub requires: name and description (form) or about (template), and a body.",
)
RULES = (FUNDING, TEMPLATE)


def funding(data: bytes, blob: str) -> Problems:
    """Judge FUNDING.yml: known platforms, each with one name, lists only where allowed."""
    return _judged(data, blob, FUNDING.id, _funding)


def form(data: bytes, blob: str) -> Problems:
    """Judge an issue form."""
    return _judged(data, blob, TEMPLATE.id, _form)


def config(data: bytes, blob: str) -> Problems:
    """Judge `.github/ISSUE_TEMPLATE/config.yml`."""
    return _judged(data, blob, TEMPLATE.id, _config)


def template(data: bytes, blob: str) -> Problems:
    """Judge an issue template in Markdown: front matter with name and about."""
    try:
        block = front_matter(data)
        document = load_yaml(block, limit=SIZE_LIMIT)
    except DocumentError as error:
        return Problems((unread(error, blob, TEMPLATE.id),))
    value = document.value if isinstance(document.value, dict) else {}
    missing = [key for key in ("name", "about") if not _text(value.get(key))]
    return Problems(
        tuple(
            Problem(TEMPLATE.id, f"no {key}", f"the front matter has no `{key}`", 1)
            for key in missing
        )
    )


def front_matter(data: bytes) -> bytes:
    """Return the YAML between the first two `---` lines, its lines keeping their numbers."""
    lines = text_of(data, limit=SIZE_LIMIT).split("\n")
    if lines[0].rstrip() != "---":
        return b""
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "\n".join(["", *lines[1:number], ""]).encode()
    raise DocumentError("the front matter that starts with --- has no end", 1)


def _judged(
    data: bytes, blob: str, rule: str, judge: Callable[[dict[Any, Any]], Complaints]
) -> Problems:
    try:
        document = load_yaml(data, limit=SIZE_LIMIT)
    except DocumentError as error:
        return Problems((unread(error, blob, rule),))
    if not isinstance(document.value, dict):
        if rule == FUNDING.id and document.value is None:
            return Problems()  # all platforms commented out
        return Problems((Problem(rule, "shape", "the file is not a mapping", 1),))
    return Problems(
        tuple(
            Problem(rule, message, message, document.line(path))
            for path, message in judge(document.value)
        )
    )


Complaints = Iterator[tuple[KeyPath, str]]


def _funding(value: dict[Any, Any]) -> Complaints:
    for key, given in value.items():
        if key not in PLATFORMS:
            yield (key,), f"{plain(key)} is no platform GitHub knows"
        elif given is None:
            continue
        elif isinstance(given, list):
            if key not in ("github", "custom") or len(given) > MAX_FUNDED:
                allowed = f"at most {MAX_FUNDED} names" if key in ("github", "custom") else "one"
                yield (key,), f"{key} takes {allowed}"
            elif not all(map(_text, given)):
                yield (key,), f"{key} must hold plain names"
        elif not _text(given):
            yield (key,), f"{key} must be one name"
        elif key == "tidelift" and str(given).count("/") < 1:
            yield (key,), "tidelift is written platform/package"


def _form(value: dict[Any, Any]) -> Complaints:
    for key in ("name", "description"):
        if not _text(value.get(key)):
            yield (key,), f"the form has no `{key}`"
    for key in value:
        if key not in FORM_KEYS:
            yield (key,), f"{plain(key)} is no key of an issue form"
    body = value.get("body")
    if not isinstance(body, list) or not body:
        yield ("body",), "the form has no `body` with a list of fields"
        return
    kinds = [item.get("type") if isinstance(item, dict) else None for item in body]
    if all(kind == "markdown" for kind in kinds):
        yield ("body",), "the form asks nothing: every field is markdown"
    seen: set[str] = set()
    for number, item in enumerate(body):
        for message in _item(item, seen):
            yield ("body", number), f"field {number + 1}: {message}"


def _item(item: object, seen: set[str]) -> Iterator[str]:
    if not isinstance(item, dict):
        yield "is not a mapping"
        return
    kind = item.get("type")
    if kind not in ITEMS:
        yield f"{plain(kind)} is no type of field"
        return
    for key in item:
        if key not in ITEM_KEYS:
            yield f"{plain(key)} is no key of a field"
    name = item.get("id")
    if name is not None and (not isinstance(name, str) or not ITEM_ID.fullmatch(name)):
        yield "the id must be letters, digits, - and _"
    elif isinstance(name, str) and name in seen:
        yield f"the id {name} is used twice"
    seen.add(str(name))
    attributes = item.get("attributes")
    yield from _attributes(str(kind), attributes if isinstance(attributes, dict) else {})
    rules = item.get("validations", {})
    required = rules.get("required") if isinstance(rules, dict) else rules
    if required is not None and not isinstance(required, bool):
        yield "`validations` holds `required`, which is true or false"


def _attributes(kind: str, attributes: dict[Any, Any]) -> Iterator[str]:
    needed = "value" if kind == "markdown" else "label"
    if not _text(attributes.get(needed)):
        yield f"a {kind} needs the attribute `{needed}`"
    if kind not in ("dropdown", "checkboxes"):
        return
    options = attributes.get("options")
    if not isinstance(options, list) or not options:
        yield f"a {kind} needs a list of `options`"
    elif kind == "dropdown" and not all(map(_text, options)):
        yield "the options of a dropdown are plain texts"
    elif kind == "dropdown" and len(set(map(str, options))) < len(options):
        yield "the options of a dropdown must differ"
    elif kind == "checkboxes" and not all(
        isinstance(option, dict) and _text(option.get("label")) for option in options
    ):
        yield "each option of checkboxes needs a `label`"


def _config(value: dict[Any, Any]) -> Complaints:
    for key in value:
        if key not in ("blank_issues_enabled", "contact_links"):
            yield (key,), f"{plain(key)} is no key of config.yml"
    if not isinstance(value.get("blank_issues_enabled", True), bool):
        yield ("blank_issues_enabled",), "`blank_issues_enabled` is true or false"
    links = value.get("contact_links") or []
    if not isinstance(links, list):
        yield ("contact_links",), "`contact_links` is a list"
        return
    for number, link in enumerate(links):
        missing = [k for k in LINK_KEYS if not isinstance(link, dict) or not _text(link.get(k))]
        if missing:
            yield ("contact_links", number), f"link {number + 1} needs `{missing[0]}`"


def _text(value: object) -> bool:
    """Whether it is a scalar with something in it; YAML reads a bare 12 as a number."""
    return isinstance(value, (str, int, float)) and bool(str(value).strip())
