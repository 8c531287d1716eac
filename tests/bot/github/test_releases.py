"""Releases against a GitHub over real HTTP: cut uploads, killed attempts, and other people."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import stamina

from bot.errors import UsageError
from bot.github import announcing, given, releases, uploads
from bot.github.errors import (
    Denied,
    Foreign,
    GitHubError,
    Limited,
    NotFound,
    Refused,
    Unavailable,
)
from bot.github.released import Found, mark
from bot.github.releases import Releases
from bot.github.transport import Reply
from bot.github.uploads import Part
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.records import Asset, Release
from tests.githubfake.repository import Repository as Fake

TOKEN = "ghs_" + "7Hq2" * 9
RIGHTS = {"contents": "write", "metadata": "read", "pull_requests": "write", "checks": "read"}
TAG = "v1.2.0"


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
def home(fake: FakeGitHub) -> Fake:
    made = fake.repository("acme/tiny")
    fake.tokens[TOKEN] = Token(
        TOKEN, fake.user(given.ACTIONS, "Bot"), float("inf"), fake.installation(made),
        dict(RIGHTS), (made.id,),
    )  # fmt: skip
    return made


def opened(fake: FakeGitHub, prefix: str = "") -> Releases:
    url = fake.url + prefix
    return Releases(given.repository(url, TOKEN, "acme/tiny"), url)


@pytest.fixture
def hub(fake: FakeGitHub, home: Fake) -> Iterator[Releases]:
    made = opened(fake)
    yield made
    line = made.at.line
    assert isinstance(line, given.Given)
    line.connection.close()


def parts(folder: Path, *names: str, size: int = 100_000) -> tuple[Part, ...]:
    """Parts of one file, each `size` bytes long and unlike the others."""
    path = folder / "model.safetensors"
    data = b"".join(bytes([n + 1]) * size for n, _ in enumerate(names))
    path.write_bytes(data)
    return tuple(
        Part(name, path, n * size, size,
             hashlib.sha256(data[n * size : (n + 1) * size]).hexdigest())
        for n, name in enumerate(names)
    )  # fmt: skip


def drafted(hub: Releases, home: Fake) -> Found:
    return hub.draft(TAG, home.head(), "Small 1.2.0", "What is new.")


def tag(home: Fake, name: str = TAG, commit: str = "") -> None:
    home.bare.point(f"refs/tags/{name}", commit or home.head())


def one(home: Fake) -> Release:
    (found,) = home.releases
    return found


def whole(home: Fake, wanted: tuple[Part, ...]) -> None:
    """The release has each part once, byte for byte."""
    there = {a.name: (a.state, hashlib.sha256(a.data).hexdigest()) for a in one(home).assets}
    assert len(there) == len(one(home).assets)
    assert there == {part.name: ("uploaded", part.sha256) for part in wanted}


def test_a_release_is_drafted_filled_proven_and_published(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    wanted = parts(tmp_path, "model.part-0001", "model.part-0002", "SHA256SUMS")
    assert hub.look(TAG) is None
    found = drafted(hub, home)
    assert found.draft and found.commit == home.head()
    said: list[str] = []
    held = hub.upload(found, wanted, said.append)
    assert [a.sha256 for a in held] == [p.sha256 for p in wanted]
    assert said[0] == "1 of 3: model.part-0001, 100,000 bytes"
    whole(home, wanted)
    assert one(home).draft and hub.look(TAG) == hub.state(TAG).release
    tag(home)
    out = hub.publish(found, latest=True)
    assert not out.draft and home.latest == out.id and home.tags_made == []
    assert one(home).body == f"What is new.\n\n{mark(home.head())}"
    # Again, from the first step on, changes nothing.
    before = len(fake.requests)
    again = drafted(hub, home)
    assert hub.upload(again, wanted) == held
    assert hub.publish(again, latest=True).id == out.id
    assert {seen.method for seen in fake.requests[before:]} == {"GET"}


def test_an_older_version_or_a_prerelease_is_not_shown_first(home: Fake, hub: Releases) -> None:
    for name, latest, prerelease, shown in (
        ("v2.0.0", True, False, "v2.0.0"),
        ("v1.9.1", False, False, "v2.0.0"),
        ("v2.1.0-rc1", True, True, "v2.0.0"),
        ("v2.1.0", True, False, "v2.1.0"),
    ):
        tag(home, name)
        made = hub.draft(name, home.head(), name, "", prerelease=prerelease)
        hub.publish(made, latest=latest)
        assert next(r.tag for r in home.releases if r.id == home.latest) == shown
        (*_, asked) = home.hub.asked("PATCH")
        assert asked.body["make_latest"] == ("true" if shown == name else "false")


@pytest.mark.parametrize("prefix", ["", "/api/v3"])
@pytest.mark.parametrize(
    "kind", ["cut", "502", "502-after-store", "drop", "drop-after-store", "429-bare"]
)
def test_an_upload_that_fails_once_is_made_good(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path, kind: str, prefix: str
) -> None:
    fake.wait = 1
    wanted = parts(tmp_path, "a.bin", "b.bin", size=3_000_000)
    hub = opened(fake, prefix)
    found = drafted(hub, home)
    struck = fake.fault("POST", "/assets$", kind, skip=1)
    hub.upload(found, wanted)
    assert struck.hits == 1
    whole(home, wanted)
    assert len(fake.asked("POST", "/assets$")) <= 3
    hub.at.line.connection.close()  # type: ignore[attr-defined]


def test_a_short_limit_is_waited_for(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    fake.wait = 1
    found = drafted(hub, home)
    fake.fault("POST", "/assets$", "403-secondary")
    wanted = parts(tmp_path, "a.bin")
    hub.upload(found, wanted)
    whole(home, wanted)


def test_a_long_limit_ends_it_and_the_next_run_goes_on(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    fake.wait = 3_000
    wanted = parts(tmp_path, "a.bin", "b.bin", "c.bin")
    found = drafted(hub, home)
    fake.fault("POST", "/assets$", "403-secondary", skip=2)
    with pytest.raises(Limited):
        hub.upload(found, wanted)
    kept = [a.id for a in one(home).assets]
    assert len(kept) == 2
    hub.upload(drafted(hub, home), wanted)
    assert [a.id for a in one(home).assets][:2] == kept  # not sent again
    whole(home, wanted)


def test_what_was_cut_before_a_kill_is_sent_anew_and_the_rest_is_kept(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    wanted = parts(tmp_path, "a.bin", "b.bin", "c.bin")
    found = drafted(hub, home)
    hub.upload(found, wanted)
    a, b, c = one(home).assets
    b.state, b.data = "open", b""
    c.data = b"\0" * 100_000  # the same size, other bytes: an earlier attempt's
    c.digest = hashlib.sha256(c.data).hexdigest()
    one(home).assets.append(Asset(fake.next_id(), "old.bin", b"x", "", "uploaded", "", 0.0))
    assert hub.verify(found, wanted) == ("b.bin", "c.bin")
    hub.upload(found, wanted)
    whole(home, wanted)
    assert a in one(home).assets and b not in one(home).assets


def test_a_name_that_is_taken_but_not_listed_yet(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    """422 already_exists: what a lost answer left is there since the look."""
    wanted = parts(tmp_path, "a.bin")
    found = drafted(hub, home)
    half = Asset(fake.next_id(), "a.bin", b"", "", "open", "", 0.0)
    listed = f"/releases/{found.id}/assets$"
    fake.fault("GET", listed, "call-soon", skip=1, then=lambda: one(home).assets.append(half))
    fake.fault("POST", "/assets$", "slow")  # it is there before ours is
    hub.upload(found, wanted)
    whole(home, wanted)
    assert [seen.status for seen in fake.asked("POST", "/assets$")] == [422, 201]


def test_without_digests_the_bytes_are_read_back_without_the_token(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    fake.digests = False
    wanted = parts(tmp_path, "a.bin", "b.bin")
    found = drafted(hub, home)
    hub.upload(found, wanted)
    assert len(fake.asked("GET", "^/storage/")) == 2
    stored = one(home).assets[1]
    stored.data = stored.data[:-1] + b"\0"
    assert hub.verify(found, wanted) == ("b.bin",)
    hub.upload(found, wanted)
    whole_of = {a.name: hashlib.sha256(a.data).hexdigest() for a in one(home).assets}
    assert whole_of == {p.name: p.sha256 for p in wanted}


@pytest.mark.parametrize("digests", [True, False])
def test_bytes_that_github_keeps_wrong_are_sent_again_once(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path, digests: bool
) -> None:
    fake.digests = digests
    wanted = parts(tmp_path, "a.bin", "b.bin")
    found = drafted(hub, home)
    fake.corrupts = 1
    hub.upload(found, wanted)
    assert hub.verify(found, wanted) == ()
    home.releases[0].assets.clear()
    fake.corrupts = 2 * len(wanted)
    with pytest.raises(Unavailable, match=r"other bytes than were sent: a\.bin, b\.bin"):
        hub.upload(found, wanted)
    assert one(home).draft


def test_a_large_asset_is_not_held_in_memory(home: Fake, tmp_path: Path) -> None:
    (part,) = parts(tmp_path, "a.bin", size=64_000_000)
    tracemalloc.start()
    try:
        reader = uploads.Reader(part)
        sent = sum(map(len, reader))
        reader.close()
        assert sent == part.size and tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b"\7" * 300_000), "changed while it was sent"),
        (lambda path: path.write_bytes(b"\1"), "changed while it was sent"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "cannot be read"),
    ],
)
def test_other_bytes_than_planned_are_never_sent_whole(
    home: Fake, hub: Releases, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    wanted = parts(tmp_path, "a.bin")
    found = drafted(hub, home)
    spoil(wanted[0].path)
    with pytest.raises(Refused, match=words):
        hub.upload(found, wanted)
    assert one(home).assets == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": "model/a.bin"}, {"name": ".hidden"}, {"name": "a b"}, {"name": "ä"},
        {"name": "a."}, {"name": ""}, {"name": "a" * 256}, {"size": 0}, {"size": 2**31},
    ],
)  # fmt: skip
def test_what_github_would_change_or_refuse_is_not_sent(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path, change: dict[str, object]
) -> None:
    (part,) = parts(tmp_path, "a.bin")
    with pytest.raises(Refused):
        hub.upload(drafted(hub, home), (replace(part, **change),))  # type: ignore[arg-type]
    assert not fake.asked("POST", "/assets$")


# Where the token may go


@pytest.mark.parametrize(
    ("api", "said", "good"),
    [
        ("https://api.github.com", "https://uploads.github.com/repos/o/r/releases/7/assets", True),
        ("https://api.github.com", "https://uploads.github.com/repos/O/R/releases/7/assets", True),
        ("https://api.x.ghe.com", "https://uploads.x.ghe.com/repos/o/r/releases/7/assets", True),
        ("https://g.example/api/v3",
         "https://g.example/api/uploads/repos/o/r/releases/7/assets", True),
        ("https://api.github.com", "https://evil.example/repos/o/r/releases/7/assets", False),
        ("https://api.github.com", "http://uploads.github.com/repos/o/r/releases/7/assets", False),
        ("https://api.github.com",
         "https://uploads.github.com:444/repos/o/r/releases/7/assets", False),
        ("https://api.github.com",
         "https://uploads.github.com@evil.example/repos/o/r/releases/7/assets", False),
        ("https://api.github.com",
         "https://me@uploads.github.com/repos/o/r/releases/7/assets", False),
        ("https://api.github.com", "https://uploads.github.com/repos/o/r/releases/8/assets", False),
        ("https://api.github.com", "https://uploads.github.com/repos/o/x/releases/7/assets", False),
        ("https://api.github.com",
         "https://uploads.github.com/repos/o/r/releases/7/assets?name=x", False),
        ("https://api.x.ghe.com", "https://uploads.y.ghe.com/repos/o/r/releases/7/assets", False),
        ("https://g.example/api/v3",
         "https://uploads.github.com/repos/o/r/releases/7/assets", False),
        ("https://api.github.com", "", False),
    ],
)  # fmt: skip
def test_the_token_goes_to_githubs_own_hosts_only(api: str, said: str, good: bool) -> None:
    said += "{?name,label}"
    if good:
        assert uploads.address(api, said, "o/r", 7) == said.partition("{")[0]
        return
    with pytest.raises(Foreign, match="address for uploads"):
        uploads.address(api, said, "o/r", 7)


# Killed attempts and other people


def test_drafts_of_killed_attempts_become_one(home: Fake, hub: Releases) -> None:
    first = drafted(hub, home)
    home.releases.insert(0, replace(home.releases[0], id=home.hub.next_id()))
    stale = mark("b" * 40)
    home.releases.append(replace(home.releases[0], id=home.hub.next_id(), body=stale))
    home.releases.append(replace(home.releases[0], id=home.hub.next_id(), tag="v9"))
    found = hub.state(TAG)
    assert found.release == first and len(found.spare) == 2
    assert drafted(hub, home) == first
    assert [r.tag for r in home.releases] == [TAG, "v9"]
    assert hub.remove_draft(TAG) == 1 and hub.remove_draft(TAG) == 0
    assert [r.tag for r in home.releases] == ["v9"]


@pytest.mark.parametrize("kind", ["502-after-store", "drop-after-store", "502", "drop"])
def test_a_lost_answer_makes_no_second_draft(
    fake: FakeGitHub, home: Fake, hub: Releases, kind: str
) -> None:
    fake.fault("POST", "/releases$", kind)
    drafted(hub, home)
    assert len(home.releases) == 1


def test_a_draft_of_another_commit_is_brought_up_to_date(home: Fake, hub: Releases) -> None:
    first = drafted(hub, home)
    home.commit({"b": "2"})
    second = drafted(hub, home)
    assert (second.id, second.commit, second.target) == (first.id, home.head(), home.head())


@pytest.mark.parametrize("draft", [True, False])
def test_what_somebody_else_made_is_not_touched(
    fake: FakeGitHub, home: Fake, hub: Releases, draft: bool
) -> None:
    now = fake.clock.now()
    theirs = Release(9, TAG, "main", "Notes", "by hand", draft, False, fake.user("ann"), now)
    home.releases.append(theirs)
    acts: tuple[Callable[[], object], ...] = (lambda: hub.look(TAG), lambda: drafted(hub, home))
    for act in acts:
        with pytest.raises(Foreign, match=r"of v1\.2\.0 is on GitHub that is not of this release"):
            act()
    assert home.releases == [theirs] and len(hub.state(TAG).foreign) == 1
    assert hub.remove_draft(TAG) == 0
    assert not fake.asked("POST") and not fake.asked("DELETE") and not fake.asked("PATCH")


def test_a_draft_deleted_meanwhile_is_one_message(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    wanted = parts(tmp_path, "a.bin", "b.bin")
    for skip, acts in ((0, "POST"), (1, "GET")):
        found = drafted(hub, home)
        fake.fault(acts, "/assets$", "call-before", skip=skip, then=home.releases.clear)
        with pytest.raises(NotFound, match=r"v1\.2\.0 on GitHub was deleted meanwhile") as caught:
            hub.upload(found, wanted)
        assert "run the release again" in caught.value.hint
    hub.upload(drafted(hub, home), wanted)
    whole(home, wanted)
    found = drafted(hub, home)
    home.releases.clear()
    with pytest.raises(NotFound, match="deleted meanwhile"):
        hub.publish(found, latest=True)


def test_published_meanwhile_by_somebody_else(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    wanted = parts(tmp_path, "a.bin", "b.bin")
    tag(home)
    found = drafted(hub, home)  # our own draft, by a press of a button: it is filled all the same
    one(home).draft = False
    hub.upload(found, wanted)
    assert not hub.publish(found, latest=True).draft
    whole(home, wanted)
    # Another release of the tag: one message, and no second release.
    home.releases.clear()
    found = drafted(hub, home)
    now = fake.clock.now()
    home.releases.append(Release(9, TAG, "main", "", "by hand", False, False, fake.user("a"), now))
    with pytest.raises(Foreign, match="not of this release"):
        hub.publish(found, latest=True)
    assert [r.draft for r in home.releases] == [True, False]


def test_our_release_of_another_commit_is_not_touched(home: Fake, hub: Releases) -> None:
    found = drafted(hub, home)
    one(home).draft = False
    home.commit({"b": "2"})
    with pytest.raises(Foreign, match="not of this release"):
        drafted(hub, home)
    assert one(home).target == found.commit


def test_a_draft_that_somebody_made_their_own_is_not_published(home: Fake, hub: Releases) -> None:
    tag(home)
    found = drafted(hub, home)
    one(home).body = "My own words"
    with pytest.raises(Foreign, match="a draft of"):
        hub.publish(found, latest=True)
    assert one(home).draft


def test_an_immutable_release_that_lacks_assets_is_an_error(
    home: Fake, hub: Releases, tmp_path: Path
) -> None:
    wanted = parts(tmp_path, "a.bin")
    found = drafted(hub, home)
    one(home).draft, one(home).immutable = False, True
    with pytest.raises(Refused, match="immutable"):
        hub.upload(found, wanted)


def test_nothing_is_published_without_its_tag(home: Fake, hub: Releases) -> None:
    found = drafted(hub, home)
    with pytest.raises(Foreign, match=r"tag v1\.2\.0 is not there"):
        hub.publish(found, latest=True)
    old = home.head()
    tag(home, commit=home.commit({"b": "2"}))
    with pytest.raises(Foreign, match=f"is at {home.head()[:12]}, the release is of {old[:12]}"):
        hub.publish(found, latest=True)
    assert one(home).draft and home.tags_made == []


def test_an_annotated_tag_is_its_commit(home: Fake, hub: Releases) -> None:
    home.bare.git("tag", "-a", "-m", "x", "acme/small@v1.0#x", home.head())
    assert hub.tagged("acme/small@v1.0#x") == home.head()
    assert hub.tagged("v0") == ""


def test_a_token_that_may_only_read_says_so(fake: FakeGitHub, home: Fake, hub: Releases) -> None:
    fake.tokens[TOKEN].permissions["contents"] = "read"
    with pytest.raises(Denied, match="not accessible"):
        drafted(hub, home)
    drafted_before = Release(9, TAG, "", "", mark("a" * 40), True, False, fake.user("a"), 0.0)
    home.releases.append(drafted_before)
    assert hub.look(TAG) is None  # who may not write sees no draft


def test_the_token_is_in_no_message(
    fake: FakeGitHub, home: Fake, hub: Releases, tmp_path: Path
) -> None:
    found = drafted(hub, home)
    fake.fault("POST", "/assets$", "drop", times=99)
    with pytest.raises(GitHubError) as caught:
        hub.upload(found, parts(tmp_path, "a.bin"))
    assert TOKEN not in f"{caught.value}{caught.value.hint}{caught.value!r}{hub!r}"


def test_here_is_the_job_or_a_person(
    fake: FakeGitHub, home: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_ACTIONS", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", fake.url)
    with pytest.raises(UsageError, match="no token"):
        releases.here("acme/tiny")
    home.grant("ann", "maintain")
    monkeypatch.setenv("GITHUB_TOKEN", fake.user_token("ann"))
    assert releases.here("acme/tiny").at.line.identity().bot.login == "ann"
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/tiny")
    assert releases.here().at.line.identity().bot.login == given.ACTIONS


# The announcement


def test_a_release_is_announced_once_and_edited(
    fake: FakeGitHub, home: Fake, hub: Releases
) -> None:
    number = home.pull(files={"a.py": "1\n"}).number
    home.comment(number, "mallory", f"{announcing.marker(TAG)}\nmine")
    fake.fault("POST", "/comments$", "drop-after-store")
    made = announcing.announce(hub.at, number, TAG, "Released as v1.2.0.")
    assert announcing.announce(hub.at, number, TAG, "Released as v1.2.0.\n") == made
    announcing.announce(hub.at, number, "v1.2.1", "Released as v1.2.1.")
    announcing.announce(hub.at, number, TAG, "Withdrawn.")
    bodies = [c.body.partition("\n")[2].strip() for c in home.thread(number)]
    assert bodies == ["mine", "Withdrawn.", "Released as v1.2.1."]
    assert announcing.announced(hub.at, number, "v3") is None
    found = announcing.announced(hub.at, number, TAG)
    assert found is not None
    home.delete(home.comments[found.id])
    announcing.announce(hub.at, number, TAG, "x" * 90_000)
    assert len(home.thread(number)[-1].body) < 65_536


@pytest.mark.parametrize("to", ["http://storage.example/x", "file:///etc/passwd", "ftp://x/y"])
def test_a_download_is_not_led_away_from_tls(to: str) -> None:
    with pytest.raises(Foreign, match="without TLS"):
        uploads._onward("https://api.github.com/x", Reply(302, {"location": to}))
    url = uploads._onward("https://api.github.com/x", Reply(302, {"location": "/y"}))
    assert url == "https://api.github.com/y"
