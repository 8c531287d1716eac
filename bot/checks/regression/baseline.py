"""What the report says about the release that a change was, or could have been, compared with."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.regression import rules
from bot.checks.regression.lineage import RELEASE, Lineage
from bot.checks.regression.settings import Settings
from bot.finding import Finding, Location
from bot.quoting import plain


def findings_of(lineage: Lineage | None, settings: Settings, where: Location) -> Iterator[Finding]:
    """Say which release it was, or that there was none; nothing where nobody looked."""
    if lineage is None:
        return
    if lineage.doubt:
        text = f"the ledger of releases cannot be read: {lineage.doubt}; compared with the base"
        yield rules.BASELINE.at(text, where)
    elif lineage.used:
        also = ", whose model the base still has" if lineage.same else ""
        yield rules.BASELINE.at(f"the baseline is {_named(lineage)}{also}", where)
    elif lineage.same:
        yield rules.BASELINE.at(f"the base's model is that of {_named(lineage)}", where)
    elif settings.baseline == RELEASE and not lineage.release:
        text = (
            f"no release in the base's history that the branch {settings.releases.branch} here"
            " names: compared with the base"
        )
        yield rules.BASELINE.at(text, where)


def same(lineage: Lineage | None) -> str:
    """Return what is said of a model that did not change."""
    if lineage is not None and lineage.used and not lineage.same:
        return f"the model is the same bytes as in {_named(lineage)}"
    return "the model is the same bytes as before"


def _named(lineage: Lineage) -> str:
    return (
        f"release {lineage.release} of {plain(lineage.artifact)} (commit {lineage.commit[:12]},"
        f" root {lineage.root[:12]})"
    )
