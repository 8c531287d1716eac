"""SPDX licence expressions, read strictly: what is not one is an error, never a guess.

Besides SPDX ids the model hubs' own ids (`gemma`, `llama3.1`, `bsd` for a family), LicenseRef
names and NOASSERTION are licences here; whether one is acceptable is the policy's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, TypeVar

from registry.licenses.names import FAMILIES, HUB_IDS, UNSTATED
from registry.licenses.texts import spdx_ids

T = TypeVar("T")
LIMIT = 2_000  # characters of one expression
_LICENCE = "MPL-2.0-no-copyleft-exception"  # the library takes it for an exception
_FOLLOWERS = ("AND", "OR", "WITH", ")")
_TOKEN = re.compile(r"[()]|[^\s()]+")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:+_-]*")
_REFERENCE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")


class LicenseError(ValueError):
    """The text is not a licence expression; the message says why, in one line."""


def normalise(text: str) -> str:
    """Return the expression in its canonical spelling; OR, AND and WITH are kept.

    Raises LicenseError.
    """
    return str(_parse(text))


def fold(
    expression: str,
    leaf: Callable[[str], T],
    every: Callable[[tuple[T, ...]], T],
    some: Callable[[tuple[T, ...]], T],
) -> T:
    """Make one value of an expression: of each licence by `leaf`, of AND by `every`, OR `some`."""

    def value(node: Any) -> T:
        if _operator(node):
            parts = tuple(value(child) for child in node.args)
            return some(parts) if _operator(node) == "OR" else every(parts)
        return leaf(str(node))

    return value(_parse(expression))


def weigh(expression: str, leaf: Callable[[str], int]) -> int:
    """Weigh each licence with `leaf`: OR takes the lowest weight, AND the highest."""
    weight: int = fold(expression, leaf, max, min)
    return weight


def leaves(expression: str) -> tuple[str, ...]:
    """Return each licence named, an exception with its licence ("X WITH Y")."""
    found: list[str] = []
    weigh(expression, lambda leaf: found.append(leaf) or 0)  # type: ignore[func-returns-value]
    return tuple(dict.fromkeys(found))


def same(one: str, other: str) -> bool:
    """Whether two expressions say the same, whatever the order they say it in."""
    return _canonical(_parse(one)) == _canonical(_parse(other))


def covers(general: str, special: str) -> bool:
    """Whether a licence family ("bsd") holds this licence ("BSD-3-Clause")."""
    prefixes = FAMILIES.get(general, ())
    return special.startswith(prefixes) if prefixes else False


def is_unstated(leaf: str) -> bool:
    """Whether the id stands for "no licence is stated": `other`, `unknown`, NOASSERTION."""
    return leaf in UNSTATED


def _operator(node: Any) -> str:
    name = type(node).__name__
    return name if name in ("AND", "OR") else ""


def _canonical(node: Any) -> str:
    operator = _operator(node)
    if not operator:
        return str(node)
    parts: set[str] = set()
    for child in node.args:
        text = _canonical(child)
        nested = _operator(child) == operator
        parts.update(text[1:-1].split(f" {operator} ") if nested and text[0] == "(" else (text,))
    return f"({f' {operator} '.join(sorted(parts))})" if len(parts) > 1 else parts.pop()


@lru_cache(maxsize=4096)
def _parse(text: str) -> Any:
    from license_expression import ExpressionError, ExpressionParseError, ParseError

    stripped = " ".join(text.split())
    if not stripped or len(stripped) > LIMIT or not stripped.isascii():
        raise LicenseError("no licence is named" if not stripped else "not a licence expression")
    if not _is_well_formed(stripped):
        raise LicenseError(f"'{stripped:.80}' is not a licence expression")
    try:
        node = _licensing().parse(stripped)
    except (ExpressionError, ExpressionParseError, ParseError, RecursionError) as error:
        raise LicenseError(f"'{stripped:.80}' is not a licence expression") from error
    for symbol in node.symbols:
        if hasattr(symbol, "exception_symbol"):
            _refuse_unknown(symbol.license_symbol, exception=False)
            _refuse_unknown(symbol.exception_symbol, exception=True)
        else:
            _refuse_unknown(symbol, exception=False)
    return node


def _is_well_formed(text: str) -> bool:
    # The library raises errors of every kind on "()" or "(or MIT": it sees only what is in order.
    depth, before = 0, "AND"
    for token in _TOKEN.findall(text):
        word = token.upper()
        operand_next = before in ("AND", "OR", "WITH", "(")
        if word in ("AND", "OR", "WITH", ")") if operand_next else word not in _FOLLOWERS:
            return False
        if (before, word) in (("WITH", "("), (")", "WITH")):
            return False
        if operand_next and word != "(" and not _ID.fullmatch(token):
            return False
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return False
        before = word
    return depth == 0 and before not in ("AND", "OR", "WITH", "(")


def _refuse_unknown(symbol: Any, *, exception: bool) -> None:
    if _REFERENCE.fullmatch(symbol.key):
        return
    known = _licensing().known_symbols
    found = known.get(symbol.key) or known.get(symbol.key.removesuffix("+"))
    if found is None or found.is_exception != exception:
        kind = "exception" if exception else "licence"
        raise LicenseError(f"'{symbol.key:.80}' is not an SPDX {kind} id")


@cache
def _licensing() -> Any:
    # Our own table: the library's default one reads "gpl" as GPL-1.0-or-later, a guess.
    from license_expression import LicenseSymbol, Licensing, get_license_index

    symbols: dict[str, Any] = {}
    taken = {id.lower() for id in (*HUB_IDS, *FAMILIES, *UNSTATED)}
    for entry in get_license_index():
        key = entry.get("spdx_license_key") or ""
        if key and not key.startswith("LicenseRef-") and key.lower() not in taken:
            others = (a for a in entry["other_spdx_license_keys"] if a.lower() not in taken)
            names = tuple(a for a in others if not a.startswith("LicenseRef-"))
            exception = entry["is_exception"] and key != _LICENCE
            symbols[key] = LicenseSymbol(key, aliases=names, is_exception=exception)
            taken.update(name.lower() for name in (key, *names))
    symbols |= {id: LicenseSymbol(id) for id in spdx_ids() if id.lower() not in taken}
    symbols |= {id: LicenseSymbol(id) for id in (*HUB_IDS, *FAMILIES, *UNSTATED)}
    licensing = Licensing(symbols.values())
    licensing.parse("MIT")  # builds its tokenizer now: built by two threads at once it misreads
    return licensing
