"""`modelwarden release notice` as click sees it."""

from __future__ import annotations

from typing import Any

import click

from bot.keys.options import FILE, examples

TIES = ("vendors", "embeds", "trains_on", "finetunes", "distils_from", "merges", "quantises",
        "evaluates_on")  # fmt: skip


@click.command(
    epilog=examples(
        "modelwarden release notice                       # write its generated part",
        "modelwarden release notice --check               # exit 1 where that is out of date",
        "modelwarden release notice --register third_party/foo --source https://example.org/foo",
        "modelwarden release notice --packages --output THIRD_PARTY.txt",
    )
)
@click.option("--repo", type=FILE, default=".", help="The repository  [default: here].")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where NOTICE is out of date.")
@click.option("--packages", is_flag=True,
              help="Instead print licences and texts of the locked packages.")  # fmt: skip
@click.option("--output", metavar="FILE", type=FILE, help="Of --packages: write it there.")
@click.option("--register", "path", metavar="PATH",
              help="Enter what is staged there, or bring its entry up to date.")  # fmt: skip
@click.option("--source", metavar="URL", help="Of the entry: where it is from.")
@click.option("--license", metavar="ID", help="Its licence  [default: of its licence file].")
@click.option("--revision", metavar="REV", help="Its version, tag or commit there.")
@click.option("--holder", "holders", metavar="NAME", multiple=True,
              help="Who holds its copyright; repeatable  [default: of its licence file].",
              )  # fmt: skip
@click.option("--tie", type=click.Choice(TIES), help="What it is to us  [default: vendors].")
@click.option("--modified", is_flag=True, help="It was changed here.")
@click.option("--note", metavar="TEXT", help="A line for a reader.")
def notice(**options: Any) -> int:
    """Write or check NOTICE: what the register of borrowed work and the models in use ask for."""
    from bot.releasing.entering import asked
    from bot.releasing.noticing import notice as run_

    kept = {key: options.pop(key) for key in ("repo", "check", "packages", "output")}
    return run_(**kept, asked=asked(**options))
