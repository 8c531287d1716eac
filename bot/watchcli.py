"""The commands `modelwarden watch`: keep the facts that checks rely on up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


@click.group()
def watch() -> None:
    """Keep facts that checks rely on up to date. Nothing else asks a package index."""


@watch.command(
    epilog=_examples(
        "modelwarden watch licenses --update",
        "modelwarden watch licenses --installed          # of the active environment",
    )
)
@click.option(
    "--update", "update_", is_flag=True, help="Fetch the facts of each from the package index."
)
@click.option("--installed", is_flag=True, help="Show those of what is installed instead.")
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The repository.")
@click.option("--rev", default="HEAD", show_default=True, help="Whose manifests are read.")
@click.option(
    "--index",
    metavar="URL",
    help="Package index, its simple API  [default: MODELWARDEN_INDEX, pip's].",
)
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text",
              show_default=True)  # fmt: skip
def licenses(**options: Any) -> int:
    """Show, or with --update fetch, the licences of the packages a repository uses."""
    if options.pop("installed"):
        if options["update_"]:
            raise click.UsageError("--installed asks no index: leave --update out")
        from bot.watchinstalled import installed as list_

        return list_(repo=options["repo"], format_=options["format_"])
    from bot.watching import licenses as run

    return run(**options)


@watch.command(
    epilog=_examples(
        "modelwarden watch advisories                    # how old is what there is?",
        "modelwarden watch advisories --update           # from OSV, over the network",
        "modelwarden watch advisories --update advisory-database/vulns --update malware.zip",
    )
)
@click.option("--update", metavar="[FROM]", multiple=True, is_flag=False, flag_value="osv",
              help="Build it anew from a folder, .zip, .jsonl(.gz), .json, .yaml or https URL of "
              "OSV data; repeatable  [default: all of OSV on PyPI].")  # fmt: skip
@click.option("--as-of", metavar="DATE", help="The day the data are of  [default: the commit's, "
              "or today].")  # fmt: skip
@click.option("--force", is_flag=True, help="Also put older data in place of newer.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text",
              show_default=True)  # fmt: skip
def advisories(**options: Any) -> int:
    """Show, or with --update build, the database that packages are looked up in."""
    from bot.watchadvisories import advisories as run

    return run(**options)


@watch.command(epilog=_examples("modelwarden watch provenance --update data_summaries"))
@click.option("--update", "update_", metavar="FOLDER",
              type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Import data_summaries of a checkout of the Data Provenance Collection.",
              )  # fmt: skip
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text",
              show_default=True)  # fmt: skip
def provenance(**options: Any) -> int:
    """Show, or with --update import, what people found out about data sets of the hub."""
    from bot.watchprovenance import provenance as run

    return run(**options)


@watch.command(
    epilog=_examples(
        "modelwarden watch secrets                       # what does HEAD hold?",
        "modelwarden watch secrets --update              # accept it",
    )
)
@click.option("--update", is_flag=True, help="Write the baseline that accepts what is found.")
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The repository.")
@click.option("--rev", default="HEAD", show_default=True, help="Whose files are read.")
def secrets(**options: Any) -> int:
    """Count secrets and personal data of a repository, or accept them in a baseline."""
    from bot.watchsecrets import secrets as run

    return run(**options)
