"""A repository whose releases are asked about, and which of them is meant. Light: no check loads.

What is needed of the policy is its key `release`; who judges a change by it reads all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from bot.cache import Cache, default_path
from bot.errors import PolicyError, UsageError
from bot.quoting import plain
from bot.releasing.job import TRUST, Place
from bot.releasing.ledger.book import GitBook
from bot.releasing.settings import Settings
from bot.repository import GitWorld
from registry.documents import DocumentError, load_yaml
from registry.release.details import is_artifact
from registry.release.ledger import ALIASES, Issued, Ledger
from security.trust import loading
from security.trust.trustfile import TrustFile

POLICY, LIMIT = ".github/modelwarden.yml", 1_000_000  # bytes
TRUST_LIMIT = 1_000_000  # bytes


@contextmanager
def place(
    repo: Path, revision: str = "HEAD", say: Callable[[str], None] = lambda line: None
) -> Iterator[Place]:
    """Open a repository and the ledger of its releases, asking nobody yet. Raises BotError."""
    with GitWorld(repo, Cache(default_path()), say) as world:
        commit = world.revisions.resolve(revision)
        settings = settings_at(world, commit)
        # A repository that nobody shares keeps its ledger to itself; a missing remote is an error.
        remote = settings.remote if world.revisions.remotes() else ""
        book = GitBook(world.place, settings.branch, remote)
        yield Place(world, commit, settings, _artifact(world, settings), book)


def settings_at(world: GitWorld, commit: str) -> Settings:
    """Return what the policy of a commit says of releases. Raises PolicyError."""
    entry = world.entry(commit, POLICY)
    if entry is None or not entry.is_file:
        return Settings()
    hint = "correct the policy file; its keys are in docs/policy.md"
    try:
        found = load_yaml(world.read(entry.blob, LIMIT), limit=LIMIT).value
        return Settings.model_validate((found or {}).get("release") or {})
    except (DocumentError, AttributeError) as error:
        raise PolicyError(f"{POLICY} at {commit[:12]}: {plain(error)}", hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{POLICY} at {commit[:12]}: release.{where}: {first['msg']}"
        raise PolicyError(what, hint) from error


def trust_at(world: GitWorld, commit: str) -> TrustFile | None:
    """Return the trust file of a commit, None where it has none. Raises Malformed."""
    entry = world.entry(commit, TRUST)
    if entry is None or not entry.is_file:
        return None
    return loading.load(world.read(entry.blob, TRUST_LIMIT), TRUST)


def _artifact(world: GitWorld, settings: Settings) -> str:
    name = settings.artifact or repository(world, settings.remote)
    if not is_artifact(name):
        raise UsageError(
            f"{name!r:.100} cannot be the name of what is released",
            "name it in the policy: release.artifact, as acme/small",
        )
    return name


def repository(world: GitWorld, remote: str) -> str:
    """Return the repository's name: its remote's, which all clones share, else its folder's."""
    url = world.revisions.remote_url(remote).rstrip("/").removesuffix(".git")
    name = re.split(r"[/:\\]", url)[-1]
    if is_artifact(name):
        return name
    return (world.worktree or world.git_dir).name.removesuffix(".git")


def version_of(ledger: Ledger, artifact: str, name: str) -> Issued:
    """Return the issued version that a number or an alias names. Raises UsageError."""
    wanted = pointed(ledger, artifact, name) if name in ALIASES else name.removeprefix("v")
    found = [one for one in ledger.issued if (one.artifact, one.version) == (artifact, wanted)]
    if not found:
        known = ", ".join(one.version for one in ledger.issued[-5:] if one.artifact == artifact)
        what = f"{name} points at nothing" if name in ALIASES else f"no release {plain(name)}"
        raise UsageError(f"{what} of {artifact}", others(ledger, artifact) or _known(known))
    return found[-1]


def _known(versions: str) -> str:
    return f"name one; the newest are: {versions}" if versions else "none is released yet"


def others(ledger: Ledger, artifact: str) -> str:
    """Return what to do where all that the ledger holds has another name, "" where that is not so.

    A name that the policy leaves out is that of the repository, which may be called otherwise here.
    """
    names = {one.artifact for one in ledger.issued}
    if not names or artifact in names:
        return ""
    return f"the ledger has {', '.join(sorted(names)[:3])}: name it in the policy, release.artifact"


def pointed(ledger: Ledger, artifact: str, alias: str) -> str:
    """Return the version an alias points at, "" for nothing."""
    return aliases(ledger, artifact).get(alias, "")


def aliases(ledger: Ledger, artifact: str) -> dict[str, str]:
    """Return what every alias of an artifact points at, "" for nothing."""
    found = dict.fromkeys(ALIASES, "")
    return found | {one.alias: one.version for one in ledger.aliases if one.artifact == artifact}
