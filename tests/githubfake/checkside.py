"""Check runs and suites, commit statuses, and what branches require."""

from __future__ import annotations

from tests.githubfake import render, rendergit
from tests.githubfake.call import Answer, Call, Json, Refused, Route, invalid
from tests.githubfake.gitside import ZERO
from tests.githubfake.openapi import OUTPUT_BYTES, TITLE_CHARACTERS
from tests.githubfake.records import Run, Status, Suite

CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped",
               "timed_out")  # fmt: skip
BUTTON = {"label": 20, "description": 40, "identifier": 20}


def _run(call: Call) -> Run:
    run = call.repo.runs.get(call.number("check_run_id"))
    if run is None:
        raise Refused(404, "Not Found")
    return run


def _check_output(output: Json) -> None:
    for name in ("summary", "text"):
        value = output.get(name)
        if value is not None and len(value.encode("utf-8", "replace")) > OUTPUT_BYTES:
            message = f"{name} exceeds a maximum bytesize of {OUTPUT_BYTES}"
            raise Refused(422, "Invalid request.\n\n" + message, [message])
    if len(output.get("title") or "") > TITLE_CHARACTERS:
        raise invalid("CheckRun", "output.title", "custom", "is too long (maximum is 255)")
    if "summary" not in output:
        raise Refused(422, 'Invalid request.\n\n"summary" wasn\'t supplied.')
    notes = output.get("annotations") or []
    if len(notes) > 50:
        raise Refused(422, "Invalid request.\n\nNo more than 50 items are allowed")
    for note in notes:
        wanted = ("path", "start_line", "end_line", "annotation_level", "message")
        lines = [note.get("start_line"), note.get("end_line")]
        if any(note.get(name) in (None, "") for name in wanted) or lines[0] > lines[1]:
            raise Refused(422, "Invalid request.\n\nAn annotation is not complete.")
        sized = (("message", 65536), ("raw_details", 65536), ("title", 255))
        if any(len((note.get(name) or "").encode()) > most for name, most in sized):
            raise Refused(422, "Invalid request.\n\nAn annotation is too long.")


def _check(body: Json) -> None:
    """Refuse what GitHub would, before anything is stored."""
    if isinstance(body.get("output"), dict):
        _check_output(body["output"])
    actions = body.get("actions") or []
    if len(actions) > 3:
        raise Refused(422, "Invalid request.\n\nNo more than 3 actions are allowed")
    for action in actions:
        for name, most in BUTTON.items():
            if not 0 < len(action.get(name) or "") <= most:
                raise invalid("CheckAction", name, "custom", f"maximum is {most} characters")
    if body.get("conclusion") not in (None, *CONCLUSIONS):
        raise invalid("CheckRun", "conclusion", "invalid")
    if body.get("status") == "completed" and not body.get("conclusion"):
        raise invalid("CheckRun", "conclusion", "missing_field")


def _apply(call: Call, run: Run, body: Json) -> None:
    """Set what the body names. Annotations are only ever added."""
    if "name" in body:
        run.name = body["name"]
    for name in ("external_id", "details_url", "status"):
        if name in body:
            setattr(run, name, body[name])
    run.started = body.get("started_at", run.started)
    run.actions = body.get("actions", run.actions)
    if body.get("conclusion"):
        run.status, run.conclusion = "completed", body["conclusion"]
        run.completed = body.get("completed_at", call.hub.clock.stamp())
    elif "status" in body:
        run.conclusion = run.completed = None
    output = body.get("output")
    if output:
        run.title = output.get("title", run.title)
        run.summary = output["summary"]
        run.text = output.get("text", run.text)
        run.annotations += output.get("annotations") or []
    if not run.history or run.history[-1] != (run.status, run.conclusion):
        run.history.append((run.status, run.conclusion))


def create(call: Call) -> Answer:
    """A new run each time, whatever runs of the same name there are."""
    body = call.body
    _check(body)
    if not body.get("name"):
        raise invalid("CheckRun", "name", "missing_field")
    sha = body.get("head_sha", "")
    if len(sha) != 40 or call.repo.bare.resolve(sha) != sha:
        raise Refused(422, f"No commit found for SHA: {sha}")
    hub, repo = call.hub, call.repo
    branch = next((p.branch for p in repo.pulls.values()
                   if p.head == sha and not p.is_fork), None)  # fmt: skip
    suite = repo.suite(sha, branch)
    run = Run(hub.next_id(), suite, body["name"], sha, hub.app.id, hub.clock.stamp())
    _apply(call, run, body)
    repo.runs[run.id] = run
    repo.tell_check("created", run, call.who.user)
    if run.status == "completed":
        repo.tell_check("completed", run, call.who.user)
    return Answer(201, rendergit.run(repo, run))


def update(call: Call) -> Answer:
    run = _run(call)
    if run.app_id != call.hub.app.id:
        raise Refused(403, f"Invalid app_id `{call.hub.app.id}` - check run can only be modified "
                           "by the GitHub App that created it.")  # fmt: skip
    _check(call.body)
    before = run.status
    _apply(call, run, call.body)
    if run.status == "completed" != before:
        call.repo.tell_check("completed", run, call.who.user)
    return Answer(body=rendergit.run(call.repo, run))


def read(call: Call) -> Answer:
    return Answer(body=rendergit.run(call.repo, _run(call)))


def notes(call: Call) -> Answer:
    run = _run(call)
    optional = dict.fromkeys(("start_column", "end_column", "title", "raw_details"))

    def shown(note: Json) -> Json:
        href = f"{call.hub.url}/repos/{call.repo.full_name}/blob/{run.head_sha}/{note['path']}"
        return optional | note | {"blob_href": href}

    return call.page(run.annotations, shown)


def rerequest(call: Call) -> Answer:
    run = _run(call)
    call.repo.tell_check("rerequested", run, call.who.user)
    return Answer(201, {})


def _listed(call: Call, runs: list[Run]) -> Answer:
    """Runs, the newest first: of each name and App only the latest unless `filter=all`."""
    wanted = call.query
    runs = [
        r for r in reversed(runs)
        if wanted.get("check_name", r.name) == r.name
        and wanted.get("status", r.status) == r.status
        and wanted.get("app_id", str(r.app_id)) == str(r.app_id)
    ]  # fmt: skip
    if wanted.get("filter", "latest") == "latest":
        latest = {(r.name, r.app_id): r for r in reversed(runs)}
        runs = [r for r in runs if latest[r.name, r.app_id] is r]
    return call.page(runs, lambda r: rendergit.run(call.repo, r), "check_runs")


def _commit(call: Call) -> str:
    name = call.params["ref"]
    sha = call.repo.bare.resolve(name.removeprefix("heads/").removeprefix("tags/"))
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {name}")
    return sha


def of_commit(call: Call) -> Answer:
    return _listed(call, call.repo.checks(_commit(call)))


def suites_of_commit(call: Call) -> Answer:
    sha = _commit(call)
    found = [s for s in call.repo.suites.values() if s.head_sha == sha
             and call.query.get("app_id", str(s.app_id)) == str(s.app_id)]  # fmt: skip
    return call.page(found, lambda s: rendergit.suite(call.repo, s, full=True), "check_suites")


def _suite(call: Call) -> Suite:
    found = call.repo.suites.get(call.number("check_suite_id"))
    if found is None:
        raise Refused(404, "Not Found")
    return found


def suite(call: Call) -> Answer:
    return Answer(body=rendergit.suite(call.repo, _suite(call), full=True))


def of_suite(call: Call) -> Answer:
    wanted = _suite(call)
    return _listed(call, [r for r in call.repo.runs.values() if r.suite is wanted])


def create_suite(call: Call) -> Answer:
    sha = call.body["head_sha"]
    if call.repo.bare.resolve(sha) != sha:
        raise Refused(422, f"No commit found for SHA: {sha}")
    found = any(s.head_sha == sha and s.app_id == call.hub.app.id
                for s in call.repo.suites.values())  # fmt: skip
    made = call.repo.suite(sha, None)
    return Answer(200 if found else 201, rendergit.suite(call.repo, made, full=True))


def set_status(call: Call) -> Answer:
    sha, body = call.params["sha"], call.body
    if call.repo.bare.resolve(sha) != sha:
        raise Refused(422, f"No commit found for SHA: {sha}")
    if body.get("state") not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state", "custom", "state is not included in the list")
    made = Status(call.hub.next_id(), sha, body["state"], body.get("context", "default"),
                  body.get("description"), body.get("target_url"), call.who.user,
                  call.hub.clock.now())  # fmt: skip
    call.repo.statuses.append(made)
    return Answer(201, rendergit.status(call.repo, made))


def statuses(call: Call) -> Answer:
    sha = _commit(call)
    found = [s for s in call.repo.statuses[::-1] if s.sha == sha]
    return call.page(found, lambda s: rendergit.status(call.repo, s))


def combined(call: Call) -> Answer:
    """The latest status of each context, folded into one state."""
    sha, repo = _commit(call), call.repo
    latest = {s.context: s for s in repo.statuses if s.sha == sha}
    states = {s.state for s in latest.values()}
    state = "failure" if states & {"failure", "error"} else "success"
    state = "pending" if not states or (state == "success" and "pending" in states) else state
    url = f"{call.hub.url}/repos/{repo.full_name}/commits/{sha}"
    body = {"state": state, "sha": sha, "total_count": len(latest), "commit_url": url,
            "statuses": [rendergit.status(repo, s) for s in latest.values()],
            "repository": render.repository(repo), "url": f"{url}/status"}  # fmt: skip
    return Answer(body=body)


def protection(call: Call) -> Answer:
    """Classic protection of a branch: what it requires, and from which App (None: any)."""
    branch, repo = call.params["branch"], call.repo
    if repo.head(branch) == ZERO:
        raise Refused(404, "Branch not found")
    needs = [n for n in repo.required.get(branch, ()) if not n.ruleset]
    if not needs:
        raise Refused(404, "Branch not protected")
    url = f"{call.hub.url}/repos/{repo.full_name}/branches/{branch}/protection"
    url += "/required_status_checks"
    checks = [{"context": n.context, "app_id": n.app_id} for n in needs]
    return Answer(body={"url": url, "strict": needs[0].strict, "checks": checks,
                        "contexts": [n.context for n in needs],
                        "contexts_url": f"{url}/contexts"})  # fmt: skip


def rules(call: Call) -> Answer:
    """The rules that rulesets lay on a branch; empty where there are none."""
    needs = [n for n in call.repo.required.get(call.params["branch"], ()) if n.ruleset]
    if not needs:
        return Answer(body=[])
    checks = [{"context": n.context} | ({} if n.app_id is None else {"integration_id": n.app_id})
              for n in needs]  # fmt: skip
    rule = {
        "type": "required_status_checks", "ruleset_source_type": "Repository",
        "ruleset_source": call.repo.full_name, "ruleset_id": 42,
        "parameters": {
            "strict_required_status_checks_policy": needs[0].strict,
            "do_not_enforce_on_create": False, "required_status_checks": checks,
        },
    }  # fmt: skip
    return call.page([rule], lambda r: r)


REPO = "/repos/{owner}/{repo}"
READ, WRITE = ("checks:read",), ("checks:write",)
ROUTES = (
    Route("POST", REPO + "/check-runs", create, WRITE),
    Route("GET", REPO + "/check-runs/{check_run_id}", read, READ),
    Route("PATCH", REPO + "/check-runs/{check_run_id}", update, WRITE),
    Route("GET", REPO + "/check-runs/{check_run_id}/annotations", notes, READ),
    Route("POST", REPO + "/check-runs/{check_run_id}/rerequest", rerequest, WRITE),
    Route("POST", REPO + "/check-suites", create_suite, WRITE),
    Route("GET", REPO + "/check-suites/{check_suite_id}", suite, READ),
    Route("GET", REPO + "/check-suites/{check_suite_id}/check-runs", of_suite, READ),
    Route("GET", REPO + "/commits/{ref}/check-runs", of_commit, READ),
    Route("GET", REPO + "/commits/{ref}/check-suites", suites_of_commit, READ),
    Route("GET", REPO + "/commits/{ref}/status", combined, ("statuses:read",)),
    Route("GET", REPO + "/commits/{ref}/statuses", statuses, ("statuses:read",)),
    Route("POST", REPO + "/statuses/{sha}", set_status, ("statuses:write",)),
    Route("GET", REPO + "/branches/{branch}/protection/required_status_checks", protection,
          ("administration:read",)),
    Route("GET", REPO + "/rules/branches/{branch}", rules, ("metadata:read",)),
)  # fmt: skip
