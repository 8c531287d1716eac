"""Bare mirrors of repositories: all history and trees, and of contents only what was asked for.

No setting of a mirror names a remote, so nothing that reads it can reach the network. One writer
at a time, over threads and processes; readers hold a mirror, so that nobody takes it away.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bot import git
from bot.errors import CouldNotTell, Missing, TooLarge, UsageError
from bot.github.errors import Denied, NotFound, Unavailable
from bot.github.locks import locked
from bot.github.packs import discard, join, packs, size_of
from bot.github.values import Repo
from bot.quoting import printable
from bot.report.neutral import redact

__all__ = ["Mirrors", "size_of"]

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PULL = re.compile(r"refs/pull/[1-9][0-9]{0,9}/(?:head|merge)")
# The default branch is fetched as what it is, not by its name, which is somebody's text.
_BRANCHES = ("+HEAD:refs/mirror/default", "+refs/tags/*:refs/tags/*")
REQUEST = 2 << 30  # bytes that one fetch of contents may bring
RESERVE = 256 << 20  # bytes of the disk that stay free
SECONDS = 1800.0  # wall-clock time of one fetch, the first of a large repository included
MAX_IDS = 5_000  # objects of one request
MAX_HEADS = 500  # judged commits that are remembered by name

Token = Callable[[], str]
Cancelled = Callable[[], bool]


def _never() -> bool:
    return False


class Mirrors:
    """The mirrors below one folder, together at most about `max_bytes` bytes."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        *,
        request: int = REQUEST,
        reserve: int = RESERVE,
        seconds: float = SECONDS,
    ) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self._request, self._reserve, self._seconds = request, reserve, seconds
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextlib.contextmanager
    def hold(self, repo: Repo) -> Iterator[None]:
        """Keep a repository's mirror from being removed inside the block, while others read too."""
        with locked(self._use(repo.id), shared=True, seconds=self._seconds):
            os.utime(self._use(repo.id))
            yield

    def sync(
        self,
        repo: Repo,
        url: str,
        token: Token,
        wanted: tuple[str, ...],
        *,
        cancelled: Cancelled = _never,
    ) -> Path:
        """Bring the default branch, tags and `wanted`: full ids, and refs/pull/N/head. In `hold`.

        Raises Missing for a commit that is not there any more, GitHubError, TooLarge, CouldNotTell.
        """
        ids = tuple(name for name in wanted if _ID.fullmatch(name))
        pulls = tuple(name for name in wanted if _PULL.fullmatch(name))
        if len(ids) + len(pulls) < len(wanted) or not ids:
            raise UsageError("neither a full commit id nor refs/pull/N/head", "pass full ids")
        with self._writing(repo, cancelled) as place:
            new = not (place / "HEAD").is_file()
            target = place.with_suffix(".new") if new else place
            if new:
                self._create(target)
            self._fetch(target, repo, url, token, (*_BRANCHES, *pulls, *ids), (), cancelled)
            self._remember(target, ids)
            join(target)
            if new:
                target.rename(place)
        self.evict()
        return place

    def blobs(
        self,
        repo: Repo,
        url: str,
        token: Token,
        ids: tuple[str, ...],
        *,
        cancelled: Cancelled = _never,
    ) -> None:
        """Bring these objects in as few requests as can be; those at hand are not asked for."""
        if not all(map(_ID.fullmatch, ids)):
            raise UsageError("an object is asked for by something else than its id", "use full ids")
        with self._writing(repo, cancelled) as place:
            absent = _absent(place, tuple(dict.fromkeys(ids)))
            for start in range(0, len(absent), MAX_IDS):
                names = absent[start : start + MAX_IDS]
                self._fetch(place, repo, url, token, (), names, cancelled)

    def branch(
        self, repo: Repo, url: str, token: Token, name: str, *, cancelled: Cancelled = _never
    ) -> str:
        """Bring a branch of this very repository by its name; its commit, "" for none. In `hold`.

        A branch of that name in a fork, or one that is gone, is none.
        """
        ref = f"refs/heads/{name}"
        with self._writing(repo, cancelled) as place:
            if "*" in name or git.run(place, "check-ref-format", ref)[0]:
                return ""
            try:
                self._fetch(place, repo, url, token, (f"+{ref}:{ref}",), (), cancelled)
            except Missing:
                git.run(place, "update-ref", "-d", ref)
            status, output, _ = git.run(place, "rev-parse", "--verify", "--quiet", ref)
            return "" if status else output.decode("ascii").strip()

    def remove(self, repo_id: int) -> None:
        """Remove a repository's mirror once nobody reads it. Raises CouldNotTell if it stays."""
        with locked(self._use(repo_id), seconds=60), locked(self._lock(repo_id), seconds=60):
            discard(self._place(repo_id))

    def evict(self) -> None:
        """Remove the mirrors that were used longest ago, until the others fit; none in use."""
        for left in self.folder.glob(".*.git.*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        sizes = {path: size_of(path) for path in self.folder.glob("*.git")}
        total = sum(sizes.values())
        for path in sorted(sizes, key=lambda p: _used(self._use(int(p.stem)))):
            if total <= self.max_bytes:
                return
            with contextlib.suppress(CouldNotTell):  # somebody reads it
                with locked(self._use(int(path.stem)), seconds=0):
                    discard(path)
                total -= sizes[path]

    # Places

    def _place(self, repo: int) -> Path:
        return self.folder / f"{repo}.git"

    def _use(self, repo: int) -> Path:
        return self.folder / f"{repo}.use"

    def _lock(self, repo: int) -> Path:
        return self.folder / f"{repo}.lock"

    @contextlib.contextmanager
    def _writing(self, repo: Repo, cancelled: Cancelled) -> Iterator[Path]:
        place = self._place(repo.id)
        try:
            with locked(self._lock(repo.id), seconds=self._seconds, cancelled=cancelled):
                try:
                    yield place
                finally:  # what a fetch that was killed, now or before, left half done
                    discard(place.with_suffix(".new"))
                    for left in packs(place):
                        if left.name.startswith("tmp_"):
                            left.unlink(missing_ok=True)
        except OSError as error:
            raise CouldNotTell(
                f"the mirror of {repo.name} cannot be written: {error.strerror or error}",
                "give the folder of mirrors space and rights, then run it again",
            ) from error

    def _create(self, target: Path) -> None:
        discard(target)
        target.mkdir(mode=0o700)
        status, _, error = git.run(target, "init", "--quiet", "--bare", "--template=")
        if status:
            raise CouldNotTell(
                f"no mirror can be made: {error}", "give its folder space and rights"
            )

    # Fetching

    def _fetch(
        self,
        place: Path,
        repo: Repo,
        url: str,
        token: Token,
        words: tuple[str, ...],
        names: tuple[str, ...],
        cancelled: Cancelled,
    ) -> None:
        # Twice: a token may have ended since it was made, and a connection may break.
        for attempt in (1, 2):
            before = packs(place)
            remote = git.Remote(url, token())
            stop = self._bounds(place, bool(names), cancelled)
            status, said = git.fetch(place, remote, *words, names=names, stop=stop)
            if status == 0 and stop() == "large":  # it was faster than we looked
                status, said = -1, "large"
            if status == 0:
                return
            for path in packs(place) - before:
                path.unlink(missing_ok=True)
            error = _explain(repo, status, said, remote.token)
            if attempt == 2 or not isinstance(error, Denied | Unavailable):
                raise error

    def _bounds(self, place: Path, contents: bool, cancelled: Cancelled) -> Callable[[], str]:
        """Return what says why a fetch must end now, or ""."""
        before, until = size_of(place), time.monotonic() + self._seconds
        bound = min(self.max_bytes, before + self._request) if contents else self.max_bytes

        def stop() -> str:
            if cancelled():
                return "cancelled"
            if time.monotonic() > until:
                return "slow"
            if size_of(place) > bound:
                return "large"
            return "full" if shutil.disk_usage(place).free < self._reserve else ""

        return stop

    def _remember(self, place: Path, ids: tuple[str, ...]) -> None:
        """Name the commits, so that the next fetch says that they are here."""
        if gone := _absent(place, ids):
            raise Missing(f"commit {gone[0][:12]} is not on GitHub any more", "push it again")
        _, output, _ = git.run(place, "for-each-ref", "--format=%(refname)", "refs/judged")
        known = output.decode("ascii").split()
        for name in known if len(known) > MAX_HEADS else ():
            git.run(place, "update-ref", "-d", name)
        for name in ids:
            status, _, error = git.run(place, "update-ref", f"refs/judged/{name}", name)
            if status:
                raise CouldNotTell(f"the mirror cannot be written: {error}", "free some space")


def _explain(repo: Repo, status: int, said: str, token: str) -> CouldNotTell:
    """Return what a failed fetch means; its words are GitHub's and git's, the token is not in."""
    if status == -1:
        return {
            "cancelled": CouldNotTell("cancelled", "run it again if it is still wanted"),
            "slow": Unavailable(f"fetching {repo.name} takes too long", "run it again later"),
            "full": CouldNotTell("the disk of the mirrors is full", "free some space there"),
            "large": TooLarge(
                f"fetching from {repo.name} brings more than may be kept",
                "keep large files in LFS or DVC, or raise the bound of the mirrors",
            ),
        }[said]
    lines = [line for line in said.splitlines() if line.strip()] or [f"exit status {status}"]
    line = next((x for x in lines if x.startswith(("fatal:", "error:"))), lines[-1])
    text = redact(printable(line))[:300]
    text = text.replace(token, "[token]") if token else text
    if "not our ref" in said or "couldn't find remote ref" in said or "bad object" in said:
        return Missing(f"an object of {repo.name} is not on GitHub any more", "push it again")
    if "not found" in said and "repository" in said.lower():
        return NotFound(f"{repo.name} is not there, or may not be seen", "install the App there")
    if any(x in said for x in ("could not read Username", "Authentication failed", "error: 403")):
        return Denied(f"GitHub does not take the token for {repo.name}", "check the installation")
    if "No space left" in said or "Disk quota" in said:
        return CouldNotTell("the disk of the mirrors is full", "free some space there")
    return Unavailable(f"{repo.name} cannot be fetched: {text}", "run it again later")


def _absent(place: Path, ids: tuple[str, ...]) -> tuple[str, ...]:
    batch = git.Batch(place, "--batch-check")
    try:
        return tuple(name for name in ids if batch.ask(name, content=False) is None)
    finally:
        batch.close()


def _used(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0
