"""What becomes of texts: joined, filled in, parted."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from registry.manifests.literals import TEXT_LIMIT, File, Items, Text, Unknown, Value, elements

_SAME_METHODS = frozenset({"strip", "lstrip", "rstrip", "resolve", "absolute", "expanduser", "copy",
                           "as_posix", "encode", "decode"})  # fmt: skip
# The table of requirements by name that Transformers and its relatives make.
_BY_NAME = frozenset({
    r"^(([^!=<>~ ]+)(?:[!=<>~ ].*)?$)", r"^(([^!=<>~]+)(?:[!=<>~].*)?$)",
})  # fmt: skip
_NAME_END = re.compile(r"[!=<>~ ]")
_FIELD = re.compile(r"\{(\w*)\}")


def of_text(of: Text, name: str, given: list[Value]) -> Value | None:
    """Return what a method of a text gives, None where it is not known."""
    texts = [g.value for g in given if isinstance(g, Text)]
    if name in _SAME_METHODS and not given:
        return Text(of.value.strip() if "strip" in name else of.value, of.line)
    if name in ("lower", "upper"):
        return Text(getattr(of.value, name)(), of.line)
    if name == "replace" and len(texts) == 2 and len(texts[1]) <= max(len(texts[0]), 1) * 2:
        # At most twice as long, so that the bound holds before the text is made.
        fits = texts[0] and len(of.value) * 2 <= TEXT_LIMIT
        return Text(of.value.replace(texts[0], texts[1]), of.line) if fits else None
    if name in ("splitlines", "split"):
        lines = name == "splitlines" or texts == ["\n"]
        parts = (
            of.value.splitlines() if lines else of.value.split(texts[0] or None if texts else None)
        )
        return Items(tuple(Text(p, of.line + n * lines) for n, p in enumerate(parts)))
    if name == "format":
        return filled(of, "{}", given)
    if name == "join" and given:
        inner = elements(given[0])
        known = [i.value for i in inner if isinstance(i, Text)]
        long = sum(map(len, known)) + len(of.value) * len(known) > TEXT_LIMIT
        if known and len(known) == len(inner) and not long:
            return Text(of.value.join(known), of.line)
    return None


def filled(pattern: Text, mark: str, values: Iterable[Value]) -> Value:
    """Return a pattern with its marks, "{}" or "%s", filled in."""
    given = list(values)
    known = [v.value for v in given if isinstance(v, Text)]
    text = _FIELD.sub("{}", pattern.value) if mark == "{}" else pattern.value
    plain = text.count(mark) == len(known) == len(given) and pattern.value.count("%") in (
        0, text.count("%s") if mark == "%s" else 0)  # fmt: skip
    if not plain or any(f not in ("", str(n)) for n, f in enumerate(_FIELD.findall(pattern.value))):
        return next((v for v in given if isinstance(v, File)), Unknown(pattern.line))
    for one in known:
        text = text.replace(mark, one, 1)
    return Text(text, pattern.line) if len(text) <= TEXT_LIMIT else Unknown(pattern.line)


def path(parts: Iterable[Value]) -> Value:
    """Return texts joined as a path."""
    texts = [p for p in parts if isinstance(p, Text)]
    return Text(posixpath.join(*(t.value for t in texts)), texts[-1].line)


def below(left: Value, right: Text) -> Value:
    """Return `left / right`."""
    return path([left, right]) if isinstance(left, Text) else right


def by_name(pattern: Value, said: Text) -> Value:
    """Return what the known patterns find in a requirement: itself and its name."""
    if not isinstance(pattern, Text) or pattern.value not in _BY_NAME:
        return Unknown(said.line)
    name = _NAME_END.split(said.value, maxsplit=1)[0]
    return Items((Items((said, Text(name, said.line))),))
