"""The policy's section `contributors`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from bot.check import Section
from bot.checks.contributors.assistance import FORBIDDEN
from bot.checks.contributors.cla import Cla
from bot.checks.contributors.headers import Headers, Switch
from bot.checks.contributors.remediation import Mode
from bot.checks.contributors.said import KEYS
from bot.checks.contributors.standing import Weight


class Settings(Section):
    """Policy on people and their commits."""

    dco: Switch = Field(
        default="required", description="Whether each commit is signed off by its author."
    )
    co_authors: bool = Field(default=True, description="Whether co-authors sign too.")
    remediation: Mode = Field(
        default="off",
        description="Whether a later commit of the change may sign an earlier one off: its own "
        "author (individual), or also somebody on the author's behalf (third-party).",
    )
    bots: tuple[str, ...] = Field(
        default=(),
        description="Logins of bots whose commits need no sign-off where GitHub verified them.",
    )
    merge_commits: bool = Field(
        default=False, description="Whether merge commits need a sign-off too."
    )
    max_commits: int = Field(
        default=5_000, ge=1, le=20_000, description="How many commits of a change are judged."
    )
    signatures: Literal["report", "required"] = Field(
        default="report", description="Whether each commit must be signed by an allowed key."
    )
    allowed_signers: str = Field(
        default="", description="Path of a file in ssh's allowed_signers format, read at the base."
    )
    ai_signoff: Weight = Field(
        default="fail",
        description="What it weighs where an AI or a bot signs a commit off: a failure, a warning "
        "(review), a note; off: it counts as anybody's.",
    )
    ai_trailer: str = Field(
        default="",
        description="The only trailer that may name an AI, such as Assisted-by; none: no AI may "
        "be named; empty: the project has not decided.",
    )
    ai_undeclared: Weight = Field(
        default="fail", description="What it weighs where a commit says it in another way."
    )
    ai_accounts: tuple[str, ...] = Field(
        default=(), description="Addresses and logins of AI tools besides the known ones."
    )
    identities: Weight = Field(
        default="review",
        description="What it weighs where one address has the names of unlike people, or a known "
        "name comes with an unknown address.",
    )
    newcomers: Weight = Field(
        default="review",
        description="What it weighs where somebody without a commit in the history changes a "
        "path of `sensitive` or `guarded`.",
    )
    cla: Cla = Field(default=Cla(), description="The contributor licence agreement.")
    headers: Headers = Field(default=Headers(), description="Headers of new source files.")
    sensitive: tuple[str, ...] = Field(
        default=(
            "/.github/**",
            "CODEOWNERS",
            "/dvc.yaml",
            "/.dvc/config",
            "**/*.safetensors",
            "**/*.gguf",
        ),
        description="Paths that should have an owner in CODEOWNERS.",
    )
    guarded: tuple[str, ...] = Field(
        default=(
            "LICENSE*", "LICENCE*", "COPYING*", "NOTICE*", "SECURITY.md", "/.mailmap",
            "/.pre-commit-config.yaml", "/.gitattributes", "/.gitmodules",
        ),
        description="More paths that newcomers do not change unseen.",
    )  # fmt: skip

    @field_validator("ai_trailer")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value and value.lower() not in {*KEYS, FORBIDDEN}:
            raise ValueError(f"one of: {', '.join(sorted(KEYS))}, {FORBIDDEN}")
        return value
