"""`/warden release`: who may ask for it, what is started, and what is said of how that went."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.report.neutral import harmless
from bot.talk.grammar import Command
from bot.talk.shown import code, ended, prose, quoted
from bot.talk.values import Answer, Release, Situation, refuse

WORKFLOW = "release.yml"
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,99}")


def barred(who: Sequence[str], login: str, name: str) -> str:
    """Say why the policy does not let somebody release, "" where it does.

    `who` is `release.who` of the policy, `name` what the trust file calls the account, "" for
    nothing.
    """
    known = {login.casefold(), name.casefold()} - {""}
    if not who or any(one.casefold() in known for one in who):
        return ""
    return f"`{login}` is not among those whom `release.who` of the policy lets release"


def release(command: Command, situation: Situation) -> Answer:
    """Ask for the release of a merged pull request, or say why not."""
    given = command.value("VERSION")
    version = given.removeprefix("v")
    if situation.unreleasing:
        return refuse(prose(f"{harmless(situation.unreleasing)}."), "Ask somebody of that list.")
    if not situation.pull.merged:
        return refuse(
            "only what is merged is released.",
            "Merge it first; where it has the label <code>release</code>, that is all it takes.",
        )
    if given and not _VERSION.fullmatch(version):
        return refuse(f"{code(given)} is no version.", "Such as <code>1.2.0</code>.")
    what = code(version) if version else "the next version"
    return Answer(
        f"{code(situation.who.login)} asks to release {what} from this pull request.",
        (Release(version),),
    )


def inputs(number: int, asked: Release) -> dict[str, str]:
    """Return what the workflow is given."""
    return {"pull": str(number), "version": asked.version}


def started(page: str) -> str:
    """Say that the workflow runs; `page` is its run's, "" for unknown."""
    where = f": {page}" if page else "; its run is on the repository's page Actions"
    return f"The workflow {code(WORKFLOW)} has started{where}\n\nIt says here when it is done."


def unstarted(why: str, number: int, asked: Release) -> str:
    """Say that the workflow could not be started, and how it is by hand; `why` is markdown."""
    given = (f"{name} {code(value)}" for name, value in inputs(number, asked).items() if value)
    return (
        f"**Not started:** {why}\n\nBy hand: on the page Actions, choose {code(WORKFLOW)}, then "
        f"“Run workflow” on the default branch with {', '.join(given)}."
    )


UNGRANTED = (
    "the App may not start workflows here. Give it <code>actions: write</code> on its settings "
    "page and accept that for the installation, then ask again."
)
ABSENT = (
    f"the default branch has no {code(f'.github/workflows/{WORKFLOW}')} that can be started. "
    "<code>docs/releasing-on-github.md</code> of Modelwarden has one to copy."
)
UNKNOWN = "GitHub did not answer, and it may run all the same: look at the page Actions first."


def refused(said: str) -> str:
    """Say in GitHub's words why it does not start the workflow."""
    return quoted(ended(said), 400)
