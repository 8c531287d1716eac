"""Commits as JSON, and what hangs on them: pushes, checks, statuses, releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.githubfake import render
from tests.githubfake.gitside import ZERO, CommitInfo, FileInfo
from tests.githubfake.people import Clock

if TYPE_CHECKING:
    from tests.githubfake.people import User
    from tests.githubfake.pull import Pull
    from tests.githubfake.records import Asset, Release, Run, Status, Suite
    from tests.githubfake.repository import Repository

Json = dict[str, Any]


def suite(repo: Repository, of: Suite, full: bool = False) -> Json:
    hub = repo.hub
    api = f"{hub.url}/repos/{repo.full_name}"
    runs = [r for r in repo.runs.values() if r.suite is of]
    done = bool(runs) and all(r.status == "completed" for r in runs)
    worst = ("failure", "timed_out", "cancelled", "action_required", "success", "neutral",
             "skipped")  # fmt: skip
    conclusions = [r.conclusion for r in runs]
    state = "completed" if done else "in_progress" if runs else "queued"
    made = {
        "id": of.id, "node_id": render.node("CS", of.id), "head_branch": of.branch,
        "head_sha": of.head_sha, "status": state,
        "conclusion": next((c for c in worst if c in conclusions), None) if done else None,
        "url": f"{api}/check-suites/{of.id}", "before": ZERO, "after": of.head_sha,
        "pull_requests": render.pulls_of(repo, of.head_sha),
        "app": render.app_by_id(hub, of.app_id),
        "created_at": hub.clock.stamp(of.created), "updated_at": hub.clock.stamp(of.created),
    }  # fmt: skip
    if full:
        made |= {
            "latest_check_runs_count": len(runs), "rerequestable": True,
            "check_runs_url": f"{api}/check-suites/{of.id}/check-runs",
            "head_commit": git_commit(repo.bare.commits("-1", of.head_sha)[0]),
            "repository": render.repository(repo),
        }  # fmt: skip
    return made


def run(repo: Repository, of: Run, event: bool = False) -> Json:
    api = f"{repo.hub.url}/repos/{repo.full_name}"
    url = f"{api}/check-runs/{of.id}"
    made = {
        "id": of.id, "name": of.name, "node_id": render.node("CR", of.id), "head_sha": of.head_sha,
        "external_id": of.external_id, "url": url,
        "html_url": f"{render.WEB}/{repo.full_name}/runs/{of.id}", "details_url": of.details_url,
        "status": of.status, "conclusion": of.conclusion, "started_at": of.started,
        "completed_at": of.completed,
        "output": {
            "title": of.title, "summary": of.summary, "text": of.text,
            "annotations_count": len(of.annotations), "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": of.suite.id}, "app": render.app_by_id(repo.hub, of.app_id),
        "pull_requests": render.pulls_of(repo, of.head_sha),
    }  # fmt: skip
    if event:
        made["check_suite"] = suite(repo, of.suite)
        made["actions"] = list(of.actions)
    return made


def git_commit(of: CommitInfo) -> Json:
    """A commit as push, suite and merge-group payloads carry it."""
    people = {"author": of.author, "committer": of.committer}
    return {
        "id": of.sha, "tree_id": of.tree, "message": of.message, "timestamp": _git_time(of),
        **{k: {"name": p.name, "email": p.email} for k, p in people.items()},
    }  # fmt: skip


def _git_time(of: CommitInfo, authored: bool = False) -> str:
    return Clock().stamp(of.authored if authored else of.committed)


def commit(repo: Repository, of: CommitInfo) -> Json:
    """A commit with the accounts behind it: found by e-mail, None where nobody has it."""
    hub, api = repo.hub, f"{repo.hub.url}/repos/{repo.full_name}"
    good = of.sha in hub.verified
    proof = {
        "verified": good, "reason": "valid" if good else "unsigned",
        "signature": "-----BEGIN PGP SIGNATURE-----" if good else None,
        "payload": f"tree {of.tree}" if good else None,
        "verified_at": _git_time(of) if good else None,
    }  # fmt: skip
    people = {k: hub.by_email(p.email) for k, p in
              (("author", of.author), ("committer", of.committer))}  # fmt: skip
    return {
        "sha": of.sha, "node_id": f"C_{of.sha}",
        "url": f"{api}/commits/{of.sha}",
        "html_url": f"{render.WEB}/{repo.full_name}/commit/{of.sha}",
        "comments_url": f"{api}/commits/{of.sha}/comments",
        "commit": {
            "author": {"name": of.author.name, "email": of.author.email,
                       "date": _git_time(of, authored=True)},
            "committer": {"name": of.committer.name, "email": of.committer.email,
                          "date": _git_time(of)},
            "message": of.message, "comment_count": 0, "verification": proof,
            "tree": {"sha": of.tree, "url": f"{api}/git/trees/{of.tree}"},
            "url": f"{api}/git/commits/{of.sha}",
        },
        **{k: None if who is None else render.user(hub, who) for k, who in people.items()},
        "parents": [{"sha": p, "url": f"{api}/commits/{p}",
                     "html_url": f"{render.WEB}/{repo.full_name}/commit/{p}"} for p in of.parents],
    }  # fmt: skip


def file(repo: Repository, of: FileInfo, sha: str) -> Json:
    api, web = f"{repo.hub.url}/repos/{repo.full_name}", f"{render.WEB}/{repo.full_name}"
    made = {
        "sha": None if of.status == "removed" else of.blob, "filename": of.name,
        "status": of.status, "additions": of.additions, "deletions": of.deletions,
        "changes": of.additions + of.deletions, "blob_url": f"{web}/blob/{sha}/{of.name}",
        "raw_url": f"{web}/raw/{sha}/{of.name}",
        "contents_url": f"{api}/contents/{of.name}?ref={sha}",
    }  # fmt: skip
    return made | ({"previous_filename": of.previous} if of.previous else {})


def push(repo: Repository, branch: str, before: str, after: str, sender: User) -> Json:
    span = f"{before}..{after}" if before != ZERO else after
    commits = [git_commit(c) for c in repo.bare.commits("-20", span)][::-1]
    return {
        "ref": f"refs/heads/{branch}", "before": before, "after": after,
        "created": before == ZERO, "deleted": False,
        "forced": before != ZERO and repo.bare.base_of(before, after) != before,
        "base_ref": None, "compare": f"{render.WEB}/{repo.full_name}/compare/{before}...{after}",
        "commits": commits, "head_commit": commits[-1] if commits else None,
        "pusher": {"name": sender.login, "email": sender.email},
        "repository": _pushed_repository(repo),
    }  # fmt: skip


def _pushed_repository(repo: Repository) -> Json:
    """In push events alone times are numbers and the owner has a name and an address."""
    made, owner = render.repository(repo), repo.owner
    made["owner"] |= {"name": owner.login, "email": owner.email}
    times = dict.fromkeys(("created_at", "pushed_at"), int(repo.created))
    return made | times | {"stargazers": 0, "master_branch": repo.default_branch}


def group(of: Pull, ref: str, sha: str, tip: str) -> Json:
    head = git_commit(of.repo.bare.commits("-1", sha)[0])
    return {"head_sha": sha, "head_ref": ref, "base_sha": tip, "base_ref": f"refs/heads/{of.base}",
            "head_commit": head}  # fmt: skip


def status(repo: Repository, of: Status) -> Json:
    url = f"{repo.hub.url}/repos/{repo.full_name}/statuses/{of.sha}"
    stamp = repo.hub.clock.stamp(of.created)
    return {"url": url, "avatar_url": None, "id": of.id, "node_id": render.node("SC", of.id),
            "state": of.state, "description": of.description, "target_url": of.target_url,
            "context": of.context, "created_at": stamp, "updated_at": stamp,
            "creator": render.user(repo.hub, of.creator)}  # fmt: skip


def release(repo: Repository, of: Release) -> Json:
    hub, api = repo.hub, f"{repo.hub.url}/repos/{repo.full_name}"
    url, stamp = f"{api}/releases/{of.id}", hub.clock.stamp(of.created)
    uploads = f"{hub.url}/api/uploads{url.removeprefix(hub.url)}"
    return {"url": url, "id": of.id, "node_id": render.node("RE", of.id), "tag_name": of.tag,
            "html_url": f"{render.WEB}/{repo.full_name}/releases/tag/{of.tag}",
            "assets_url": f"{url}/assets", "upload_url": f"{uploads}/assets{{?name,label}}",
            "tarball_url": f"{api}/tarball/{of.tag}", "zipball_url": f"{api}/zipball/{of.tag}",
            "target_commitish": of.target, "name": of.name, "body": of.body, "draft": of.draft,
            "prerelease": of.prerelease, "created_at": stamp,
            "published_at": None if of.draft else stamp, "author": render.user(hub, of.author),
            "assets": [asset(repo, of, a) for a in of.assets]}  # fmt: skip


def asset(repo: Repository, release: Release, of: Asset) -> Json:
    hub, stamp = repo.hub, repo.hub.clock.stamp(of.created)
    web = f"{render.WEB}/{repo.full_name}/releases/download/{release.tag}/{of.name}"
    return {"url": f"{hub.url}/repos/{repo.full_name}/releases/assets/{of.id}", "id": of.id,
            "node_id": render.node("RA", of.id), "name": of.name, "label": "", "state": of.state,
            "content_type": of.kind, "size": len(of.data), "download_count": 0,
            "digest": f"sha256:{of.digest}" if of.digest and of.state == "uploaded" else None,
            "created_at": stamp, "updated_at": stamp, "browser_download_url": web,
            "uploader": render.user(hub, release.author)}  # fmt: skip
