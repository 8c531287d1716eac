"""Releases of one repository on GitHub: drafted, filled, proven, and only then published.

Every step may be done again after it was killed anywhere: it looks first, and what is there and
right stays. What somebody else made under the same tag is never touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from bot.github import answers, given, uploads
from bot.github.client import GITHUB
from bot.github.errors import Foreign, NotFound, Refused, Unavailable
from bot.github.released import Asset, AssetAnswer, Found, ReleaseAnswer, mark
from bot.github.repository import Repository
from bot.github.transport import GONE, LATER, Body, Reply, get, once, pages, patiently, steadily
from bot.github.uploads import Part
from bot.report.neutral import cut_bytes

TEXT = 100_000  # bytes of a release's text; GitHub takes 125,000 characters
ROUNDS = 2  # how often what turns out to be wrong is sent

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class State:
    """What GitHub has of a tag: our release, its assets, drafts too many, and others' releases."""

    release: Found | None
    assets: tuple[Asset, ...]
    spare: tuple[Found, ...]
    foreign: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Releases:
    """The releases of `at`, whose token may write contents; `api` is the API's address."""

    at: Repository
    api: str

    def state(self, tag: str) -> State:
        """Return what is there of a tag; changes nothing."""
        every = sorted(self.every(tag), key=lambda one: (one.draft, one.id))
        ours = [one for one in every if one.commit]
        release = ours[0] if ours else None
        held = self.assets(release) if release else ()
        foreign = tuple(one for one in every if not one.commit)
        return State(release, held, tuple(ours[1:]), foreign)

    def look(self, tag: str) -> Found | None:
        """Return our release of a tag, published or a draft, None where there is none.

        Raises Foreign where somebody else's is in its place.
        """
        return self._one(self.every(tag), tag)

    def draft(
        self, tag: str, commit: str, title: str, text: str, *, prerelease: bool = False
    ) -> Found:
        """Return the one draft of a tag, made or brought to what is given.

        Drafts too many, which a killed attempt left, are removed. One that is published already
        comes back as it is. Raises Foreign, GitHubError.
        """
        body: dict[str, object] = {
            "tag_name": tag, "target_commitish": commit, "name": title,
            "prerelease": prerelease, "body": f"{cut_bytes(text, TEXT)}\n\n{mark(commit)}",
        }  # fmt: skip
        made = body | {"draft": True}  # never in an edit: it would take back what was published
        found = once(lambda: self.look(tag), lambda: self._write("POST", "", made))
        self._reduce(tag, found)
        if not found.draft:
            if found.commit != commit:
                raise _taken(found)
            return found
        shown = (found.target, found.title, found.text, found.prerelease)
        if shown != (commit, title, body["body"], prerelease):
            found = patiently(lambda: self._write("PATCH", f"/{found.id:d}", body))
        return found

    def _reduce(self, tag: str, kept: Found) -> None:
        for one in self.every(tag):
            if one.draft and one.commit and one.id != kept.id:
                self._delete(f"/{one.id:d}")

    def assets(self, release: Found) -> tuple[Asset, ...]:
        """Return the files that a release has. Raises NotFound where it is gone."""
        found: list[Asset] = []
        try:
            for page in pages(self.at.line, self._path(f"/{release.id:d}/assets")):
                read = answers.read(page.text, tuple[AssetAnswer, ...])
                found += (one.value for one in read)
        except NotFound as error:
            raise _gone(release) from error
        return tuple(found)

    def upload(
        self, release: Found, parts: Sequence[Part], tell: Tell = lambda line: None
    ) -> tuple[Asset, ...]:
        """Make the release hold exactly these parts, and prove it. Raises GitHubError.

        Whole assets of the right bytes stay; those cut half-way, or of an earlier attempt, go.
        """
        wanted = {uploads.checked(part).name: part for part in parts}
        if len(wanted) < len(parts):
            raise Refused("two assets of one name", "report it with this message")
        if release.draft:
            for one in self.assets(release):
                if one.name not in wanted:
                    self._remove(one)
        for _ in range(ROUNDS):
            for number, part in enumerate(parts, 1):
                steadily(partial(self._put, release, part))
                tell(f"{number} of {len(parts)}: {part.name}, {part.size:,} bytes")
            wrong = self.verify(release, parts)
            if not wrong:
                return self.assets(release)
            for one in self.assets(release):
                if one.name in wrong:
                    self._remove(one)
        raise Unavailable(f"GitHub holds other bytes than were sent: {', '.join(wrong)}", LATER)

    def _put(self, release: Found, part: Part) -> Asset:
        there = next((one for one in self.assets(release) if one.name == part.name), None)
        if there is not None:
            if there.whole and there.size == part.size and there.sha256 in ("", part.sha256):
                return there
            self._remove(there)
        where = uploads.address(self.api, release.upload_url, self.at.repo.name, release.id)
        try:
            reply = uploads.send(where, self.at.line.token(), part)
        except Refused as error:
            if "already_exists" in error.message:  # what was cut is not in the list yet
                raise Unavailable(error.message, LATER) from error
            raise
        except NotFound as error:
            raise _gone(release) from error
        made = answers.read(reply.text, AssetAnswer).value
        if made.name != part.name:
            raise Refused(f"GitHub calls {part.name} {made.name[:80]!r}", "report it")
        return made

    def verify(self, release: Found, parts: Sequence[Part]) -> tuple[str, ...]:
        """Return the names of parts that the release does not hold as they are.

        By GitHub's own digest; where it says none, the bytes are fetched and hashed.
        """
        there = {one.name: one for one in self.assets(release)}
        return tuple(part.name for part in parts if not self._right(there.get(part.name), part))

    def _right(self, there: Asset | None, part: Part) -> bool:
        if there is None or not there.whole or there.size != part.size:
            return False
        return (there.sha256 or self._digest(there)) == part.sha256

    def _digest(self, asset: Asset) -> str:
        where, about = self._where(asset), f"read {asset.name}"
        return steadily(lambda: uploads.digest(where, self.at.line.token(), asset.size, about))

    def content(self, asset: Asset, limit: int) -> bytes:
        """Return the bytes of a small asset. Raises GitHubError; Refused beyond `limit`."""
        where, about = self._where(asset), f"read {asset.name}"
        return steadily(lambda: uploads.content(where, self.at.line.token(), limit, about))

    def _where(self, asset: Asset) -> str:
        return f"{self.api.rstrip('/')}{self._path(f'/assets/{asset.id:d}')}"

    def publish(self, release: Found, *, latest: bool) -> Found:
        """Publish a draft of ours; `latest` where no newer version is out. Raises Foreign.

        The tag must be there already, at the release's commit: else GitHub would make one.
        """
        now = self._read(release)
        if now.commit != release.commit:
            raise _taken(now)
        at = self.tagged(now.tag)
        if at != now.commit:
            where = f"at {at[:12]}" if at else "not there"
            raise Foreign(
                f"the tag {now.tag} is {where}, the release is of {now.commit[:12]}",
                "push the tag of the release, then run it again; a tag that was moved is a reason "
                "to look who moved it",
            )
        first = latest and not now.prerelease
        body = {"draft": False, "make_latest": "true" if first else "false"}
        if not now.draft:
            return now
        try:
            return patiently(lambda: self._write("PATCH", f"/{now.id:d}", body))
        except Refused as error:
            if "already_exists" not in error.message:
                raise
        raise _taken(now)

    def remove_draft(self, tag: str) -> int:
        """Take back what is not published: every draft of ours with this tag; return how many."""
        drafts = [one for one in self.every(tag) if one.draft and one.commit]
        for one in drafts:
            self._delete(f"/{one.id:d}")
        return len(drafts)

    def tagged(self, tag: str) -> str:
        """Return the commit that a tag is at on GitHub, "" where there is no such tag."""
        path = f"/repos/{self.at.repo.name}/commits/tags/{quote(tag)}"
        try:
            return answers.read(get(self.at.line, path, {"per_page": 1}).text, answers.Commit).sha
        except NotFound:
            return ""
        except Refused as error:
            if "No commit found" not in error.message:
                raise
            return ""

    def _read(self, release: Found) -> Found:
        try:
            text = get(self.at.line, self._path(f"/{release.id:d}")).text
        except NotFound as error:
            raise _gone(release) from error
        return answers.read(text, ReleaseAnswer).value

    def every(self, tag: str = "") -> tuple[Found, ...]:
        """Every release (of a tag): GitHub shows drafts only in the list of all."""

        def listed() -> Iterator[Found]:
            for page in pages(self.at.line, self._path("")):
                for found in answers.read(page.text, tuple[ReleaseAnswer, ...]):
                    if tag in ("", found.tag_name):
                        yield found.value

        return tuple(listed())

    def _one(self, every: tuple[Found, ...], tag: str) -> Found | None:
        ours = sorted((one for one in every if one.commit), key=lambda one: (one.draft, one.id))
        if ours and not ours[0].draft:
            return ours[0]
        if foreign := [one for one in every if not one.commit]:
            raise _taken(min(foreign, key=lambda one: one.draft))
        return ours[0] if ours else None

    def _write(self, verb: str, rest: str, body: Body) -> Found:
        reply: Reply = self.at.line.ask(verb, self._path(rest), body=body)
        return answers.read(reply.text, ReleaseAnswer).value

    def _remove(self, asset: Asset) -> None:
        self._delete(f"/assets/{asset.id:d}")

    def _delete(self, rest: str) -> None:
        def act() -> None:
            try:
                self.at.line.ask("DELETE", self._path(rest))
            except NotFound:  # by an attempt whose answer was lost
                return

        patiently(act)

    def _path(self, rest: str) -> str:
        return f"/repos/{self.at.repo.name}/releases{rest}"


def here(name: str = "") -> Releases:
    """Return the releases of the repository that GITHUB_TOKEN is for.

    `name` is owner/name, "" for GITHUB_REPOSITORY; GITHUB_API_URL says where GitHub is. In a job of
    GitHub Actions the token writes as its bot, elsewhere as whoever it is of. Raises UsageError,
    GitHubError.
    """
    told = os.environ.get
    api = told("GITHUB_API_URL") or GITHUB
    login = given.ACTIONS if told("GITHUB_ACTIONS") == "true" else ""
    name = name or told("GITHUB_REPOSITORY", "")
    return Releases(given.repository(api, told("GITHUB_TOKEN", ""), name, login), api)


def _taken(found: Found) -> Foreign:
    kind = "a draft" if found.draft else "a release"
    return Foreign(
        f"{kind} of {found.tag} is on GitHub that is not of this release: {found.page}",
        "remove it there, or release another version; nothing of it was changed",
    )


def _gone(release: Found) -> NotFound:
    return NotFound(
        f"the release of {release.tag} on GitHub was deleted meanwhile",
        f"run the release again: it makes a new one; or {GONE}",
    )
