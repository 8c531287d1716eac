"""From a command line to a job: which commit, which version, whose keys, judged by which words."""

from __future__ import annotations

import getpass
import os
import secrets as random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot import catalog, policy
from bot.checks import regression
from bot.errors import UsageError
from bot.keys import secrets
from bot.policy import Policy
from bot.releasing import trusting
from bot.releasing.job import LINEAGE, Excuse, Job, Place
from bot.releasing.ledger.baseline import baseline
from bot.releasing.place import others, place
from bot.releasing.settings import Settings
from bot.releasing.steps import elsewhere
from bot.releasing.steps.attested import attested
from bot.releasing.steps.gather import gather
from bot.repository import GitWorld
from registry.bom.naming import public
from registry.release.ledger import Issued, Ledger
from security import storing
from security.identity import Signer
from security.trust.trustfile import TrustFile


@dataclass(frozen=True, slots=True)
class Asked:
    """What every command that makes a release was asked for."""

    repo: Path
    commit: str
    version: str | None = None
    keys: Sequence[Path] = ()
    token: str | None = None
    program: str | None = None
    passphrase_file: Path | None = None
    log: Path | None = None
    excuses: tuple[str, ...] = ()
    jobs: int = 0
    take_over: bool = False

    @property
    def signs(self) -> bool:
        """Whether keys are named."""
        return bool(self.keys or self.token or self.program)


@contextmanager
def opened(asked: Asked, say: Callable[[str], None]) -> Iterator[Job]:
    """Open everything that the steps of a release share. Raises BotError, RegistryError."""
    with place(asked.repo, asked.commit, say) as there, _signers(asked) as signers:
        ledger = there.book.ledger()
        job = _job(asked, there, ledger, tuple(signers))
        with closing(job.shared):
            yield job


@contextmanager
def _signers(asked: Asked) -> Iterator[tuple[Signer, ...]]:
    if not asked.signs:
        yield ()
        return
    given = (asked.keys, asked.token, asked.program, asked.passphrase_file)
    with secrets.signers(*given) as found:
        yield found


def _job(asked: Asked, there: Place, ledger: Ledger, signers: tuple[Signer, ...]) -> Job:
    world, commit, artifact = there.world, there.commit, there.artifact
    if not there.settings.artifact and (hint := others(ledger, artifact)):
        what = (
            f"the policy at {commit[:12]} does not name what is released, which is {artifact} here"
        )
        raise UsageError(what, hint)
    earlier = tuple(one for one in ledger.issued if one.commit != commit)
    previous = baseline(world.place, replace(ledger, issued=earlier), artifact, commit)
    before = there.book.document(artifact, previous.version) if previous else None
    elsewhere.refuse(world, commit, there.settings, ledger)
    found = trusting.chain(world, ledger, commit)
    trust = found.trust
    own = policy_at(world, commit)
    judge = previous or _before(world, replace(ledger, issued=earlier), artifact, commit)
    if judge is not None:
        then = trusting.known(world, found, ledger, judge)
        if then is not None:
            attested(there.book, judge, then, datetime.fromisoformat(judge.at))
    base = policy_at(world, judge.commit) if judge else own
    model = _model(own)
    excuses = tuple(_excuse(text, base.release) for text in asked.excuses)
    job = Job(
        world=world, commit=commit, artifact=artifact, version="", tag="", model=model,
        bound=gather(world, commit, there.settings, model), policy=base, own=own,
        book=there.book, ledger=ledger, previous=previous, before=before,
        staging=staging_of(world.git_dir, artifact, commit), actor=_actor(world, trust, signers),
        holder="", repository=_repository(there), trust=trust, signers=signers, excuses=excuses,
        jobs=asked.jobs, take_over=asked.take_over,
    )  # fmt: skip
    return replace(job, holder=_holder(job.staging)) if asked.signs else job


def _before(world: GitWorld, ledger: Ledger, artifact: str, commit: str) -> Issued | None:
    """Return the release whose policy judges the first of a name: of any name, and withdrawn."""
    named = {(one.commit, one.version): one for one in ledger.issued}
    renamed = tuple(replace(one, artifact=artifact, withdrawn="") for one in ledger.issued)
    found = baseline(world.place, replace(ledger, issued=renamed), artifact, commit)
    return named[found.commit, found.version] if found else None


def policy_at(world: GitWorld, commit: str) -> Policy:
    """Return the whole policy of a commit. Raises PolicyError."""
    return policy.at(world, commit, catalog.CHECKS, catalog.rules())


def named(job: Job, version: str) -> Job:
    """Return the job with its version and tag."""
    tag = job.settings.tag.replace("{version}", version).replace("{artifact}", job.artifact)
    return replace(job, version=version, tag=tag)


def out(job: Job) -> Issued | None:
    """Return what was released from this very commit, None if nothing was."""
    found = [one for one in job.ledger.issued if _of(one, job)]
    return found[-1] if found else None


def _of(one: Issued, job: Job) -> bool:
    return (one.artifact, one.commit) == (job.artifact, job.commit) and not one.withdrawn


def staging_of(git_dir: Path, artifact: str, commit: str) -> Path:
    """Return where a release of this commit is made; kept until it is out, or taken back."""
    return git_dir / "modelwarden" / "releases" / artifact / commit[:16]


def _model(own: Policy) -> str:
    scored: regression.Settings = own.section(regression.NAME)
    found = own.release.model or scored.model
    if not found:
        raise UsageError(
            "the policy does not say which folder holds the model",
            "name it: regression.model, or release.model",
        )
    return found.strip("/").removeprefix("./") if found != "." else ""


def _actor(world: GitWorld, trust: TrustFile | None, signers: Sequence[Signer]) -> str:
    """Return who releases: as the trust file knows the key, as GitHub does, or git."""
    owners = trust.owners() if trust else {}
    for signer in signers:
        if owner := owners.get(signer.public.hint):
            return owner
    if os.environ.get("GITHUB_ACTIONS") == "true" and (login := os.environ.get("GITHUB_ACTOR")):
        return login[:100]
    try:
        return world.revisions.author()[0]
    except UsageError:
        return getpass.getuser()


def _holder(staging: Path) -> str:
    """Return what this run is called: the same when it is continued, another for anybody else."""
    job, run = os.environ.get("GITHUB_JOB"), os.environ.get("GITHUB_RUN_ID")
    if os.environ.get("GITHUB_ACTIONS") == "true" and run:
        return f"actions-{run}-{job or 'job'}"
    path = staging / "holder"
    if not path.exists():
        staging.mkdir(parents=True, exist_ok=True)
        storing.write(path, random.token_hex(8).encode())
    return path.read_text("ascii", "replace").strip()[:40]


def _repository(there: Place) -> str:
    """Return where the repository is, as the remote says, without what it may hold of a secret."""
    return public(there.world.revisions.remote_url(there.settings.remote))


def _excuse(text: str, settings: Settings) -> Excuse:
    rule, _, reason = text.partition("=")
    known = rule in catalog.rules() or rule in settings.required or rule.startswith(LINEAGE)
    if not known or len(reason.strip()) < 3:
        raise UsageError(
            f"--waive {text:.100}: not a rule, a required check or a link, with a reason",
            f"write --waive RULE='why it is fine', or {LINEAGE}pipeline='...'",
        )
    return Excuse(rule, " ".join(reason.split())[:300])
