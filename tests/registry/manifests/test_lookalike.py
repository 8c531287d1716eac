"""Names close to well-known ones: what is caught, and what is called wrongly."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from registry.manifests.lookalike import Slip, likenesses, resembled
from registry.manifests.popular import is_popular, ranks

NAMES = Path(__file__).parents[4] / "shared/data/audit/names"


@pytest.mark.parametrize(
    ("name", "other", "slip", "sure"),
    [
        ("reqeusts", "requests", Slip.SWAPPED, True),
        ("requestss", "requests", Slip.DOUBLED, True),
        ("rrequestts", "requests", Slip.DOUBLED, True),
        ("colorrama", "colorama", Slip.DOUBLED, True),
        ("rquests", "requests", Slip.LEFT_OUT, True),
        ("flsk", "", None, False),
        ("panas", "pandas", Slip.LEFT_OUT, False),
        ("g00gle-auth", "google-auth", Slip.GLYPH, True),
        ("co1orama", "colorama", Slip.GLYPH, True),
        ("trasnformers", "transformers", Slip.SWAPPED, True),
        ("huggingfacehub", "huggingface-hub", Slip.HYPHENS, False),
        ("hub-huggingface", "huggingface-hub", Slip.PARTS, False),
        ("tensorflo", "tensorflow", Slip.LEFT_OUT_LAST, False),
        ("ensorflow", "tensorflow", Slip.LEFT_OUT_FIRST, False),
        ("tensorflowe", "tensorflow", Slip.ADDED_LAST, False),
        ("tensoarflow", "tensorflow", Slip.ADDED, False),
        ("tensarflow", "tensorflow", Slip.OTHER, False),
        ("bensorflow", "tensorflow", Slip.OTHER_FIRST, False),
        ("beautifalsuop4", "beautifulsoup4", Slip.TWO, False),
    ],
)
def test_a_slip_leads_to_the_name_that_is_meant(
    name: str, other: str, slip: Slip | None, sure: bool
) -> None:
    found = resembled(name)
    told = (found.other, found.slip, found.sure) if found else ("", None, False)
    assert told == (other, slip, sure)


@pytest.mark.parametrize(
    "name",
    [
        "requests",
        "numpi",  # too short for a changed letter
        "psycopg4",  # another version
        "torch2",
        "types-boto3-xyz",  # a sister: only a short part differs
        "wholly-new-thing",
        "",
        "-",
        "a" * 5000,
        "\u043d\u0443\u043c\u043f\u0438",
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    assert resembled(name) is None


@given(st.text(max_size=30) | st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True))
def test_any_text_has_an_answer_that_is_well_known(name: str) -> None:
    found = resembled(name)
    assert found is None or (is_popular(found.other) and found.other != name)


def listed(file: str) -> list[str]:
    path = NAMES / file
    if not path.exists():
        pytest.skip("the data set of package names is not at hand")
    return [canonicalize_name(n) for n in gzip.decompress(path.read_bytes()).decode().split()]


def test_known_bad_names_are_caught() -> None:
    # A name alone betrays few: the rest have names like any other.
    names = [n for n in listed("malicious-half.txt.gz") if not is_popular(n)][::5]
    found = [f for n in names if (f := resembled(n))]
    assert len(found) / len(names) > 0.1
    assert sum(f.sure for f in found) / len(names) > 0.07


def test_few_honest_names_are_called_look_alikes() -> None:
    # Each as if it were not on the list.
    names = [n for n in ranks() if ranks()[n] >= 5000][::5]
    found = [f for n in names if (f := next(likenesses(n), None))]
    assert len(found) / len(names) < 0.006
    assert sum(any(f.sure for f in likenesses(n)) for n in names) / len(names) < 0.002
