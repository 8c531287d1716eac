"""Components and the edges between them: a bill of materials, in whatever format written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["application", "package", "model", "adapter", "data", "file"]
Tie = Literal[
    "links", "vendors", "trains_on", "finetunes", "distils_from", "merges", "quantises", "embeds",
    "evaluates_on",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Component:
    """One thing a release is made of.

    `ref` names it within the bill and is the same in every run: a purl for packages
    (pkg:pypi/torch@2.13.0), else urn:modelwarden:KIND:NAME@DIGEST. `licence` is an SPDX
    expression, "" where unknown; `hashes` are (algorithm, hex), `source` says where it is from
    and `found` which tracked file says so. `properties` are (name, value) for a reader.
    """

    ref: str
    kind: Kind
    name: str
    version: str = ""
    licence: str = ""
    hashes: tuple[tuple[str, str], ...] = ()
    source: str = ""
    found: str = ""
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """`of` is tied to `to`, both refs: the application links a package, a model trains_on data."""

    of: str
    tie: Tie
    to: str


@dataclass(frozen=True, slots=True)
class Bom:
    """The bill of `subject` (a ref); components sorted by ref, edges sorted. `date` is in UTC."""

    subject: str
    date: str
    components: tuple[Component, ...]
    edges: tuple[Edge, ...] = ()
