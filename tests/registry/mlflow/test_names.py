"""What MLflow takes as a name, an address and a file; and what its failures mean."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import ReleaseError, StoreFailed
from registry.mlflow.advice import explain
from registry.mlflow.files import LARGEST, shown
from registry.mlflow.names import artifact_name, key, keyed, model_name, place, searched

ALLOWED = re.compile(r"^[/\w.\- :]*$")
BAD = "'\"`\\%"


@pytest.mark.parametrize(
    ("artifact", "model"),
    [
        ("acme/small", "acme--small"),
        ("small", "small"),
        ("acme/small-v2.1_x", "acme--small-v2.1_x"),
        ("a--b", "a%2D%2Db"),
        ("a-/b", "a%2D%2Fb"),
        ("a/-b", "a---b"),
        ("a:b", "a%3Ab"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("groß", "gro%C3%9F"),
        ("my models", "my%20models"),
    ],
)
def test_model_names(artifact: str, model: str) -> None:
    assert model_name(artifact) == model
    assert artifact_name(model) == artifact


@pytest.mark.parametrize(
    "artifact",
    ["", "a'b", 'a"b', "a`b", "a\\b", "a%2Fb", "a\nb", "a\0b", "a\x7fb", "x" * 201, "a\u200bb"],
)
def test_artifacts_mlflow_cannot_hold(artifact: str) -> None:
    with pytest.raises(ReleaseError, match="MLflow can keep no model of this name"):
        model_name(artifact)


names = st.text(min_size=1, max_size=40).filter(
    lambda text: text.isprintable() and not set(text) & set(BAD)
)


@given(names)
def test_model_names_come_back_and_are_taken(artifact: str) -> None:
    model = model_name(artifact)
    assert artifact_name(model) == artifact
    assert not set(model) & set("/: ")
    assert posixpath.normpath(model) == model
    assert not model.startswith("..")
    assert model.isascii()


@given(st.sampled_from("ab-/.:%_ "), st.lists(st.sampled_from("ab-/.:_ "), max_size=6))
def test_no_two_artifacts_share_a_model(first: str, rest: list[str]) -> None:
    artifact = (first + "".join(rest)).replace("%", "-")
    other = artifact.replace("/", "--")
    if other != artifact:
        assert model_name(artifact) != model_name(other)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("arc easy", "", "acc"), "arc easy/acc"),
        (("arc", "language=de", "acc.low"), "arc/language:de/acc.low"),
        (("a//b", "", "acc"), "a/b/acc"),
        (("../../etc", "", "passwd"), "etc/passwd"),
        (("/a/", "", "acc"), "a/acc"),
        (("größe", "", "acc"), "gr__e/acc"),
        (("<script>", "", "f1"), "_script_/f1"),
    ],
)
def test_keys(parts: tuple[str, ...], name: str) -> None:
    assert key(*parts) == name


@given(st.lists(st.text(max_size=300), min_size=1, max_size=4))
def test_keys_are_taken(parts: list[str]) -> None:
    name = key(*parts)
    assert ALLOWED.match(name)
    assert 0 < len(name) <= 250
    assert posixpath.normpath(name) == name
    assert not name.startswith(("/", ".."))


def test_keys_that_would_be_one_stay_two() -> None:
    table = keyed([(("a", "x=1"), 1), (("a", "x:1"), 2), (("a", "x?1"), 3), (("a", "x!1"), 4)])
    assert sorted(table.values()) == [1, 2, 3, 4]
    assert table["a/x:1"] == 1


@pytest.mark.parametrize("text", ["a'b", 'a"', "a`", "a\\", "a\nb", "a\0"])
def test_no_quote_gets_into_a_search(text: str) -> None:
    with pytest.raises(ReleaseError, match="cannot search"):
        searched(text)


def test_places(tmp_path: Path) -> None:
    assert place("sqlite:///mlflow.db", tmp_path) == (
        f"sqlite:///{tmp_path}/mlflow.db",
        tmp_path / "mlartifacts",
    )
    assert place("sqlite:////data/x/m.db", tmp_path) == (
        "sqlite:////data/x/m.db",
        Path("/data/x/mlartifacts"),
    )
    address = place("postgresql://ada@db/ml", tmp_path)[0]
    assert address == "postgresql+psycopg://ada@db/ml"
    for uri in ("postgresql+psycopg2://db/x", "https://mlflow.example.org", "mysql+pymysql://db/x"):
        assert place(uri, tmp_path)[0] == uri


@pytest.mark.parametrize(
    "uri",
    [
        "", "mlruns", "./mlruns", "file:///mlruns", "databricks", "uc", "ftp://host/x", "http:",
        "http:///x", "sqlite:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:mlflow.db",
        "sqlite:///a\0b", "sqlite:///m.db?mode=ro", "javascript:alert(1)", "postgresql:",
        "postgresql:///x", "s3://bucket", "HTTP//x",
    ],
)  # fmt: skip
def test_addresses_that_are_none(tmp_path: Path, uri: str) -> None:
    with pytest.raises(StoreFailed) as caught:
        place(uri, tmp_path)
    assert "release.mlflow" in caught.value.hint


def test_only_small_plain_files_are_shown(tmp_path: Path) -> None:
    for name in ("README.md", "model.safetensors", "config.json", "model.sig"):
        (tmp_path / name).write_text("x")
    (tmp_path / "release").mkdir()
    for name in ("release.json", "lineage.svg", "loss.png"):
        (tmp_path / "release" / name).write_text("x")
    found = {one.path.name: one.folder for one in shown(tmp_path)}
    assert found == {
        "README.md": "", "model.sig": "signatures", "release.json": "release",
        "lineage.svg": "plots", "loss.png": "plots",
    }  # fmt: skip


@pytest.mark.parametrize("what", ["link", "folder", "fifo", "large", "card"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "release").mkdir()
    odd = tmp_path / "release/odd.json"
    if what == "link":
        odd.symlink_to("/etc/passwd")
    elif what == "folder":
        odd.mkdir()
    elif what == "fifo":
        os.mkfifo(odd)
    elif what == "large":
        with odd.open("wb") as file:
            file.truncate(LARGEST + 1)
    else:
        (tmp_path / "README.md").symlink_to("/etc/passwd")
    with pytest.raises(ReleaseError, match="no plain file"):
        shown(tmp_path)


def test_a_folder_of_release_documents_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/secret.json").write_text("x")
    (tmp_path / "release").symlink_to("real")
    assert shown(tmp_path) == ()


@pytest.mark.parametrize(
    ("kind", "code", "text", "message", "hint"),
    [
        ("timeout", "", "30", "no answer within 30 s", "nothing was lost"),
        ("gone", "", "", "its process ended", "free memory"),
        ("ModuleNotFoundError", "", "No module named 'mlflow'", "not installed", "[mlflow]"),
        ("ModuleNotFoundError", "", "No module named 'psycopg2'", "driver", "psycopg"),
        ("OSError", "", "[Errno 28] No space left on device", "the disk is full", "free space"),
        (
            "PermissionError",
            "",
            "[Errno 13] Permission denied: 'x'",
            "cannot be written",
            "account",
        ),
        ("OperationalError", "", "FATAL: password authentication failed", "login", "PGPASSWORD"),
        (
            "MlflowException",
            "INTERNAL_ERROR",
            "SSLError(certificate verify failed)",
            "trusted",
            "CERT",
        ),
        ("MlflowException", "INTERNAL_ERROR", "who knows", "the server failed", "its log"),
        ("KeyError", "", "'x'", "KeyError: 'x'", "MLflow's own tools"),
    ],
)
def test_failures(kind: str, code: str, text: str, message: str, hint: str) -> None:
    found = explain(kind, code, text, "here")
    assert message in found[0]
    assert hint in found[1]


def test_failures_are_one_short_line() -> None:
    message, _ = explain("X", "", "a\n" * 10_000, "here")
    assert "\n" not in message
    assert len(message) < 300
