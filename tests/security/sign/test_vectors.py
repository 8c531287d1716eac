"""Every hostile bundle of tests/vectors/oms is refused for its reason, and the good ones hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from security import errors
from security.sign import keys
from security.trust.single import CertificateTrust
from security.verify import read_signed, verify
from tests.security.sign import authority
from tests.security.sign.trusts import Everyone

ROOT = Path(__file__).parents[2] / "vectors/oms"
EXPECTED = json.loads((ROOT / "expected.json").read_text())
GOOD = sorted(path.stem for path in (ROOT / "good").iterdir())


def trust(name: str) -> Everyone | CertificateTrust:
    if name.startswith("certificate"):
        return CertificateTrust(((ROOT / "root.pem").read_bytes(),))
    parts = ("key", "edwards", "quantum")
    found = [(part, keys.read_public((ROOT / f"{part}.pem").read_bytes())) for part in parts]
    return Everyone(tuple(found))


def test_there_are_more_bad_ones_and_each_is_listed() -> None:
    assert sorted(path.stem for path in (ROOT / "bad").iterdir()) == sorted(EXPECTED)
    assert len(EXPECTED) > 5 * len(GOOD)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_bad_one_is_refused_for_its_reason(name: str) -> None:
    error, reason = EXPECTED[name]
    path = ROOT / "bad" / f"{name}.sig"
    with pytest.raises(errors.SecurityError) as caught:
        verify(ROOT / "model", trust=trust(name), bundle=path, now=authority.NOW)
    assert type(caught.value).__name__ == error, caught.value
    said = caught.value.message.removeprefix(f"{path}: ")  # whose name may say the reason
    assert re.search(reason, said), caught.value
    assert caught.value.hint and "\n" not in caught.value.message + caught.value.hint


MALFORMED = sorted(name for name, (error, _) in EXPECTED.items() if error == "Malformed")


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_so_before_any_file_is_looked_at(name: str) -> None:
    data = (ROOT / "bad" / f"{name}.sig").read_bytes()
    with pytest.raises(errors.Malformed, match=EXPECTED[name][1]):
        read_signed(data, trust(name), now=authority.NOW)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_one_is_accepted(name: str) -> None:
    path = ROOT / "good" / f"{name}.sig"
    found = verify(ROOT / "model", trust=trust(name), bundle=path, now=authority.NOW)
    assert found.name == "model"
    assert len(found.signers) == (3 if name == "cosigned" else 1)
    assert {entry.size for entry in found.manifest.entries} <= {4, 8, 6, 14, 20}
