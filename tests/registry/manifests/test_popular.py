"""Names close to well-known ones: what is caught, and what is called wrongly."""

import gzip
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from registry.manifests.popular import is_popular, resembled

NAMES = Path(__file__).parents[4] / "shared/data/audit/names"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("reqeusts", "requests"),
        ("requestss", "requests"),
        ("rquests", "requests"),
        ("trasnformers", "transformers"),
        ("huggingfacehub", "huggingface-hub"),
        ("requests", ""),
        ("numpi", ""),
        ("psycopg4", ""),
        ("wholly-new-thing", ""),
        ("", ""),
    ],
)
def test_resemblance(name: str, other: str) -> None:
    assert resembled(name) == other


def test_the_shipped_names_are_canonical() -> None:
    text = Path("registry/manifests/popular.txt")
    names = (Path(__file__).parents[3] / text).read_text("ascii").split()
    assert len(names) == len(set(names)) == 5000
    assert all(canonicalize_name(name) == name and is_popular(name) for name in names)


def rate(file: str, skip: int) -> float:
    path = NAMES / file
    if not path.exists():
        pytest.skip("the data set of package names is not at hand")
    listed = gzip.decompress(path.read_bytes()).decode().split()[skip:]
    names = [n for n in map(canonicalize_name, listed) if not is_popular(n)][::4]
    return sum(bool(resembled(n)) for n in names) / len(names)


def test_known_bad_names_are_caught_as_often_as_by_peers() -> None:
    # A name alone betrays few: the rest have names like any other.
    assert rate("malicious-half.txt.gz", 0) > 0.09


def test_few_good_names_are_called_look_alikes() -> None:
    # Ranks 5,001 to 15,000: real packages, none of them on the shipped list.
    assert rate("popular-pypi.txt.gz", 5000) < 0.02
