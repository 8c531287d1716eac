"""What the reports show of people: who signed which commit off, and which agreement."""

from __future__ import annotations

from bot.checks.contributors.accounts import Excused
from bot.checks.contributors.cla import Agreement, Cla, counts, signed_by
from bot.checks.contributors.parties import Parties, Party
from bot.checks.contributors.remediation import Mode
from bot.checks.contributors.signatures import Signatures
from bot.checks.contributors.standing import Standing, standing
from bot.checks.contributors.statements import Statement, signers
from bot.checks.contributors.tools import Tools
from bot.cladoc import SHOWN as DIGITS
from bot.exhibit import Table
from bot.quoting import plain

SHOWN = 100  # rows of a table


def commits(
    statements: tuple[Statement, ...],
    each: Signatures,
    mode: Mode,
    excused: Excused,
    tools: Tools | None,
) -> Table:
    """Return who signed which commit."""
    signed = signers(statements, mode)
    rows = tuple(
        (
            statement.commit[:12],
            plain(statement.author.address),
            _signed_off(statement, excused, standing(statement, signed[statement.commit], tools)),
            (signature.kind or "none") + (f" by {s}" if (s := signature.signer) else ""),
        )
        for statement, signature in zip(statements[:SHOWN], each.each[:SHOWN], strict=True)
    )
    title = _title("Commits", len(statements))
    return Table(title, ("commit", "author", "signed off", "signature"), rows)


def _signed_off(statement: Statement, excused: Excused, stands: Standing) -> str:
    if stands.signed and stands.author is not None:
        return "yes, for a tool"
    if stands.signed:
        return "yes" if statement.signed_by_author else "yes, in a later commit"
    without = statement.commit in excused.whole | excused.author
    if not without and stands.by_tools:
        return "no, by a tool"
    return "not needed" if without else "no"


def agreement(of: Agreement, cla: Cla, parties: Parties) -> tuple[Table, ...]:
    """Return who signed which version of the agreement; nothing where nobody has to."""
    everybody = (*parties.due, *parties.unowned)
    rows = tuple((p.shown, p.role, _version(of, cla, p)) for p in everybody[:SHOWN])
    title = _title(f"Agreement, version {of.digest[:DIGITS] or 'unknown'}", len(everybody))
    return (Table(title, ("who", "why", "signed"), rows),) if rows else ()


def _version(of: Agreement, cla: Cla, party: Party) -> str:
    versions = ", ".join(signed_by(of, party.account)[-3:]) if party.account else ""
    if not versions:
        return "no"
    return versions if counts(of, cla, party.account) else f"{versions}, which does not count"


def _title(what: str, count: int) -> str:
    return what if count <= SHOWN else f"{what} (the first {SHOWN} of {count:,})"
