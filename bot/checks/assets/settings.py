"""The policy on models and data: what is published, on which terms, and what is known of assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.check import Section
from registry.licenses.expressions import LicenseError, normalise

Weight = Literal["fail", "review", "note", "off"]


def _expression(text: str) -> str:
    try:
        return normalise(text) if text else ""
    except LicenseError as error:
        raise ValueError(str(error)) from error


Expression = Annotated[str, AfterValidator(_expression)]


class Publish(BaseModel):
    """The licence of what the project publishes, for each kind of thing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Expression = Field(default="", description="Of the code; else as LICENSE says.")
    data: Expression = Field(default="", description="Of data; else as the card or LICENSE says.")
    weights: Expression = Field(
        default="", description="Of weights; else `release.licence`, the card or LICENSE."
    )


class AssetFact(BaseModel):
    """The licence of a model or data set, as somebody read it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    license: Expression = Field(min_length=1, description="SPDX expression or hub id.")
    source: str = Field(min_length=1, description="Where that is said, and who read it.")


class Settings(Section):
    """Policy on models and data. Patterns of names: `*` stands for anything; deny wins."""

    publish: Publish = Field(default_factory=Publish, description="What the project publishes.")
    commercial: bool | None = Field(
        default=None,
        description="Whether the project, or who uses it, earns money with it. Unset: what is "
        "forbidden either way fails, and limits to non-commercial use are said.",
    )
    rules: Mapping[str, Weight] = Field(
        default_factory=dict,
        description="TIE.TAG, as `distils_from.output_training` or `*.mau_threshold`, -> how much "
        "such a clause weighs: fail, review, note or off. The first that fits counts.",
    )
    facts: Mapping[str, AssetFact] = Field(
        default_factory=dict,
        description="Name of a model or data set -> `{license, source}`, as somebody read it.",
    )
    allow: tuple[str, ...] = Field(
        default=(), description="Models and data that are accepted whatever their licence."
    )
    deny: tuple[str, ...] = Field(default=(), description="Models and data that may not be used.")

    def among(self, root: Any) -> Settings:
        """Return this section with the licence of weights that releases state."""
        stated = root.release.licence
        if self.publish.weights or not stated:
            return self
        try:
            publish = self.publish.model_copy(update={"weights": normalise(stated)})
        except LicenseError:
            return self  # what is no expression is for the release to refuse
        return self.model_copy(update={"publish": publish})
