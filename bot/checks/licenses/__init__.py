"""Licences: of the packages a change brings in, and of the project itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name
from pydantic import Field, PrivateAttr, field_validator

from bot import manifestfiles
from bot.change import Change
from bot.check import Section
from bot.checks.licenses import links, packages, project
from bot.checks.licenses.packages import Packages
from bot.checks.licenses.project import Project
from bot.checks.licenses.wording import Modified
from bot.exhibit import Exhibit, Table
from bot.finding import Finding
from bot.world import World
from registry.licenses.expressions import LicenseError, normalise

NAME = "licenses"
VERSION = 6
SHOWN = 200  # packages in the table
RULES = (*packages.RULES, *links.RULES, *project.RULES)

# Permissive licences, and the weak copyleft that leaves a program which imports it free.
ALLOW = (
    "0BSD AFL-3.0 Apache-2.0 apache BlueOak-1.0.0 BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause bsd"
    " BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC0-1.0 CNRI-Python EPL-2.0 HPND ISC LGPL-* lgpl"
    " libpng-2.0 MIT MIT-0 MIT-CMU MPL-2.0 MulanPSL-2.0 NCSA PostgreSQL PSF-2.0 psf Python-2.0"
    " Python-2.0.1 Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0 X11 Zlib ZPL-2.1 zpl"
)
# Network copyleft, source-available and non-commercial terms.
DENY = (
    "AGPL-* agpl BUSL-* CC-BY-NC-* Elastic-2.0 LicenseRef-Commons-Clause* LicenseRef-Proprietary"
    " PolyForm-* SSPL-*"
)


class Settings(Section):
    """Policy on licences. Patterns are ids, `*` stands for anything; deny wins over allow."""

    allow: tuple[str, ...] = Field(
        default=tuple(ALLOW.split()), description="Licences that dependencies may have."
    )
    review: tuple[str, ...] = Field(
        default=(), description="Licences that fail for review, even where a pattern allows them."
    )
    deny: tuple[str, ...] = Field(
        default=tuple(DENY.split()), description="Licences that dependencies may not have."
    )
    facts: Mapping[str, str] = Field(
        default_factory=dict, description="Package name -> SPDX expression, over its metadata."
    )
    modified: Modified = Field(
        default="review",
        description="A licence text that differs from the known one, where nothing restricts: "
        "`review` warns of what is harmless and could not tell of the rest, `fail`, `allow` warns.",
    )
    wheels: tuple[str, ...] = Field(
        default=(), description="Folders of wheels whose metadata is read; none that git tracks."
    )

    max_age_days: int = Field(
        default=180,
        ge=1,
        description="Older facts of an index resolve no package that is not pinned to a version.",
    )
    _own: str = PrivateAttr(default="")
    _others: tuple[str, ...] = PrivateAttr(default=())
    _commercial: bool = PrivateAttr(default=False)

    @property
    def own(self) -> str:
        """What the code is published under, as `assets.publish.code` says; "" for nothing."""
        return self._own

    @property
    def others(self) -> tuple[str, ...]:
        """What weights and data are published under, as the policy says: cards may say it too."""
        return self._others

    @property
    def commercial(self) -> bool:
        """Whether `assets.commercial` says so."""
        return self._commercial

    def among(self, root: Any) -> Settings:
        """Return this section with what the policy says of the project's own code."""
        found = self.model_copy()
        publish = root.assets.publish
        found._own = publish.code
        found._others = tuple(filter(None, (publish.weights, publish.data)))
        found._commercial = root.assets.commercial is True
        return found

    @field_validator("facts")
    @classmethod
    def _expressions(cls, facts: Mapping[str, str]) -> Mapping[str, str]:
        try:
            return {canonicalize_name(name): normalise(text) for name, text in facts.items()}
        except LicenseError as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Evidence:
    """Packages of the change, and the project's own licence before and after."""

    packages: Packages
    before: Project
    after: Project


def applies(change: Change, settings: Settings) -> str:
    """Only manifests, licence files, pyproject.toml and cards say anything of licences."""
    if any(manifestfiles.concerns(f.path) or project.is_relevant(f.path) for f in change.files):
        return ""
    return "no manifest, licence file or card changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read manifests, metadata at hand, licence texts and statements."""
    before, after = project.collect(change, world, f"{NAME}/{VERSION}")
    return Evidence(packages.collect(change, world, settings), before, after)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Find licences that are refused, unknown, changed or contradicted."""
    own = settings.own or evidence.after.expression
    return (
        *packages.judge(evidence.packages, settings),
        *links.judge(evidence.packages, own, settings, commercial=settings.commercial),
        *project.judge(evidence.before, evidence.after, settings.modified, settings.others),
    )


def summary(evidence: Evidence) -> str:
    """Say how many packages were resolved from where, and the project's own licence."""
    texts = ", ".join(t.named for t in evidence.after.texts)
    return f"{packages.summary(evidence.packages)}; project: {texts or 'no licence file'}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Show each package with its licence and where that was read."""
    rows = tuple(
        (p.name, p.fact.version or p.specifier, p.fact.license or "unknown", p.fact.source or "-")
        for p in evidence.packages.each
    )
    if not rows:
        return ()
    title = "Licences of changed packages"
    if len(rows) > SHOWN:
        title += f" (the first {SHOWN} of {len(rows):,})"
    return (Table(title, ("package", "version", "licence", "source"), rows[:SHOWN]),)
