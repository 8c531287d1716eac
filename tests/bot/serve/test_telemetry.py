from __future__ import annotations

import logging

import pytest
from pydantic import SecretStr

from bot.serve import logs
from bot.serve.clockwork import Clockwork
from bot.serve.errors import StoreError
from bot.serve.telemetry import Telemetry
from tests.bot.serve.serving import KEY, SECRET, Queue, settings


class Put(Queue):
    """Jobs that only remember what was put."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.away = False

    def put(self, kind: str, key: str, payload: object, *, author: int = 0, repo: int = 0) -> None:
        if self.away:
            raise StoreError("away", "wait")
        self.keys.append(f"{kind} {key}")


def test_labels_are_ours_alone() -> None:
    counted = Telemetry()
    for event in ("push", "x" * 5000, "", 'a"} 1\nevil 2'):
        counted.delivery(event, "accepted")
    text = counted.text(()).decode()
    assert 'event="other",outcome="accepted"} 3.0' in text and "evil" not in text
    assert 'event="push",outcome="accepted"} 1.0' in text


def test_two_servers_in_one_process_count_apart() -> None:
    one, other = Telemetry(), Telemetry()
    one.error("github")
    one.mirrors(77)
    assert b'modelwarden_errors_total{part="github"} 1.0' in one.text(())
    assert b"modelwarden_mirror_bytes 77.0" in one.text(())
    assert b'part="github"' not in other.text(())


def test_minutes_never_go_back() -> None:
    counted = Telemetry()
    counted.spent(-5.0)
    counted.spent(1.5)
    assert b"modelwarden_gpu_minutes_total 1.5" in counted.text(())


def test_the_log_holds_no_secret(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    counted: list[str] = []
    own, everyone = logging.getLogger("modelwarden"), logging.getLogger()
    before = own.handlers, own.propagate, own.level, everyone.handlers, everyone.level
    token = "gh" + "s_" + "a1B2" * 9
    given = settings(
        tmp_path_factory.mktemp("log"),
        status_token=SecretStr("a-token-of-the-pages"),
        database=SecretStr("postgresql://bot:hunter2hunter2@db/warden"),
    )
    try:
        logs.configure(given, counted.append)
        log = logging.getLogger("modelwarden.jobs")
        log.info("%s %s %s", SECRET, KEY, "a-token-of-the-pages")
        log.info("a line\nforged line\x1b[31m\r")
        try:
            raise ValueError(f"{token} and postgresql://bot:hunter2hunter2@db/warden")
        except ValueError:
            log.exception("it broke")
        logging.getLogger("uvicorn.error").warning("of a library: %s", token)
        logging.getLogger("uvicorn.error").info("not shown")
    finally:
        own.handlers, own.propagate, everyone.handlers = before[0], before[1], before[3]
        own.setLevel(before[2])
        everyone.setLevel(before[4])
    said = capsys.readouterr().err
    for secret in (SECRET, "AAAA", "a-token-of-the-pages", token, "hunter2", "\x1b", "\r"):
        assert secret not in said, secret
    assert "\n  forged line" in said and "it broke" in said and "of a library" in said
    assert "not shown" not in said and counted == ["jobs"]


def test_timed_jobs_are_put_once_in_their_time() -> None:
    now = [1_790_000_000.0]
    jobs, tidied = Put(), list[float]()
    work = Clockwork(jobs, tidied.append, clock=lambda: now[0])
    work.tick()
    work.tick()
    assert jobs.keys == ["sweep start-1790000000", "watch 5966666"]
    assert tidied == [1_790_000_000.0]
    now[0] += 300
    work.tick()
    now[0] += 3600
    work.tick()
    assert jobs.keys[2:] == ["watch 5966667", "sweep 497223", "watch 5966679"]
    now[0] += 86400
    work.tick()
    assert len(tidied) == 2


def test_what_could_not_be_put_is_still_due() -> None:
    jobs = Put()
    work = Clockwork(jobs, lambda now: None, clock=lambda: 1_790_000_000.0)
    jobs.away = True
    with pytest.raises(StoreError):
        work.tick()
    jobs.away = False
    work.tick()
    assert [key.split()[0] for key in jobs.keys] == ["sweep", "watch"]
