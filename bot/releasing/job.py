"""One release as it is being made: what was asked, what the commit binds, and where things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bot.releasing.settings import Settings
from bot.releasing.shared import Shared
from registry.release.ledger import Book, Issued, Ledger
from security.identity import Signer

if TYPE_CHECKING:
    from bot.policy import Policy
    from bot.releasing.ledger.book import GitBook
    from bot.releasing.steps.gather import Bound
    from bot.repository import GitWorld
    from registry.release.values import Release
    from security.trust.trustfile import TrustFile

LINEAGE = "lineage/"  # before the name of a missing link that is accepted
TRUST = ".github/trust.toml"
RELEASE_JSON = "release/release.json"


@dataclass(frozen=True, slots=True)
class Excuse:
    """A finding that whoever releases accepts, with the reason that goes into the ledger."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """A repository whose releases are asked about."""

    world: GitWorld
    commit: str
    settings: Settings
    artifact: str
    book: GitBook

    @property
    def rules(self) -> Settings:
        """The same words, where nobody's merge is to be distrusted."""
        return self.settings


@dataclass(frozen=True, slots=True)
class Job:
    """Everything the steps of one release share. `staging` is theirs alone.

    `policy` is that of the base (the last release, else the commit itself): it says who may
    release and what is good enough; `own` is that of the commit, for all else. `before` is the
    document of the `previous` release, by lineage.
    """

    world: GitWorld
    commit: str
    artifact: str
    version: str
    tag: str
    model: str
    bound: Bound
    policy: Policy
    own: Policy
    book: Book
    ledger: Ledger
    previous: Issued | None
    before: Release | None
    staging: Path
    actor: str
    holder: str
    repository: str = ""
    trust: TrustFile | None = None
    signers: Sequence[Signer] = ()
    excuses: tuple[Excuse, ...] = ()
    jobs: int = 0
    take_over: bool = False
    shared: Shared = field(default_factory=Shared)

    @property
    def settings(self) -> Settings:
        """How this release is made: the commit's own words."""
        return self.own.release

    @property
    def rules(self) -> Settings:
        """Who may release, and with whose consent: the words of the base."""
        return self.policy.release

    @property
    def owners(self) -> dict[str, str]:
        """Whose key each is, by its hint, as the trust file says."""
        return self.trust.owners() if self.trust else {}

    @property
    def folder(self) -> Path:
        """The folder that is published, under the name that it is signed by."""
        return self.staging / self.artifact.rpartition("/")[2]

    @property
    def sealed(self) -> Path:
        """The same, encrypted, where the policy asks for it."""
        return self.staging / "sealed" / self.artifact.rpartition("/")[2]

    @property
    def published(self) -> Path:
        """What people download."""
        return self.sealed if self.settings.seal_to else self.folder

    @property
    def known(self) -> Path:
        """Where digests of staged files are remembered between steps."""
        return self.staging / "digests.json"
