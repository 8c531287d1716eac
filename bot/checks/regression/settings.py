"""The policy's section on model regressions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from bot.check import Section

Protection = Literal["network", "filesystem", "secrets", "memory", "time", "processes"]
RelativePath = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^/\x00].*$")]


class SuiteFile(BaseModel):
    """One suite: a JSONL file of texts or of prompts with choices, in the repository."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        max_length=100,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$",
        description="How reports call it.",
    )
    path: RelativePath = Field(description="Its path from the repository's root.")


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
        default=0.1,
        gt=0,
        description="Worsening that a suite must be able to see, in the same units; where it "
        "could not, finding nothing is no pass.",
    )
    limit: int = Field(
        default=1000, ge=2, le=100_000, description="Items of each suite; the choice is fixed."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Where to score.")
    memory_gb: float = Field(
        default=8, gt=0, le=4096, description="Memory of the sandbox in GiB; about 3x the weights."
    )
    minutes: float = Field(default=20, gt=0, le=1440, description="Wall-clock limit of scoring.")
    max_gb: float = Field(
        default=20, gt=0, le=4096, description="Largest model to lay out, in GB for each side."
    )
    require: tuple[Protection, ...] = Field(
        default=("network", "filesystem", "secrets", "memory", "time"),
        description="Protections without which nothing of a change is loaded.",
    )

    @field_validator("suite")
    @classmethod
    def _names_differ(cls, suites: tuple[SuiteFile, ...]) -> tuple[SuiteFile, ...]:
        names = [suite.name for suite in suites]
        if len(set(names)) < len(names):
            raise ValueError("two suites have the same name")
        return suites

    @property
    def folder(self) -> str:
        """The model folder as git names it: "" for the root; only where `model` is set."""
        return "" if self.model == "." else self.model.removeprefix("./").rstrip("/")
