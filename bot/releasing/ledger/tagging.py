"""The tags that a ledger asks for: made once, never moved, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import git
from bot.releasing.ledger import objects
from bot.releasing.ledger.network import Remote
from bot.releasing.ledger.sync import peeled
from registry.errors import Lost, ReleaseError
from registry.release import log
from registry.release.details import is_tag
from registry.release.ledger import Ledger, Tag

_ALL = "refs/tags/*"


@dataclass(frozen=True, slots=True)
class Moved:
    """A tag that is not where the ledger says. `found` is the commit it names, "" for none.

    `where` is the name of the remote, "" for this repository.
    """

    tag: str
    commit: str
    where: str
    found: str


@dataclass(frozen=True, slots=True)
class Made:
    """Tags as (name of the ref, object): what the remote lacks, and what is lacking here."""

    there: tuple[tuple[str, str], ...]
    here: tuple[tuple[str, str], ...]


def make(folder: Path, tags: Sequence[Tag], there: Mapping[str, str], remote: str) -> Made:
    """Write the objects of tags; one that exists at its commit is taken as it is.

    `there` are tags and commits on the remote. Raises Lost for a tag that is elsewhere.
    """
    refs = objects.refs(folder, *(f"refs/tags/{tag.name}" for tag in tags)) if tags else {}
    push, create = [], []
    for tag in tags:
        ref = f"refs/tags/{tag.name}"
        if not is_tag(tag.name):
            raise ReleaseError(f"{tag.name!a:.80} is no name of a tag", "see release.tag")
        made, leads = refs.get(ref, ("", ""))
        for found, where in ((leads, "here"), (there.get(tag.name, ""), f"on {remote}")):
            if found and found != tag.commit:
                what = f"the tag {tag.name} is at {found[:12]} {where}, not at {tag.commit[:12]}"
                raise Lost(what, _HINT)
        if not made and tag.name not in there:
            if tag.commit not in present(folder, (tag.commit,)):
                what = f"the commit {tag.commit[:12]}, which {tag.name} would name, is not here"
                raise ReleaseError(what, "fetch it first: git fetch")
            made = objects.tag(folder, tag)
            create.append((ref, made))
        if made and tag.name not in there:
            push.append((ref, made))
    return Made(tuple(push), tuple(create))


def moved(folder: Path, remote: Remote | None, ledger: Ledger) -> tuple[Moved, ...]:
    """Return the tags that are missing or elsewhere, here or on the remote. Raises StoreFailed.

    Here one may be missing where its commit is, as in a shallow clone.
    """
    wanted = log.tags(ledger)
    here = _here(folder)
    known = present(folder, {tag.commit for tag in wanted})
    needed = [tag for tag in wanted if tag.name in here or tag.commit in known]
    found = _differing(needed, here, "")
    if remote is not None:
        found += _differing(wanted, peeled(remote.listed(_ALL)), remote.name)
    return tuple(found)


def bring(folder: Path, remote: Remote, ledger: Ledger) -> None:
    """Fetch the tags that are missing here, of commits that are here. Raises StoreFailed."""
    here = _here(folder)
    missing = [tag for tag in log.tags(ledger) if tag.name not in here]
    known = present(folder, {tag.commit for tag in missing})
    if known:
        there = peeled(remote.listed(_ALL))
        names = [t.name for t in missing if there.get(t.name) == t.commit and t.commit in known]
        if names:
            remote.fetch([f"refs/tags/{name}:refs/tags/{name}" for name in names])


def present(folder: Path, commits: Collection[str]) -> frozenset[str]:
    """Return those of the commits that are in the repository."""
    asked = "".join(f"{name}\n" for name in commits).encode()
    words = ("cat-file", "--batch-check=%(objecttype) %(objectname)")
    _, output, _ = git.run(folder, *words, asked=asked, limit=100 * len(commits) + 1)
    lines = (line.split(" ") for line in output.decode("ascii", "replace").splitlines())
    return frozenset(words[1] for words in lines if words[0] == "commit")


def _here(folder: Path) -> dict[str, str]:
    found = objects.refs(folder, "refs/tags")
    return {name.removeprefix("refs/tags/"): leads for name, (_, leads) in found.items()}


def _differing(wanted: Sequence[Tag], found: Mapping[str, str], where: str) -> list[Moved]:
    return [
        Moved(tag.name, tag.commit, where, found.get(tag.name, ""))
        for tag in wanted
        if found.get(tag.name) != tag.commit
    ]


_HINT = "a tag of a release is never moved: take the next version, or remove it if it is nobody's"
