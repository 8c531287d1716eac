"""The policy's section on model regressions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    field_validator,
    model_validator,
)

from bot.check import Section
from bot.releasing.settings import Settings as Releases
from lab.protocol import Gate
from lab.speed.slowdown import TOLERANCE

Protection = Literal["network", "filesystem", "secrets", "memory", "time", "processes"]
RelativePath = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^/\x00].*$")]


class Limit(BaseModel):
    """What a metric of a suite must hold, whatever it was before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(max_length=100, description="Such as accuracy or bits_per_byte.")
    at_least: float | None = Field(default=None, description="The least it may be.")
    at_most: float | None = Field(default=None, description="The most it may be.")

    @model_validator(mode="after")
    def _one_bound(self) -> Limit:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("needs either at_least or at_most")
        return self


class SuiteFile(BaseModel):
    """One suite in the repository: a JSONL file of items, or an lm-evaluation-harness YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        max_length=100,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$",
        description="How reports call it.",
    )
    path: RelativePath = Field(description="Its path from the repository's root.")
    limits: tuple[Limit, ...] = Field(
        default=(), max_length=50, description="Bounds of metrics, beyond comparing with the base."
    )


class Settings(Section):
    """Score base and head models on the same items and compare them pair by pair."""

    model: str = Field(
        default="",
        max_length=1000,
        description="Folder of the model in the repository, '.' for its root. "
        "Empty: a changed folder with config.json and weights.",
    )
    suite: tuple[SuiteFile, ...] = Field(
        default=(),
        max_length=50,
        description="Suites that decide, read at the base commit. Without one, nothing is scored.",
    )
    baseline: Literal["base", "release"] = Field(
        default="base",
        description="What the model is compared with: the model before the change, or that of the "
        "release which the base commit descends from.",
    )
    alpha: float = Field(
        default=0.05,
        gt=0,
        le=0.5,
        description="Rate of false alarms over all suites together.",
    )
    tolerance: float = Field(
        default=0.002,
        ge=0,
        description="How much worse is still accepted, in bits per byte of text or answer; the "
        "default is beyond what rounding to bfloat16 costs.",
    )
    resolution: float = Field(
        default=0.02,
        gt=0,
        description="Further loss, in the same units, that must be ruled out for a pass; where "
        "it is not, finding nothing is no pass.",
    )
    accuracy_tolerance: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Loss of accuracy that is still accepted, as a share of all items.",
    )
    accuracy_resolution: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Further loss of accuracy that must be ruled out to pass; 1: likelihood alone "
        "decides what passes, since accuracy needs a hundred times the items.",
    )
    early: bool = Field(
        default=True, description="End scoring once the answer is clear, at planned looks."
    )
    slowdown: float = Field(
        default=TOLERANCE,
        ge=0,
        le=10,
        description="How much slower or larger head may be, as a share; 0: speed is not timed.",
    )
    metrics: str = Field(
        default="metrics.json",
        max_length=1000,
        description="File of `modelwarden measure --output`, read at the last releases for the "
        "plot of how metrics moved.",
    )
    limit: int = Field(
        default=1000, ge=2, le=100_000, description="Items of each suite; the choice is fixed."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Where to score.")
    memory_gb: float = Field(
        default=8, gt=0, le=4096, description="Memory of the sandbox in GiB; it holds both models."
    )
    minutes: float = Field(default=20, gt=0, le=1440, description="Wall-clock limit of scoring.")
    max_gb: float = Field(
        default=20, gt=0, le=4096, description="Largest model to lay out, in GB for each side."
    )
    require: tuple[Protection, ...] = Field(
        default=("network", "filesystem", "secrets", "memory", "time"),
        description="Protections without which nothing of a change is loaded.",
    )

    _releases: Releases = PrivateAttr(default_factory=Releases)

    def among(self, root: Any) -> Settings:
        """Take what the policy says about releases."""
        found = self.model_copy()
        found._releases = root.release
        return found

    @property
    def releases(self) -> Releases:
        """Where the ledger of releases is."""
        return self._releases

    @field_validator("suite")
    @classmethod
    def _names_differ(cls, suites: tuple[SuiteFile, ...]) -> tuple[SuiteFile, ...]:
        names = [suite.name for suite in suites]
        if len(set(names)) < len(names):
            raise ValueError("two suites have the same name")
        return suites

    @property
    def gate(self) -> Gate:
        """What the lab needs to know to judge two models."""
        return Gate(
            tolerance=self.tolerance,
            resolution=self.resolution,
            accuracy_tolerance=self.accuracy_tolerance,
            accuracy_resolution=self.accuracy_resolution,
            alpha=self.alpha,
            early=self.early,
        )

    @property
    def folder(self) -> str:
        """The model folder as git names it: "" for the root; only where `model` is set."""
        return "" if self.model == "." else self.model.removeprefix("./").rstrip("/")
