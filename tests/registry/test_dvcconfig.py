from pathlib import Path

import pytest
from dvc.config import Config

from registry.dvcconfig import DvcConfig, Remote, chosen, merge, options, read_config
from registry.errors import PointerError

TEXT = b"""
# ours
[core]
    remote = Origin
    analytics = true
[cache]
    dir = ../shared
['remote "Origin"']
    url = ../store # relative to .dvc
['remote "cloud"']
    region = "eu #1"
    url = s3://bucket/x
    credentialpath = keys.ini
[plots]
    html_template = x
"""


def test_reads_remotes_and_makes_their_paths_absolute() -> None:
    assert read_config(TEXT, Path("/r/.dvc")) == DvcConfig(
        "origin",
        (
            Remote(
                "cloud",
                (
                    ("credentialpath", "/r/.dvc/keys.ini"),
                    ("region", "eu #1"),
                    ("url", "s3://bucket/x"),
                ),
            ),
            Remote("origin", (("url", "/r/store"),)),
        ),
        "/r/shared",
    )


def test_dvc_takes_the_options_as_they_are() -> None:
    found = Config(config=options(read_config(TEXT, Path("/r/.dvc"))))
    assert found["remote"]["cloud"]["credentialpath"] == "/r/.dvc/keys.ini"
    assert found["remote"]["cloud"]["region"] == "eu #1"
    assert found["remote"]["origin"]["url"] == "/r/store"


A, B = (Remote(name, (("url", "s3://b"),)) for name in "ab")


@pytest.mark.parametrize(
    ("config", "name", "expected"),
    [
        (DvcConfig("", (A,)), "", "a"),
        (DvcConfig("b", (A, B)), "", "b"),
        (DvcConfig("b", (A, B)), "A", "a"),
    ],
)
def test_one_remote_is_meant(config: DvcConfig, name: str, expected: str) -> None:
    assert chosen(config, name) == expected


@pytest.mark.parametrize(
    ("config", "name", "reason"),
    [
        (DvcConfig("", (A, B)), "", "2 remotes and no default"),
        (DvcConfig(), "", "0 remotes"),
        (DvcConfig("c", (A, B)), "", "no remote 'c'"),
        (DvcConfig("a", (A, B)), "c", "no remote 'c'"),
    ],
)
def test_or_none_is(config: DvcConfig, name: str, reason: str) -> None:
    with pytest.raises(PointerError, match=reason):
        chosen(config, name)


def test_the_operators_options_lie_over_the_bases() -> None:
    under = DvcConfig("a", (Remote("a", (("profile", "x"), ("url", "s3://b"))),))
    over = DvcConfig("", (Remote("a", (("profile", "y"),)), Remote("b", ())))
    options = (("profile", "y"), ("url", "s3://b"))
    assert merge(under, over) == DvcConfig("a", (Remote("a", options), Remote("b", ())))


@pytest.mark.parametrize(
    "data", [b"[core", b"x = 1", b"[core]\nremote=a\nremote=b", b"\xff", b"[a]\0", b"x" * 300_000]
)
def test_refuses_what_it_cannot_read(data: bytes) -> None:
    with pytest.raises(PointerError, match="cannot be read"):
        read_config(data, Path("/r"))
