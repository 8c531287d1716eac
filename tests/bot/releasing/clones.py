"""Clones of one project that share a bare remote, and what they write to its ledger."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bot.releasing.ledger.book import GitBook
from registry.release.ledger import Ledger, New, Tag, document_path
from registry.release.values import Artifact, Release, dump
from tests.gitrepo import Repo, environment
from tests.ledgers import A, root

BRANCH = "modelwarden-releases"


class Shared:
    """A bare remote with one commit; `clone` gives a clone of somebody."""

    def __init__(self, place: Path, *, format_: str = "sha1") -> None:
        self.place, self.bare = place, place / "remote.git"
        git(place, "init", "-q", "--bare", "-b", "main", f"--object-format={format_}", "remote.git")
        git(place, "init", "-q", "-b", "main", f"--object-format={format_}", "seed")
        git(place / "seed", "remote", "add", "origin", self.bare.as_uri())
        seed = Repo(place / "seed")
        self.commit = seed.commit({"model.txt": "weights"})
        git(seed.path, "push", "-q", "origin", "HEAD:refs/heads/main")

    def clone(self, name: str, *words: str) -> Repo:
        git(self.place, "clone", "-q", *words, self.bare.as_uri(), name)
        found = Repo(self.place / name)
        git(found.path, "config", "user.name", name.title())
        git(found.path, "config", "user.email", f"{name}@example.org")
        return found

    def refs(self) -> dict[str, str]:
        return refs(self.bare)


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env=environment(), capture_output=True)
    assert not done.returncode, done.stderr.decode()
    return done.stdout.decode().strip()


def refs(folder: Path) -> dict[str, str]:
    lines = git(folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {line.split(" ")[0]: line.split(" ")[1] for line in lines}


def book(repo: Repo | Path, remote: str = "origin", seconds: float = 30) -> GitBook:
    return GitBook(repo if isinstance(repo, Path) else repo.path, BRANCH, remote, seconds=seconds)


def claimed(version: str, commit: str, holder: str = "run-1", actor: str = "alice") -> New:
    return New(actor, "claim", A, {"version": version, "commit": commit, "holder": holder})


def document(version: str, commit: str) -> Release:
    weights = Artifact("model.txt", "weights", ())
    return Release(A, version, commit, f"v{version}", "2027-01-01", "acme/small", weights)


def claim(at: GitBook, version: str, commit: str, holder: str = "run-1") -> Ledger:
    new = claimed(version, commit, holder)
    return at.append([new], {}, expect=at.ledger().head)


def release(at: GitBook, version: str, commit: str, holder: str = "run-1") -> Ledger:
    made = document(version, commit)
    said = {
        "version": version, "commit": commit, "holder": holder, "root": root(version),
        "tag": f"v{version}", "document": made.digest,
    }  # fmt: skip
    return at.append(
        [New("alice", "release", A, said)],
        {document_path(A, version): dump(made)},
        expect=at.ledger().head,
        tags=[Tag(f"v{version}", commit, f"{A} {version}")],
    )


def out(at: GitBook, version: str, commit: str) -> Ledger:
    claim(at, version, commit)
    return release(at, version, commit)
