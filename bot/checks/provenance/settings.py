"""The policy on what is taken from others."""

from __future__ import annotations

from typing import Any

from pydantic import Field, PrivateAttr

from bot.check import Section
from bot.checks.assets.settings import Settings as Assets


class Settings(Section):
    """Policy on borrowed code and data. What is published, and how, `assets` says."""

    holders: tuple[str, ...] = Field(
        default=(),
        description="Names in copyright lines that are the project's own, besides those of "
        "LICENSE, NOTICE, pyproject.toml and the authors of the change.",
    )
    ignore_paths: tuple[str, ...] = Field(
        default=(), description="Paths, as CODEOWNERS writes them, that are not looked at."
    )
    vendored: tuple[str, ...] = Field(
        default=("vendor", "vendored", "_vendor", "third_party", "third-party", "thirdparty",
                 "3rdparty"),
        description="Names of folders that hold other people's work.",
    )  # fmt: skip

    _assets: Assets = PrivateAttr(default_factory=Assets)

    def among(self, root: Any) -> Settings:
        """Take from the section assets what is published, under which licence."""
        found = self.model_copy()
        assets = getattr(root, "assets", None)
        if isinstance(assets, Assets):
            found._assets = assets.among(root)
        return found

    @property
    def assets(self) -> Assets:
        """The section assets."""
        return self._assets
