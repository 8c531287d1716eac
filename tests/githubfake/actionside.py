"""Artifacts of runs: listed with the job's token, fetched from a storage that must not see it."""

from __future__ import annotations

from tests.githubfake.call import Answer, Call, Json, Refused, Route
from tests.githubfake.records import Artifact


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


REPO = "/repos/{owner}/{repo}/actions"
ROUTES = (
    Route("GET", REPO + "/runs/{run_id}/artifacts", artifacts, ("actions:read",)),
    Route("GET", REPO + "/artifacts/{artifact_id}/{archive_format}", download, ("actions:read",)),
)
