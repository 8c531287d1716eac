"""Cut GitHub's OpenAPI description down to what our fake of it validates.

Run: python tests/data/github/trim.py generated/api.github.com.deref.json
(a file of the npm package @octokit/openapi; README.md beside this has version and licence)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

REPO = "/repos/{owner}/{repo}"
# What the bot asks for, and the little beside it that tests look at. Method names by path.
OPERATIONS = {
    "/app": "get",
    "/app/hook/config": "get patch",
    "/app/hook/deliveries": "get",
    "/app/hook/deliveries/{delivery_id}": "get",
    "/app/hook/deliveries/{delivery_id}/attempts": "post",
    "/app/installations": "get",
    "/app/installations/{installation_id}": "get",
    "/app/installations/{installation_id}/access_tokens": "post",
    "/installation/repositories": "get",
    "/installation/token": "delete",
    "/rate_limit": "get",
    "/user": "get",
    "/users/{username}": "get",
    REPO: "get",
    REPO + "/actions/artifacts/{artifact_id}/{archive_format}": "get",
    REPO + "/actions/runs/{run_id}/artifacts": "get",
    REPO + "/actions/workflows/{workflow_id}/dispatches": "post",
    REPO + "/branches/{branch}": "get",
    REPO + "/branches/{branch}/protection/required_status_checks": "get",
    REPO + "/check-runs": "post",
    REPO + "/check-runs/{check_run_id}": "get patch",
    REPO + "/check-runs/{check_run_id}/annotations": "get",
    REPO + "/check-runs/{check_run_id}/rerequest": "post",
    REPO + "/check-suites": "post",
    REPO + "/check-suites/{check_suite_id}": "get",
    REPO + "/check-suites/{check_suite_id}/check-runs": "get",
    REPO + "/collaborators/{username}/permission": "get",
    REPO + "/commits": "get",
    REPO + "/commits/{commit_sha}/pulls": "get",
    REPO + "/commits/{ref}": "get",
    REPO + "/commits/{ref}/check-runs": "get",
    REPO + "/commits/{ref}/check-suites": "get",
    REPO + "/commits/{ref}/status": "get",
    REPO + "/commits/{ref}/statuses": "get",
    REPO + "/compare/{basehead}": "get",
    REPO + "/contents/{path}": "get",
    REPO + "/git/blobs/{file_sha}": "get",
    REPO + "/git/ref/{ref}": "get",
    REPO + "/installation": "get",
    REPO + "/issues": "get post",
    REPO + "/issues/comments": "get",
    REPO + "/issues/comments/{comment_id}": "get patch delete",
    REPO + "/issues/comments/{comment_id}/reactions": "get post",
    REPO + "/issues/{issue_number}": "get patch",
    REPO + "/issues/{issue_number}/comments": "get post",
    REPO + "/issues/{issue_number}/labels": "get post",
    REPO + "/pulls": "get",
    REPO + "/pulls/{pull_number}": "get",
    REPO + "/pulls/{pull_number}/commits": "get",
    REPO + "/pulls/{pull_number}/files": "get",
    REPO + "/pulls/{pull_number}/reviews": "get",
    REPO + "/releases": "get post",
    REPO + "/releases/assets/{asset_id}": "get delete",
    REPO + "/releases/latest": "get",
    REPO + "/releases/tags/{tag}": "get",
    REPO + "/releases/{release_id}": "get patch delete",
    REPO + "/releases/{release_id}/assets": "get post",
    REPO + "/rules/branches/{branch}": "get",
    REPO + "/statuses/{sha}": "post",
}
NOISE = {"description", "example", "examples", "title", "deprecated", "externalDocs", "default"}


def clean(schema: Any, *, named: bool = False) -> Any:
    """The schema without prose. Under `properties` (named) keys are names, not keywords."""
    if isinstance(schema, list):
        return [clean(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: clean(value, named=key == "properties" and not named)
        for key, value in schema.items()
        if named or not (key in NOISE or key.startswith("x-"))
    }
    if not named and kept.pop("nullable", False) and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    return kept


def operation(found: dict[str, Any]) -> dict[str, Any]:
    """Parameters and request body of one operation."""
    parameters = [
        {k: clean(p[k]) for k in ("name", "in", "required", "schema") if k in p}
        for p in found.get("parameters", ())
    ]
    body = found.get("requestBody")
    if body is None or "application/json" not in body["content"]:
        return {"parameters": parameters}
    return {
        "parameters": parameters,
        "body": clean(body["content"]["application/json"]["schema"]),
        "body_required": body.get("required", False),
    }


def trim(description: dict[str, Any]) -> dict[str, Any]:
    """The operations of our list; a path that went away is an error worth seeing."""
    return {
        path: {method: operation(description["paths"][path][method]) for method in methods.split()}
        for path, methods in OPERATIONS.items()
    }


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    out = Path(__file__).with_name("openapi.json")
    text = json.dumps(trim(given), sort_keys=True, indent=1, ensure_ascii=True)
    out.write_text(text + "\n", encoding="utf-8")
    print(f"{out.name}: {len(text)} bytes, {len(OPERATIONS)} paths")
