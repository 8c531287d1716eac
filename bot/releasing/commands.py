"""`modelwarden release ...` as click sees it. Every command imports what it needs when it runs."""

from __future__ import annotations

from typing import Any

import click

from bot.keys.options import FILE, examples, formatted, signing, threads
from bot.releasing.noticecommand import notice

repo = click.option("--repo", type=FILE, default=".", help="The repository  [default: here].")
commit = click.option(
    "--commit", metavar="REV", default="HEAD", show_default=True, help="What is released."
)
version_ = click.option(
    "--version", metavar="VERSION", help="Which number  [default: suggested from what changed]."
)
waive = click.option(
    "--waive", "excuses", metavar="RULE=REASON", multiple=True,
    help="Accept a finding; the reason goes into the ledger. Repeatable.",
)  # fmt: skip
model = click.option(
    "--model",
    metavar="DIR",
    type=FILE,
    help="Of the working folder: the model  [default: the policy's].",
)
reason = click.option("--reason", metavar="TEXT", required=True, help="Why; it stays in the log.")


@click.group()
def release() -> None:
    """Make releases of code, data and weights under one number; show, move and repair them."""


release.add_command(notice)


@release.command(
    epilog=examples(
        "modelwarden release plan",
        "modelwarden release plan --commit v1.3-candidate --version 1.3.0 --format json",
    )
)
@repo
@commit
@version_
@waive
@click.option(
    "--draft", is_flag=True,
    help="Plan for the files as they lie in the working folder, without a commit; as JSON.",
)  # fmt: skip
@model
@click.option("--output", metavar="FILE", type=FILE, help="Write it there.")
@threads
@formatted
def plan(**options: Any) -> int:
    """Show what `run` would do, step by step, and what stands in the way. Changes nothing."""
    from bot.releasing.planning import plan as run_

    return run_(**options)


@release.command(
    epilog=examples(
        "modelwarden release run --key release.key",
        "modelwarden release run --version 2.0.0 --key release.key --waive licenses/unknown=asked",
    )
)
@repo
@commit
@version_
@signing
@waive
@click.option("--take-over", is_flag=True, help="Take the version from a run that died elsewhere.")
@threads
@formatted
def run(**options: Any) -> int:
    """Release a commit. Stopped or killed anywhere, the same command goes on where it was."""
    from bot.releasing.making import run as run_

    return run_(**options)


@release.command(
    epilog=examples(
        "modelwarden release show                     # the newest",
        "modelwarden release show champion --svg lineage.svg",
        "modelwarden release show 1.3.0 --format json",
        "modelwarden release show champion --at 2026-03-01",
    )
)
@click.argument("version", required=False)
@repo
@click.option("--at", metavar="DATE", help="What an alias pointed at then, and who had approved.")
@click.option("--svg", metavar="FILE", type=FILE, help="Also draw the lineage there.")
@click.option("--diff", metavar="VERSION", help="Compare its weights, tensor by tensor.")
@formatted
def show(**options: Any) -> int:
    """Show what a release was made from, by whom, and what is missing of it."""
    from bot.releasing.showing import show as run_

    return run_(**options)


@release.command(
    epilog=examples(
        "modelwarden release bom                                  # of HEAD, as CycloneDX",
        "modelwarden release bom --commit v1.3 --format spdx --output bom.spdx.json",
    )
)
@repo
@click.option("--commit", metavar="REV", default="HEAD", show_default=True, help="Whose bill.")
@click.option("--format", "format_", type=click.Choice(("cyclonedx", "spdx")),
              default="cyclonedx", show_default=True)  # fmt: skip
@click.option("--output", metavar="FILE", type=FILE, help="Write it there.")
def bom(**options: Any) -> int:
    """Write the bill of materials of a commit: packages, models, data, licences, and their ties."""
    from bot.bill import run as run_

    return run_(**options)


@release.command("list", epilog=examples("modelwarden release list --format json"))
@repo
@click.option("--log", "whole", is_flag=True, help="Every entry of the ledger, oldest first.")
@formatted
def list_(**options: Any) -> int:
    """List versions and aliases."""
    from bot.releasing.showing import list_ as run_

    return run_(**options)


@release.command(epilog=examples("modelwarden release verify 1.3.0", "modelwarden release verify"))
@click.argument("version", required=False)
@repo
@click.option("--key", metavar="FILE", type=FILE,
              help="One public key  [default: whom .github/trust.toml trusts].")  # fmt: skip
@threads
@formatted
def verify(**options: Any) -> int:
    """Prove a release (else the champion): ledger, tag, signature, weights as the commit names."""
    from bot.releasing.checking import verify as run_

    return run_(**options)


@release.command(epilog=examples("modelwarden release get champion --output model"))
@click.argument("version")
@repo
@click.option("--output", metavar="DIR", type=FILE, required=True, help="A new folder.")
@threads
@formatted
def get(**options: Any) -> int:
    """Get the files of a release, from the DVC remote or where the commit points at; proven."""
    from bot.releasing.getting import get as run_

    return run_(**options)


@release.command(epilog=examples("modelwarden release approve 1.3.0 --key bob.key"))
@click.argument("version")
@repo
@signing
@threads
@formatted
def approve(**options: Any) -> int:
    """Add your signature to a release that waits for it, after proving its bytes here."""
    from bot.releasing.approving import approve as run_

    return run_(**options)


@release.command(
    epilog=examples(
        "modelwarden release promote 1.3.0 champion --expect 1.2.0",
        "modelwarden release promote 1.0.0 champion --expect ''     # the first",
    )
)
@click.argument("version")
@click.argument("alias", type=click.Choice(("champion", "challenger", "previous")))
@click.option(
    "--expect", metavar="VERSION", required=True,
    help="What the alias points at now, '' for nothing; else nothing is done.",
)  # fmt: skip
@click.option("--reason", metavar="TEXT", default="", help="Why; it stays in the log.")
@repo
@formatted
def promote(**options: Any) -> int:
    """Point an alias at a version that is better than what it points at, or equivalent."""
    from bot.releasing.promoting import promote as run_

    return run_(**options)


@release.command(
    epilog=examples(
        "modelwarden release rollback champion --reason 'answers in the wrong language'",
        "modelwarden release rollback 1.3.0 --reason 'wrong data'   # a run that did not end",
    )
)
@click.argument("what", metavar="ALIAS|VERSION")
@reason
@repo
@formatted
def rollback(**options: Any) -> int:
    """Point an alias back at what it pointed at before; or take back a release that is not out."""
    from bot.releasing.promoting import rollback as run_

    return run_(**options)


@release.command(epilog=examples("modelwarden release withdraw 1.3.0 --reason 'leaked data'"))
@click.argument("version")
@reason
@repo
@formatted
def withdraw(**options: Any) -> int:
    """Mark a release as withdrawn: it stays in the ledger, and is nobody's baseline."""
    from bot.releasing.promoting import withdraw as run_

    return run_(**options)


@release.command(
    epilog=examples("modelwarden release card --output README.md", "modelwarden release card 1.3.0")
)
@click.argument("version", required=False)
@repo
@model
@click.option("--measurements", metavar="FILE", type=FILE,
              help="What `modelwarden measure --format json` wrote of it.")  # fmt: skip
@click.option("--output", metavar="FILE", type=FILE, help="Write it there.")
def card(**options: Any) -> int:
    """Write the card of a release, or of the model as it lies in the working folder."""
    from bot.releasing.planning import card as run_

    return run_(**options)


@release.command(
    epilog=examples("modelwarden release doctor", "modelwarden release doctor --repair")
)
@repo
@click.option("--repair", is_flag=True, help="Bring MLflow, the DVC remote and GitHub in line.")
@click.option("--full", is_flag=True, help="Also read every stored object back and prove it.")
@threads
@formatted
def doctor(**options: Any) -> int:
    """Say where git, DVC's remote, MLflow and GitHub disagree about what is released."""
    from bot.releasing.care.doctor import doctor as run_

    return run_(**options)


@release.command(epilog=examples("modelwarden release gc", "modelwarden release gc --delete"))
@repo
@click.option("--delete", is_flag=True, help="Really delete; without it, only say what would be.")
@click.option("--days", type=click.IntRange(min=0), default=30, show_default=True,
              help="Keep what is younger.")  # fmt: skip
@formatted
def gc(**options: Any) -> int:
    """Find stored objects that no commit, release or open run needs. Deletes only when told to."""
    from bot.releasing.care.collecting import gc as run_

    return run_(**options)
