"""Workflows started by hand; artifacts of runs, whose storage must not see the token."""

from __future__ import annotations

import yaml

from tests.githubfake import render
from tests.githubfake.call import Answer, Call, Json, Refused, Route
from tests.githubfake.records import Artifact, Dispatched


def _shown(call: Call, found: Artifact) -> Json:
    url = f"{call.hub.url}/repos/{call.repo.full_name}/actions/artifacts/{found.id}"
    stamp = call.hub.clock.stamp(found.created)
    return {
        "id": found.id, "node_id": f"MDg6{found.id}", "name": found.name, "url": url,
        "size_in_bytes": found.size, "archive_download_url": f"{url}/zip", "expired": False,
        "created_at": stamp, "updated_at": stamp, "expires_at": None,
        "workflow_run": {"id": found.run, "repository_id": call.repo.id},
    }  # fmt: skip


def artifacts(call: Call) -> Answer:
    run = call.number("run_id")
    found = [a for a in call.repo.artifacts if a.run == run]
    return call.page(found, lambda a: _shown(call, a), "artifacts")


def download(call: Call) -> Answer:
    """A redirect to where the archive lies, good for a minute."""
    number = call.number("artifact_id")
    found = next((a for a in call.repo.artifacts if a.id == number), None)
    if found is None or call.params["archive_format"] != "zip":
        raise Refused(404, "Not Found")
    return Answer(302, None, {"Location": found.storage})


def dispatch(call: Call) -> Answer:
    """Start a workflow of a branch or tag; only inputs that it names."""
    repo, body, name = call.repo, call.body, call.params["workflow_id"]
    for key in body.keys() - {
        "ref",
        "inputs",
        *(("return_run_details",) if call.hub.digests else ()),
    }:
        raise Refused(422, f'Invalid request.\n\n"{key}" is not a permitted key.')
    sha = repo.bare.resolve(f"refs/heads/{body['ref']}") or repo.bare.resolve(body["ref"])
    if sha is None:
        raise Refused(422, f"No ref found for: {body['ref']}")
    try:
        text = repo.bare.raw("cat-file", "blob", f"{sha}:.github/workflows/{name}")
    except LookupError:
        raise Refused(404, "Not Found") from None
    on = yaml.safe_load(text)[True]  # YAML 1.1 reads `on` as true
    if "workflow_dispatch" not in on:
        raise Refused(422, "Workflow does not have 'workflow_dispatch' trigger")
    known = (on["workflow_dispatch"] or {}).get("inputs", {})
    inputs = body.get("inputs", {})
    if odd := sorted(inputs.keys() - known.keys()):
        raise Refused(422, f"Unexpected inputs provided: {odd}")
    for key, of in known.items():
        if of.get("required") and not inputs.get(key):
            raise Refused(422, f"Required input '{key}' not provided")
    made = Dispatched(call.hub.next_id(), name, body["ref"], inputs, call.who.user.login)
    repo.dispatched.append(made)
    if not body.get("return_run_details"):
        return Answer(204)
    api, web = (f"{at}/{repo.full_name}/actions/runs/{made.run}"
                for at in (f"{call.hub.url}/repos", render.WEB))  # fmt: skip
    return Answer(200, {"workflow_run_id": made.run, "run_url": api, "html_url": web})


REPO = "/repos/{owner}/{repo}/actions"
ROUTES = (
    Route("POST", REPO + "/workflows/{workflow_id}/dispatches", dispatch, ("actions:write",)),
    Route("GET", REPO + "/runs/{run_id}/artifacts", artifacts, ("actions:read",)),
    Route("GET", REPO + "/artifacts/{artifact_id}/{archive_format}", download, ("actions:read",)),
)
