"""A project with a ledger, a DVC remote and a cache, made without DVC: objects are only files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from bot.releasing.job import Place
from bot.releasing.ledger.book import GitBook
from bot.releasing.place import place
from registry.release import values
from registry.release.ledger import New, Tag, document_path
from registry.release.values import Artifact, Pointed, Release
from security.identity import Signer
from security.manifest import Entry, Manifest
from security.sign.keys import generate, load_signer
from security.sign.signing import sign_manifest
from tests.bot.releasing.clones import BRANCH, Shared, git
from tests.gitrepo import Repo
from tests.ledgers import A

LATER = time.time() + 100 * 86_400  # everything made by a test is old then
POLICY = f"release: {{artifact: {A}, mlflow: '', github: false}}\n"
EVERYWHERE = ("remote", "cache")


@cache
def signer() -> Signer:
    """Return a key for all tests."""
    return load_signer(generate())


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Project:
    """A clone with a bare remote; objects lie in `store` (DVC's remote) and in `cache`."""

    def __init__(self, folder: Path, policy: str = POLICY) -> None:
        self.shared = Shared(folder)
        self.repo: Repo = self.shared.clone("alice")
        self.store, self.cache = folder / "store", self.repo.path / ".dvc" / "cache"
        self.store.mkdir()
        self.cache.mkdir(parents=True)
        config = f"[core]\nremote = one\n['remote \"one\"']\nurl = {self.store}\n"
        self.commit({".dvc/config": config, ".dvc/.gitignore": "/cache\n/tmp\n",
                     ".github/modelwarden.yml": policy})  # fmt: skip

    @property
    def path(self) -> Path:
        return self.repo.path

    def commit(self, files: Mapping[str, bytes | str], *, push: bool = True) -> str:
        found = self.repo.commit(files)
        if push:
            git(self.path, "push", "-q", "origin", "HEAD")
            git(self.path, "fetch", "-q", "origin")
        return found

    def object(self, id_: str, where: str = "remote") -> Path:
        folder = self.store if where == "remote" else self.cache
        return folder / "files" / "md5" / id_[:2] / id_[2:]

    def keep(self, data: bytes, where: tuple[str, ...] = EVERYWHERE, *, suffix: str = "") -> str:
        """Keep an object and return its id."""
        found = md5(data) + suffix
        for each in where:
            path = self.object(found, each)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return found

    def folder(self, files: Mapping[str, bytes], where: tuple[str, ...] = EVERYWHERE) -> str:
        """Keep a folder and return the id of its listing."""
        rows = [{"md5": self.keep(data, where), "relpath": p} for p, data in sorted(files.items())]
        return self.keep(json.dumps(rows, sort_keys=True).encode(), where, suffix=".dir")

    def held(self, where: str = "remote") -> set[str]:
        folder = (self.store if where == "remote" else self.cache) / "files" / "md5"
        return {p.parent.name + p.name for p in folder.glob("??/*")}

    def book(self) -> GitBook:
        return GitBook(self.path, BRANCH, "origin")

    def claim(self, version: str, commit: str, holder: str = "run-1") -> None:
        book = self.book()
        said = {"version": version, "commit": commit, "holder": holder}
        book.append([New("alice", "claim", A, said)], {}, expect=book.ledger().head)

    def release(
        self, version: str, commit: str, *pointers: Pointed, tensors: str = "", alias: str = ""
    ) -> Release:
        """Put a release into the ledger whose weights are these pointers."""
        self.claim(version, commit)
        weights = Artifact("model", "weights", pointers)
        made = Release(A, version, commit, f"v{version}", "2027-01-01", "acme/small", weights)
        book, name = self.book(), document_path(A, version).removesuffix(".json")
        signed = Manifest((Entry("release/release.json", 10, made.digest),))
        said = {
            "version": version, "commit": commit, "holder": "run-1", "root": signed.root,
            "tag": f"v{version}", "document": made.digest,
        }  # fmt: skip
        news = [New("alice", "release", A, said)]
        if tensors:
            kept = {"version": version, "place": "tensors", "id": tensors}
            news.append(New("alice", "record", A, kept))
        if alias:
            there = {one.alias: one.version for one in book.ledger().aliases}
            told = {"alias": alias, "version": version, "expect": there.get(alias, "")}
            news.append(New("alice", "promote", A, told))
        files = {
            f"{name}.json": values.dump(made), f"{name}.card.md": b"# card\n",
            f"{name}.sig": sign_manifest(signed, A, [signer()]), f"{name}.intoto.jsonl": b"{}\n",
        }  # fmt: skip
        tag = Tag(f"v{version}", commit, f"{A} {version}")
        book.append(news, files, expect=book.ledger().head, tags=[tag])
        return made

    @contextlib.contextmanager
    def opened(self) -> Iterator[Place]:
        with place(self.path) as found:
            yield found


def tracking(path: str, id_: str, size: int = 1, **more: object) -> str:
    """Return a `.dvc` file."""
    said = {"md5": id_, "size": size, "hash": "md5", "path": path} | more
    return json.dumps({"outs": [said]})


def locked(**outs: str) -> str:
    """Return a `dvc.lock` of one stage that made these outputs."""
    found = [{"path": path, "hash": "md5", "md5": id_, "size": 1} for path, id_ in outs.items()]
    return json.dumps({"schema": "2.0", "stages": {"train": {"cmd": "train", "outs": found}}})


def pointed(id_: str, path: str = "model", size: int = 1) -> Pointed:
    kind = "dvc-folder" if id_.endswith(".dir") else "dvc"
    return Pointed(path, kind, id_.removesuffix(".dir"), size, "dvc.lock")
