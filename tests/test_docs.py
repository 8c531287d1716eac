"""Pages that come from the code are equal to it; the README's commands and links exist."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import jsonschema
import pytest

from bot import catalog, policy
from bot.cli import cli
from docs.generate import DOCS, pages
from lab.items.suite import read_task
from lab.protocol import Kind
from security.trust.loading import load

ROOT = DOCS.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


@pytest.mark.parametrize("name", sorted(pages()))
def test_generated_pages_are_current(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "run: make docs"


def test_policy_schema_accepts_and_refuses_as_the_code_does() -> None:
    schema = policy.model(catalog.CHECKS).model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    good = {"version": 1, "levels": {"weights/pickle": "note"}, "contributors": {"dco": "off"}}
    jsonschema.validate(good, schema)
    bad: tuple[object, ...] = (
        {"version": 2},
        {"contributers": {}},
        {"contributors": {"doc": "off"}},
    )
    for wrong in bad:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_and_options_exist(path: Path) -> None:
    for line in re.findall(r"(?:^|`|\$ )modelwarden ([^`\n]+)", path.read_text(), re.MULTILINE):
        _parse(line.split("#")[0].split())


def _parse(words: list[str]) -> None:
    command: click.Command = cli
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        assert words[0] in command.commands, words
        command, words = command.commands[words[0]], words[1:]
    known = {o for p in command.params for o in p.opts} | {"--help", "-h", "--version"}
    assert {w.split("=")[0] for w in words if w.startswith("--")} <= known, words


def test_suites_shown_are_read() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (DOCS / "measuring.md").read_text(), re.DOTALL)
    kinds = {read_task("shown", block.encode()).kind for block in blocks}
    assert kinds == set(Kind)


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        assert set(re.findall(r"`make ([a-z]+)`", path.read_text())) <= targets


def test_scripts_and_files_exist() -> None:
    pattern = r"`((?:bot|lab|registry|security|tests|docs|benchmarks|examples)/[\w./-]+\.\w+)`"
    for path in DOCUMENTS:
        for name in re.findall(pattern, path.read_text()):
            assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_nothing_local_is_published() -> None:
    for path in DOCUMENTS:
        assert str(ROOT) not in path.read_text()
        assert sys.prefix not in path.read_text()


def test_trust_files_shown_are_read() -> None:
    for page in ("signing.md", "formats/trust.md"):
        blocks = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
        assert blocks, page
        for block in blocks:
            assert load(block.encode(), page).roles
