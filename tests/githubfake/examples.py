"""The real webhook payloads of npm `@octokit/webhooks-examples`."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "github" / "webhooks.json.xz"


def payloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """(event, payload) of every example, in the package's order."""
    for event in json.loads(lzma.decompress(DATA.read_bytes())):
        for payload in event["examples"]:
            yield event["name"], payload
