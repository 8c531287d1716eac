"""People, repositories, pull requests and talk as GitHub's JSON, for answers and for events."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.githubfake.hub import FakeGitHub
    from tests.githubfake.people import App, Installation, User
    from tests.githubfake.pull import Pull
    from tests.githubfake.records import Comment, Issue, Reaction, Review
    from tests.githubfake.repository import Repository

Json = dict[str, Any]
WEB = "https://github.com"
REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def node(kind: str, number: int) -> str:
    return f"{kind}_{number:x}"


def user(hub: FakeGitHub, who: User) -> Json:
    api = f"{hub.url}/users/{who.login}"
    names = ("followers", "following", "gists", "starred", "subscriptions", "repos", "events",
             "received_events")  # fmt: skip
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node("U", who.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{who.id}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{WEB}/{who.login}",
        **{f"{name}_url": f"{api}/{name}" for name in names},
        "organizations_url": f"{api}/orgs",
        "type": who.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(repo: Repository) -> Json:
    hub = repo.hub
    api = f"{hub.url}/repos/{repo.full_name}"
    links = {
        "archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}",
        "blobs": "/git/blobs{/sha}", "branches": "/branches{/branch}",
        "collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}",
        "commits": "/commits{/sha}", "compare": "/compare/{base}...{head}",
        "contents": "/contents/{+path}", "contributors": "/contributors",
        "deployments": "/deployments", "downloads": "/downloads", "events": "/events",
        "forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}",
        "git_tags": "/git/tags{/sha}", "hooks": "/hooks",
        "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
        "issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}",
        "languages": "/languages", "merges": "/merges", "milestones": "/milestones{/number}",
        "notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}",
        "releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}",
        "subscribers": "/subscribers", "subscription": "/subscription", "tags": "/tags",
        "teams": "/teams", "trees": "/git/trees{/sha}",
    }  # fmt: skip
    opened = sum(p.state == "open" for p in repo.pulls.values())
    opened += sum(i.state == "open" for i in repo.issues.values())
    stamp = hub.clock.stamp(repo.created)
    counts = ("stargazers_count", "watchers_count", "forks_count", "forks", "watchers", "size")
    features = ("issues", "projects", "downloads", "wiki", "pages", "discussions")
    return {
        "id": repo.id,
        "node_id": node("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user(hub, repo.owner),
        "html_url": f"{WEB}/{repo.full_name}",
        "description": None,
        "fork": repo.parent is not None,
        "url": api,
        **{f"{name}_url": api + path for name, path in links.items()},
        "clone_url": repo.clone_url,
        "git_url": f"git://github.com/{repo.full_name}.git",
        "ssh_url": f"git@github.com:{repo.full_name}.git",
        "svn_url": f"{WEB}/{repo.full_name}",
        "created_at": stamp,
        "updated_at": stamp,
        "pushed_at": stamp,
        **dict.fromkeys(counts, 0),
        **{f"has_{name}": name == "issues" for name in features},
        "homepage": None, "language": None, "mirror_url": None, "license": None,
        "archived": False, "disabled": False, "is_template": False, "allow_forking": True,
        "web_commit_signoff_required": False, "topics": [],
        "custom_properties": {},
        "visibility": "private" if repo.private else "public",
        "open_issues_count": opened,
        "open_issues": opened,
        "default_branch": repo.default_branch,
    }  # fmt: skip


def app(hub: FakeGitHub, of: App) -> Json:
    stamp = hub.clock.stamp(hub.started)
    return {
        "id": of.id,
        "client_id": f"Iv23{of.id:x}",
        "slug": of.slug,
        "node_id": node("A", of.id),
        "owner": user(hub, of.owner),
        "name": of.name,
        "description": "",
        "external_url": "https://example.org",
        "html_url": f"{WEB}/apps/{of.slug}",
        "created_at": stamp,
        "updated_at": stamp,
        "permissions": dict(of.permissions),
        "events": list(of.events),
    }


def app_by_id(hub: FakeGitHub, app_id: int) -> Json:
    """Our App, or a foreign one that only has a number and a name."""
    if app_id == hub.app.id:
        return app(hub, hub.app)
    made = {"id": app_id, "slug": f"other-{app_id}", "name": f"Other {app_id}"}
    return app(hub, hub.app) | made | {"node_id": node("A", app_id), "client_id": f"Iv1{app_id:x}"}


def installation(hub: FakeGitHub, of: Installation) -> Json:
    api = f"{hub.url}/app/installations/{of.id}"
    return {
        "id": of.id,
        "client_id": f"Iv23{hub.app.id:x}",
        "account": user(hub, of.account),
        "repository_selection": "selected",
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{hub.url}/installation/repositories",
        "html_url": f"{WEB}/settings/installations/{of.id}",
        "app_id": hub.app.id,
        "app_slug": hub.app.slug,
        "target_id": of.account.id,
        "target_type": of.account.kind,
        "permissions": dict(of.permissions),
        "events": list(of.events),
        "created_at": hub.clock.stamp(of.created),
        "updated_at": hub.clock.stamp(of.created),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None if of.suspended is None else user(hub, of.account),
        "suspended_at": None if of.suspended is None else hub.clock.stamp(of.suspended),
    }


def _side(of: Pull, repo: Repository, ref: str, sha: str) -> Json:
    return {
        "label": f"{repo.owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": user(of.hub, repo.owner),
        "repo": repository(repo) if repo.full_name in of.hub.repositories else None,
    }


def pull(of: Pull, full: bool = False) -> Json:
    hub, repo = of.hub, of.repo
    api = f"{hub.url}/repos/{repo.full_name}"
    here, web = f"{api}/pulls/{of.number}", f"{WEB}/{repo.full_name}/pull/{of.number}"
    talk = f"{api}/issues/{of.number}"
    urls = {
        "self": here, "html": web, "issue": talk, "comments": f"{talk}/comments",
        "review_comments": f"{here}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{here}/commits", "statuses": f"{api}/statuses/{of.head}",
    }  # fmt: skip
    stamp = hub.clock.stamp
    made = {
        "url": here, "id": of.id, "node_id": node("PR", of.id), "html_url": web,
        "diff_url": f"{web}.diff", "patch_url": f"{web}.patch", "number": of.number,
        **{f"{k}_url": v for k, v in urls.items() if k not in ("self", "html")},
        "state": of.state, "locked": False, "title": of.title, "user": user(hub, of.author),
        "body": of.body or None, "created_at": stamp(of.created), "updated_at": stamp(of.updated),
        "closed_at": None if of.closed_at is None else stamp(of.closed_at),
        "merged_at": None if of.merged_at is None else stamp(of.merged_at),
        "merge_commit_sha": of.merge_sha, "assignee": None, "assignees": [],
        "requested_reviewers": [], "requested_teams": [],
        "labels": [label(repo, name) for name in of.labels],
        "milestone": None, "draft": of.is_draft,
        "head": _side(of, of.repository, of.branch, of.head),
        "base": _side(of, repo, of.base, of.base_sha),
        "_links": {k: {"href": v} for k, v in urls.items()},
        "author_association": repo.association(of.author), "auto_merge": None,
        "active_lock_reason": None,
    }  # fmt: skip
    if full:
        files = of.files()
        state = "dirty" if not of.mergeable else "blocked" if repo.blocked(of.number) else "clean"
        made |= {
            "merged": of.merged_at is not None,
            "mergeable": of.mergeable, "rebaseable": of.mergeable,
            "mergeable_state": state,
            "merged_by": None if of.merged_by is None else user(hub, of.merged_by),
            "comments": len(repo.thread(of.number)), "review_comments": 0,
            "maintainer_can_modify": False, "commits": len(of.commits()),
            "additions": sum(f.additions for f in files),
            "deletions": sum(f.deletions for f in files), "changed_files": len(files),
        }  # fmt: skip
    return made


def review(of: Pull, made: Review) -> Json:
    hub = of.hub
    web = f"{WEB}/{of.repo.full_name}/pull/{of.number}"
    api = f"{hub.url}/repos/{of.repo.full_name}/pulls/{of.number}"
    return {"id": made.id, "node_id": node("PRR", made.id), "body": "", "state": made.state,
            "user": None if made.user is None else user(hub, made.user), "commit_id": made.commit,
            "html_url": f"{web}#pullrequestreview-{made.id}", "pull_request_url": api,
            "submitted_at": hub.clock.stamp(made.submitted), "author_association": "NONE",
            "_links": {"html": {"href": web}, "pull_request": {"href": api}}}  # fmt: skip


def pull_brief(of: Pull) -> Json:
    """A pull request as check events and check runs mention it."""

    def side(repo: Repository, ref: str, sha: str) -> Json:
        url = f"{of.hub.url}/repos/{repo.full_name}"
        return {"ref": ref, "sha": sha, "repo": {"id": repo.id, "url": url, "name": repo.name}}

    return {
        "url": f"{of.hub.url}/repos/{of.repo.full_name}/pulls/{of.number}",
        "id": of.id,
        "number": of.number,
        "head": side(of.repository, of.branch, of.head),
        "base": side(of.repo, of.base, of.base_sha),
    }


def pulls_of(repo: Repository, sha: str) -> list[Json]:
    """Open pull requests from this repository; those from forks are never named."""
    found = repo.pulls.values()
    return [pull_brief(p) for p in found if p.head == sha and p.state == "open" and not p.is_fork]


def label(repo: Repository, name: str) -> Json:
    number = sum(name.encode())
    url = f"{repo.hub.url}/repos/{repo.full_name}/labels/{name}"
    return {"id": number, "node_id": node("LA", number), "url": url, "name": name,
            "color": "ededed", "default": False, "description": ""}  # fmt: skip


def issue_of(repo: Repository, number: int) -> Json:
    """The issue side of a pull request or an issue."""
    if number in repo.issues:
        return issue(repo, repo.issues[number])
    of = repo.pulls[number]
    stamp, web = repo.hub.clock.stamp, f"{WEB}/{repo.full_name}/pull/{number}"
    closed = None if of.closed_at is None else stamp(of.closed_at)
    links = {
        "url": f"{repo.hub.url}/repos/{repo.full_name}/pulls/{number}",
        "html_url": web, "diff_url": f"{web}.diff", "patch_url": f"{web}.patch",
        "merged_at": None if of.merged_at is None else stamp(of.merged_at),
    }  # fmt: skip
    made = _issue(repo, number, of.id, of.author, of.title, of.body, of.created, of.labels)
    return made | {"html_url": web, "state": of.state, "closed_at": closed, "draft": of.is_draft,
                   "pull_request": links}  # fmt: skip


def issue(repo: Repository, of: Issue) -> Json:
    made = _issue(repo, of.number, of.id, of.author, of.title, of.body, of.created, of.labels)
    return made | {"state": of.state}


def _issue(
    repo: Repository, number: int, id: int, who: User, title: str, body: str, created: float,
    labels: list[str],
) -> Json:  # fmt: skip
    api = f"{repo.hub.url}/repos/{repo.full_name}"
    here, stamp = f"{api}/issues/{number}", repo.hub.clock.stamp(created)
    return {
        "url": here, "repository_url": api, "labels_url": f"{here}/labels{{/name}}",
        "comments_url": f"{here}/comments", "events_url": f"{here}/events",
        "html_url": f"{WEB}/{repo.full_name}/issues/{number}", "id": id,
        "node_id": node("I", id), "number": number, "title": title,
        "user": user(repo.hub, who), "labels": [label(repo, name) for name in labels],
        "state": "open", "locked": False, "assignee": None, "assignees": [], "milestone": None,
        "comments": len(repo.thread(number)), "created_at": stamp, "updated_at": stamp,
        "closed_at": None, "author_association": repo.association(who), "body": body or None,
        "active_lock_reason": None, "state_reason": None, "performed_via_github_app": None,
        "reactions": tally(f"{here}/reactions", []), "timeline_url": f"{here}/timeline",
    }  # fmt: skip


def tally(url: str, reactions: list[Reaction]) -> Json:
    counts = Counter(r.content for r in reactions)
    return {"url": url, "total_count": len(reactions), **{n: counts[n] for n in REACTIONS}}


def comment(repo: Repository, of: Comment) -> Json:
    hub = repo.hub
    api = f"{hub.url}/repos/{repo.full_name}/issues"
    kind = "pull" if of.number in repo.pulls else "issues"
    url = f"{api}/comments/{of.id}"
    return {
        "url": url,
        "html_url": f"{WEB}/{repo.full_name}/{kind}/{of.number}#issuecomment-{of.id}",
        "issue_url": f"{api}/{of.number}",
        "id": of.id,
        "node_id": node("IC", of.id),
        "user": user(hub, of.author),
        "created_at": hub.clock.stamp(of.created),
        "updated_at": hub.clock.stamp(of.updated),
        "author_association": repo.association(of.author),
        "body": of.body,
        "reactions": tally(f"{url}/reactions", of.reactions),
        "performed_via_github_app": None if of.app_id is None else app_by_id(hub, of.app_id),
    }


def reaction(repo: Repository, of: Reaction) -> Json:
    return {"id": of.id, "node_id": node("REA", of.id), "user": user(repo.hub, of.user),
            "content": of.content, "created_at": repo.hub.clock.stamp(of.created)}  # fmt: skip
