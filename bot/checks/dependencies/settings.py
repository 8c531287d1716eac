"""What the policy says of dependencies."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PrivateAttr

from bot.check import Section
from bot.checks.dependencies.ages import Young
from bot.checks.dependencies.origins import Vcs
from bot.checks.dependencies.packagenames import NewName
from bot.checks.dependencies.pins import Hashes, Pin
from bot.checks.dependencies.usage import Imports

NewIndexes = Literal["fail", "review"]


class Settings(Section):
    """Policy on dependencies."""

    pin: Pin = Field(
        default="lock",
        description="How requirements files hold versions: `exact` (each line has ==), `lock` "
        "(== or a lock or constraints file pins it), `bounded` (any specifier), `off`.",
    )
    hashes: Hashes = Field(
        default="off",
        description="Whether each line of requirements and lock files needs a hash; a file "
        "where only some have one fails anyway.",
    )
    vcs: Vcs = Field(
        default="commit",
        description="What a repository reference must be: `commit` (a full commit id), or `any`, "
        "where a branch or tag is only a warning.",
    )
    new_indexes: NewIndexes = Field(
        default="fail",
        description="What an index that is not listed in `indexes` does: `fail`, or `review`, "
        "a warning.",
    )
    allow_urls: tuple[str, ...] = Field(
        default=(), description="URLs below which direct and repository URLs are accepted."
    )
    indexes: tuple[str, ...] = Field(
        default=(), description="Indexes, file hosts (as URLs) and conda channels to accept."
    )
    known_names: tuple[str, ...] = Field(
        default=(), description="Package names that are meant although they look like others."
    )
    private: tuple[str, ...] = Field(
        default=(), description="Patterns of package names that live on a private index."
    )
    private_indexes: tuple[str, ...] = Field(
        default=(), description="URLs of the indexes where private packages live."
    )
    new_name: NewName = Field(
        default="note",
        description="What a new name that is not well known does: `review`, a warning, `note` or "
        "`off`. A name that nobody at hand knows is a warning anyway.",
    )
    min_age_days: int = Field(
        default=7, ge=0, le=365, description="Age of a release below which it is told; 0: none."
    )
    young: Young = Field(
        default="review",
        description="What a release below that age does: `fail`, or `review`, a warning.",
    )
    imports: Imports = Field(
        default="review",
        description="Whether imports are held against what is declared, and what is declared "
        "against imports: `review` or `off`.",
    )
    _wheels: tuple[str, ...] = PrivateAttr(default=())

    @property
    def wheels(self) -> tuple[str, ...]:
        """The folders of wheels that `licenses.wheels` names."""
        return self._wheels

    def among(self, root: Any) -> Settings:
        """Return this section with the folders of wheels that the policy names."""
        found = self.model_copy()
        found._wheels = root.licenses.wheels
        return found
