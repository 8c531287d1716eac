"""Facts of a licence for each way to use a thing, and what follows for one edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from registry.bom.values import Tie

# What a sentence of a licence does. `cites` a list in docs/licence-facts.md.
Tag = Literal[
    "noncommercial", "research_only", "output_training", "mau_threshold", "revenue_threshold",
    "naming", "attribution", "share_alike", "network_share_alike", "use_restrictions",
    "territory", "termination", "patent", "warranty", "no_derivatives", "no_distribution",
    "source_disclosure", "notice", "state_changes", "pass_on_terms", "no_further_restrictions",
    "registration", "personal_only", "field_of_use", "reverse_engineering",
]  # fmt: skip
Nature = Literal["software", "content", "data", "model", "policy"]
Answer = Literal["allowed", "conditions", "forbidden", "unknown"]
What = Literal["code", "data", "weights", "output"]


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence of a licence, word for word, and what it does. `where` names its section."""

    tag: Tag
    quote: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """What a licence says of one kind of edge *into* the thing it covers.

    `clauses` are the tags of the clauses that bear on it: what forbids it, or its conditions.
    `spares_own`: what is forbidden is not so into works that are under this licence themselves.
    """

    tie: Tie
    answer: Answer
    clauses: tuple[Tag, ...] = ()
    spares_own: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """The reviewed facts of one licence. `id` is an SPDX id, a hub id or a LicenseRef name.

    `aliases` are other names of the same text, `texts` the digests (reading.digest) of what was
    read, `reviewed` a date. A tie without a term is unknown, never allowed. `into` are other
    licences that a share_alike or pass_on_terms clause accepts for what is made from the thing;
    `refuses` are the tags and licences that a work under this one cannot take in.
    """

    id: str
    name: str
    nature: Nature
    reviewed: str
    aliases: tuple[str, ...] = ()
    family: str = ""
    texts: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] = ()
    terms: tuple[Term, ...] = ()
    into: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an edge is judged as it is: the licence, the tag, its sentence, and what follows."""

    license: str
    tag: str
    quote: str
    says: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """May a thing published under `outbound` have this tie to one under `inbound`?

    `forbidden` and `unknown` have a reason each; `conditions` are duties to fulfil. Of OR the
    choice that allows most counts (`inbound` is then that choice), of AND the strictest.
    """

    answer: Answer
    tie: Tie
    inbound: str
    outbound: str
    commercial: bool
    reasons: tuple[Reason, ...] = ()
