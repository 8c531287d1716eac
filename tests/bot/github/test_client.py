from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
import stamina

from bot.github.client import GitHub
from bot.github.errors import Denied, GitHubError, Limited, NotFound, Refused, Unavailable
from bot.github.repository import Repository
from bot.github.values import (
    Action,
    Annotation,
    Api,
    Conclusion,
    Hub,
    Repo,
    Required,
    Role,
    RunBody,
)
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.repository import Repository as Fake

MARK = "<!-- mark -->"


class Ticks:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as fake:
        yield fake
        assert not fake.violations


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def hub(fake: FakeGitHub, ticks: Ticks) -> Iterator[GitHub]:
    made = GitHub(fake.app.id, fake.app.key, url=fake.url, web=fake.git_url, ticks=ticks)
    yield made
    made.close()


@pytest.fixture
def home(fake: FakeGitHub) -> Fake:
    return fake.repository("acme/tiny")


@pytest.fixture
def api(fake: FakeGitHub, home: Fake, hub: GitHub) -> Repository:
    return hub.at(known(fake, home))


def known(fake: FakeGitHub, home: Fake) -> Repo:
    installation = fake.installation(home)
    assert installation is not None
    return Repo(home.id, home.full_name, installation.id, "main")


def body(head: str, count: int = 0, **changed: object) -> RunBody:
    notes = tuple(
        Annotation("a.py", n + 1, n + 1, "warning", f"t{n}", f"m{n}") for n in range(count)
    )
    made = RunBody(
        "modelwarden / x", head, "key:x", "completed", Conclusion.FAILURE, "title", "summary",
        "text", notes, (Action("Re-run", "again", "rerun"),), "https://example.org/r",
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def test_they_are_what_the_contract_asks(hub: GitHub, api: Repository) -> None:
    as_hub: Hub = hub
    as_api: Api = api
    assert as_hub.at(api.repo).repo == as_api.repo


# The App


def test_identity(fake: FakeGitHub, home: Fake, hub: GitHub) -> None:
    us = hub.identity()
    assert (us.app, us.slug, us.bot.id, us.bot.bot) == (4242, "modelwarden", fake.app.bot.id, True)
    assert ("checks", "write") in us.permissions and "pull_request" in us.events
    asked = len(fake.requests)
    assert hub.identity() is us and len(fake.requests) == asked


def test_a_key_of_another_app_is_refused(fake: FakeGitHub, home: Fake) -> None:
    hub = GitHub(999, fake.app.key, url=fake.url)
    with pytest.raises(Denied):
        hub.identity()
    hub.close()


def test_hook(fake: FakeGitHub, hub: GitHub) -> None:
    fake.app.hook_url = "https://bot.example.org/webhook"
    hook = hub.hook()
    assert (hook.url, hook.content_type) == ("https://bot.example.org/webhook", "json")
    assert hook.has_secret and not hook.insecure_ssl


def test_repositories_of_every_installation(fake: FakeGitHub, hub: GitHub) -> None:
    for name in ("acme/a", "acme/b", "other/c", "asleep/d"):
        fake.repository(name)
    next(i for i in fake.installations.values() if i.account.login == "asleep").suspended = 1.0
    found = list(hub.repositories())
    assert [repo.name for repo in found] == ["acme/a", "acme/b", "other/c"]
    assert found[0].default_branch == "main"
    assert hub.at(found[2]).role("nobody") is Role.NONE


def test_deliveries_since_a_time_and_again(fake: FakeGitHub, home: Fake, hub: GitHub) -> None:
    fake.deliver_to("http://127.0.0.1:9/webhook")
    for number in range(3):
        home.pull("mallory", f"b{number}", {"x": str(number)})
        fake.advance(100)
    fake.flush()
    every = list(hub.deliveries("2020-01-01T00:00:00Z"))
    assert len(every) == len(fake.deliveries) and every[0].id > every[-1].id
    assert every[0].status != 200 and not every[0].redelivery
    late = fake.clock.stamp(fake.clock.now() - 150)
    assert 0 < len(list(hub.deliveries(late))) < len(every)
    hub.redeliver(every[-1].id)
    fake.flush()
    assert [d.guid for d in fake.redeliveries] == [every[-1].guid]


def test_deliveries_over_several_pages(fake: FakeGitHub, home: Fake, hub: GitHub) -> None:
    fake.deliver_to("http://127.0.0.1:9/webhook")
    home.pull("mallory", "b", {"x": "1"})
    for number in range(120):
        home.comment(1, "mallory", f"{number}")
    fake.flush(60)
    guids = [sent.guid for sent in hub.deliveries("2020-01-01T00:00:00Z")]
    assert len(guids) == len(set(guids)) == len(fake.deliveries) > 100


def test_clock_is_githubs(fake: FakeGitHub, hub: GitHub) -> None:
    fake.skew = 5000
    assert abs(hub.clock() - time.time() - 5000) < 5


def test_a_wrong_clock_of_ours_is_put_right(fake: FakeGitHub, home: Fake, hub: GitHub) -> None:
    fake.skew = -4000
    assert hub.identity().app == fake.app.id
    asked = len(fake.asked("GET", "^/app$"))
    hub.hook()
    assert (asked, len(fake.asked("GET", "^/app/hook/config$"))) == (2, 1)  # learnt once


# What is not shown


@pytest.mark.parametrize("key", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nSECRETBITS\n"])
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(Denied) as caught:
        GitHub(1, key)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.hint and "SECRETBITS" not in shown
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "kind", ["500", "drop", "garbage", "401-expired", "403-secondary", "429-bare", "403-primary"]
)
def test_neither_key_nor_token_is_in_a_log_or_an_error(
    fake: FakeGitHub, api: Repository, hub: GitHub, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (None, "github", "github.Requester"):  # PyGithub keeps its own at INFO
        caplog.set_level(logging.DEBUG, name)
    token = api.token()
    fake.fault("GET", "/pulls/1$", kind, times=99)
    with pytest.raises(GitHubError) as caught:
        api.pull(1)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    shown += caplog.text + repr(hub) + repr(api) + repr(vars(hub)) + repr(caught.value.__context__)
    assert caught.value.hint
    for secret in (token, *fake.tokens, fake.app.key, fake.app.key.splitlines()[3], "eyJ"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("url", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://ghe.example.org/api/v3", "https://ghe.example.org"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
    ],
)
def test_where_git_fetches_from(fake: FakeGitHub, url: str, web: str) -> None:
    assert GitHub(1, fake.app.key, url=url).web == web


def test_git_fetches_by_the_name_of_today(fake: FakeGitHub, home: Fake, api: Repository) -> None:
    assert api.clone_url() == f"{fake.url}/{home.full_name}.git"
    fake.rename(home, "renamed")
    assert api.clone_url() == f"{fake.url}/acme/renamed.git"


def test_an_address_below_a_path_as_on_an_enterprise_server(fake: FakeGitHub, home: Fake) -> None:
    hub = GitHub(fake.app.id, fake.app.key, url=f"{fake.url}/api/v3")
    home.pull("mallory", "b", {"x": "1"})
    assert hub.at(known(fake, home)).pull(1).number == 1
    hub.close()


# Tokens


def test_a_token_is_narrow_and_kept(fake: FakeGitHub, api: Repository, ticks: Ticks) -> None:
    first = api.token()
    held = fake.tokens[first]
    assert held.repositories == (api.repo.id,)
    assert held.permissions == {
        "checks": "write", "contents": "read", "metadata": "read", "pull_requests": "write",
    }  # fmt: skip
    ticks.now += 2900
    assert api.token() == first
    api.line.identity()  # asked with a token that may do nothing
    (other,) = set(fake.tokens) - {first}
    assert fake.tokens[other].permissions == {"metadata": "read"}
    ticks.now += 200  # less than ten minutes are left: enough for a request, not for a fetch
    second = api.token()
    assert second != first and fake.tokens[second].repositories == (api.repo.id,)


def test_a_token_is_minted_again_before_it_ends(
    fake: FakeGitHub, home: Fake, api: Repository, ticks: Ticks
) -> None:
    home.pull("mallory", "b", {"x": "1"})
    api.pull(1)
    ticks.now += 3500
    api.pull(1)
    assert len(fake.asked("POST", "access_tokens")) == 1
    ticks.now += 50
    api.pull(1)
    assert len(fake.asked("POST", "access_tokens")) == 2


def test_a_token_that_expired_in_the_middle_is_minted_again(
    fake: FakeGitHub, home: Fake, api: Repository
) -> None:
    home.pull("mallory", "b", {"x": "1"})
    api.pull(1)
    api.line.identity()
    before = len(fake.asked("POST", "access_tokens"))
    fake.advance(3601)
    assert api.create_comment(1, f"{MARK} hello", MARK).body == f"{MARK} hello"
    assert len(home.thread(1)) == 1
    assert len(fake.asked("POST", "access_tokens")) == before + 1


def test_a_token_is_minted_again_once_only(fake: FakeGitHub, api: Repository) -> None:
    fake.fault("GET", "/pulls/1$", "401-expired", times=99)
    with pytest.raises(Denied):
        api.pull(1)
    assert len(fake.asked("GET", "/pulls/1$")) == 2


def test_an_installation_that_is_gone(fake: FakeGitHub, home: Fake, api: Repository) -> None:
    fake.uninstall("acme")
    with pytest.raises(NotFound):
        api.pull(1)


def test_a_repository_that_the_installation_lost(fake: FakeGitHub, home: Fake, hub: GitHub) -> None:
    other = fake.repository("acme/other")
    there = known(fake, other)
    fake.installations[there.installation].repositories.remove(other.id)
    with pytest.raises(NotFound, match="repository"):
        hub.at(there).token()


def test_a_permission_that_was_not_accepted(fake: FakeGitHub, api: Repository) -> None:
    fake.installations[api.repo.installation].permissions.pop("checks")
    with pytest.raises(Denied) as caught:
        api.token()
    assert "accept" in caught.value.hint


# Pull requests, people, commits


def test_pulls(fake: FakeGitHub, home: Fake, api: Repository) -> None:
    title = "A <b>title</b> @everyone \u202e" + "x" * 200
    mine = home.pull("ann", "a", {"x": "1"}, title=title, draft=True)
    theirs = home.pull("mallory", "m", {"x": "2"}, fork=True)
    one, two = api.pull(1), api.pull(2)
    assert (one.title, one.draft, one.state, one.merged) == (title, True, "open", False)
    assert (one.author.login, one.author.id) == ("ann", fake.user("ann").id)
    assert (one.head, one.base, one.base_ref) == (mine.head, mine.base_sha, "main")
    assert not one.fork and two.fork
    assert list(api.open_pulls()) == [one, two]
    assert api.pulls_with_head(theirs.head) == (two,)
    assert api.pulls_with_head("f" * 40) == ()
    with pytest.raises(NotFound):
        api.pull(99)


@pytest.mark.parametrize(
    ("role", "due"),
    [
        ("read", Role.READ), ("triage", Role.TRIAGE), ("write", Role.WRITE),
        ("maintain", Role.MAINTAIN), ("admin", Role.ADMIN), (None, Role.READ),
    ],
)  # fmt: skip
def test_roles(home: Fake, api: Repository, role: str | None, due: Role) -> None:
    home.grant("ann", role)
    assert api.role("ann") is due


def test_what_did_not_change_costs_nothing(
    fake: FakeGitHub, home: Fake, api: Repository, hub: GitHub
) -> None:
    home.pull("mallory", "b", {"x": "1"})
    first = api.pull(1)
    left = fake.limits.body(f"installation {api.repo.installation}")["rate"]["remaining"]
    assert api.pull(1) == first
    assert [r.status for r in fake.asked("GET", "/pulls/1$")] == [200, 304]
    assert fake.limits.body(f"installation {api.repo.installation}")["rate"]["remaining"] == left
    fake.advance(3601)  # another token, the same rights
    assert api.pull(1) == first
    home.grant("mallory", "write")
    assert api.role("mallory") is Role.WRITE
    home.grant("mallory", "read")
    assert api.role("mallory") is Role.READ


def test_the_app_before_it_is_installed(fake: FakeGitHub, hub: GitHub) -> None:
    assert not list(hub.repositories())
    assert hub.identity().bot.id == fake.app.bot.id
    assert fake.asked("GET", "/users/")[0].auth == "none" and not fake.tokens


def test_a_stranger_has_no_role(home: Fake, api: Repository) -> None:
    home.private = True
    home.hub.user("ann")
    assert api.role("ann") is Role.NONE
    assert api.role("nobody") is Role.NONE
    assert api.role("../../../app") is Role.NONE


def test_more_commits_than_one_page_of_a_pull_request_holds(
    fake: FakeGitHub, home: Fake, api: Repository
) -> None:
    base = home.head()
    ann, tip, seen = fake.user("ann"), base, []
    for number in range(260):
        email = "" if number % 2 else "stranger@nowhere.test"
        verified = number == 7
        tip = home.write("refs/heads/long", (tip,), {"x": str(number)}, "", ann, email, verified)
        seen.append(tip)
    found = api.commit_accounts(base, tip)
    assert [account.commit for account in found] == seen
    assert [account.verified for account in found] == [n == 7 for n in range(260)]
    assert found[0].author is None
    assert found[1].author is not None and found[1].author.id == ann.id
    assert len(fake.asked("GET", "/compare/")) == 3


@pytest.mark.parametrize("sha", ["main", "-x", "a" * 39, "../" + "a" * 40])
def test_only_full_commit_ids_go_into_an_address(api: Repository, sha: str) -> None:
    for ask in (api.runs, api.pulls_with_head, lambda sha: api.commit_accounts(sha, "a" * 40)):
        with pytest.raises(Refused):
            ask(sha)


def test_required_checks(fake: FakeGitHub, home: Fake, api: Repository) -> None:
    assert api.required_checks("main") == ()
    assert api.required_checks("no/such") == ()
    home.protect("main", ["ci", "modelwarden"], None)
    home.protect("main", ["modelwarden"], fake.app.id, ruleset=True)
    assert api.required_checks("main") == (
        Required("ci", 0), Required("modelwarden", 0), Required("modelwarden", fake.app.id),
    )  # fmt: skip


# Check runs


def test_a_run_shows_its_body(home: Fake, api: Repository) -> None:
    head = home.head()
    run = api.create_run(body(head, 2))
    (held,) = home.checks(head)
    assert (run.id, run.external_id, run.annotations) == (held.id, "key:x", 2)
    assert (run.status, run.conclusion) == ("completed", "failure")
    assert (held.title, held.summary, held.text) == ("title", "summary", "text")
    assert held.actions == [{"label": "Re-run", "description": "again", "identifier": "rerun"}]
    assert held.details_url == "https://example.org/r"
    assert api.runs(head) == (run,) and api.runs(head, "other") == ()


def test_a_run_is_made_once(fake: FakeGitHub, home: Fake, api: Repository) -> None:
    head = home.head()
    first = api.create_run(body(head, status="in_progress", conclusion=None))
    again = api.create_run(body(head, status="in_progress", conclusion=None))
    other = api.create_run(body(head, status="queued", conclusion=None, external_id="key:y"))
    assert first.id == again.id != other.id
    assert [run.id for run in api.runs(head)] == [other.id, first.id]  # the newest first


def test_a_finished_run_is_not_opened_again(home: Fake, api: Repository) -> None:
    head = home.head()
    api.create_run(body(head))
    late = api.create_run(body(head, status="in_progress", conclusion=None))
    assert late.status == "completed" and len(home.checks(head)) == 1


def test_runs_of_others_are_not_ours(home: Fake, api: Repository) -> None:
    home.foreign_run("modelwarden / x", home.head())
    assert api.runs(home.head()) == ()


@pytest.mark.parametrize("lost", ["502-after-store", "drop-after-store"])
def test_a_lost_answer_makes_no_second_run(
    fake: FakeGitHub, home: Fake, api: Repository, lost: str
) -> None:
    fault = fake.fault("POST", "/check-runs$", lost)
    run = api.create_run(body(home.head(), 3))
    assert fault.hits == 1 and [held.id for held in home.checks(home.head())] == [run.id]
    assert len(home.checks(home.head())[0].annotations) == 3


@pytest.mark.parametrize("kind", ["500", "502", "503", "drop"])
def test_a_request_that_did_nothing_is_made_again(
    fake: FakeGitHub, home: Fake, api: Repository, kind: str
) -> None:
    fake.fault("POST", "/check-runs$", kind, times=2)
    run = api.create_run(body(home.head()))
    assert [held.id for held in home.checks(home.head())] == [run.id]


def messages(home: Fake) -> list[str]:
    (run,) = home.checks(home.head())
    return [note["message"] for note in run.annotations]


def test_annotations_go_in_batches_and_the_last_concludes(
    fake: FakeGitHub, home: Fake, api: Repository
) -> None:
    run = api.create_run(body(home.head(), 120))
    (held,) = home.checks(home.head())
    assert messages(home) == [f"m{n}" for n in range(120)]
    assert held.history == [("in_progress", None), ("completed", "failure")]
    assert (run.annotations, run.conclusion) == (120, "failure")
    sent = [*fake.asked("POST", "/check-runs$"), *fake.asked("PATCH", "/check-runs/")]
    assert [len(r.body["output"].get("annotations", ())) for r in sent] == [50, 50, 20]


@pytest.mark.parametrize("lost", ["502-after-store", "drop-after-store", "502", "drop"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_lost_update_doubles_no_annotation(
    fake: FakeGitHub, home: Fake, api: Repository, lost: str, skip: int
) -> None:
    head = home.head()
    run = api.create_run(body(head, status="in_progress", conclusion=None))
    for _ in range(skip):
        fake.fault("PATCH", "/check-runs/", "502")
    fake.fault("PATCH", "/check-runs/", lost)
    done = api.update_run(run, body(head, 120))
    assert messages(home) == [f"m{n}" for n in range(120)]
    assert (done.status, done.conclusion, done.annotations) == ("completed", "failure", 120)


def test_the_last_update_lost_concludes_all_the_same(
    fake: FakeGitHub, home: Fake, api: Repository
) -> None:
    head = home.head()
    run = api.create_run(body(head, status="in_progress", conclusion=None))
    fake.fault("PATCH", "/check-runs/", "502-after-store", times=3)
    done = api.update_run(run, body(head, 60))
    assert messages(home) == [f"m{n}" for n in range(60)] and done.conclusion == "failure"


def test_an_update_after_a_crash_goes_on_where_it_was(
    fake: FakeGitHub, home: Fake, api: Repository
) -> None:
    head = home.head()
    stale = api.create_run(body(head, status="in_progress", conclusion=None))
    fake.fault("PATCH", "/check-runs/", "403-secondary").times = 0
    fake.faults.clear()
    api.update_run(stale, body(head, 50))
    done = api.update_run(stale, body(head, 70))  # `stale` says that nothing is shown
    assert messages(home) == [f"m{n}" for n in range(70)] and done.annotations == 70


def test_a_run_without_an_external_id_is_refused(home: Fake, api: Repository) -> None:
    with pytest.raises(Refused, match="external id"):
        api.create_run(body(home.head(), external_id=""))


def test_githubs_no_is_repeated_shortly(fake: FakeGitHub, home: Fake, api: Repository) -> None:
    with pytest.raises(Refused, match="maximum is 255") as caught:
        api.create_run(body(home.head(), title="x" * 256))
    assert len(caught.value.message) < 500
    assert fake.violations
    fake.violations.clear()


# Comments


@pytest.fixture
def talk(home: Fake) -> Fake:
    home.pull("mallory", "b", {"x": "1"})
    return home


def test_comments(fake: FakeGitHub, talk: Fake, api: Repository) -> None:
    made = api.create_comment(1, f"{MARK}\nhello", MARK)
    assert made.author == api.line.identity().bot
    assert api.comment(made.id) == made
    changed = api.update_comment(made.id, f"{MARK}\nbye")
    assert changed.body == f"{MARK}\nbye" and len(talk.thread(1)) == 1
    talk.delete(talk.thread(1)[0])
    assert api.comment(made.id) is None
    with pytest.raises(NotFound):
        api.update_comment(made.id, "x")


def test_a_marker_of_somebody_else_is_not_ours(talk: Fake, api: Repository) -> None:
    talk.comment(1, "mallory", f"{MARK} mine")
    made = api.create_comment(1, f"{MARK} ours", MARK)
    assert made.body == f"{MARK} ours" and len(talk.thread(1)) == 2
    assert api.create_comment(1, f"{MARK} later", MARK).id == made.id


@pytest.mark.parametrize("lost", ["502-after-store", "drop-after-store"])
def test_a_lost_answer_makes_no_second_comment(
    fake: FakeGitHub, talk: Fake, api: Repository, lost: str
) -> None:
    fake.fault("POST", "/comments$", lost)
    made = api.create_comment(1, f"{MARK} hello", MARK)
    assert [comment.id for comment in talk.thread(1)] == [made.id]
    assert len(fake.asked("POST", "/comments$")) == 1


@pytest.mark.parametrize("kind", ["502", "502-after-store", "drop", "garbage"])
def test_an_edit_is_made_again(fake: FakeGitHub, talk: Fake, api: Repository, kind: str) -> None:
    made = api.create_comment(1, f"{MARK} hello", MARK)
    fault = fake.fault("PATCH", "/comments/", kind)
    assert api.update_comment(made.id, f"{MARK} again").body == f"{MARK} again"
    assert fault.hits == 1 and talk.thread(1)[0].body == f"{MARK} again"


def test_more_than_a_page_of_comments(fake: FakeGitHub, talk: Fake, api: Repository) -> None:
    for number in range(230):
        talk.comment(1, "mallory", str(number))
    made = api.create_comment(1, f"{MARK} last", MARK)
    assert [c.body for c in api.comments(1)] == [*map(str, range(230)), f"{MARK} last"]
    assert api.create_comment(1, f"{MARK} last", MARK).id == made.id
    assert len(talk.thread(1)) == 231


def test_a_comment_without_its_marker_is_refused(talk: Fake, api: Repository) -> None:
    for marker in ("", MARK):
        with pytest.raises(Refused, match="marker"):
            api.create_comment(1, "hello", marker)
    assert not talk.thread(1)


# Limits and outages


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("429-bare", 60, 76), ("403-secondary", 60, 60), ("403-secondary-bare", 60, 76),
        ("403-primary", 60, 62),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_limit_parks_at_once(
    fake: FakeGitHub, talk: Fake, api: Repository, verb: str, kind: str, low: float, high: float
) -> None:
    fault = fake.fault(verb, "/issues/1/comments$", kind, times=9)
    before = time.time()
    with pytest.raises(Limited) as caught:
        api.create_comment(1, f"{MARK} hello", MARK)
    assert fault.hits == 1 and not talk.thread(1)
    assert low - 2 <= caught.value.until - before <= high + 5
    fake.faults.clear()
    assert api.create_comment(1, f"{MARK} hello", MARK) and len(talk.thread(1)) == 1


def test_a_limit_while_minting_parks_too(fake: FakeGitHub, api: Repository) -> None:
    fake.fault("POST", "access_tokens", "403-secondary")
    with pytest.raises(Limited):
        api.token()


@pytest.mark.parametrize("kind", ["500", "502", "503", "drop", "garbage"])
def test_reading_survives_a_short_outage(
    fake: FakeGitHub, talk: Fake, api: Repository, kind: str
) -> None:
    fake.fault("GET", "/pulls/1$", kind, times=2)
    fake.fault("POST", "access_tokens", kind)
    assert api.pull(1).number == 1


@pytest.mark.parametrize("kind", ["503", "drop"])
def test_an_outage_that_lasts(fake: FakeGitHub, talk: Fake, api: Repository, kind: str) -> None:
    api.token()
    fake.fault("GET", ".*", kind, times=99)
    with pytest.raises(Unavailable):
        api.pull(1)
    assert len(fake.asked("GET", "/pulls/1$")) == 4  # nobody below us asks again


def test_threads_share_no_connection(
    fake: FakeGitHub, talk: Fake, api: Repository, hub: GitHub
) -> None:
    """PyGithub keeps the next request on its connection: a shared one sends another's."""
    made = [talk.comment(1, "mallory", str(number)).id for number in range(4)]
    together = Barrier(4, timeout=10)

    def ask(number: int) -> tuple[str, int]:
        together.wait()
        found = api.comment(made[number])
        together.wait()
        return found.body if found else "", id(hub._requester)

    with ThreadPoolExecutor(4) as threads:
        answers, used = zip(*threads.map(ask, range(4)), strict=True)
    assert answers == ("0", "1", "2", "3") and len(set(used)) == 4


def test_connections_are_kept(fake: FakeGitHub, talk: Fake, api: Repository) -> None:
    api.pull(1)
    first = api.line.hub._requester._Requester__connection  # type: ignore[attr-defined]
    api.pull(1)
    assert api.line.hub._requester._Requester__connection is first  # type: ignore[attr-defined]


def test_nobody_there(fake: FakeGitHub) -> None:
    hub = GitHub(1, fake.app.key, url="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="no answer"):
        hub.hook()
    hub.close()
