"""What only people know about a model, for its card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a model; "" and () for what nobody said.

    `task`, `library` and `datasets` are the hub's names; `base_models` are hub ids where there
    are such, and `relation` is finetune, adapter, merge or quantized. `data` says what the
    training data are, in sentences. `training_joules` is what training took, None if unknown.
    """

    title: str = ""
    summary: str = ""
    uses: str = ""
    limits: str = ""
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    task: str = ""
    library: str = ""
    base_models: tuple[str, ...] = ()
    relation: str = ""
    datasets: tuple[str, ...] = ()
    data: str = ""
    architecture: str = ""
    parameters: int = 0
    training_joules: float | None = None
