"""A real S3 for tests: moto's server, in a process of its own, on the loopback."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import boto3  # type: ignore[import-untyped]

KEYS = {"AWS_ACCESS_KEY_ID": "key-of-the-tests", "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests"}


@dataclass(frozen=True)
class S3:
    """`url` is what `endpointurl` of a DVC remote takes."""

    url: str

    def client(self) -> Any:
        keys = {name.lower(): value for name, value in KEYS.items()}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def free(self, count: int) -> None:
        """Let so many requests through, then refuse whoever has no right to what they ask."""
        data = str(count).encode()
        kind = {"Content-Type": "text/plain"}  # else it takes it for a form
        asked = urllib.request.Request(f"{self.url}/moto-api/reset-auth", data, kind)
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200


@contextlib.contextmanager
def s3() -> Iterator[S3]:
    """Serve until the block ends."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with (
        tempfile.TemporaryFile() as said,  # a pipe that nobody reads would stop it
        subprocess.Popen(command, stdout=said, stderr=said) as server,
    ):
        try:
            while not (found := re.search(rb"Running on (http://\S+)", _all(said))):
                assert server.poll() is None, _all(said)
                time.sleep(0.05)
            yield S3(found[1].decode())
        finally:
            server.kill()


def _all(file: IO[bytes]) -> bytes:
    return os.pread(file.fileno(), 100_000, 0)
