from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.serve.access import viewer
from tests.bot.serve.serving import settings

TOKEN = "0123456789-the-token-é"
HERE = {"host": "127.0.0.1:8000"}


def basic(word: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(word.encode()).decode()}


@pytest.mark.parametrize(
    ("given", "headers", "all_", "tiny"),
    [
        ({}, HERE, True, True),
        ({}, {"host": "localhost"}, True, True),
        ({}, {"host": "[::1]:8000"}, True, True),
        ({}, {}, False, False),
        ({}, {"host": "evil.example"}, False, False),  # a name that was rebound to 127.0.0.1
        ({}, {"host": "127.0.0.1.evil.example"}, False, False),
        ({}, HERE | {"x-forwarded-for": "203.0.113.9"}, False, False),
        ({}, HERE | {"via": "1.1 proxy"}, False, False),
        ({"host": "0.0.0.0"}, HERE, False, False),
        ({"public_url": "https://warden.example"}, HERE, False, False),
        ({"host": "0.0.0.0", "public_repositories": "Acme/Tiny"}, {}, False, True),
        ({"host": "0.0.0.0", "public_repositories": "acme/other"}, {}, False, False),
        ({"host": "0.0.0.0", "public_repositories": "*"}, {}, False, True),
        ({"status_token": TOKEN}, HERE, False, False),
        ({"status_token": TOKEN}, {"authorization": f"Bearer {TOKEN}"}, True, True),
        ({"status_token": TOKEN}, {"authorization": f"bearer  {TOKEN} "}, True, True),
        ({"status_token": TOKEN}, {"authorization": f"Bearer {TOKEN}x"}, False, False),
        ({"status_token": TOKEN}, {"authorization": "Bearer "}, False, False),
        ({"status_token": TOKEN}, {"authorization": TOKEN}, False, False),
        ({"status_token": TOKEN}, {"authorization": f"Digest {TOKEN}"}, False, False),
        ({"status_token": TOKEN}, basic(f"anybody:{TOKEN}"), True, True),
        ({"status_token": TOKEN}, basic(f":{TOKEN}"), True, True),
        ({"status_token": TOKEN}, basic(TOKEN), False, False),
        ({"status_token": TOKEN}, basic("anybody:"), False, False),
        ({"status_token": TOKEN}, {"authorization": "Basic %%%"}, False, False),
        ({"status_token": TOKEN}, {"authorization": "Basic \xff\xfe"}, False, False),
        ({"status_token": TOKEN}, {"authorization": "Basic /w=="}, False, False),
    ],
)
def test_who_sees_what(
    tmp_path: Path, given: dict[str, Any], headers: Mapping[str, str], all_: bool, tiny: bool
) -> None:
    if "status_token" in given:
        given = given | {"status_token": SecretStr(given["status_token"])}
    seen_by = viewer(settings(tmp_path, **given), headers)
    assert (seen_by.all, seen_by.sees("acme/tiny")) == (all_, tiny)
