"""The policy's section on data."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PrivateAttr, StringConstraints

from bot.check import Section
from bot.checks.regression.settings import SuiteFile
from bot.patterns import PATTERN_LIMIT
from lab.data.records import Limits

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=PATTERN_LIMIT)]


class Settings(Section):
    """Policy of the data check."""

    training: tuple[Pattern, ...] = Field(
        default=("/data/**", "/dataset/**", "/datasets/**", "/train/**", "/training/**"),
        max_length=100,
        description="Paths of training data, as in CODEOWNERS: of them the JSONL, JSON, CSV, TSV,"
        " text and parquet files, plain or gzipped, in git, LFS or DVC.",
    )
    evaluation: tuple[Pattern, ...] = Field(
        default=(),
        max_length=100,
        description="Paths of evaluation sets, beside the suites of the section regression; read"
        " at the base commit and at the head.",
    )
    fields: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="Keys or columns that hold texts, at any depth, such as content for chats."
        " Empty: every text counts.",
    )
    ngram: int = Field(
        default=13,
        ge=8,
        le=100,
        description="Words in a row that make a leak. A character of a script without spaces"
        " counts as a word.",
    )
    max_overlap: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of an evaluation item's words that training data may hold.",
    )
    duplicates: float = Field(
        default=0.8,
        ge=0.5,
        le=1,
        description="Likeness (Jaccard, of sequences of three words) that makes a duplicate.",
    )
    max_share: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of a file's added records that may be duplicates; more is a failure.",
    )
    max_bytes: int = Field(
        default=200_000_000,
        ge=1,
        le=10_000_000_000,
        description="Bytes of a data file, unpacked, and of all that the change is compared with.",
    )
    max_records: int = Field(
        default=1_000_000, ge=1, le=100_000_000, description="Records of a data file."
    )

    _suites: tuple[SuiteFile, ...] = PrivateAttr(default=())

    def among(self, root: Any) -> Settings:
        """Take the suites that the policy scores models on."""
        found = self.model_copy()
        regression = getattr(root, "regression", None)
        found._suites = regression.suite if regression is not None else ()
        return found

    @property
    def suites(self) -> tuple[SuiteFile, ...]:
        """The suites of the section regression."""
        return self._suites

    @property
    def limits(self) -> Limits:
        """Bounds of one file."""
        return Limits(self.max_bytes, self.max_records)
