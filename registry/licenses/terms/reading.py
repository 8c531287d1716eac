"""The reviewed facts of a licence, read from its file in `facts/`; docs/licence-facts.md.

Only the file that holds the licence is read: `facts/index.json` says which one that is.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from registry.bom.values import Tie
from registry.documents import DocumentError, load_yaml
from registry.errors import BadFacts
from registry.licenses.terms.values import Answer, Clause, Nature, Tag, Term, Terms
from security import strictjson

FOLDER = Path(__file__).with_name("facts")
INDEX = FOLDER / "index.json"
FILE_LIMIT = 200_000  # bytes of one file of facts
_INDEX_LIMIT = 1_000_000
_HINT = "correct the file as docs/licence-facts.md says, or install Modelwarden again"
_WORD = re.compile(r"[^\W_]+")

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:+_-]{0,99}$")]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Digests = Annotated[tuple[_Digest, ...], Field(min_length=1)]
_Line = Annotated[str, Field(min_length=1, max_length=5_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Clause(_Part):
    tag: Tag
    quote: _Line
    where: str = ""


class _Term(_Part):
    ties: Annotated[tuple[Tie, ...], Field(min_length=1)]
    answer: Answer
    clauses: tuple[Tag, ...] = ()
    spares_own: bool = False


class Sheet(_Part):
    """One file of facts: `ids` are licences with these terms, each with what was read of it."""

    ids: Annotated[dict[_Name, _Digests], Field(min_length=1)]
    aliases: dict[_Name, _Name] = {}
    name: _Line
    nature: Nature
    family: str = ""
    reviewed: datetime.date
    clauses: tuple[_Clause, ...] = ()
    terms: tuple[_Term, ...] = ()
    into: tuple[_Name, ...] = ()
    refuses: tuple[_Name, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return every id and alias, in lower case."""
        return tuple(name.lower() for name in (*self.ids, *self.aliases))


def digest(text: str) -> str:
    """Return the SHA-256 of a text's words, in lower case with one space between them."""
    return hashlib.sha256(" ".join(words(text)).encode()).hexdigest()


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case, without layout or punctuation."""
    return _WORD.findall(text.lower())


def terms(name: str) -> Terms | None:
    """Return the facts of a licence by id or alias, whatever its case; None where there are none.

    Raises BadFacts.
    """
    stem = _index().get(name.lower())
    return None if stem is None else _terms(stem, name.lower())


def known() -> tuple[str, ...]:
    """Return every id and alias there are facts of, in lower case."""
    return tuple(_index())


def sheet(path: Path) -> Sheet:
    """Read and validate one file of facts. Raises BadFacts."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
        found = Sheet.model_validate(load_yaml(data, limit=FILE_LIMIT).value)
        _hold_together(found)
    except (OSError, DocumentError) as error:
        raise BadFacts(f"{path.name}: {error}", _HINT) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadFacts(f"{path.name}: {place}: {first['msg']}", _HINT) from error
    except _Loose as error:
        raise BadFacts(f"{path.name}: {error}", _HINT) from error
    return found


class _Loose(ValueError):
    """Two parts of a file do not fit each other."""


def _hold_together(found: Sheet) -> None:
    quoted = {clause.tag for clause in found.clauses}
    for number, term in enumerate(found.terms):
        for tag in term.clauses:
            if tag not in quoted:
                raise _Loose(f"terms.{number}: no clause quotes '{tag}'")
        if term.answer in ("conditions", "forbidden") and not term.clauses:
            raise _Loose(f"terms.{number}: '{term.answer}' without a clause that says so")
        if term.spares_own and term.answer != "forbidden":
            raise _Loose(f"terms.{number}: 'spares_own' where nothing is forbidden")
    ties = [tie for term in found.terms for tie in term.ties]
    if len(set(ties)) != len(ties):
        raise _Loose("terms: a tie is answered twice")
    names = found.names()
    if len(set(names)) != len(names):
        raise _Loose("an id or alias is there twice")
    for alias, id in found.aliases.items():
        if id not in found.ids:
            raise _Loose(f"aliases.{alias}: '{id}' is none of the ids")


@cache
def _index() -> dict[str, str]:
    try:
        found: Any = strictjson.loads(INDEX.read_bytes(), limit=_INDEX_LIMIT)
    except (OSError, strictjson.StrictJSONError) as error:
        raise BadFacts(f"{INDEX.name}: {error}", _HINT) from error
    return dict(found)


@cache
def _sheet(stem: str) -> Sheet:
    return sheet(FOLDER / f"{stem}.yml")


@cache
def _terms(stem: str, name: str) -> Terms:
    found = _sheet(stem)
    aliases = {alias.lower(): id for alias, id in found.aliases.items()}
    ids = {id.lower(): id for id in found.ids}
    if name not in aliases and name not in ids:
        raise BadFacts(f"{INDEX.name}: '{name}' is not in {stem}.yml", _HINT)
    id = aliases.get(name) or ids[name]
    return Terms(
        id=id,
        name=found.name,
        nature=found.nature,
        reviewed=found.reviewed.isoformat(),
        aliases=tuple(alias for alias, of in found.aliases.items() if of == id),
        family=found.family,
        texts=found.ids[id],
        clauses=tuple(Clause(c.tag, " ".join(c.quote.split()), c.where) for c in found.clauses),
        terms=tuple(
            Term(tie, t.answer, t.clauses, t.spares_own) for t in found.terms for tie in t.ties
        ),
        into=found.into,
        refuses=found.refuses,
    )
