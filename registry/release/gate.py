"""Whether a release may be made. Pure: every fact is a value, and what is not known shuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from registry.release.ledger import Issued
from registry.release.links import Missing
from registry.release.values import Approval, Gated
from security.errors import Malformed
from security.manifest import is_digest
from security.trust.releases import rank

OPEN = ("pass", "skip")  # outcomes of a check that let a release through
PASSED = ("success",)  # "neutral" and "skipped" say that nobody looked


@dataclass(frozen=True, slots=True)
class Shut:
    """Why a release may not be made, and what to do about it; both are one line."""

    why: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody let a check be, in the ledger: `check` is its name, and that of a check run."""

    check: str
    person: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run of the merged commit; `conclusion` is GitHub's, "" while it runs."""

    name: str
    conclusion: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A measurement that the release would carry: of which bytes, how far, and who signed it."""

    suite: str
    fingerprint: str
    n: int
    of: int
    signed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known before a release. `actor` runs it, `signers` own the keys it is signed with.

    `previous` is the version it follows in its line ("" for none), `fingerprint` that of the
    bytes it would release. `runs` and `merged` are None where nobody could tell.
    """

    artifact: str
    version: str
    commit: str
    actor: str
    signers: tuple[str, ...]
    fingerprint: str
    checks: tuple[Gated, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    runs: tuple[CheckRun, ...] | None = None
    evidence: tuple[Proof, ...] = ()
    approvals: tuple[Approval, ...] = ()
    missing: tuple[Missing, ...] = ()
    issued: tuple[Issued, ...] = ()
    previous: str = ""
    branch: str = "main"
    merged: bool | None = None


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the policy asks for. `checks` and `suites` are names that must be there at all.

    `signed`: measurements must be signed by somebody trusted.
    """

    who: tuple[str, ...] = ()
    approvals: int = 0
    required: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    signed: bool = True


def judge(facts: GateFacts, rules: GateRules) -> tuple[Shut, ...]:
    """Return every reason why this release may not be made, () if it may."""
    return tuple(
        shut
        for part in (_version, _commit, _who, _approvals, _checks, _runs, _evidence, _lineage)
        for shut in part(facts, rules)
    )


def _version(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    name = f"{facts.artifact} {facts.version}"
    try:
        new = rank(facts.version)
        old = rank(facts.previous) if facts.previous else None
        taken = [each for each in facts.issued if rank(each.version) == new]
    except Malformed as error:
        yield Shut(f"{facts.artifact}: {error.message}", error.hint)
        return
    mine = [each for each in taken if each.artifact == facts.artifact]
    if mine:
        was = f"released at {mine[0].at} from {mine[0].commit:.12}"
        gone = f", withdrawn: {mine[0].withdrawn}" if mine[0].withdrawn else ""
        yield Shut(f"{name} is {was}{gone}", "a version is released once: take the next one")
    if old is not None and new <= old and not mine:
        yield Shut(
            f"{name} does not come after {facts.previous}, which it follows",
            "take a greater version: modelwarden release plan suggests one",
        )


def _commit(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    where = f"{facts.commit:.12}"
    if facts.merged is None:
        yield Shut(
            f"whether {where} is merged into {facts.branch} could not be told",
            f"fetch the whole history of {facts.branch}: git fetch --unshallow",
        )
    elif not facts.merged:
        yield Shut(
            f"{where} is not merged into {facts.branch}",
            f"merge it, and release a commit of {facts.branch}",
        )


def _who(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    may, here = _names(rules.who), _names((facts.actor, *facts.signers))
    if not here:
        yield Shut(
            f"who releases {facts.artifact} is not known", "sign it with a key of the trust file"
        )
    elif may and not may & here:
        yield Shut(
            f"{facts.actor or ', '.join(facts.signers)} may not release {facts.artifact}",
            f"ask one of {', '.join(sorted(rules.who))}, or change release.who in the policy",
        )


def _approvals(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    own = _names((facts.actor, *facts.signers))
    others = _names(each.person for each in facts.approvals) - own
    lacking = rules.approvals - len(others)
    if lacking > 0:
        said = f"; so far: {', '.join(sorted(others))}" if others else ""
        count = "1 other person" if lacking == 1 else f"{lacking} other people"
        what = f"{facts.artifact} {facts.version}"
        yield Shut(
            f"{count} than {facts.actor} must agree to {what}{said}",
            "let them approve the pull request, or run: modelwarden release approve",
        )


def _checks(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    waived = _waived(facts)
    for check in facts.checks:
        if check.outcome not in OPEN and check.check not in waived:
            yield Shut(
                f"the check {check.check} says {check.outcome}: {check.summary}",
                f"correct it{_acceptance(check)}",
            )
    for name in rules.checks:
        if name not in {check.check for check in facts.checks} | waived:
            yield Shut(
                f"the check {name} was not run on what is released", "run modelwarden release again"
            )


def _runs(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    waived = _waived(facts)
    found: dict[str, set[str]] = {}
    for run in facts.runs or ():
        found.setdefault(run.name, set()).add(run.conclusion)
    for name in rules.required:
        said = found.get(name, set())
        if name in waived or (said and said <= set(PASSED)):
            continue
        at = f"{facts.commit:.12}"
        if facts.runs is None:
            why = f"whether {name} passed on {at} could not be asked of GitHub"
            remedy = "give GITHUB_TOKEN, with checks: read"
        elif not said:
            why, remedy = f"no check run {name} on {at}", "look at its name in release.required"
        elif "" in said:
            why, remedy = f"{name} is still running on {at}", "wait for it, then run again"
        else:
            why = f"{name} ended with {', '.join(sorted(said - set(PASSED)))} on {at}"
            remedy = "correct it and release the commit that passes"
        yield Shut(why, f"{remedy}, or accept it with a reason: --waive {name}=REASON")


def _evidence(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    again = "measure the released bytes again: modelwarden release run does, where it can"
    if not is_digest(facts.fingerprint):
        yield Shut("what the released weights are was not measured", again)
        return
    for suite in rules.suites:
        if suite not in {proof.suite for proof in facts.evidence}:
            yield Shut(f"nothing was measured on {suite}", again)
    for proof in facts.evidence:
        if proof.fingerprint != facts.fingerprint:
            yield Shut(
                f"the measurement on {proof.suite} is of other bytes"
                f" ({proof.fingerprint:.12}, released are {facts.fingerprint:.12})",
                again,
            )
        if not 0 < proof.n == proof.of:
            yield Shut(
                f"the measurement on {proof.suite} ended early: {proof.n:,} of {proof.of:,} items",
                again,
            )
        if rules.signed and not proof.signed:
            yield Shut(
                f"nobody trusted signed the measurement on {proof.suite}",
                "name a key whose role may attest: modelwarden release run --key FILE",
            )


def _lineage(facts: GateFacts, rules: GateRules) -> Iterator[Shut]:
    for link in facts.missing:
        yield Shut(f"{link.what} is missing: {link.why}", link.remedy)


def _acceptance(check: Gated) -> str:
    """Return how its findings are accepted, by the rules that its summary begins with."""
    names = check.summary.partition(": ")[0].split(", ")
    rules = [name for name in names if name.startswith(f"{check.check}/")]
    options = " ".join(f"--waive {rule}=REASON" for rule in rules)
    return f", or accept it with a reason: {options}" if rules else ""


def _waived(facts: GateFacts) -> set[str]:
    """Return the names that somebody let be, who said why."""
    return {each.check for each in facts.waivers if each.reason.strip() and each.person.strip()}


def _names(people: Iterable[str]) -> set[str]:
    """Return people as GitHub and trust files tell them apart: without the case of letters."""
    return {name.strip().removeprefix("@").casefold() for name in people} - {""}
