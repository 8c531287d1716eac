"""`modelwarden publish`: shows what a fork's own run reported, with the token of this job."""

from __future__ import annotations

from pathlib import Path

import click

from bot import artifact, catalog
from bot.github.errors import Denied
from bot.github.given import here

RIGHTS = "give the job `actions: read` and `pull-requests: write`, and start it by workflow_run"


def publish(*, event: Path, archive: Path) -> int:
    """Write the one comment about an archive, or edit it. Return the exit code."""
    files = (_bounded(event, artifact.EVENT), _bounded(archive, artifact.ARCHIVE))
    try:
        api = here()
        made = artifact.show(api, api.line.identity().bot.id, *files, catalog.rules())
    except artifact.Past as past:  # a newer run says more, or nobody asks any more
        click.echo(f"Nothing is shown: {past.message}")
        return 0
    except Denied as denied:
        raise Denied(denied.message, RIGHTS) from denied
    click.echo(f"Shown on pull request {made.pull.number}.")
    return 0


def _bounded(path: Path, most: int) -> bytes:
    """Return a file's bytes, at most one more than `most`: more is refused by who reads them."""
    with path.open("rb") as file:
        return file.read(most + 1)
