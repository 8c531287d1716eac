"""The shipped list of well-known names."""

from packaging.utils import canonicalize_name

from registry.manifests.popular import is_popular, ranks


def test_the_shipped_names_are_canonical_and_in_order() -> None:
    assert len(ranks()) == 15_000
    assert all(canonicalize_name(name) == name for name in ranks())
    assert ranks()["requests"] < 50 < ranks()["transformers"]


def test_only_whole_canonical_names_are_known() -> None:
    assert is_popular("huggingface-hub")
    assert not any(is_popular(name) for name in ("", "huggingface_hub", "hugging", "\n"))
