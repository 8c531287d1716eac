"""What goes wrong around a release: one message with its remedy, and the next run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.releasing.clones import git
from tests.bot.releasing.project import Project, model, policy, trust
from tests.bot.releasing.running import Warden
from tests.bot.releasing.states import whole

Break = Callable[[Project], object]
POLICY_AT, TRUST_AT = ".github/modelwarden.yml", ".github/trust.toml"


def one(at: Project) -> Path:
    """Return the object of the weights in the cache."""
    return max((p for p in at.cache.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


def lose(at: Project) -> None:
    shutil.rmtree(at.cache)


def flip(at: Project) -> None:
    """Put another file in the place of the object: as corrupt as it was whole."""
    path = one(at)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.unlink()
    path.write_bytes(data)


def sent(at: Project) -> None:
    """Move what the cache has to the remote."""
    shutil.copytree(at.cache, at.store, dirs_exist_ok=True)
    lose(at)


def flip_there(at: Project) -> None:
    sent(at)
    path = max((p for p in at.store.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def lose_there(at: Project) -> None:
    sent(at)
    max((p for p in at.store.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size).unlink()


def hook(at: Project, name: str, text: str) -> None:
    path = at.origin / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def unmade(at: Project) -> None:
    """Put a file in the place of the DVC remote."""
    at.store.parents[1].rename(at.place / "st")
    at.store.parents[1].touch()


def remade(at: Project) -> None:
    at.store.parents[1].unlink()
    (at.place / "st").rename(at.store.parents[1])


# name: what is broken, what is said, what makes it right again (None: nothing does)
REPAIRABLE: dict[str, tuple[Break, str, Break]] = {
    "objects nowhere": (
        lambda at: at.cache.rename(at.place / "away"), "not in remote 'store'",
        lambda at: (shutil.rmtree(at.cache, ignore_errors=True),  # type: ignore[func-returns-value]
                    (at.place / "away").rename(at.cache)),
    ),
    "cache corrupt": (flip, "are not those of its pointer", flip),
    "remote corrupt": (flip_there, "other bytes", lambda at: None),
    "remote lacks one": (lose_there, "not in remote 'store'", lambda at: None),
    "git remote away": (
        lambda at: at.origin.rename(at.place / "away.git"), "origin",
        lambda at: (at.place / "away.git").rename(at.origin),
    ),
    "git remote refuses": (
        lambda at: hook(at, "pre-receive", "echo no entry >&2; exit 1"), "does not take the ledger",
        lambda at: (at.origin / "hooks" / "pre-receive").unlink(),
    ),
    "tag taken": (
        lambda at: git(at.path, "push", "-q", "origin", "HEAD^{tree}:refs/tags/v1.0.0"),
        "v1.0.0", lambda at: git(at.path, "push", "-q", "origin", ":refs/tags/v1.0.0"),
    ),
    "remote store away": (unmade, "'store'", remade),
}  # fmt: skip


@pytest.mark.parametrize("name", REPAIRABLE)
def test_a_fault_is_said_and_gone_on_after(name: str, alice: Project, warden: Warden) -> None:
    damage, said, repair = REPAIRABLE[name]
    whole_cache = alice.place / "kept"
    shutil.copytree(alice.cache, whole_cache)
    damage(alice)
    done = warden.release(alice)
    assert done.code in (1, 2, 3)
    assert said in done.error
    assert str(alice.place / "keys") not in done.err
    repair(alice)
    if "remote " in name and "git" not in name and "away" not in name:
        shutil.copytree(whole_cache, alice.cache, dirs_exist_ok=True)
        shutil.rmtree(alice.store, ignore_errors=True)
    done = warden.release(alice)
    assert done.code == 0, done.err
    whole(alice)


def test_what_lies_half_here_and_half_there_is_sent(alice: Project, warden: Warden) -> None:
    shutil.copytree(alice.cache, alice.store)
    (alice.store / one(alice).relative_to(alice.cache)).unlink()
    next(alice.cache.rglob("*.dir")).unlink()
    assert warden.release(alice).code == 0
    whole(alice)


def rejected(at: Project) -> None:
    """Commit a trust file in which alice's key counts for nothing."""
    at.commit({TRUST_AT: trust(at, revoked="alice")})


def unborn(at: Project) -> None:
    git(at.path, "checkout", "-q", "--orphan", "new")
    git(at.path, "rm", "-rqf", ".")


def pickled(at: Project) -> None:
    files = model()
    data = files.pop("model.safetensors")
    at.weigh(files | {"pytorch_model.bin": b"\x80\x04cposix\nsystem\n(Vid\ntR." + data[:10]})


def shallow(at: Project) -> None:
    at.commit({"README.md": "# More\n"})
    at.path.rename(at.place / "before")
    git(at.place, "clone", "-q", "--depth", "1", at.origin.as_uri(), at.name)
    at.adopt()
    shutil.copytree(at.place / "before" / ".dvc" / "cache", at.path / ".dvc" / "cache")


def rewritten(at: Project) -> None:
    """Write the branch of releases anew, after a release was seen."""
    git(at.origin, "update-ref", "refs/heads/modelwarden-releases", at.head())


def nosuite(at: Project) -> None:
    at.commit({POLICY_AT: policy().replace("suite:", "suite: []\n  tags:").split("  tags:")[0]
               + "  require: []\nrelease: {artifact: acme/tiny, mlflow: ''}\n"})  # fmt: skip


REFUSED: dict[str, tuple[Break, tuple[str, ...], int, str]] = {
    "trust file expired": (
        lambda at: at.commit({TRUST_AT: trust(at, expires="2026-01-01")}), (), 1, "expired on"),
    "key revoked": (rejected, (), 1, "revoked"),
    "no policy": (lambda at: (git(at.path, "rm", "-q", POLICY_AT), at.commit({})), (), 2,
                  "which folder holds the model"),
    "broken policy": (lambda at: at.commit({POLICY_AT: "release: [1"}), (), 2, POLICY_AT),
    "no model": (lambda at: at.commit({POLICY_AT: policy(model="nothing")}), (), 2,
                 "holds no model in nothing"),
    "no suite": (nosuite, (), 2, "names no suite"),
    "pickles": (pickled, (), 1, "pytorch_model.bin"),
    "shallow": (shallow, (), 2, "git fetch --unshallow"),
    "unborn": (unborn, (), 2, ""),
    "odd version": (lambda at: None, ("--version", "1.x"), 2, "1.x"),
    "no such commit": (lambda at: None, ("--commit", "v9"), 2, "v9"),
    "waived badly": (lambda at: None, ("--waive", "nothing=x"), 2, "--waive"),
    "MLflow away": (lambda at: at.commit({POLICY_AT: policy(mlflow="http://127.0.0.1:9")}), (), 3,
                    "127.0.0.1:9"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_released_is_said(name: str, alice: Project, warden: Warden) -> None:
    damage, words, code, said = REFUSED[name]
    damage(alice)
    done = warden.release(alice, *words)
    assert (done.code, said in done.err) == (code, True)
    assert "release approve" not in done.error
    assert "release" not in alice.actions()
    assert not [name for name in alice.refs() if name.startswith("refs/tags/")]
