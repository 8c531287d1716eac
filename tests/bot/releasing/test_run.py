"""A release from beginning to end: planned, made, looked at, got, verified, moved and withdrawn."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bot.releasing.clones import git
from tests.bot.releasing.project import Project, model, policy, trust
from tests.bot.releasing.running import Warden


def test_a_release_has_all_that_it_should(alice: Project, warden: Warden, tmp_path: Path) -> None:
    alice.commit({".github/trust.toml": trust(alice),
                  ".github/modelwarden.yml": policy(store="tensors")})  # fmt: skip
    plan = warden(alice, "release", "plan", "--format", "json")
    assert plan.code == 0, plan.err
    said = plan.json()
    assert (said["version"], said["released"], said["missing"]) == ("1.0.0", False, [])
    assert {step["state"] for step in said["steps"]} == {"planned"}
    done = warden.release(alice, "--format", "json")
    assert done.code == 0, done.err
    made = done.json()
    assert [step["name"] for step in said["steps"]] == list(made["steps"])
    whole_ledger = [line["action"] for line in alice.log()]
    assert whole_ledger == ["begin", "claim", "release", "record", "promote"]
    root = made["steps"]["record"]["root"]
    again = warden(alice, "release", "plan", "--format", "json")
    assert again.json()["released"] is True

    out = tmp_path / "got"
    assert warden(alice, "release", "get", "1.0.0", "--output", out).code == 0
    assert {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()} == {
        *model(), "README.md", "model.sig", "model.intoto.jsonl",
        *(f"release/{name}" for name in (
            "release.json", "bom.cdx.json", "bom.spdx.json", "provenance.json", "notes.md",
            "lineage.svg", "measurements.json", "verdict.json")),
    }  # fmt: skip
    for name, data in model().items():
        assert (out / name).read_bytes() == data
    documents(out)
    trusted = ("--trust", alice.path / ".github/trust.toml", "--artifact", "acme/tiny")
    shown = warden(alice, "verify", out, *trusted)
    assert shown.code == 0, shown.err
    assert root in shown.out
    done = warden(alice, "release", "verify", "1.0.0")
    assert done.code == 0, done.err
    others(out, alice.key().with_suffix(".key.pub"))
    (out / "config.json").write_bytes(b"{}")
    assert warden(alice, "verify", out, *trusted).code == 1


def documents(out: Path) -> None:
    """The card and the bill of materials are what others take for one."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from huggingface_hub import ModelCard

    card = ModelCard((out / "README.md").read_text(), ignore_metadata_errors=False)
    (result,) = card.data.to_dict()["model-index"][0]["results"][:1]  # type: ignore[no-untyped-call]
    assert result["dataset"]["name"]
    bill = (out / "release" / "bom.cdx.json").read_text()
    version = json.loads(bill)["specVersion"].replace(".", "_")
    assert JsonStrictValidator(SchemaVersion[f"V{version}"]).validate_str(bill) is None
    assert json.loads((out / "release" / "bom.spdx.json").read_text())["@graph"]
    assert (out / "release" / "lineage.svg").read_text().startswith("<svg")


CHANGES: dict[str, tuple[Callable[[Project], object], str]] = {
    "weights": (lambda at: at.weigh(model(norm=1.0001)), "1.1.0"),
    "tokenizer": (lambda at: at.weigh(model(words=310)), "2.0.0"),
    "readme": (lambda at: at.commit({"README.md": "# Tiny\n\nMore.\n"}), "1.0.1"),
}


def test_versions_follow_what_changed_and_aliases_move(
    alice: Project, warden: Warden, tmp_path: Path
) -> None:
    assert warden.release(alice).code == 0
    for change, version in CHANGES.values():
        change(alice)
        done = warden(alice, "release", "plan", "--format", "json")
        assert done.json()["version"] == version, done.out
        git(alice.path, "reset", "-q", "--hard", "HEAD~1")
        git(alice.path, "push", "-q", "--force", "origin", "HEAD:main")
    CHANGES["weights"][0](alice)
    done = warden.release(alice)
    assert done.code == 0, done.err
    move = ("release", "promote")
    assert warden(alice, *move, "1.0.0", "champion", "--expect", "").code == 0
    late = warden(alice, *move, "1.1.0", "champion", "--expect", "")
    assert (late.code, "points at 1.0.0, not at nothing" in late.error) == (1, True)
    done = warden(alice, *move, "1.1.0", "champion", "--expect", "1.0.0")
    assert done.code == 0, done.err
    aliases = warden(alice, "release", "list", "--format", "json").json()["aliases"]
    now = {one["alias"]: one["version"] for one in aliases}
    assert now == {"champion": "1.1.0", "challenger": "", "previous": "1.0.0"}
    pointer = git(alice.origin, "show", "modelwarden-releases:deploy/acme/tiny/champion.json")
    assert json.loads(pointer)["version"] == "1.1.0"
    gone = warden(alice, "release", "withdraw", "1.1.0", "--reason", "it leaks")
    assert (gone.code, "is what champion points at" in gone.error) == (1, True)
    back = warden(alice, "release", "rollback", "champion", "--reason", "it is slow")
    assert back.code == 0, back.err
    assert "champion: 1.0.0" in back.out
    assert warden(alice, "release", "withdraw", "1.1.0", "--reason", "it leaks").code == 0
    tree = warden(alice, "release", "show", "1.1.0", "--svg", tmp_path / "l.svg", "--diff", "1.0.0")
    assert tree.code == 0, tree.err
    assert "withdrawn: it leaks" in tree.out and "norm" in tree.out
    assert (tmp_path / "l.svg").read_text().startswith("<svg")
    at = warden(alice, "release", "show", "champion", "--at", "2036-01-01", "--format", "json")
    assert (at.json()["version"], at.json()["reason"]) == ("1.0.0", "it is slow")


def test_a_calendar_counts_too(alice: Project, warden: Warden) -> None:
    alice.commit({".github/modelwarden.yml": policy(versioning="calver")})
    done = warden(alice, "release", "plan", "--format", "json")
    assert done.json()["version"] == "2026.1.1"


def others(out: Path, key: Path) -> None:
    """The signature is one that the tool of its format believes."""
    tool = Path(sys.executable).with_name("model_signing")
    words = (
        "verify",
        "key",
        str(out),
        "--signature",
        str(out / "model.sig"),
        "--public_key",
        str(key),
        "--ignore-paths",
        str(out / "model.intoto.jsonl"),
    )
    done = subprocess.run([tool, *words], capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_sealed_release_opens_for_whom_it_is(
    alice: Project, warden: Warden, tmp_path: Path
) -> None:
    mine = alice.place / "open.key"
    made = warden(alice, "keys", "generate", mine, "--kind", "age", "--no-passphrase")
    assert made.code == 0, made.err
    whom = mine.with_suffix(".key.pub").read_text().split()[-1]
    text = policy(seal_to=[whom], store="tensors")
    alice.commit({".github/modelwarden.yml": text})
    done = warden.release(alice)
    assert done.code == 0, done.err
    got, opened = tmp_path / "got", tmp_path / "opened"
    done = warden(alice, "release", "get", "1.0.0", "--output", got)
    assert done.code == 0, done.err
    weights = model()["model.safetensors"]
    assert not any(weights[-1000:] in p.read_bytes() for p in got.rglob("*") if p.is_file())
    public = alice.key().with_suffix(".key.pub")
    words = ("verify", got, "--key", public, "--open-with", mine, "--output", opened)
    done = warden(alice, *words)
    assert done.code == 0, done.err
    assert (opened / "model.safetensors").read_bytes() == weights
