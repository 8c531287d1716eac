"""Policy on secrets and personal data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from bot.check import Section
from security.secrets import BY_ID

Weight = Literal["fail", "review", "off"]


class Settings(Section):
    """Secrets and personal data in added lines."""

    personal_in_data: Weight = Field(
        default="fail",
        description="What personal data in data files is: a failure, a warning (`review`), or not"
        " looked at.",
    )
    personal_elsewhere: Weight = Field(
        default="review",
        description="The same for code and documents, where an author's address is no finding.",
    )
    history: bool = Field(
        default=True,
        description="Scan also the files that only earlier commits of the change have.",
    )
    allow_kinds: tuple[str, ...] = Field(
        default=(), description="Kinds of values that are no finding, such as `ipv4`."
    )
    allow_paths: tuple[str, ...] = Field(
        default=(),
        description="Paths, as CODEOWNERS writes them, that are not scanned.",
    )
    max_file_bytes: int = Field(
        default=50_000_000, ge=0, description="Largest file that is scanned."
    )
    max_bytes: int = Field(
        default=500_000_000, ge=0, description="Bytes of added lines of a change that are scanned."
    )

    @field_validator("allow_kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if kind not in BY_ID:
                raise ValueError(f"no kind '{kind}'; there are {', '.join(BY_ID)}")
        return kinds
