"""Releases and their assets: drafts, uploads that are cut, and what GitHub makes of names."""

from __future__ import annotations

import hashlib
import re

from tests.githubfake import rendergit
from tests.githubfake.call import Answer, Call, Refused, Route, invalid
from tests.githubfake.records import Asset, Release
from tests.githubfake.repository import Repository
from tests.githubfake.rights import reaches

UPLOADS = "/api/uploads"  # before the path, as GitHub Enterprise Server has it
STORAGE = re.compile(r"/storage/(\d+)")
DOWNLOAD = re.compile(
    r"/(?P<owner>[^/]+)/(?P<name>[^/]+)/releases/"
    r"(?:download/(?P<tag>.+)|(?P<latest>latest)/download)/(?P<asset>[^/]+)"
)
MOST = 2**31 - 1  # bytes of an asset


def _seen(call: Call, of: Release) -> bool:
    """Only who may write contents sees a draft."""
    return not of.draft or reaches(call.repo, call.who, "contents:write")


def _find(call: Call) -> Release:
    number = call.number("release_id")
    for found in call.repo.releases:
        if found.id == number and _seen(call, found):
            return found
    raise Refused(404, "Not Found")


def _asset(call: Call) -> tuple[Release, Asset]:
    number = call.number("asset_id")
    for release in call.repo.releases:
        for asset in release.assets:
            if asset.id == number and _seen(call, release):
                return release, asset
    raise Refused(404, "Not Found")


def _shown(call: Call, of: Release, status: int = 200) -> Answer:
    return Answer(status, rendergit.release(call.repo, of))


def releases(call: Call) -> Answer:
    found = [r for r in call.repo.releases[::-1] if _seen(call, r)]
    return call.page(found, lambda r: rendergit.release(call.repo, r))


def read(call: Call) -> Answer:
    return _shown(call, _find(call))


def _free(call: Call, tag: str, but: int = 0) -> None:
    if any(r.tag == tag and not r.draft and r.id != but for r in call.repo.releases):
        raise invalid("Release", "tag_name", "already_exists")


def create(call: Call) -> Answer:
    """A draft may share its tag with other drafts."""
    body, repo = call.body, call.repo
    _free(call, body["tag_name"])
    made = Release(call.hub.next_id(), body["tag_name"],
                   body.get("target_commitish", repo.default_branch), body.get("name") or "",
                   body.get("body") or "", True, body.get("prerelease", False), call.who.user,
                   call.hub.clock.now())  # fmt: skip
    repo.releases.append(made)
    if not body.get("draft", False):
        _publish(call, made)
    return _shown(call, made, 201)


def edit(call: Call) -> Answer:
    found, body = _find(call), call.body
    if not found.draft and found.immutable and set(body) - {"name", "body"}:
        raise invalid("Release", "tag_name", "custom", "Cannot edit an immutable release.")
    found.tag = body.get("tag_name", found.tag)
    found.target = body.get("target_commitish", found.target)
    found.name, found.body = body.get("name", found.name), body.get("body", found.body)
    found.prerelease = body.get("prerelease", found.prerelease)
    if found.draft and body.get("draft") is False:
        _free(call, found.tag, found.id)
        _publish(call, found)
    elif not found.draft and "make_latest" in body:
        _latest(call, found)
    return _shown(call, found)


def _publish(call: Call, of: Release) -> None:
    """Make the tag where there is none: at the target, whatever that is."""
    repo = call.repo
    if repo.bare.resolve(f"refs/tags/{of.tag}") is None:
        sha = repo.bare.resolve(of.target)
        if sha is None:
            raise invalid("Release", "target_commitish", "invalid")
        repo.bare.point(f"refs/tags/{of.tag}", sha)
        repo.tags_made.append(of.tag)
    of.draft, of.immutable = False, repo.immutable
    _latest(call, of)


def _latest(call: Call, of: Release) -> None:
    wanted = call.body.get("make_latest", "true")
    if wanted == "true" and not of.prerelease:
        call.repo.latest = of.id


def delete(call: Call) -> Answer:
    call.repo.releases.remove(_find(call))
    return Answer(204)


def tagged(call: Call) -> Answer:
    for found in call.repo.releases:
        if found.tag == call.params["tag"] and not found.draft:
            return _shown(call, found)
    raise Refused(404, "Not Found")


def latest(call: Call) -> Answer:
    for found in call.repo.releases:
        if found.id == call.repo.latest and not found.draft:
            return _shown(call, found)
    raise Refused(404, "Not Found")


def assets(call: Call) -> Answer:
    of = _find(call)
    return call.page(of.assets, lambda a: rendergit.asset(call.repo, of, a))


def upload(call: Call) -> Answer:
    """The name as GitHub rewrites it; one of each; `call.cut` leaves a half-way one behind."""
    of, asked, kind = _find(call), call.query["name"], call.headers.get("content-type", "")
    if not call.uploading:
        call.hub.violations.append("an asset was sent to the API, not to the upload_url")
        raise Refused(404, "Not Found")
    if "content-length" not in call.headers:
        call.hub.violations.append("an upload without Content-Length")
        raise Refused(411, "Length Required")
    if not kind:
        call.hub.violations.append("an upload without Content-Type")
    if of.immutable:
        raise invalid("ReleaseAsset", "base", "custom", "Cannot upload to an immutable release.")
    name = re.sub(r"[^A-Za-z0-9_.-]+", ".", asked).strip(".")
    if any(known.name == name for known in of.assets):
        raise invalid("ReleaseAsset", "name", "already_exists")
    if not 1 <= int(call.headers["content-length"]) <= MOST:
        raise invalid("ReleaseAsset", "size", "custom", "size must be greater than 0")
    if call.hub.corrupts:
        call.hub.corrupts -= 1
        call.data = call.data[:-1] + b"?"
    digest = hashlib.sha256(call.data).hexdigest() if call.hub.digests else ""
    made = Asset(call.hub.next_id(), name, call.data, kind, "open" if call.cut else "uploaded",
                 digest, call.hub.clock.now())  # fmt: skip
    of.assets.append(made)
    return Answer(201, rendergit.asset(call.repo, of, made))


def asset(call: Call) -> Answer:
    """What is said of it, or, where the bytes are asked for, where they are stored."""
    release, found = _asset(call)
    if call.headers.get("accept") != "application/octet-stream":
        return Answer(body=rendergit.asset(call.repo, release, found))
    port = call.hub.url.rpartition(":")[2]
    return Answer(302, None, {"Location": f"http://localhost:{port}/storage/{found.id}"})


def remove_asset(call: Call) -> Answer:
    release, found = _asset(call)
    if release.immutable:
        raise invalid("ReleaseAsset", "base", "custom", "Cannot change an immutable release.")
    release.assets.remove(found)
    return Answer(204)


def downloaded(repo: Repository, asked: re.Match[str]) -> int | None:
    """The asset that an address of the web page names, of what is published."""
    for of in repo.releases:
        named = of.id == repo.latest if asked["latest"] else of.tag == asked["tag"]
        if named and not of.draft:
            whole = (a.id for a in of.assets if (a.name, a.state) == (asked["asset"], "uploaded"))
            return next(whole, None)
    return None


REPO = "/repos/{owner}/{repo}/releases"
READ, WRITE = ("contents:read",), ("contents:write",)
ROUTES = (
    Route("GET", REPO, releases, READ),
    Route("POST", REPO, create, WRITE),
    Route("GET", REPO + "/latest", latest, READ),
    Route("GET", REPO + "/tags/{tag}", tagged, READ),
    Route("GET", REPO + "/assets/{asset_id}", asset, READ),
    Route("DELETE", REPO + "/assets/{asset_id}", remove_asset, WRITE),
    Route("GET", REPO + "/{release_id}", read, READ),
    Route("PATCH", REPO + "/{release_id}", edit, WRITE),
    Route("DELETE", REPO + "/{release_id}", delete, WRITE),
    Route("GET", REPO + "/{release_id}/assets", assets, READ),
    Route("POST", REPO + "/{release_id}/assets", upload, WRITE),
)
