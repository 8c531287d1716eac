"""Comments, reactions, issues and labels."""

from __future__ import annotations

from tests.githubfake import render
from tests.githubfake.call import Answer, Call, Json, Refused, Route, invalid
from tests.githubfake.openapi import COMMENT_CHARACTERS
from tests.githubfake.records import Comment, Reaction


def _number(call: Call) -> int:
    number = call.number("issue_number")
    if number not in call.repo.pulls and number not in call.repo.issues:
        raise Refused(404, "Not Found")
    return number


def _comment(call: Call) -> Comment:
    found = call.repo.comments.get(call.number("comment_id"))
    if found is None:
        raise Refused(404, "Not Found")
    return found


def _text(call: Call) -> str:
    body = call.body.get("body")
    if not isinstance(body, str) or not body.strip():
        raise invalid("IssueComment", "body", "missing_field", "Body cannot be blank")
    if len(body) > COMMENT_CHARACTERS:
        message = f"Body is too long (maximum is {COMMENT_CHARACTERS} characters)"
        raise invalid("IssueComment", "data", "unprocessable", message)
    return body


def _app_id(call: Call) -> int | None:
    return call.hub.app.id if call.who.kind == "installation" else None


def _shown(call: Call, found: list[Comment]) -> Answer:
    since = call.query.get("since", "")
    kept = [c for c in found if call.hub.clock.stamp(c.updated) >= since]
    return call.page(kept, lambda c: render.comment(call.repo, c))


def thread(call: Call) -> Answer:
    return _shown(call, call.repo.thread(_number(call)))


def every(call: Call) -> Answer:
    found = list(call.repo.comments.values())
    if call.query.get("sort") == "updated":
        found.sort(key=lambda c: c.updated)
    if call.query.get("direction") == "desc":
        found.reverse()
    return _shown(call, found)


def read(call: Call) -> Answer:
    return Answer(body=render.comment(call.repo, _comment(call)))


def create(call: Call) -> Answer:
    number, text = _number(call), _text(call)
    made = call.repo.comment(number, call.who.user, text, _app_id(call))
    return Answer(201, render.comment(call.repo, made))


def edit(call: Call) -> Answer:
    found, text = _comment(call), _text(call)
    call.repo.edit(found, text, call.who.user)
    return Answer(body=render.comment(call.repo, found))


def delete(call: Call) -> Answer:
    call.repo.delete(_comment(call), call.who.user)
    return Answer(204)


def reactions(call: Call) -> Answer:
    wanted = call.query.get("content")
    found = [r for r in _comment(call).reactions if wanted in (None, r.content)]
    return call.page(found, lambda r: render.reaction(call.repo, r))


def react(call: Call) -> Answer:
    """200 with the old one where the same user reacted so before."""
    found, content = _comment(call), call.body.get("content")
    if content not in render.REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    for known in found.reactions:
        if known.user is call.who.user and known.content == content:
            return Answer(200, render.reaction(call.repo, known))
    made = Reaction(call.hub.next_id(), call.who.user, content, call.hub.clock.now())
    found.reactions.append(made)
    return Answer(201, render.reaction(call.repo, made))


def issues(call: Call) -> Answer:
    """Pull requests are issues too, as ever; the newest first."""
    repo, state = call.repo, call.query.get("state", "open")
    labels = {name for name in call.query.get("labels", "").split(",") if name}
    creator = call.query.get("creator")
    shown: list[Json] = []
    for number in sorted({*repo.pulls, *repo.issues}, reverse=True):
        one = render.issue_of(repo, number)
        named = {label["name"] for label in one["labels"]}
        fits = state in ("all", one["state"]) and labels <= named
        if fits and creator in (None, one["user"]["login"]):
            shown.append(one)
    return call.page(shown, lambda one: one)


def issue(call: Call) -> Answer:
    return Answer(body=render.issue_of(call.repo, _number(call)))


def open_issue(call: Call) -> Answer:
    body = call.body
    if not body.get("title"):
        raise invalid("Issue", "title", "missing_field")
    names = [name if isinstance(name, str) else name["name"] for name in body.get("labels", ())]
    made = call.repo.issue(call.who.user.login, body["title"], body.get("body") or "", names)
    return Answer(201, render.issue(call.repo, made))


def edit_issue(call: Call) -> Answer:
    number, body = _number(call), call.body
    found = call.repo.issues.get(number)
    if found is None:
        raise Refused(403, "The fake edits no pull request through /issues")
    found.title = body.get("title", found.title)
    found.body = body.get("body", found.body)
    found.state = body.get("state", found.state)
    return Answer(body=render.issue(call.repo, found))


def _labels(call: Call) -> list[str]:
    number = _number(call)
    repo = call.repo
    return (repo.pulls[number] if number in repo.pulls else repo.issues[number]).labels


def labels(call: Call) -> Answer:
    return call.page(_labels(call), lambda name: render.label(call.repo, name))


def add_labels(call: Call) -> Answer:
    held = _labels(call)
    for name in call.body.get("labels", ()):
        if name not in held:
            held.append(name)
    return labels(call)


REPO = "/repos/{owner}/{repo}"
READ = ("issues:read", "pull_requests:read")
WRITE = ("issues:write", "pull_requests:write")
ROUTES = (
    Route("GET", REPO + "/issues", issues, READ),
    Route("POST", REPO + "/issues", open_issue, ("issues:write",)),
    Route("GET", REPO + "/issues/comments", every, READ),
    Route("GET", REPO + "/issues/comments/{comment_id}", read, READ),
    Route("PATCH", REPO + "/issues/comments/{comment_id}", edit, WRITE),
    Route("DELETE", REPO + "/issues/comments/{comment_id}", delete, WRITE),
    Route("GET", REPO + "/issues/comments/{comment_id}/reactions", reactions, READ),
    Route("POST", REPO + "/issues/comments/{comment_id}/reactions", react, WRITE),
    Route("GET", REPO + "/issues/{issue_number}", issue, READ),
    Route("PATCH", REPO + "/issues/{issue_number}", edit_issue, WRITE),
    Route("GET", REPO + "/issues/{issue_number}/comments", thread, READ),
    Route("POST", REPO + "/issues/{issue_number}/comments", create, WRITE),
    Route("GET", REPO + "/issues/{issue_number}/labels", labels, READ),
    Route("POST", REPO + "/issues/{issue_number}/labels", add_labels, WRITE),
)
