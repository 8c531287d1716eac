"""The commands of `modelwarden recipe`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_EXAMPLES = """\b
Examples:
  modelwarden recipe convert pytorch_model.bin model.safetensors
  modelwarden recipe convert old-model new-model            # a folder, shards and all
  modelwarden recipe convert step-900.pt model.safetensors --key state_dict"""


@click.group()
def recipe() -> None:
    """Make a model from a model."""


@recipe.command(epilog=_EXAMPLES)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--key", default="", metavar="NAME",
              help="Entry of the checkpoint that holds the tensors  [default: the usual one].",
              )  # fmt: skip
@click.option("--copy-tied", is_flag=True, help="Write each name of a shared tensor in full.")
@click.option("--force", is_flag=True, help="Replace OUT, where it is a file.")
@click.option("--minutes", type=click.FloatRange(min=0.1, max=1440), default=30.0,
              show_default=True, help="Longest time for one file.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text",
              show_default=True)  # fmt: skip
def convert(model: Path, out: Path, **options: Any) -> int:
    """Turn a checkpoint of torch, a file or a folder, into safetensors.

    It is scanned first, and refused where loading it could run code. Then it is loaded in a
    sandbox without network, files or secrets; what comes out is read back and compared, tensor
    by tensor, before it gets its name.
    """
    from bot.recipes import Asked
    from bot.recipes import convert as run

    return run(Asked(model, out, **options))
