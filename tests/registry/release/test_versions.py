"""Versions as SemVer 2.0.0 has them, the one that comes next, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.errors import Blocked, ReleaseError
from registry.release import versions
from registry.release.interface import Interface, interface_of
from registry.release.versions import Bump, parse, suggest
from security.manifest import Entry
from security.trust.releases import rank

# semver.org, "Is there a suggested regular expression": what it must match, and must not.
VALID = (
    "0.0.4", "1.2.3", "10.20.30", "1.1.2-prerelease+meta", "1.1.2+meta", "1.1.2+meta-valid",
    "1.0.0-alpha", "1.0.0-beta", "1.0.0-alpha.beta", "1.0.0-alpha.beta.1", "1.0.0-alpha.1",
    "1.0.0-alpha0.valid", "1.0.0-alpha.0valid",
    "1.0.0-alpha-a.b-c-somethinglong+build.1-aef.1-its-okay", "1.0.0-rc.1+build.1",
    "2.0.0-rc.1+build.123", "1.2.3-beta", "10.2.3-DEV-SNAPSHOT", "1.2.3-SNAPSHOT-123", "1.0.0",
    "2.0.0", "1.1.7", "2.0.0+build.1848", "2.0.1-alpha.1227", "1.0.0-alpha+beta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12+788", "1.2.3----R-S.12.9.1--.12+meta",
    "1.2.3----RC-SNAPSHOT.12.9.1--.12", "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
    "999999999999999999.999999999999999999.99999999999999999", "1.0.0-0A.is.legal",
)  # fmt: skip
INVALID = (
    "1", "1.2", "1.2.3-0123", "1.2.3-0123.0123", "1.1.2+.123", "+invalid", "-invalid",
    "-invalid+invalid", "-invalid.01", "alpha", "alpha.beta", "alpha.beta.1", "alpha.1",
    "alpha+beta", "alpha_beta", "alpha.", "alpha..", "beta", "1.0.0-alpha_beta", "-alpha.",
    "1.0.0-alpha..", "1.0.0-alpha..1", "1.0.0-alpha...1", "1.0.0-alpha....1", "01.1.1", "1.01.1",
    "1.1.01", "1.2.3.DEV", "1.2-SNAPSHOT", "1.2.31.2.3----RC-SNAPSHOT.12.09.1--..12+788",
    "1.2-RC-SNAPSHOT", "-1.0.3-gamma+b7718", "+justmeta", "9.8.7+meta+meta",
    "9.8.7-whatever+meta+meta",
    "99999999999999999999999.999999999999999999.99999999999999999----RC-SNAPSHOT.12.09.1----..12",
    # and what terminals, tags and our own order would stumble over
    "", " 1.0.0", "1.0.0 ", "1.0.0\n", "v1.0.0", "1.0.0-", "1.0.0+", "١.٠.٠", "1.0.0-é",
    "9999999999999999999.0.0", "1.0.0-" + "a" * 100, "1.0.0/2", "../1.0.0",
)  # fmt: skip


@pytest.mark.parametrize("text", VALID)
def test_valid(text: str) -> None:
    assert str(parse(text)) == text
    rank(text)


@pytest.mark.parametrize("text", INVALID)
def test_invalid(text: str) -> None:
    with pytest.raises(ReleaseError, match="is not a version") as caught:
        parse(text)
    assert caught.value.message.isprintable()


def test_the_order_of_the_specification() -> None:
    found = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
             "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1"]  # fmt: skip
    assert all(rank(low) < rank(high) for low, high in pairwise(found))


@pytest.mark.parametrize(
    ("previous", "bump", "pre", "after"),
    [
        ("", "patch", "", "1.0.0"),
        ("", "major", "rc", "1.0.0-rc.1"),
        ("1.2.3", "patch", "", "1.2.4"),
        ("1.2.3", "minor", "", "1.3.0"),
        ("1.2.3", "major", "", "2.0.0"),
        ("0.3.1", "major", "", "1.0.0"),
        ("1.2.3+build.7", "patch", "", "1.2.4"),
        ("1.2.3", "minor", "rc", "1.3.0-rc.1"),
        ("1.3.0-rc.1", "minor", "rc", "1.3.0-rc.2"),
        ("1.3.0-rc.1", "patch", "rc", "1.3.0-rc.2"),
        ("1.3.0-rc.9", "patch", "rc", "1.3.0-rc.10"),
        ("1.3.0-rc.1", "major", "rc", "2.0.0-rc.1"),
        ("1.3.0-beta.4", "minor", "rc", "1.3.0-rc.1"),
        ("1.3.0-rc", "minor", "rc", "1.3.0-rc.1"),
        ("1.3.0-rc.1", "minor", "", "1.3.0"),
        ("1.3.0-rc.1", "patch", "", "1.3.0"),
        ("2.0.0-rc.1", "major", "", "2.0.0"),
        ("2.0.0-rc.1", "minor", "", "2.0.0"),
        ("1.2.4-rc.1", "minor", "", "1.3.0"),
        ("1.2.4-rc.1", "major", "", "2.0.0"),
    ],
)
def test_next_semver(previous: str, bump: Bump, pre: str, after: str) -> None:
    assert versions.next(previous, bump, pre=pre) == after


@pytest.mark.parametrize(
    ("previous", "day", "pre", "after"),
    [
        ("", date(2026, 11, 22), "", "2026.11.1"),
        ("2026.11.1", date(2026, 11, 30), "", "2026.11.2"),
        ("2026.11.9", date(2026, 12, 1), "", "2026.12.1"),
        ("2026.12.9", date(2027, 1, 1), "", "2027.1.1"),
        ("2026.11.1", date(2026, 11, 30), "rc", "2026.11.2-rc.1"),
        ("2026.11.2-rc.1", date(2026, 11, 30), "rc", "2026.11.2-rc.2"),
        ("2026.11.2-rc.1", date(2026, 11, 30), "", "2026.11.2"),
        ("2026.11.2-rc.1", date(2026, 12, 1), "", "2026.12.1"),
        ("1.4.0", date(2026, 11, 22), "", "2026.11.1"),  # the project changed its scheme
    ],
)
def test_next_calver(previous: str, day: date, pre: str, after: str) -> None:
    assert versions.next(previous, "patch", "calver", day, pre) == after
    assert str(parse(after, "calver")) == after


@pytest.mark.parametrize("text", ["2026.13.1", "2026.0.1", "2026.1.0", "1.4.0", "12026.1.1"])
def test_no_calver(text: str) -> None:
    with pytest.raises(ReleaseError, match="no year, month and count"):
        parse(text, "calver")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("1.0.0", "none"), Blocked, "nothing of the model"),
        (("1.3.0-rc.1", "minor", "semver", None, "beta"), Blocked, "1.3.0-beta.1 would not come"),
        (("1.0.0", "minor", "semver", None, "rc.1"), ReleaseError, "no name of pre-releases"),
        (("1.0.0", "minor", "semver", None, "../x"), ReleaseError, "no name of pre-releases"),
        (("v1.0.0", "minor"), ReleaseError, "is not a version"),
        (("1.0", "minor"), ReleaseError, "is not a version"),
        (("2026.11.1", "patch", "calver"), ReleaseError, "without the date"),
        (("2026.12.1", "patch", "calver", date(2026, 11, 1)), Blocked, "the last release is"),
    ],
)
def test_no_next(arguments: tuple[Any, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        versions.next(*arguments)


NUMBERS = st.integers(0, 30)
PRES = st.sampled_from(["", "", "-rc.1", "-alpha.3", "-beta", "-rc.x.7", "-0.3"])


@given(NUMBERS, NUMBERS, NUMBERS, PRES, st.sampled_from(["patch", "minor", "major"]),
       st.sampled_from(["", "rc", "alpha"]))  # fmt: skip
def test_what_comes_next_is_greater(
    major: int, minor: int, patch: int, early: str, bump: Bump, pre: str
) -> None:
    previous = f"{major}.{minor}.{patch}{early}"
    try:
        after = versions.next(previous, bump, pre=pre)
    except Blocked:
        assume(False)
        return
    assert rank(after) > rank(previous)
    old, new = parse(previous), parse(after)
    if bump == "major":
        assert new.major > old.major or (old.pre and not old.minor and not old.patch)
    if not pre:
        assert not new.pre
        assert rank(versions.next(after, "patch")) > rank(after)


BASE = Interface("LlamaForCausalLM", (("hidden_size", "64"),), (), "v", 320, "t",
                 (("eos_token", "</s>"),), "c", 512, "bfloat16", "s", "w", "o",
                 "r", "k")  # fmt: skip


@pytest.mark.parametrize(
    ("change", "bump", "words"),
    [
        ({}, "none", "nothing changed"),
        ({"architecture": "Gpt"}, "major", "the architecture is Gpt, was LlamaForCausalLM"),
        ({"shape": (("hidden_size", "128"),)}, "major", "hidden_size is 128, was 64"),
        ({"output": (("num_labels", "3"),)}, "major", "num_labels is 3, was not set"),
        ({"vocabulary": "x", "tokens": 400}, "major", "the vocabulary changed: 320 -> 400 tokens"),
        ({"vocabulary": "x"}, "major", "the vocabulary changed"),
        ({"tokenizer": "x"}, "major", "splits text by other rules"),
        (
            {"special": (("eos_token", "<|end|>"),)},
            "major",
            "the special token eos_token is <|end|>, was </s>",
        ),
        ({"special": ()}, "major", "eos_token is not set, was </s>"),
        ({"template": ""}, "major", "the chat template changed"),
        ({"context": 256}, "major", "takes 256 tokens at once, took 512"),
        ({"context": 1024}, "minor", "takes 1,024 tokens at once, took 512"),
        ({"dtype": "float16"}, "minor", "stored as float16, were as bfloat16"),
        ({"weights": "x"}, "minor", "the weights changed"),
        ({"settings": "x"}, "minor", "settings of the computation"),
        ({"others": "x"}, "minor", "other files of the model"),
        ({"card": "x"}, "patch", "the card or other documents changed"),
        ({"code": "x"}, "patch", "the project's code changed"),
    ],
)
def test_what_changed_suggests(change: dict[str, Any], bump: str, words: str) -> None:
    found, reasons = suggest(BASE, replace(BASE, **change))
    assert found == bump
    assert len(reasons) == 1
    assert words in reasons[0]


def test_the_greatest_change_counts_and_comes_first() -> None:
    found, reasons = suggest(BASE, replace(BASE, card="x", weights="x", template="x"))
    assert found == "major"
    assert [each.partition(":")[0] for each in reasons] == ["major", "minor", "patch"]
    assert suggest(None, BASE) == ("major", ("first release",))


CONFIG = {"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "vocab_size": 3,
          "max_position_embeddings": 512, "eos_token_id": 2, "rms_norm_eps": 1e-5,
          "transformers_version": "4.1", "torch_dtype": "bfloat16"}  # fmt: skip
TOKENIZER = {"version": "1.0", "added_tokens": [{"id": 2, "content": "</s>", "special": True}],
             "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}  # fmt: skip
SETTINGS = {"eos_token": {"content": "</s>", "lstrip": False}, "add_bos_token": False}
FILES = {
    "model.safetensors": "1",
    "README.md": "2",
    "generation_config.json": "3",
    "config.json": "4",
    "special_tokens_map.json": "5",
}


def interface(
    config: dict[str, Any] | None = None,
    tokenizer: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    template: bytes = b"",
    files: dict[str, str] | None = None,
) -> Interface:
    entries = [Entry(path, 1, digest * 64) for path, digest in (FILES | (files or {})).items()]
    parts = json.dumps(TOKENIZER | (tokenizer or {})).encode()
    return interface_of(CONFIG | (config or {}), parts, SETTINGS | (settings or {}), template,
                        entries)  # fmt: skip


def test_an_interface_is_read() -> None:
    found = interface()
    assert (found.architecture, found.tokens, found.context) == ("LlamaForCausalLM", 3, 512)
    assert found.special == (("eos_token", "</s>"), ("eos_token_id", "2"))
    assert found.dtype == "bfloat16"


@pytest.mark.parametrize(
    ("change", "bump"),
    [
        ({}, "none"),
        ({"config": {"transformers_version": "5.0", "_name_or_path": "x"}}, "none"),
        ({"config": {"torch_dtype": "bfloat16"}}, "none"),
        ({"config": {"architectures": ["Other"]}}, "major"),
        ({"config": {"hidden_size": 128}}, "major"),
        ({"config": {"vocab_size": 4}}, "major"),
        ({"config": {"id2label": {"0": "a"}}}, "major"),
        ({"config": {"text_config": {"num_hidden_layers": 3}}}, "major"),
        ({"config": {"eos_token_id": 1}}, "major"),
        ({"config": {"max_position_embeddings": 256}}, "major"),
        ({"config": {"max_position_embeddings": 1024}}, "minor"),
        ({"config": {"rms_norm_eps": 1e-6}}, "minor"),
        ({"config": {"torch_dtype": "float16"}}, "minor"),
        ({"tokenizer": {"model": {"type": "BPE", "vocab": {"a": 1, "b": 0}, "merges": []}}},
         "major"),
        ({"tokenizer": {"added_tokens": [{"id": 2, "content": "</s>", "special": False}]}},
         "major"),
        ({"tokenizer": {"added_tokens": []}}, "major"),
        ({"tokenizer": {"normalizer": {"type": "NFC"}}}, "major"),
        ({"settings": {"eos_token": "</s>"}}, "major"),  # what strips beside it may have changed
        ({"settings": {"add_bos_token": True}}, "major"),
        ({"settings": {"chat_template": "{{ x }}"}}, "major"),
        ({"settings": {"name_or_path": "x"}}, "none"),
        ({"template": b"{{ x }}"}, "major"),
        ({"files": {"special_tokens_map.json": "0"}}, "major"),
        ({"files": {"model.safetensors": "0"}}, "minor"),
        ({"files": {"model-2.safetensors": "0"}}, "minor"),
        ({"files": {"generation_config.json": "0"}}, "minor"),
        ({"files": {"labels.txt": "0"}}, "minor"),
        ({"files": {"README.md": "0"}}, "patch"),
        ({"files": {"LICENSE.txt": "0"}}, "patch"),
        ({"files": {"release/bom.cdx.json": "0", "model.sig": "0"}}, "none"),
    ],
)  # fmt: skip
def test_files_and_what_they_change(change: dict[str, Any], bump: str) -> None:
    found, reasons = suggest(interface(), interface(**change))
    assert found == bump, reasons
    assert all(reason.isprintable() for reason in reasons)


PLAIN = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(PLAIN, lambda s: st.lists(s) | st.dictionaries(st.text(), s), max_leaves=5)
KEYS = st.sampled_from([*sorted(CONFIG), "text_config", "bos_token_id"])


@given(st.dictionaries(KEYS, JSON))
def test_any_configuration_is_read(config: dict[str, Any]) -> None:
    found = interface(config)
    assert suggest(found, interface(config))[0] == "none"
