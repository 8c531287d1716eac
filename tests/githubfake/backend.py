"""Git over HTTP: the real `git http-backend` as a CGI program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.gitrepo import environment

SECONDS = 60


def run(
    root: Path, method: str, path: str, query: str, headers: dict[str, str], body: bytes,
    user: str = "",
) -> tuple[int, dict[str, str], bytes]:  # fmt: skip
    """Answer one request of a git client below `root`, whose folders are OWNER/NAME.git.

    `user` is who may push, "" for nobody.
    """
    env = environment() | {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
        **({"REMOTE_USER": user} if user else {}),
    }
    done = subprocess.run(
        ["git", "http-backend"], env=env, input=body, capture_output=True, timeout=SECONDS
    )
    head, _, data = done.stdout.partition(b"\r\n\r\n")
    status, found = 200, {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split()[0])
        elif name:
            found[name] = value
    return (status, found, data) if head else (500, {}, done.stderr)
