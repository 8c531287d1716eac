"""The App's own routes: who it is, where it is installed, its tokens, its deliveries."""

from __future__ import annotations

from tests.githubfake import hooks, render
from tests.githubfake.call import Answer, Call, Json, Refused, Route
from tests.githubfake.people import FOLDED, LEVELS, Installation, User, allows


def app(call: Call) -> Answer:
    count = len(call.hub.installations)
    return Answer(body=render.app(call.hub, call.hub.app) | {"installations_count": count})


def hook(call: Call) -> Answer:
    return Answer(body={"content_type": "json", "insecure_ssl": "0", "secret": "********",
                        "url": call.hub.app.hook_url})  # fmt: skip


def set_hook(call: Call) -> Answer:
    call.hub.app.hook_url = call.body.get("url", call.hub.app.hook_url)
    call.hub.app.secret = call.body.get("secret", call.hub.app.secret)
    return hook(call)


def deliveries(call: Call) -> Answer:
    """The newest first; the cursor is the id to go on below."""
    per, _ = call.size()
    wanted = call.query.get("status")
    found = [d for d in call.hub.deliveries[::-1] if d.status != "pending"]
    if wanted:
        found = [d for d in found if (d.status == "OK") == (wanted == "success")]
    cursor = call.query.get("cursor", "")
    if cursor:
        found = [d for d in found if d.id < int(cursor.removeprefix("v1_"))]
    headers = {}
    if len(found) > per:
        more = f"per_page={per}&cursor=v1_{found[per - 1].id}"
        more += f"&status={wanted}" if wanted else ""
        headers["Link"] = f'<{call.hub.url}{call.path}?{more}>; rel="next"'
    return Answer(200, [hooks.render(call.hub, d) for d in found[:per]], headers)


def _delivery(call: Call) -> hooks.Delivery:
    wanted = call.number("delivery_id")
    for delivery in call.hub.deliveries:
        if delivery.id == wanted:
            return delivery
    raise Refused(404, "Not Found")


def delivery(call: Call) -> Answer:
    return Answer(body=hooks.render(call.hub, _delivery(call), full=True))


def attempt(call: Call) -> Answer:
    call.hub.hooks.again(_delivery(call))
    return Answer(202, {})


def installations(call: Call) -> Answer:
    every = list(call.hub.installations.values())
    return call.page(every, lambda i: render.installation(call.hub, i))


def _installation(call: Call) -> Installation:
    found = call.hub.installations.get(call.number("installation_id"))
    if found is None:
        raise Refused(404, "Not Found")
    return found


def installation(call: Call) -> Answer:
    return Answer(body=render.installation(call.hub, _installation(call)))


def access_token(call: Call) -> Answer:
    """A token, narrowed to the permissions and repositories asked for."""
    hub, found = call.hub, _installation(call)
    if found.suspended is not None:
        raise Refused(403, "This installation has been suspended")
    permissions = call.body.get("permissions") or dict(found.permissions)
    for name, level in permissions.items():
        if not allows(found.permissions, f"{name}:{level}"):
            raise Refused(422, "The permissions requested are not granted to this installation.")
    ids, names = call.body.get("repository_ids"), call.body.get("repositories")
    held = [r for r in hub.repositories.values() if r.id in found.repositories]
    chosen = [
        r for r in held if (ids is None or r.id in ids) and (names is None or r.name in names)
    ]
    asked = max(len(set(ids or ())), len(set(names or ())))
    narrowed = ids is not None or names is not None
    if narrowed and len(chosen) < asked:
        raise Refused(422, "There is at least one repository that does not exist or is not "
                           "accessible to the parent installation.")  # fmt: skip
    made = hub.mint(found, permissions, tuple(r.id for r in chosen) if narrowed else None)
    body = {"token": made.value, "expires_at": hub.clock.stamp(made.expires - hub.clock.offset),
            "permissions": permissions, "repository_selection": "selected"}  # fmt: skip
    if narrowed:
        body["repositories"] = [render.repository(r) for r in chosen]
    return Answer(201, body)


def revoke(call: Call) -> Answer:
    assert call.who.token is not None
    del call.hub.tokens[call.who.token.value]
    return Answer(204)


def held(call: Call) -> Answer:
    """The repositories that an installation's token reaches."""
    token = call.who.token
    if token is None or token.installation is None:
        raise Refused(403, "You must authenticate with an installation access token.")
    within = token.installation.repositories if token.repositories is None else token.repositories
    found = [r for r in call.hub.repositories.values() if r.id in within]
    return call.page(found, render.repository, "repositories", repository_selection="selected")


def repository_installation(call: Call) -> Answer:
    found = call.hub.installation(call.repo)
    if found is None or call.repo.id not in found.repositories:
        raise Refused(404, "Not Found")
    return Answer(body=render.installation(call.hub, found))


def limits(call: Call) -> Answer:
    return Answer(body=call.hub.limits.body(call.who.key))


def me(call: Call) -> Answer:
    if call.who.kind != "user":
        raise Refused(403, "Resource not accessible by integration")
    return Answer(body=_profile(call, call.who.user))


def _profile(call: Call, of: User) -> Json:
    """A user as only the user's own address shows one."""
    empty = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location"))
    counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    stamp = call.hub.clock.stamp(call.hub.started)
    times = {"created_at": stamp, "updated_at": stamp}
    return render.user(call.hub, of) | {"name": of.name} | empty | counts | times


def user(call: Call) -> Answer:
    found = call.hub.users.get(call.params["username"])
    if found is None:
        raise Refused(404, "Not Found")
    return Answer(body=_profile(call, found))


def repository(call: Call) -> Answer:
    counts = {"network_count": len(call.repo.forks), "subscribers_count": 0}
    return Answer(body=render.repository(call.repo) | counts)


def permission(call: Call) -> Answer:
    """`permission` as GitHub folds it, and the true `role_name`; a stranger to a public
    repository reads, to a private one has none, and who does not exist is not found."""
    who = call.hub.users.get(call.params["username"])
    if who is None:
        raise Refused(404, "Not Found")
    rank = call.repo.rank(who)
    if rank < 0 and call.repo.private:
        raise Refused(404, f"{who.login} is not a user")
    role = LEVELS[rank] if rank >= 0 else "read"
    rights = {name: rank >= at for name, at in
              (("admin", 4), ("maintain", 3), ("push", 2), ("triage", 1))}  # fmt: skip
    shown = render.user(call.hub, who) | {"permissions": rights | {"pull": True}, "role_name": role}
    return Answer(body={"permission": FOLDED.get(role, role), "role_name": role, "user": shown})


REPO = "/repos/{owner}/{repo}"
ANYONE = ("metadata:read",)
ROUTES = (
    Route("GET", "/app", app, kind="app"),
    Route("GET", "/app/hook/config", hook, kind="app"),
    Route("PATCH", "/app/hook/config", set_hook, kind="app"),
    Route("GET", "/app/hook/deliveries", deliveries, kind="app"),
    Route("GET", "/app/hook/deliveries/{delivery_id}", delivery, kind="app"),
    Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", attempt, kind="app"),
    Route("GET", "/app/installations", installations, kind="app"),
    Route("GET", "/app/installations/{installation_id}", installation, kind="app"),
    Route("POST", "/app/installations/{installation_id}/access_tokens", access_token, kind="app"),
    Route("DELETE", "/installation/token", revoke),
    Route("GET", "/installation/repositories", held),
    Route("GET", "/rate_limit", limits, kind="any"),
    Route("GET", "/user", me),
    Route("GET", "/users/{username}", user, kind="public"),
    Route("GET", REPO, repository, ANYONE),
    Route("GET", REPO + "/installation", repository_installation, kind="app"),
    Route("GET", REPO + "/collaborators/{username}/permission", permission, ANYONE),
)
