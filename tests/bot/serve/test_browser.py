"""The pages in a real browser: what is there without scripts, and that nothing overflows."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.github.values import Repo
from bot.report.markup import Safe
from bot.serve.contract import Point, Waiting
from bot.serve.shell import HEADERS, page
from tests.bot.serve import rows
from tests.bot.serve.rows import AT, judged
from tests.bot.serve.serving import Served, serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the package chromium")

NARROW = 500  # pixels; a headless window is never narrower
LONG = "a-very-long-name-without-any-place-to-break-" * 6
PAGES = ("/", "/queue", "/r/acme/bad", "/r/acme/bad/pull/7", "/r/acme/bad/events")
PROBE = "document.title='script ran'"


def browse(url: str, folder: Path, *words: str) -> str:
    """Return the document as the browser holds it after loading."""
    line = [
        str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={folder}/profile", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--disable-component-update",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--timeout=10000", *words, url,
    ]  # fmt: skip
    home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(line, capture_output=True, timeout=60, env=os.environ | home)
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served")) as running:
        running.jobs.jobs = rows.hostile(running.records)
        running.jobs.jobs += (Waiting("k", "judge", "web", 3, AT, f"acme/{LONG}#7", LONG),)
        running.records.keep(judged(9, repo=Repo(66, "acme/bad", 3, LONG), title=LONG))
        running.records.measured(tuple(Point(66, f"{i:040x}", AT + i, LONG, i) for i in range(40)))
        yield running


@pytest.mark.parametrize("path", PAGES)
def test_the_browser_holds_what_was_sent(served: Served, tmp_path: Path, path: str) -> None:
    held = browse(served.url + path, tmp_path, "--dump-dom")
    assert "alert(1)" in held and "<script" not in held and "<img" not in held
    assert '<html lang="en">' in held and "<style>" in held
    assert not re.search(r'<[^>]+ on\w+="', held)


@pytest.mark.parametrize("path", ["/", "/r/acme/bad/pull/7"])
def test_pages_look_the_same_without_javascript(served: Served, tmp_path: Path, path: str) -> None:
    pictures = []
    for words in ((), ("--blink-settings=scriptEnabled=false",)):
        picture = tmp_path / "page.png"
        size = f"--window-size={NARROW},1600"
        browse(served.url + path, tmp_path, f"--screenshot={picture}", size, *words)
        pictures.append(picture.read_bytes())
    assert pictures[0] == pictures[1] and len(pictures[0]) > 20_000


@pytest.mark.parametrize("path", PAGES)
def test_nothing_overflows_a_narrow_window(served: Served, tmp_path: Path, path: str) -> None:
    """The page forbids scripts, so the same text is laid out from a file that may ask its width."""
    text = served.client.get(path).text
    measure = (
        "<script>addEventListener('load',()=>{const d=document.documentElement;"
        "document.title='width '+d.scrollWidth+' of '+d.clientWidth})</script></head>"
    )
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    file = tmp_path / "page.html"
    file.write_text(text.replace("</head>", measure, 1), encoding="utf-8")
    held = browse(f"file://{file}", tmp_path, f"--window-size={NARROW},900", "--dump-dom")
    found = re.search(r"width (\d+) of (\d+)", held)
    assert found is not None
    assert int(found[1]) <= int(found[2]) <= NARROW


def test_the_browser_refuses_scripts_of_a_page(served: Served, tmp_path: Path) -> None:
    """Were text ever to break out, the policy of the page would still keep it from running."""
    document = page("broken", Safe(f"<script>{PROBE}</script><p>body</p>")).encode()

    class Handler(BaseHTTPRequestHandler):
        strict = True

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            for name, value in HEADERS.items() if self.strict else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as broken:
        threading.Thread(target=broken.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{broken.server_address[1]}/"
        try:
            assert "<title>script ran" not in browse(url, tmp_path, "--dump-dom")
            Handler.strict = False
            assert "<title>script ran" in browse(url, tmp_path, "--dump-dom")
        finally:
            broken.shutdown()


def test_the_style_is_applied(served: Served, tmp_path: Path) -> None:
    """The policy names the style by its digest: were it wrong, the page would be bare."""
    picture = tmp_path / "page.png"
    browse(f"{served.url}/healthz", tmp_path, f"--screenshot={picture}", "--window-size=600,400")
    bare = picture.read_bytes()
    browse(served.url, tmp_path, f"--screenshot={picture}", "--window-size=600,400")
    styled = picture.read_bytes()
    assert struct.unpack(">II", styled[16:24]) == (600, 400)
    assert len(styled) > 2 * len(bare)
