"""Pull requests, commits, comparisons, contents, releases: what git knows, as the API tells it."""

from __future__ import annotations

import base64

from tests.githubfake import render, rendergit
from tests.githubfake.call import Answer, Call, Json, Refused, Route
from tests.githubfake.gitside import Bare
from tests.githubfake.pull import Pull

FILES, COMMITS, COMPARED_FILES, WHOLE = 3000, 250, 300, 1_000_000


def pulls(call: Call) -> Answer:
    """By state (open), `head` (owner:branch) and base; the newest first unless asked otherwise."""
    wanted = call.query
    state = wanted.get("state", "open")
    found = [p for p in call.repo.pulls.values() if state in ("all", p.state)]
    head = wanted.get("head", "")
    if ":" in head:
        owner, _, branch = head.partition(":")
        found = [p for p in found if (p.repository.owner.login, p.branch) == (owner, branch)]
    if "base" in wanted:
        found = [p for p in found if p.base == wanted["base"]]
    if wanted.get("sort") == "updated":
        found.sort(key=lambda p: p.updated)
    if wanted.get("direction", "asc" if wanted.get("sort") == "updated" else "desc") == "desc":
        found.reverse()
    return call.page(found, render.pull)


def _pull(call: Call) -> Pull:
    found = call.repo.pulls.get(call.number("pull_number"))
    if found is None:
        raise Refused(404, "Not Found")
    return found


def pull(call: Call) -> Answer:
    return Answer(body=render.pull(_pull(call), full=True))


def pull_commits(call: Call) -> Answer:
    """The first 250, and not a word about the rest."""
    found = _pull(call).commits()[:COMMITS]
    return call.page(found, lambda c: rendergit.commit(call.repo, c))


def pull_files(call: Call) -> Answer:
    """The first 3,000, and not a word about the rest."""
    of = _pull(call)
    return call.page(of.files()[:FILES], lambda f: rendergit.file(call.repo, f, of.head))


def _sha(call: Call, name: str) -> str:
    sha = call.repo.bare.resolve(name.removeprefix("heads/").removeprefix("tags/"))
    if sha is None:
        raise Refused(404 if len(name) < 40 else 422, f"No commit found for SHA: {name}")
    return sha


def commits(call: Call) -> Answer:
    """A branch's history, the newest first."""
    sha = _sha(call, call.query.get("sha", call.repo.default_branch))
    words = [f"--{name}={call.query[name]}" for name in ("since", "until") if name in call.query]
    paths = ["--", call.query["path"]] if call.query.get("path") else []
    found = call.repo.bare.commits(*words, sha, *paths)
    author = call.query.get("author")
    if author:
        user = call.hub.users.get(author)
        found = [c for c in found if c.author.email == author
                 or (user is not None and call.hub.by_email(c.author.email) is user)]  # fmt: skip
    return call.page(found, lambda c: rendergit.commit(call.repo, c))


def commit(call: Call) -> Answer:
    bare = call.repo.bare
    found = bare.commits("-1", _sha(call, call.params["ref"]))[0]
    start = found.parents[0] if found.parents else bare.git("hash-object", "-t", "tree", "-w",
                                                            "--stdin")  # fmt: skip
    files = bare.changes(start, found.sha)
    plus, minus = sum(f.additions for f in files), sum(f.deletions for f in files)
    shown = rendergit.commit(call.repo, found)
    shown["stats"] = {"additions": plus, "deletions": minus, "total": plus + minus}
    shown["files"] = [rendergit.file(call.repo, f, found.sha) for f in files[:FILES]]
    return Answer(body=shown)


def commit_pulls(call: Call) -> Answer:
    """Pull requests that hold a commit, those of forks included: found by their objects."""
    sha = _sha(call, call.params["commit_sha"])
    found = [p for p in call.repo.pulls.values()
             if p.head == sha or p.merge_sha == sha
             or any(c.sha == sha for c in p.commits())]  # fmt: skip
    return call.page(found, render.pull)


def compare(call: Call) -> Answer:
    """`base...head`, where either may be OWNER:BRANCH of the network; commits are paged."""
    repo, bare = call.repo, call.repo.bare
    one, dots, two = call.params["basehead"].partition("...")
    if not dots:
        raise Refused(404, "Not Found")
    base, head = _side(call, one), _side(call, two)
    start = bare.base_of(base, head)
    if start is None:
        raise Refused(404, f"No common ancestor between {one} and {two}.")
    ahead = bare.commits(f"{base}..{head}", oldest_first=True)
    behind = int(bare.git("rev-list", "--count", f"{head}..{base}"))
    states = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    state = states.get((bool(ahead), behind > 0), "diverged")
    paged = "page" in call.query or "per_page" in call.query
    listed = call.page(ahead, lambda c: rendergit.commit(repo, c), default=30 if paged else COMMITS)
    files = bare.changes(start, head)[:COMPARED_FILES] if call.size()[1] == 1 else []
    web = f"{render.WEB}/{repo.full_name}/compare/{one}...{two}"
    body: Json = {
        "url": f"{call.hub.url}{call.path}", "html_url": web, "permalink_url": web,
        "diff_url": f"{web}.diff", "patch_url": f"{web}.patch", "status": state,
        "ahead_by": len(ahead), "behind_by": behind, "total_commits": len(ahead),
        "base_commit": rendergit.commit(repo, bare.commits("-1", base)[0]),
        "merge_base_commit": rendergit.commit(repo, bare.commits("-1", start)[0]),
        "commits": listed.body, "files": [rendergit.file(repo, f, head) for f in files],
    }  # fmt: skip
    return Answer(200, body, listed.headers)


def _side(call: Call, name: str) -> str:
    owner, colon, branch = name.partition(":")
    if not colon:
        return _sha(call, name)
    home = call.repo if owner == call.repo.owner.login else call.repo.forks.get(owner)
    sha = home.bare.resolve(branch) if home else None
    if home is None or sha is None:
        raise Refused(404, "Not Found")
    if home is not call.repo:
        call.repo.bare.take(home.bare, f"refs/heads/{branch}", "refs/compared")
    return sha


def contents(call: Call) -> Answer:
    """A file (in base64 up to 1 MB) or a folder's list."""
    bare, path = call.repo.bare, call.params["path"].strip("/")
    ref = call.query.get("ref", call.repo.default_branch)
    sha = _sha(call, ref)
    try:
        kind = bare.git("cat-file", "-t", f"{sha}:{path}")
    except LookupError:
        raise Refused(404, "Not Found") from None
    if kind == "tree":
        rows = bare.git("ls-tree", "-l", f"{sha}:{path}").splitlines()
        entries = [row.split(None, 4) for row in rows]
        return Answer(body=[_entry(call, f"{path}/{name}", kind, blob, size, ref)
                            for _, kind, blob, size, name in entries])  # fmt: skip
    data = bare.raw("cat-file", "blob", f"{sha}:{path}")
    blob = bare.git("rev-parse", f"{sha}:{path}")
    shown = _entry(call, path, "blob", blob, str(len(data)), ref)
    whole = len(data) <= WHOLE
    shown["encoding"] = "base64" if whole else "none"
    shown["content"] = base64.encodebytes(data).decode() if whole else ""
    return Answer(body=shown)


def _entry(call: Call, path: str, kind: str, blob: str, size: str, ref: str) -> Json:
    api = f"{call.hub.url}/repos/{call.repo.full_name}"
    web = f"{render.WEB}/{call.repo.full_name}/blob/{ref}/{path}"
    links = {"url": f"{api}/contents/{path}?ref={ref}", "git_url": f"{api}/git/blobs/{blob}",
             "html_url": web}  # fmt: skip
    return {
        "type": {"blob": "file", "tree": "dir"}.get(kind, "submodule"), "path": path,
        "name": path.rpartition("/")[2], "sha": blob, "size": int(size) if size.isdigit() else 0,
        **links, "download_url": web if kind == "blob" else None,
        "_links": {"self": links["url"], "git": links["git_url"], "html": web},
    }  # fmt: skip


def blob(call: Call) -> Answer:
    sha = call.params["file_sha"]
    try:
        data = call.repo.bare.raw("cat-file", "blob", sha)
    except LookupError:
        raise Refused(404, "Not Found") from None
    url = f"{call.hub.url}/repos/{call.repo.full_name}/git/blobs/{sha}"
    shown = {"sha": sha, "node_id": f"B_{sha}", "size": len(data), "url": url}
    text = base64.encodebytes(data).decode()
    return Answer(body=shown | {"encoding": "base64", "content": text})


def _branch(call: Call, bare: Bare, name: str) -> str:
    try:
        return bare.git("rev-parse", "-q", "--verify", f"refs/{name}")
    except LookupError:
        raise Refused(404, "Not Found") from None


def ref(call: Call) -> Answer:
    name = call.params["ref"]
    sha = _branch(call, call.repo.bare, name)
    api = f"{call.hub.url}/repos/{call.repo.full_name}/git"
    target = {"type": "commit", "sha": sha, "url": f"{api}/commits/{sha}"}
    return Answer(body={"ref": f"refs/{name}", "node_id": f"REF_{sha}",
                        "url": f"{api}/refs/{name}", "object": target})  # fmt: skip


def branch(call: Call) -> Answer:
    repo, name = call.repo, call.params["branch"]
    sha = _branch(call, repo.bare, f"heads/{name}")
    needs = [n for n in repo.required.get(name, ()) if not n.ruleset]
    api = f"{call.hub.url}/repos/{repo.full_name}/branches/{name}"
    checks = {"enforcement_level": "everyone" if needs else "off",
              "contexts": [n.context for n in needs],
              "checks": [{"context": n.context, "app_id": n.app_id} for n in needs]}  # fmt: skip
    return Answer(body={
        "name": name, "commit": rendergit.commit(repo, repo.bare.commits("-1", sha)[0]),
        "protected": bool(needs), "protection_url": f"{api}/protection",
        "protection": {"enabled": bool(needs), "required_status_checks": checks},
        "_links": {"self": api, "html": f"{render.WEB}/{repo.full_name}/tree/{name}"},
    })  # fmt: skip


def reviews(call: Call) -> Answer:
    """The oldest first; those that are pending are only their author's to see."""
    of = _pull(call)
    return call.page(of.reviews, lambda r: render.review(of, r))


REPO = "/repos/{owner}/{repo}"
READ, PULLS = ("contents:read",), ("pull_requests:read",)
ROUTES = (
    Route("GET", REPO + "/pulls", pulls, PULLS),
    Route("GET", REPO + "/pulls/{pull_number}", pull, PULLS),
    Route("GET", REPO + "/pulls/{pull_number}/commits", pull_commits, PULLS),
    Route("GET", REPO + "/pulls/{pull_number}/files", pull_files, PULLS),
    Route("GET", REPO + "/pulls/{pull_number}/reviews", reviews, PULLS),
    Route("GET", REPO + "/commits", commits, READ),
    Route("GET", REPO + "/commits/{ref}", commit, READ),
    Route("GET", REPO + "/commits/{commit_sha}/pulls", commit_pulls, PULLS),
    Route("GET", REPO + "/compare/{basehead}", compare, READ),
    Route("GET", REPO + "/contents/{path}", contents, READ),
    Route("GET", REPO + "/git/blobs/{file_sha}", blob, READ),
    Route("GET", REPO + "/git/ref/{ref}", ref, READ),
    Route("GET", REPO + "/branches/{branch}", branch, READ),
)
