"""The ledger of releases in a branch of the repository: docs/formats/releases.md.

One push writes entries, documents and tags, or nothing; git's compare-and-swap makes it so that
of two who write at once one wins. Nothing is checked out.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot import git
from bot.releasing.ledger import objects, tagging
from bot.releasing.ledger.network import SECONDS, Remote
from bot.releasing.ledger.sync import Places
from bot.releasing.ledger.tagging import Made, Moved
from registry.errors import Lost, RegistryError, ReleaseError, StoreFailed
from registry.release import deploy, log, values
from registry.release.ledger import LOG, RELEASE, Ledger, New, Tag, document_path
from security import auditentry
from security.auditentry import Entry, Head

_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(?:/[A-Za-z0-9][A-Za-z0-9._+-]*)*")
_HINT = "compare it with another clone, and ask who may write to the branch of releases"
_EMPTY = Ledger((), (), (), ())


def _clock() -> datetime:
    return datetime.now(UTC)


class GitBook:
    """The ledger of one repository. Not to be shared by threads; each takes its own.

    `remote` names the git remote that counts, "" for none; `seconds` is the time of one call to
    it. Beside what is said below, git's own failures are RepositoryError and UsageError.
    """

    def __init__(
        self,
        folder: Path,
        branch: str,
        remote: str,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], datetime] = _clock,
    ) -> None:
        self._folder, self._clock = folder, clock
        self._places = Places(folder, branch, Remote(folder, remote, seconds) if remote else None)
        self._commit, self._ledger = "", _EMPTY

    def ledger(self, *, fresh: bool = True) -> Ledger:
        """Return the ledger; `fresh` asks the remote, and lets the branch here follow it.

        Raises ReleaseError, StoreFailed.
        """
        if fresh:
            return self._fresh(())[0]
        return self._read(self._places.known())

    def file(self, path: str, limit: int) -> bytes | None:
        """Return a file beside the log that was read last. Raises ReleaseError beyond `limit`."""
        commit = self._commit or self._places.known()
        return self._content(commit, path, limit) if commit else None

    def document(self, artifact: str, version: str) -> values.Release:
        """Return the document of an issued version, its digest proven. Raises ReleaseError."""
        if not self._commit:
            self.ledger(fresh=False)
        key, issued = (artifact, version), self._ledger.issued
        one = next((one for one in issued if (one.artifact, one.version) == key), None)
        if one is None:
            raise ReleaseError(f"{artifact} {version} was never released", "name one that was")
        path = document_path(artifact, version)
        data = self.file(path, values.LIMIT)
        if data is None or hashlib.sha256(data).hexdigest() != one.document:
            what = "is missing" if data is None else "is not what the ledger says"
            raise ReleaseError(f"{path} beside the ledger {what}", _HINT)
        found = values.read(data)
        if (found.artifact, found.version, found.commit) != (artifact, version, one.commit):
            raise ReleaseError(f"{path} beside the ledger is of another release", _HINT)
        return found

    def moved(self, ledger: Ledger) -> tuple[Moved, ...]:
        """Return the tags that are missing or elsewhere, here or on the remote.

        Raises StoreFailed.
        """
        return tagging.moved(self._folder, self._places.remote, ledger)

    def append(
        self,
        entries: Sequence[New],
        files: Mapping[str, bytes | None],
        *,
        expect: Head | None,
        tags: Sequence[Tag] = (),
    ) -> Ledger:
        """Write entries, files and tags at once; a tag and a pointer of each move of an alias.

        Raises Lost where somebody was first, what `registry.release.log.written` raises, and
        StoreFailed, after which nothing changed here.
        """
        _complete(entries, files, tags)
        before, there = self._fresh([tag.name for tag in tags])
        if before.head != expect:
            raise self._late(entries, expect)
        old = self._commit
        new = log.written(before, entries, self._clock())
        whole = ((self._content(old, LOG, log.LIMIT) or b"") if old else b"") + new
        after = log.read_log(whole)
        steps = log.moves(before, after)
        there |= self._places.named(step.name for step in steps)
        name = self._places.remote.name if self._places.remote else ""
        made = tagging.make(self._folder, (*tags, *steps), there, name)
        moved = deploy.pointers(before, after)
        made_commit = self._commit_of(old, {**files, **moved, LOG: whole}, entries)
        self._places.refuse_checked_out()
        self._publish(self._places.remote, entries, before, made_commit, made)
        self._commit, self._ledger = made_commit, after
        return after

    # Reading

    def _fresh(self, tags: Sequence[str]) -> tuple[Ledger, dict[str, str]]:
        commit, there, seen = self._places.asked(tags)
        ledger = self._read(commit)
        self._refuse_new_past(seen)
        if commit and commit != seen and self._places.remote is not None:
            # A tag only repeats what the ledger says; one that is missing is for the doctor.
            with contextlib.suppress(StoreFailed):
                tagging.bring(self._folder, self._places.remote, ledger)
        if commit:  # last: whoever is killed before begins with the tags again
            self._places.follow(commit)
        return ledger, there

    def _read(self, commit: str) -> Ledger:
        if commit and commit != self._commit:
            data = self._content(commit, LOG, log.LIMIT)
            if not data:
                what = f"the branch of releases has no {LOG} at {commit[:12]}"
                raise ReleaseError(what, "name another branch as release.branch in the policy")
            self._ledger = log.read_log(data)
        elif not commit:
            self._ledger = _EMPTY
        self._commit = commit
        return self._ledger

    def _refuse_new_past(self, seen: str) -> None:
        """Raise ReleaseError where entries that were seen are not those of the ledger."""
        if not seen or seen == self._commit:
            return
        data = self._content(seen, LOG, log.LIMIT) or b""
        try:
            last = auditentry.read(data[:-1].rpartition(b"\n")[2])
        except auditentry.EntryError as error:
            raise ReleaseError(f"the end of the ledger at {seen[:12]} {error}", _HINT) from error
        now = self._ledger.entries
        if last.sequence >= len(now) or now[last.sequence].head != last.head:
            what = f"the ledger was written anew: its line {last.sequence + 1} of {last.time}"
            self._commit, self._ledger = "", _EMPTY
            raise ReleaseError(f"{what}, by {last.actor}, is not what was seen before", _HINT)

    def _content(self, commit: str, path: str, limit: int) -> bytes | None:
        _path(path)
        status, output, error = git.run(self._folder, "ls-tree", "-z", "--full-tree", commit, path)
        kind, _, name = output.rstrip(b"\0").partition(b"\t")[0].decode().rpartition(" ")
        if status or (output and kind != "100644 blob"):
            why = error if status else "it is no file"
            raise ReleaseError(f"{path} beside the ledger cannot be read: {why}", "run: git fsck")
        if not output:
            return None
        status, output, _ = git.run(self._folder, "cat-file", "-s", name)
        size = int(output) if not status else -1
        if not 0 <= size <= limit:
            what = "is not at hand" if size < 0 else f"has {size:,} bytes, more than {limit:,}"
            hint = "run: git fetch --refetch --no-filter" if size < 0 else _HINT
            raise ReleaseError(f"{path} beside the ledger {what}", hint)
        status, output, error = git.run(self._folder, "cat-file", "blob", name, limit=limit)
        if status:
            raise ReleaseError(f"{path} beside the ledger: {error}", "run: git fsck")
        return output

    # Writing

    def _commit_of(
        self, old: str, files: Mapping[str, bytes | None], entries: Sequence[New]
    ) -> str:
        changes = {
            _path(path): None if content is None else objects.blob(self._folder, content)
            for path, content in files.items()
        }
        tree = objects.tree(self._folder, old, changes)
        return objects.commit(self._folder, tree, old, _message(entries))

    def _publish(
        self, remote: Remote | None, entries: Sequence[New], before: Ledger, new: str, made: Made
    ) -> None:
        places, old = self._places, self._commit
        if remote is not None:
            tags = [(name, ref, "") for ref, name in made.there]
            why = remote.push([(new, places.local, old), *tags])
            if why:
                self._refused(remote, entries, before, new, made, why)
        # Each ref is atomic, all of them only as far as nobody is killed: what was seen is last.
        ours = [(ref, name, "") for ref, name in made.here]
        ours += [(places.local, new, old), (places.seen, new, old)]
        why = objects.move(self._folder, ours)
        if not why:
            return
        if remote is None:
            if places.known() != old:
                self._read(places.known())
                raise self._late(entries, before.head)
            raise StoreFailed(f"the ledger cannot be written: {why}", _LOCKED)
        places.follow(new)  # it is out; a tag that is missing here comes with the next look

    def _refused(
        self,
        remote: Remote,
        entries: Sequence[New],
        before: Ledger,
        new: str,
        made: Made,
        why: str,
    ) -> None:
        """Find out what a push that failed came to. Raises Lost, StoreFailed, unless it arrived."""
        names = [ref.removeprefix("refs/tags/") for ref, _ in made.there]
        old = self._commit
        _, there = self._fresh(names)
        if self._places.within(new, self._commit):
            return
        if self._commit != old:
            raise self._late(entries, before.head)
        for name in names:
            if name in there:
                what = f"the tag {name} came to be on {remote.name}, at {there[name][:12]}"
                raise Lost(what, "a tag of a release is never moved: look whose it is")
        hint = f"whoever releases must be allowed to push {self._places.branch} and tags there"
        raise StoreFailed(f"the remote {remote.name} does not take the ledger: {why}", hint)

    def _late(self, entries: Sequence[New], expect: Head | None) -> RegistryError:
        """Return why entries come too late for the ledger as it is now."""
        try:
            log.written(self._ledger, entries, self._clock())
        except RegistryError as error:
            return Lost(error.message, error.hint)
        news = self._ledger.entries[expect.sequence + 1 if expect else 0 :]
        if not news:
            return Lost("the ledger is not the one that was expected", "look at it again")
        last = news[-1]
        what = f"the ledger moved on: {last.actor} did {_what(last)} at {last.time}"
        return Lost(what, "look at it again, and if it is still right, run it again")


_LOCKED = "if no git runs here, remove the lock that it names; then run it again"


def _complete(
    entries: Sequence[New], files: Mapping[str, bytes | None], tags: Sequence[Tag]
) -> None:
    """Refuse a version without its document and its tag, or with others."""
    for new in entries:
        if new.action != RELEASE:
            continue
        said = new.details
        name = f"{new.artifact} {said.get('version')}"
        content = files.get(document_path(new.artifact, said.get("version", "")))
        if content is None or hashlib.sha256(content).hexdigest() != said.get("document"):
            raise ReleaseError(f"{name} is written without its document", "give it with its entry")
        if (said.get("tag"), said.get("commit")) not in {(t.name, t.commit) for t in tags}:
            raise ReleaseError(f"{name} is written without its tag", "give it with its entry")


def _path(path: str) -> str:
    if not _PATH.fullmatch(path) or len(path) > 500 or ".." in path:
        raise ReleaseError(f"{path!a:.80} is no place beside the ledger", "name a file in it")
    return path


def _what(entry: Entry | New) -> str:
    said = dict(entry.details)
    words = (entry.action, entry.artifact, said.get("alias", ""), said.get("version", ""))
    return " ".join(word for word in words if word)


def _message(entries: Sequence[New]) -> str:
    lines = [_what(entry) for entry in entries] or ["files"]
    rest = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return "\n".join([f"{lines[0]}{rest}", "", *(f"- {line}" for line in lines), ""])
