"""What the doctor says of what GitHub and the machine answered: pure functions, no question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.github.values import Hook, Identity, Repo, Required

State = Literal["ok", "warn", "fail"]

NEEDED: Mapping[str, str] = {
    "checks": "write",
    "contents": "read",
    "metadata": "read",
    "pull_requests": "write",
}
OPTIONAL: Mapping[str, str] = {
    "actions": "write",
    "administration": "read",
    "issues": "read",
    "merge_queues": "read",
}
EVENTS = ("issue_comment", "pull_request", "push")  # check events come with checks: write
QUEUE_EVENT = "merge_group"
LATE, WRONG = 10.0, 300.0  # seconds between two clocks
_ORDER = ("none", "read", "write", "admin")
SETTINGS_PAGE = "on the App's settings page"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at; `remedy` is "" where nothing is to be done."""

    name: str
    state: State
    said: str
    remedy: str = ""


def stranger(app: int, said: str) -> Item:
    """Say that GitHub does not take this App for who it says it is."""
    number = f"compare app_id, {app}, with the App ID {SETTINGS_PAGE}"
    remedy = f"{number}; or make a new private key there"
    return Item("app", "fail", said, remedy)


def permissions(who: Identity) -> tuple[Item, ...]:
    """Hold what the App may do against what it needs, and no more than that."""
    granted = dict(who.permissions)
    found = [
        Item("permissions", "fail", f"{name}: {granted.get(name, 'none')}, {level} is needed",
             f"give the App {name}: {level} {SETTINGS_PAGE}, then accept it for each installation")
        for name, level in NEEDED.items()
        if _rank(granted.get(name)) < _rank(level)
    ]  # fmt: skip
    most = {**OPTIONAL, **NEEDED}
    found += [
        Item("permissions", "warn", f"{name}: {level} is more than we use",
             f"take it away {SETTINGS_PAGE}: what an App may not do, nobody does through it")
        for name, level in sorted(granted.items())
        if _rank(level) > _rank(most.get(name))
    ]  # fmt: skip
    words = ", ".join(f"{name}: {level}" for name, level in NEEDED.items())
    return tuple(found) or (Item("permissions", "ok", words),)


def releasing(who: Identity) -> Item:
    """Say whether a comment can start a release."""
    if dict(who.permissions).get("actions") == "write":
        return Item("permissions", "ok", "actions: write, used for `/warden release` alone")
    said = "without actions: write `/warden release` only says how to start it by hand"
    return Item("permissions", "ok", said)


def _rank(level: str | None) -> int:
    return _ORDER.index(level) if level in _ORDER else 0


def events(who: Identity) -> tuple[Item, ...]:
    """Hold the events the App is sent against those it acts on."""
    missing = [name for name in EVENTS if name not in who.events]
    remedy = f"subscribe {SETTINGS_PAGE}, Permissions & events"
    if missing:
        return (Item("events", "fail", f"not sent: {', '.join(missing)}", remedy),)
    if QUEUE_EVENT not in who.events:
        said = f"{QUEUE_EVENT} is not sent: a merge queue would wait for ever"
        return (Item("events", "warn", said, f"{remedy} (it needs merge_queues: read)"),)
    return (Item("events", "ok", ", ".join((*EVENTS, QUEUE_EVENT))),)


def webhook(hook: Hook, public_url: str) -> tuple[Item, ...]:
    """Hold the webhook's settings against ours."""
    found = []
    due = f"{public_url}/webhook"
    if not hook.has_secret:
        found.append(("no secret: anybody could send deliveries", "set the secret"))
    if hook.insecure_ssl:
        found.append(("certificates are not checked", "enable SSL verification"))
    if hook.content_type != "json":
        found.append((f"content type {hook.content_type or 'unset'}", "choose application/json"))
    if not hook.url:
        found.append(("no address: nothing is delivered", "set this server's /webhook"))
    elif public_url and hook.url.rstrip("/") != due:
        found.append((f"sent to {hook.url}, not to {due}", f"set it to {due}"))
    items = [Item("webhook", "fail", said, f"{do} {SETTINGS_PAGE}") for said, do in found]
    if hook.url and not public_url:
        said = f"sent to {hook.url}; public_url is not set, so nothing to compare"
        items.append(Item("webhook", "warn", said, "set public_url in the settings"))
    return tuple(items) or (Item("webhook", "ok", f"{due}, json, signed"),)


def clock(theirs: float, ours: float) -> Item:
    """Hold our clock against GitHub's, both in seconds since the epoch."""
    off = ours - theirs
    if abs(off) <= LATE:
        return Item("clock", "ok", f"{off:+.0f} s from GitHub's")
    state: State = "warn" if abs(off) <= WRONG else "fail"
    return Item("clock", state, f"{off:+.0f} s from GitHub's", "let NTP set this machine's clock")


def branch(repo: Repo, required: tuple[Required, ...], summary: str, app: int) -> Item:
    """Hold what the default branch requires against our summary check and App id."""
    name = f"{repo.name}: {repo.default_branch}"
    ours = [check for check in required if check.name == summary]
    if not ours:
        remedy = f"require the check '{summary}' of this App in a ruleset or branch protection"
        return Item("branch", "warn", f"{name} merges without our verdict", remedy)
    if all(check.app == app for check in ours):
        return Item("branch", "ok", f"{name} requires '{summary}' from App {app}")
    other = next(check.app for check in ours if check.app != app)
    whose = f"App {other}" if other else "anybody"
    remedy = f"choose this App (id {app}) as the source of the check '{summary}'"
    return Item("branch", "fail", f"{name} takes '{summary}' from {whose}", remedy)


def sandbox(rung: str, missing: tuple[str, ...]) -> Item:
    """Say what keeps a change's weights from doing harm here."""
    if not missing:
        return Item("sandbox", "ok", f"{rung}: every protection holds")
    remedy = "install bubblewrap, and let it make user namespaces"
    said = f"{rung or 'none'}: without {', '.join(missing)}; measuring is refused where required"
    return Item("sandbox", "warn" if rung else "fail", said, remedy)


def gpu(devices: tuple[str, ...], worker: str) -> Item:
    """Say what weights are scored on."""
    cards = tuple(d for d in devices if d != "cpu")
    if cards:
        return Item("gpu", "ok", f"{len(cards)}: {', '.join(cards)}")
    remedy = "install a driver and a PyTorch that know the GPU"
    if worker == "gpu":
        return Item("gpu", "fail", "no GPU, and this worker takes nothing but GPU jobs", remedy)
    return Item("gpu", "warn", "no GPU: models are scored on the CPU, slowly", remedy)


def git(version: tuple[int, ...]) -> Item:
    """Say whether git is new enough."""
    shown = ".".join(map(str, version))
    if version < (2, 31):
        return Item("git", "fail", f"git {shown or 'of unknown version'}", "install 2.31 or newer")
    return Item("git", "ok", f"git {shown}")


def room(free: int, wanted: float) -> Item:
    """Hold the room below the folder against what mirrors may take; both in bytes."""
    said = f"{free / 1e9:,.1f} GB free, mirrors may take {wanted / 1e9:,.1f} GB"
    if free < wanted:
        return Item("folder", "warn", said, "give it more room, or lower mirror_gb")
    return Item("folder", "ok", said)
