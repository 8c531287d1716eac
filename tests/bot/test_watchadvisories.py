from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot import watchadvisories
from bot.cli import cli
from bot.errors import UsageError
from registry.advisories.database import VARIABLE, Database
from registry.advisories.errors import DatabaseError, NoDatabase, SourceError
from registry.licenses.download import IndexUnavailable
from tests.advisorydata import SMALL, database, osv
from tests.gitrepo import Repo

TODAY = datetime.now(UTC).date()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache/advisories.db"))
    return tmp_path / "cache/advisories.db"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(map(json.dumps, SMALL)))
    return path


def watch(*words: str | Path) -> Any:
    return CliRunner().invoke(
        cli, ["watch", "advisories", *map(str, words)], catch_exceptions=False,
        standalone_mode=False,
    )  # fmt: skip


def test_import_and_show(path: Path, lines: Path) -> None:
    done = watch("--update", lines)
    assert done.return_value == 0
    assert done.output.startswith("4 advisories on 2 packages kept\n")
    assert (
        f"advisories of {TODAY} (0 days old), 4 kept in {path}\n  from data.jsonl\n" in done.output
    )
    shown = watch()
    assert shown.return_value == 0
    assert shown.output == done.output.partition("\n")[2]
    said = json.loads(watch("--format", "json").output)
    assert said["path"] == str(path)
    assert (said["age_days"], said["count"], said["source"]) == (0, 4, "data.jsonl")


def test_several_sources_are_one_database(path: Path, lines: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/x.json").write_text(json.dumps(osv("LOCAL-1", "other", ("1",))))
    assert watch("--update", lines, "--update", tmp_path / "own").return_value == 0
    with Database(path) as opened:
        assert opened.entries("other")
        assert opened.entries("leaky")


def test_what_could_not_be_read_is_told_and_ends_with_3(path: Path, tmp_path: Path) -> None:
    data = tmp_path / "bad.jsonl"
    bad: list[Any] = [{}] * (watchadvisories.SHOWN + 2)
    data.write_text("\n".join(map(json.dumps, [*SMALL, *bad])))
    done = watch("--update", data)
    assert done.return_value == 3
    assert "  not read: line 5: an id that is no short word\n" in done.output
    assert "  not read: 2 more\n" in done.output
    assert "could not be read: 12" in done.output
    with Database(path) as opened:
        assert opened.entries("leaky")


def test_the_age_is_that_of_the_commit(path: Path, repo: Repo, lines: Path) -> None:
    commit = repo.commit({"vulns/x.json": json.dumps(SMALL[0])})
    assert watch("--update", repo.path / "vulns").return_value == 0
    with Database(path) as opened:
        assert opened.about.commit == commit
        assert opened.about.date == repo.git("log", "-1", "--format=%cs").strip()


def test_older_data_need_force(path: Path, lines: Path) -> None:
    database(path, dated=TODAY - timedelta(days=3))
    older = str(TODAY - timedelta(days=4))
    with pytest.raises(SourceError, match="newer than these data"):
        watch("--update", lines, "--as-of", older)
    with Database(path) as opened:
        assert opened.about.date == str(TODAY - timedelta(days=3))
    assert watch("--update", lines, "--as-of", older, "--force").return_value == 0
    with Database(path) as opened:
        assert opened.about.date == older
    assert watch("--update", lines).return_value == 0


def test_a_damaged_database_is_told_and_replaced(path: Path, lines: Path) -> None:
    with pytest.raises(NoDatabase):
        watch()
    path.parent.mkdir()
    path.write_bytes(b"x")
    with pytest.raises(DatabaseError):
        watch()
    assert watch("--update", lines).return_value == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--as-of", "2026-01-01"), ("--force",), ("--update", "x", "--as-of", "soon"),
        ("--update", "x", "--as-of", "2999-01-01"),
    ],
)  # fmt: skip
def test_usage(path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as raised:
        watch(*words)
    assert raised.value.hint


@pytest.mark.parametrize(
    "url", ["http://a.example/x.zip", "ftp://a.example/x", "https://u:p@a.example/x", "file:///x"]
)
def test_urls_that_are_not_asked(path: Path, url: str) -> None:
    with pytest.raises(IndexUnavailable):
        watch("--update", url)
    assert not path.exists()


class Served(BaseHTTPRequestHandler):
    data = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.end_headers()
        self.wfile.write(self.data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url(lines: Path) -> Iterator[str]:
    served = type("It", (Served,), {"data": lines.read_bytes()})
    server = HTTPServer(("127.0.0.1", 0), served)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_from_a_server(path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch("--update", f"{url}/PyPI/all.jsonl?token=x").return_value == 0
    with Database(path) as opened:
        assert opened.about.source == "http://127.0.0.1/PyPI/all.jsonl"
    # Without a place it is OSV's.
    monkeypatch.setattr(watchadvisories, "OSV", f"{url}/all.jsonl")
    assert watch("--update", "--force", "--format", "json").return_value == 0
    monkeypatch.setattr(watchadvisories, "LIMIT", 10)
    with pytest.raises(IndexUnavailable):
        watch("--update")


def test_dates_of_commits_are_read_only_from_a_clone(tmp_path: Path) -> None:
    assert watchadvisories._commit(tmp_path) is None
    assert watchadvisories._day("2026-01-02") == date(2026, 1, 2)
