"""One thing that was taken from others, as the register says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What a borrowed thing is to us: a part of the ties of a bill of materials.
Use = Literal["vendors", "embeds", "trains_on", "finetunes", "distils_from", "merges",
              "quantises", "evaluates_on"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A borrowed file, folder or data set.

    `path` is from the root: a file, a folder, what a `.dvc` file tracks, or a pattern with `*`
    below a named folder. `digest` is "sha256:", "dvc:" or "git:" and the hex (docs/provenance.md).
    `license` is an expression, `text` the path of its text here. `line` is 1-based.
    """

    path: str
    source: str
    license: str
    digest: str
    holders: tuple[str, ...] = ()
    revision: str = ""
    modified: bool = False
    tie: Use = "vendors"
    text: str = ""
    note: str = ""
    line: int = 0

    @property
    def is_pattern(self) -> bool:
        """Whether the path stands for several files."""
        return "*" in self.path

    @property
    def folder(self) -> str:
        """Return the folder that every file of a pattern is below."""
        return self.path.partition("*")[0].rpartition("/")[0]
