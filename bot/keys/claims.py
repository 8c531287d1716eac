"""What can be stated about a signed model, and what each kind of statement must hold."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.errors import UsageError
from security import strictjson
from security.sign import reading
from security.sign.statement import CLAIM_LIMIT
from security.trust import releases

SCAN = "urn:modelwarden:scan:v1"
BOM = "https://cyclonedx.org/bom"
PROVENANCE = "https://slsa.dev/provenance/v1"
LICENCE = "urn:modelwarden:licence:v1"
MEASUREMENT = "urn:modelwarden:measurement:v1"
KINDS = {
    "release": releases.RELEASE,
    "scan": SCAN,
    "licence": LICENCE,
    "bom": BOM,
    "provenance": PROVENANCE,
    "measurement": MEASUREMENT,
}
# What of a predicate must be there, so that the wrong file is not signed by mistake.
NEEDED = {
    "release": ("version", "previous"),
    "scan": ("scanner", "outcome"),
    "licence": ("licences",),
    "bom": ("bomFormat", "specVersion", "components"),
    "provenance": ("buildDefinition", "runDetails"),
    "measurement": ("model", "records"),
}
_BUILD = "https://actions.github.io/buildtypes/workflow/v1"


def predicate(name: str, file: Path | None, model: Path) -> tuple[str, Mapping[str, Any]]:
    """Return a statement's type and what it says: a file's JSON, a scan, or this workflow's run.

    Raises UsageError for a file that says something else, or none where one is needed; Untrusted
    where a scan finds something.
    """
    if file is not None:
        return KINDS[name], _checked(name, file)
    if name == "scan":
        from bot.keys import scanning

        found = scanning.scan(model)
        scanning.refuse(model, found)
        return KINDS[name], scanning.predicate(found)
    if name == "provenance" and "GITHUB_RUN_ID" in os.environ:
        return KINDS[name], provenance(os.environ)
    raise UsageError(f"--type {name} without --predicate", "give the JSON file that it states")


def provenance(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return SLSA provenance v1 of a run of GitHub Actions, from what the runner says of it."""
    try:
        server, repo = environ["GITHUB_SERVER_URL"], environ["GITHUB_REPOSITORY"]
        ref, run = environ["GITHUB_WORKFLOW_REF"], environ["GITHUB_RUN_ID"]
        commit = environ["GITHUB_SHA"]
    except KeyError as error:
        raise UsageError(f"the runner does not say {error.args[0]}", "give --predicate") from error
    path, _, at = ref.partition("@")
    source = f"{server}/{repo}"
    attempt = environ.get("GITHUB_RUN_ATTEMPT", "1")
    return {
        "buildDefinition": {
            "buildType": _BUILD,
            "externalParameters": {
                "workflow": {
                    "ref": at,
                    "repository": source,
                    "path": path.removeprefix(f"{repo}/"),
                }
            },
            "resolvedDependencies": [
                {"uri": f"git+{source}@{at}", "digest": {"gitCommit": commit}}
            ],
        },
        "runDetails": {
            "builder": {"id": f"{server}/{ref}"},
            "metadata": {"invocationId": f"{source}/actions/runs/{run}/attempts/{attempt}"},
        },
    }


def _checked(name: str, file: Path) -> Mapping[str, Any]:
    data = reading.read(file, CLAIM_LIMIT, hint="name the JSON file of what is stated")
    try:
        found = strictjson.loads(data, limit=CLAIM_LIMIT)
    except strictjson.StrictJSONError as error:
        raise UsageError(f"{file} is not strict JSON: {error}", "write it again") from error
    lacking = [key for key in NEEDED[name] if not isinstance(found, dict) or key not in found]
    if lacking:
        raise UsageError(
            f"{file} is no {name}: it lacks {', '.join(lacking)}", f"give the file of a {name}"
        )
    return dict(found)
