"""What the steps of one run hand on in memory: what is dear to make twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from security.hashing.walk import Stamp, Tree, walk

if TYPE_CHECKING:
    from registry.mlflow import Registry
    from security.verify import Verified

State = tuple[tuple[str, Stamp], ...]


@dataclass(slots=True)
class Shared:
    """MLflow's process, which takes seconds to start, and the last proof of the whole folder."""

    mlflow: Registry | None = None
    _proof: tuple[Path, State, Verified] | None = None

    def proven(self, folder: Path, prove: Callable[[], Verified]) -> Verified:
        """Return what `prove` found of a folder; asked again, only if a file changed meanwhile.

        Every byte was read by this process; after that, a change of a file is seen by its times,
        size and number, its signature's too. No proof is taken from a disk or another process.
        """
        state = _state(folder)  # before anything is read: what changes meanwhile is read again
        if self._proof is None or self._proof[:2] != (folder, state):
            self._proof = (folder, state, prove())
        return self._proof[2]

    def close(self) -> None:
        """End MLflow's process."""
        if self.mlflow is not None:
            self.mlflow.close()
            self.mlflow = None


def _state(folder: Path) -> State:
    with Tree.of(folder) as tree:
        return tuple((file.path, file.stamp) for file in walk(tree, folder, ()))
