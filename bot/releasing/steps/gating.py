"""Step gate: whether this release may be made, by the words of the base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import git
from bot.checks import regression
from bot.releasing.job import LINEAGE, RELEASE_JSON, Job
from bot.releasing.steps import evidence, hub, stores
from bot.releasing.steps.publishing import document_of
from lab.record import Record
from registry.errors import Blocked
from registry.release.gate import CheckRun, GateFacts, GateRules, Proof, Shut, Waiver, judge
from registry.release.lineage import lineage
from registry.release.links import Missing
from registry.release.steps import Facts, Tell

if TYPE_CHECKING:
    from bot.github.merged import Merged


@dataclass(frozen=True, slots=True)
class Gate:
    """The step."""

    job: Job
    name: str = "gate"

    def about(self) -> str:
        """Say what is asked."""
        rules = self.job.rules
        people = f", {rules.approvals} others must agree" if rules.approvals else ""
        return f"checks pass, evidence is of these bytes, no link is missing{people}"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """Judge again: who may release can have changed."""
        return None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Judge. Raises Blocked with the first reason, telling every one."""
        stores.ready(self.job.rules)
        shut = reasons(self.job)
        for one in shut:
            tell(f"shut: {one.why}; {one.remedy}")
        if shut:
            more = f" (and {len(shut) - 1} more reasons)" if len(shut) > 1 else ""
            raise Blocked(f"{self.job.artifact} {self.job.version}: {shut[0].why}{more}",
                          shut[0].remedy)  # fmt: skip
        return {"open": "yes", "actor": self.job.actor}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: nothing was changed."""


def reasons(job: Job) -> tuple[Shut, ...]:
    """Return why this release may not be made, () if it may."""
    found = evidence.read(job)
    assert found is not None  # the step before writes it
    document = document_of(job)
    present = {path.relative_to(job.folder).as_posix() for path in job.folder.rglob("*")}
    pull = hub.merged(job)
    signers = owners(job)
    suites: regression.Settings = job.own.section(regression.NAME)
    facts = GateFacts(
        artifact=job.artifact,
        version=job.version,
        commit=job.commit,
        actor=job.actor,
        signers=signers,
        fingerprint=document.fingerprint,
        checks=found.checks,
        waivers=tuple(Waiver(e.rule, job.actor, e.reason) for e in job.excuses),
        runs=tuple(_runs(pull, job.rules.required)) if hub.wanted(job) else None,
        evidence=tuple(_proof(one, signers) for one in document.measurements),
        approvals=tuple(one for one in document.approvals if one.how == "review"),
        missing=accepted(job, (*lineage(document, "", present).missing, *loosened(job))),
        issued=tuple(one for one in job.ledger.issued if one.commit != job.commit),
        previous=job.previous.version if job.previous else "",
        branch=main(job),
        merged=merged(job),
    )
    # Approvals by signature are counted where signatures are: in the step verify.
    asks = job.rules.approvals if not job.trust else 0
    rules = GateRules(
        who=job.rules.who,
        approvals=asks,
        required=job.rules.required,
        checks=tuple(check.check for check in found.checks),
        suites=tuple(suite.name for suite in suites.suite),
        signed=True,
    )
    return judge(facts, rules)


def loosened(job: Job) -> Iterator[Missing]:
    """Yield what the base's policy asked for and the commit's does not: a merge is no consent."""
    if job.previous is None:
        return
    again = "name it again in the policy"
    base: regression.Settings = job.policy.section(regression.NAME)
    own: regression.Settings = job.own.section(regression.NAME)
    for name in sorted({s.name for s in base.suite} - {s.name for s in own.suite}):
        why = f"{job.previous.version} was measured on it, and the commit's policy drops it"
        yield Missing(f"suite {name}", why, f"{again}, or: --waive 'lineage/suite {name}=REASON'")
    if set(job.rules.seal_to) != set(job.settings.seal_to):
        why = f"the commit's policy seals to others than that of {job.previous.version} did"
        yield Missing("recipients", why, f"{again}, or: --waive lineage/recipients=REASON")


def _runs(pull: Merged | None, required: Sequence[str]) -> Iterator[CheckRun]:
    """Yield how the checks ended that are required: on the commit, else on what was merged."""
    for name in required:
        ended = pull.conclusion(name) if pull else ""
        if ended:
            yield CheckRun(name, "" if ended == "pending" else ended)


def _proof(record: Record, signers: Sequence[str]) -> Proof:
    return Proof(record.task, record.fingerprint, record.n, record.of, tuple(signers))


def owners(job: Job) -> tuple[str, ...]:
    """Return whose keys sign: people of the trust file, else the keys themselves."""
    known = job.owners
    return tuple(known.get(s.public.hint, s.public.hint[:16]) for s in job.signers)


def accepted(job: Job, links: Sequence[Missing]) -> tuple[Missing, ...]:
    """Return the missing links but those that were accepted with a reason."""
    given = {e.rule.removeprefix(LINEAGE) for e in job.excuses if e.rule.startswith(LINEAGE)}
    return tuple(link for link in links if link.what not in given and link.what != RELEASE_JSON)


def main(job: Job) -> str:
    """Return the branch that changes are merged into."""
    return job.world.revisions.default_base()


def merged(job: Job) -> bool | None:
    """Whether the commit is in the history of that branch; None where that cannot be told."""
    if job.world.revisions.shallow:
        return None
    status, _, _ = git.run(job.world.place, "merge-base", "--is-ancestor", job.commit, main(job))
    return {0: True, 1: False}.get(status)
