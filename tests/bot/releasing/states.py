"""What a project looks like when a release of it is out, or taken back."""

from __future__ import annotations

import json

from tests.bot.releasing.clones import git, refs
from tests.bot.releasing.project import A, Project

WHOLE = ["claim", "release", "promote"]


def whole(at: Project, version: str = "1.0.0") -> None:
    """It is out once: each entry, tag and file; nothing lies where it was made."""
    assert at.actions() == WHOLE
    assert at.log()[2]["details"]["version"] == version
    there = at.refs()
    tags = sorted(name for name in there if name.startswith("refs/tags/"))
    assert tags == ["refs/tags/acme-tiny#challenger#1", f"refs/tags/v{version}"]
    assert (
        refs(at.path)["refs/heads/modelwarden-releases"]
        == (there["refs/heads/modelwarden-releases"])
    )
    held = git(at.origin, "ls-tree", "-r", "--name-only", "modelwarden-releases").splitlines()
    base = f"releases/{A}/{version}"
    assert sorted(held) == sorted([
        f"deploy/{A}/challenger.json", "log.jsonl",
        f"{base}.card.md", f"{base}.intoto.jsonl", f"{base}.json", f"{base}.sig",
    ])  # fmt: skip
    clean(at)
    stored = {p.relative_to(at.store).as_posix() for p in at.store.rglob("*") if p.is_file()}
    lock = next(p for p in at.store.rglob("*.dir"))
    named = {one["md5"] for one in json.loads(lock.read_bytes())}
    assert stored == {f"{m[:2]}/{m[2:]}" for m in named} | {lock.relative_to(at.store).as_posix()}


def clean(at: Project) -> None:
    """Nothing that a release was made in is left."""
    assert not list(at.staging.glob("*")) if at.staging.exists() else True
    left = [p for p in at.place.rglob("*.part*") if "/.git/objects/" not in str(p)]
    assert not left


def free(at: Project, version: str) -> None:
    """Nobody has the number: no claim, no tag, nothing that waits."""
    last: dict[str, str] = {}
    for line in at.log():
        if line["details"].get("version") == version:
            last[line["action"]] = line["details"]["holder"]
    assert "release" not in last
    assert at.actions().count("claim") == at.actions().count("abandon")
    assert not [name for name in at.refs() if name.startswith("refs/tags/")]
    if at.log():
        held = git(at.origin, "ls-tree", "-r", "--name-only", "modelwarden-releases")
        assert held.splitlines() == ["log.jsonl"]
    clean(at)
