"""Releases as GitHub shows them: the fields we read, each with its form, and what they become."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from bot.github.answers import Count
from bot.github.payloads import Kind
from bot.people import Number

_STRICT = ConfigDict(strict=True, extra="ignore")
_MARK = re.compile(r"<!-- modelwarden:release ([0-9a-f]{40}|[0-9a-f]{64}) -->")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")

Address = Annotated[str, Field(max_length=4_000)]
Name = Annotated[str, Field(max_length=1_000)]


def mark(commit: str) -> str:
    """Return what the text of a release of ours holds, unseen: by it, it is known again."""
    return f"<!-- modelwarden:release {commit} -->"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of a release on GitHub. `whole`: its upload came to its end.

    `sha256` is GitHub's own word, "" from servers that do not say it.
    """

    id: int
    name: str
    size: int
    whole: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """A release on GitHub. `commit` is what its mark names: "" where it is not ours."""

    id: int
    tag: str
    title: str
    text: str
    draft: bool
    prerelease: bool
    target: str
    commit: str
    page: str
    upload_url: str


@dataclass(frozen=True, slots=True)
class AssetAnswer:
    """A file of a release; `state` is "uploaded", else it was cut."""

    __pydantic_config__ = _STRICT

    id: Number
    name: Name
    size: Count
    state: Kind
    digest: str | None = None

    @property
    def value(self) -> Asset:
        """The asset as ours."""
        said = _DIGEST.fullmatch(self.digest or "")
        whole = self.state == "uploaded"
        return Asset(self.id, self.name, self.size, whole, said[1] if said else "")


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """A release; drafts have the tag that they will get."""

    __pydantic_config__ = _STRICT

    id: Number
    tag_name: Name
    draft: bool
    prerelease: bool
    html_url: Address
    upload_url: Address
    target_commitish: Name = ""
    name: str | None = None
    body: str | None = None

    @property
    def value(self) -> Found:
        """The release as ours."""
        ours = _MARK.search(self.body or "")
        return Found(
            self.id, self.tag_name, self.name or "", self.body or "", self.draft, self.prerelease,
            self.target_commitish, ours[1] if ours else "", self.html_url, self.upload_url,
        )  # fmt: skip
