"""Bare repositories on the fake's disk: commits without a checkout, history and differences."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.gitrepo import environment

Files = Mapping[str, "bytes | str | None"]
ZERO = "0" * 40
FIXED = re.compile(r"-.*|[0-9a-f]{40}(\.\.[0-9a-f]{40})?", re.DOTALL)


@dataclass(frozen=True)
class Person:
    name: str
    email: str


@dataclass(frozen=True)
class CommitInfo:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    authored: int
    committer: Person
    committed: int
    message: str


@dataclass(frozen=True)
class FileInfo:
    name: str
    status: str
    blob: str
    additions: int
    deletions: int
    previous: str | None


class Bare:
    """One bare repository that answers partial clones like GitHub."""

    def __init__(self, path: Path, network: Bare | None = None) -> None:
        self.path = path
        # Answers about full commit ids never change: each is asked of git once.
        self._known: dict[tuple[str, ...], bytes] = {}
        path.mkdir(parents=True)
        self.git("init", "-q", "--bare", "-b", "main")
        for name in ("allowFilter", "allowAnySHA1InWant"):
            self.git("config", f"uploadpack.{name}", "true")
        if network is not None:
            alternates = path / "objects" / "info" / "alternates"
            alternates.write_text(f"{network.path / 'objects'}\n", encoding="utf-8")

    def raw(self, *words: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=environment(), input=stdin, capture_output=True
        )
        if done.returncode:
            raise LookupError(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout

    def _once(self, *words: str) -> bytes:
        """`raw`, remembered where every revision is a full commit id."""
        if not all(FIXED.fullmatch(word) for word in words[1:]):
            return self.raw(*words)
        if words not in self._known:
            self._known[words] = self.raw(*words)
        return self._known[words]

    def git(self, *words: str, stdin: bytes = b"") -> str:
        return self.raw(*words, stdin=stdin).decode("utf-8", "surrogateescape").strip()

    def commit(
        self, ref: str, parents: tuple[str, ...], files: Files, message: str, who: Person, when: int
    ) -> str:
        """Write a commit on `ref`, whatever the ref held, and return its id.

        A file of None is deleted.
        """
        person = f"{who.name} <{who.email}> {when} +0000".encode()
        text = message.encode("utf-8", "surrogateescape")
        out = [b"commit %s\nmark :1\nauthor %s\ncommitter %s\ndata %d\n%s\n"
               % (ref.encode(), person, person, len(text), text)]  # fmt: skip
        out += [b"%s %s\n" % (b"merge" if i else b"from", p.encode())
                for i, p in enumerate(parents)]  # fmt: skip
        for name, content in files.items():
            path = b'"%s"' % name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            if content is None:
                out.append(b"D %s\n" % path)
                continue
            data = content.encode() if isinstance(content, str) else content
            out.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(data), data))
        out.append(b"\nget-mark :1\n")
        return self.git("fast-import", "--quiet", "--force", stdin=b"".join(out))

    def chain(self, ref: str, parent: str, messages: Sequence[str], who: Person, when: int) -> str:
        """Empty commits over `parent`, one for each message, the last on `ref`."""
        person = f"{who.name} <{who.email}> {when} +0000".encode()
        out = []
        for number, message in enumerate(messages, 1):
            text = message.encode()
            above = b"from %s\n" % parent.encode() if number == 1 else b""
            people = b"author %s\ncommitter %s\n" % (person, person)
            out.append(b"commit %s\nmark :%d\n%s" % (ref.encode(), number, people))
            out.append(b"data %d\n%s\n%s\n" % (len(text), text, above))
        out.append(b"get-mark :%d\n" % len(messages))
        return self.git("fast-import", "--quiet", "--force", stdin=b"".join(out))

    def resolve(self, name: str) -> str | None:
        """The commit a sha, branch or tag means, or None."""
        for spelled in (name, f"refs/heads/{name}", f"refs/tags/{name}"):
            if spelled.startswith("-"):
                return None
            try:
                return self.git("rev-parse", "-q", "--verify", f"{spelled}^{{commit}}")
            except LookupError:
                continue
        return None

    def point(self, ref: str, sha: str) -> None:
        self.git("update-ref", ref, sha)

    def take(self, other: Bare, source: str, target: str) -> None:
        """Fetch a ref of another repository of the network."""
        self.git("fetch", "-q", "--no-tags", str(other.path), f"+{source}:{target}")

    def base_of(self, one: str, two: str) -> str | None:
        try:
            return self._once("merge-base", one, two).decode().strip()
        except LookupError:
            return None

    def commits(self, *words: str, oldest_first: bool = False) -> list[CommitInfo]:
        """`git log` of a range, each commit whole."""
        order = ("--reverse",) if oldest_first else ()
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00%x01"
        out = self._once("log", f"--format={form}", *order, *words)
        found = []
        for record in out.decode("utf-8", "replace").split("\0\x01"):
            if not record.strip():
                continue
            sha, tree, up, an, ae, at, cn, ce, ct, text = record.lstrip("\n").split("\0")
            found.append(
                CommitInfo(sha, tree, tuple(up.split()), Person(an, ae), int(at),
                           Person(cn, ce), int(ct), text.rstrip("\n"))
            )  # fmt: skip
        return found

    def changes(self, base: str, head: str) -> list[FileInfo]:
        """Files that differ between two commits, renames found."""
        words = ("diff-tree", "-r", "-M", "-z", base, head)
        raw = self._once(*words, "--raw", "--no-abbrev").decode("utf-8", "replace").split("\0")
        counts = self._once(*words, "--numstat").decode("utf-8", "replace").split("\0")
        found, at = [], 0
        numbers = iter(counts)
        while raw[at].startswith(":"):
            _, _, _, blob, letter = raw[at].split()
            renamed = letter[0] in "RC"
            plus, minus, _ = next(numbers).split("\t")
            if renamed:
                next(numbers), next(numbers)
            name, previous = (raw[at + 2], raw[at + 1]) if renamed else (raw[at + 1], None)
            status = {"A": "added", "D": "removed", "R": "renamed"}.get(letter[0], "modified")
            added, removed = (0 if n == "-" else int(n) for n in (plus, minus))
            found.append(FileInfo(name, status, blob, added, removed, previous))
            at += 3 if renamed else 2
        return found

    def merge(self, base: str, head: str) -> str | None:
        """The tree of a clean merge, or None where it conflicts."""
        try:
            return self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        except LookupError:
            return None

    def commit_tree(
        self, tree: str, parents: tuple[str, ...], message: str, who: Person, when: int
    ) -> str:
        env = environment()
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": who.name, f"GIT_{role}_EMAIL": who.email,
                    f"GIT_{role}_DATE": f"{when} +0000"}  # fmt: skip
        words = [word for parent in parents for word in ("-p", parent)]
        done = subprocess.run(["git", "commit-tree", tree, *words], cwd=self.path, env=env,
                              input=message.encode(), capture_output=True, check=True)  # fmt: skip
        return done.stdout.decode().strip()
