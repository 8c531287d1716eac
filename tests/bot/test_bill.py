"""The bill of a commit: valid in both formats, naming what is there and what was not read."""

from __future__ import annotations

import json

import pytest

from bot.releasing.settings import Settings as Releases
from bot.releasing.steps.gather import _licences
from bot.repository import GitWorld
from tests.bot.test_cli import run
from tests.gitrepo import Repo
from tests.registry.bom.test_cyclonedx import named
from tests.registry.bom.test_cyclonedx import valid as valid_cyclonedx
from tests.registry.bom.test_spdx import valid as valid_spdx
from tests.registry.licenses.test_texts import MIT

LOCKED = "idna==3.7\nrequests==2.32.3\n"


def test_a_commit_in_both_formats(repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n"})
    head = repo.commit({"requirements.txt": LOCKED})
    made = repo.path.parent / "bills"
    made.mkdir()
    reports = (w for name in ("a.cdx.json", "a.spdx.json") for w in ("--report", str(made / name)))
    done = run(repo.path, "check", "--base", base, "--head", head, "--format", "json", *reports)
    assert json.loads(done.stdout)["verdicts"], done.stderr  # the report comes beside them
    bill = valid_cyclonedx((made / "a.cdx.json").read_bytes())
    assert named(bill, "library", "requests")["purl"] == "pkg:pypi/requests@2.32.3"
    assert bill["metadata"]["timestamp"] == "2026-01-02T03:04:05Z"
    (links,) = [d["dependsOn"] for d in bill["dependencies"] if "dependsOn" in d]
    assert links == ["pkg:pypi/idna@3.7", "pkg:pypi/requests@2.32.3"]
    assert valid_spdx((made / "a.spdx.json").read_bytes())
    same = run(repo.path, "release", "bom", "--commit", head)
    assert (same.returncode, same.stdout.encode()) == (0, (made / "a.cdx.json").read_bytes())
    assert run(repo.path, "release", "bom").stdout == same.stdout  # HEAD, and again the same


def test_the_verdict_decides_the_exit_code(repo: Repo) -> None:
    base = repo.commit({"README.md": "# x\n"})
    head = repo.commit({"requirements.txt": "requests @ git+https://host.example/r@main\n"})
    words = ("check", "--base", base, "--head", head, "--only", "dependencies")
    done = run(repo.path, *words, "--format", "spdx")
    assert done.returncode == 1
    assert valid_spdx(done.stdout.encode())


@pytest.mark.parametrize(
    ("data", "said"), [(MIT.encode("utf-16"), "MIT"), (MIT.encode() + b"\n\xf2\xee\xeb", "")]
)
def test_the_licence_in_its_encoding(repo: Repo, data: bytes, said: str) -> None:
    commit = repo.commit({"LICENSE": data, "requirements.txt": LOCKED, "m/model.bin": "x"})
    bill = valid_cyclonedx(run(repo.path, "release", "bom").stdout.encode())
    found = bill["metadata"]["component"].get("licenses", [])
    assert "".join(one["license"].get("id", "") for one in found) == said
    with GitWorld(repo.path) as world:
        (licence,) = _licences(world, commit, Releases(), ())[:1]
        assert licence.expression == said


def test_what_cannot_be_read_is_named(repo: Repo) -> None:
    repo.commit({"uv.lock": "not toml [", "requirements.txt": "a==1\nb ? 2\n"})
    bill = valid_cyclonedx(run(repo.path, "release", "bom").stdout.encode())
    said = bill["metadata"]["component"]["properties"]
    told = [one["value"] for one in said if one["name"] == "modelwarden:unread"]
    assert [line.partition(":")[0] for line in told] == ["requirements.txt", "uv.lock"]
    assert bill["compositions"][0]["aggregate"] == "incomplete"


def test_a_staged_tree_has_a_bill(repo: Repo) -> None:
    repo.commit({"README.md": "# x\n"})
    repo.write({"requirements.txt": LOCKED})
    repo.git("add", "requirements.txt")
    done = run(repo.path, "check", "--staged", "--format", "cyclonedx")
    assert named(valid_cyclonedx(done.stdout.encode()), "library", "idna")["version"] == "3.7"


def test_models_and_data_with_their_ties(repo: Repo) -> None:
    card = "---\nlicense: gemma\nbase_model: google/gemma-2b\ndatasets: [acme/talk]\n---\n"
    facts = "assets:\n  facts:\n    acme/talk: {license: CC-BY-4.0, source: asked its author}\n"
    repo.commit({"model/README.md": card, ".github/modelwarden.yml": facts})
    bill = valid_cyclonedx(run(repo.path, "release", "bom").stdout.encode())
    base = named(bill, "machine-learning-model", "google/gemma-2b")
    assert base["licenses"][0]["license"]["name"] == "gemma"
    data = named(bill, "data", "acme/talk")
    assert data["licenses"][0]["license"]["id"] == "CC-BY-4.0"
    ours = named(bill, "machine-learning-model", "model")
    said = {(one["name"], one["value"]) for one in ours["properties"]}
    assert said >= {
        ("modelwarden:finetunes", base["bom-ref"]),
        ("modelwarden:trains_on", data["bom-ref"]),
    }
    assert valid_spdx(run(repo.path, "release", "bom", "--format", "spdx").stdout.encode())


def test_a_lock_says_which_package_needs_which(repo: Repo) -> None:
    lock = """version = 1
[[package]]
name = "mine"
version = "0"
source = { virtual = "." }
dependencies = [{ name = "requests" }]
[[package]]
name = "requests"
version = "2.32.3"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "idna" }]
[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://pypi.org/simple" }
"""
    repo.commit({"uv.lock": lock})
    bill = valid_cyclonedx(run(repo.path, "release", "bom").stdout.encode())
    needs = {one["ref"]: one.get("dependsOn") for one in bill["dependencies"]}
    assert needs["pkg:pypi/requests@2.32.3"] == ["pkg:pypi/idna@3.7"]
