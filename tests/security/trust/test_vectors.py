import json
from pathlib import Path

import pytest

from security import auditentry
from security.auditlog import check
from security.errors import Malformed, SecurityError, Tampered, Untrusted
from security.sign.keys import read_public
from security.trust.loading import load
from security.trust.rotation import succeed
from tests.security.trust.people import NOW

FOLDER = Path(__file__).parents[2] / "vectors"
TRUST, AUDIT = FOLDER / "trust", FOLDER / "audit"


def expected(folder: Path) -> list[tuple[str, str]]:
    found = json.loads((folder / "expected.json").read_text())
    assert sum(map(bool, found.values())) > len(found) / 2  # more that must fail
    return sorted(found.items())


def read(name: str) -> None:
    data = (TRUST / name).read_bytes()
    if not name.startswith("rotation/"):
        load(data, "trust.toml")
        return
    old = load((TRUST / "rotation" / "old.toml").read_bytes(), "trust.toml")
    succeed(old, data, (TRUST / f"{name}.sig").read_bytes(), NOW)


@pytest.mark.parametrize(("name", "why"), expected(TRUST))
def test_trust_files(name: str, why: str) -> None:
    if not why:
        read(name)
        return
    with pytest.raises((Malformed, Untrusted)) as caught:
        read(name)
    assert why in caught.value.message


@pytest.mark.parametrize(("name", "why"), expected(AUDIT))
def test_audit_logs(name: str, why: str) -> None:
    keys = (("log", read_public((AUDIT / "key.pem").read_bytes())),)
    if not why:
        assert check(AUDIT / name, keys).signer == "log"
        return
    with pytest.raises((Tampered, Untrusted)) as caught:
        check(AUDIT / name, keys)
    assert isinstance(caught.value, SecurityError) and why in caught.value.message


@pytest.mark.parametrize("folder", [TRUST, AUDIT])
def test_every_vector_is_expected(folder: Path) -> None:
    named = {name for name, _ in expected(folder)} | {"rotation/old.toml"}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    others = {"README.md", "expected.json", "key.pem"}
    assert {n for n in there if not n.endswith(".sig")} - others == named - (
        {"rotation/old.toml"} if folder == AUDIT else set()
    )


def test_the_examples_of_the_documents() -> None:
    docs = Path(__file__).parents[3] / "docs" / "formats"
    _, toml, *_ = (docs / "trust.md").read_text().split("```")
    trust = load(toml.removeprefix("toml\n").encode(), "trust.toml")
    assert (trust.version, len(trust.roles)) == (7, 3)
    _, log, *_ = (docs / "audit.md").read_text().split("```")
    begin, entry = (auditentry.read(line.encode()) for line in log.strip().splitlines())
    assert entry.previous == begin.hash and entry.outcome == "refused"
