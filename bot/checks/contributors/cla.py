"""The contributor licence agreement: who of a change has signed a version of it that counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot import cladoc
from bot.change import Change
from bot.checks.contributors.parties import Parties, Party
from bot.cladoc import SHOWN
from bot.errors import CouldNotTell
from bot.finding import Finding, Level, Location, Rule
from bot.people import ClaSignature, Digest, PeopleError
from bot.quoting import plain
from bot.world import World

COMMAND = "/warden sign-cla"
MAX_LISTED = 20  # findings of one kind

UNSIGNED = Rule(
    "contributors/cla",
    Level.FAILURE,
    "Somebody whose work is in the change has not signed the contributor agreement.",
    "The project may only give out work whose makers agreed to a version of its terms that counts.",
    f"That person writes a comment on the pull request with just this line: `{COMMAND}`",
)
ACCOUNT = Rule(
    "contributors/cla-account",
    Level.FAILURE,
    "Work in the change belongs to an address that no known account owns.",
    "Anybody can type a name and an address; only an account can sign the agreement.",
    "Add the address to the account at https://github.com/settings/emails, or write the commit "
    "again with the address ID+LOGIN@users.noreply.github.com that is shown there.",
)
CHANGED = Rule(
    "contributors/cla-changed",
    Level.WARNING,
    "The change edits the contributor agreement or its ledger of signatures.",
    "Another text is another version, to be signed anew; this change is judged by the old one.",
    "Have an owner approve it; put the old version in `contributors.cla.accepts` if it counts on.",
)
UNKNOWN = Rule(
    "contributors/cla-unknown",
    Level.UNKNOWN,
    "Who made the change, or what they signed, cannot be known here.",
    "The platform knows accounts and signatures, git does not; names in commits prove nothing.",
    "Open a pull request, where this is known, or pass what the platform says: "
    "`modelwarden check --people FILE`.",
)
RULES = (UNSIGNED, ACCOUNT, CHANGED, UNKNOWN)


class Cla(BaseModel):
    """Policy on the contributor licence agreement."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    required: bool = Field(default=False, description="Whether everybody signs it.")
    document: str = Field(default="", description="Its path, read at the base.")
    accepts: tuple[Digest, ...] = Field(
        default=(), description="SHA-256 of earlier versions that still count."
    )
    signatures: str = Field(
        default="", description="Path of exported signatures (JSON lines), read at the base."
    )
    exempt: tuple[str, ...] = Field(
        default=(), description="Logins of bots that need not sign; their commits are verified."
    )

    @model_validator(mode="after")
    def _has_document(self) -> Cla:
        if self.required and not self.document:
            raise ValueError("`required` needs `document`, the path of the agreement")
        return self


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement at the base and who signed what; `trouble` says what could not be read.

    `signatures` are those of accounts that are in the change.
    """

    document: str = ""
    digest: str = ""
    trouble: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    signatures: tuple[ClaSignature, ...] = ()


def collect(change: Change, world: World, cla: Cla, accounts: frozenset[int]) -> Agreement:
    """Read the document and the ledger at the base, and keep signatures of these accounts."""
    if not cla.document:
        return Agreement()
    trouble: list[str] = []
    digest, given = "", list(world.people.signatures if world.people else ())
    try:
        digest = cladoc.read(world, change.base, cla.document).digest
    except CouldNotTell as error:
        trouble.append(error.message)
    try:
        given += cladoc.ledger(world, change.base, cla.signatures) if cla.signatures else ()
    except (CouldNotTell, PeopleError) as error:
        trouble.append(error.message)
    named = {cla.document, cla.signatures}
    edited = tuple(f.path for f in change.files if f.path in named)
    kept = tuple(s for s in given if s.account in accounts)
    return Agreement(cla.document, digest, tuple(trouble), edited, kept)


def judge(agreement: Agreement, cla: Cla, parties: Parties) -> tuple[Finding, ...]:
    """Find who has not signed, and what the change does to the agreement itself."""
    found = [_changed(path, cla) for path in agreement.edited]
    if not cla.required:
        return tuple(found)
    found += [UNKNOWN.at(t, remedy=_remedy(agreement, cla)) for t in agreement.trouble]
    if not agreement.digest:
        return tuple(found)
    lacking = [p for p in parties.due if not counts(agreement, cla, p.account)]
    if parties.proven:
        found += _some([_unsigned(p, agreement) for p in lacking], UNSIGNED, "people")
        found += _some([_unowned(p) for p in parties.unowned], ACCOUNT, "addresses")
    elif lacking or parties.unowned:
        found.append(_unsettled([*lacking, *parties.unowned], cla))
    return (*found, *(UNKNOWN.at(text) for text in parties.unknown))


def counts(agreement: Agreement, cla: Cla, account: int) -> bool:
    """Whether an account has signed a version that counts."""
    versions = {agreement.digest, *cla.accepts} - {""}
    return any(s.account == account and s.document in versions for s in agreement.signatures)


def signed_by(agreement: Agreement, account: int) -> tuple[str, ...]:
    """Return the versions an account has signed, each once, shortened."""
    versions = (s.document[:SHOWN] for s in agreement.signatures if s.account == account)
    return tuple(dict.fromkeys(versions))


def _changed(path: str, cla: Cla) -> Finding:
    what = "agreement" if path == cla.document else "ledger of signatures"
    message = f"the change edits the {what}; it is judged by the one at its base"
    return CHANGED.at(message, Location(path))


def _remedy(agreement: Agreement, cla: Cla) -> str:
    if not agreement.digest:
        return "Commit the agreement as a plain file below 1 MB, or correct `contributors.cla`."
    return f"Correct {plain(cla.signatures)}: one JSON object a line, as the export writes it."


def _unsigned(party: Party, agreement: Agreement) -> Finding:
    message = f"{party.shown}, {party.role}, has not signed {plain(agreement.document)}, "
    message += f"version {agreement.digest[:SHOWN]}"
    old = signed_by(agreement, party.account)
    message += f", only {', '.join(old[:3])}, which no longer counts" if old else ""
    remedy = f"{party.shown} reads {plain(agreement.document)} and writes a comment on the pull "
    remedy += f"request with just this line: `{COMMAND}`"
    return UNSIGNED.at(message, Location(commit=party.commit), remedy=remedy)


def _unowned(party: Party) -> Finding:
    message = f"{party.role}: {party.shown} belongs to no account that is known"
    remedy = ""
    if party.typed:
        remedy = (
            "Write the line as `Co-authored-by: NAME <ID+LOGIN@users.noreply.github.com>`; the "
        )
        remedy += "co-author finds that address at https://github.com/settings/emails."
    return ACCOUNT.at(message, Location(commit=party.commit), remedy=remedy)


def _unsettled(parties: list[Party], cla: Cla) -> Finding:
    names = ", ".join(p.shown for p in parties[:3])
    more = f" and {len(parties) - 3:,} more" if len(parties) > 3 else ""
    where = (
        f"{plain(cla.signatures)} does not settle it" if cla.signatures else "no ledger is named"
    )
    return UNKNOWN.at(f"whether {names}{more} signed cannot be known here: {where}")


def _some(found: list[Finding], rule: Rule, what: str) -> Iterable[Finding]:
    rest = len(found) - MAX_LISTED
    more = [rule.at(f"and {rest:,} more {what}")] if rest > 0 else []
    return (*found[:MAX_LISTED], *more)
