"""Who is a tool and who is a person; a person with a tool's name stays one."""

import pytest

from bot.checks.contributors.agents import AGENTS
from bot.checks.contributors.person import Person, person
from bot.checks.contributors.tools import Tool, fold, named, tools

NOREPLY = "@users.noreply.github.com"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Claude <noreply@anthropic.com>", "Claude"),
        ("Claude Opus 4.8 (1M context) <NoReply@Anthropic.com>", "Claude"),
        ("Claude Sonnet 5 <jamie+claude-code@example.org>", "Claude"),
        ("Claude", "Claude"),
        ("Claude Code", "Claude"),
        (f"Copilot <198982749+Copilot{NOREPLY}>", "GitHub Copilot"),
        (f"copilot-swe-agent[bot] <198982749+Copilot{NOREPLY}>", "GitHub Copilot"),
        (f"Copilot Autofix powered by AI <175728472+Copilot{NOREPLY}>", "GitHub Copilot"),
        ("GitHub Copilot", "GitHub Copilot"),
        ("Cursor <cursoragent@cursor.com>", "Cursor"),
        (f"x <cursoragent{NOREPLY}>", "Cursor"),
        ("Codex <codex@openai.com>", "OpenAI Codex"),
        ("GPT-5.6 Sol <noreply@openai.com>", "OpenAI Codex"),
        (f"d <158243242+devin-ai-integration[bot]{NOREPLY}>", "Devin"),
        (f"d <devin-ai-integration[bot]{NOREPLY}>", "Devin"),
        ("devin-ai-integration[bot] <d@example.org>", "Devin"),
        (f"j <161369871+google-labs-jules[bot]{NOREPLY}>", "Jules"),
        ("aider (gpt-4o) <aider@aider.chat>", "Aider"),
        ("Cla\u200bude Code <x@example.org>", "Claude"),  # a letter that is not seen
        ("\uff23laude Code <x@example.org>", "Claude"),  # a wide letter
    ],
)
def test_an_ai(text: str, name: str) -> None:
    assert tools().of(person(text)) == Tool(name, ai=True)


@pytest.mark.parametrize(
    "text",
    [
        f"dependabot[bot] <49699333+dependabot[bot]{NOREPLY}>",
        "dependabot[bot] <support@github.com>",
        f"pre-commit-ci[bot] <66853113+pre-commit-ci[bot]{NOREPLY}>",
        f"Nobody <1+claudette[bot]{NOREPLY}>",
    ],
)
def test_another_bot(text: str) -> None:
    found = tools().of(person(text))
    assert found is not None
    assert not found.ai


@pytest.mark.parametrize(
    "text",
    [
        "Claude Martin <claude.martin@example.org>",
        "Claude <claude@example.org>",
        "Claude Monet",
        "Devin Smith <devin@example.org>",
        "Jules <jules@example.org>",
        f"Jules Verne <5+jules{NOREPLY}>",
        f"Cline <7+cline{NOREPLY}>",  # the bot is cline[bot]
        f"claudette <8+claudette{NOREPLY}>",
        "Somebody <ada@anthropic.com>",
        "Somebody <research@openai.com>",
        "Cursory Reader <c@example.org>",
        "Bo <noreply@anthropic.com.example.org>",
        f"Bo <copilot{NOREPLY}.example.org>",
        "Bot <bot@example.org>",
        "",
        "<>",
    ],
)
def test_a_person(text: str) -> None:
    assert tools().of(person(text)) is None


def test_a_policy_names_its_own() -> None:
    own = tools(("Builder@Example.org", "our-helper"))
    assert own.of(Person("B", "builder@example.org")) == Tool("builder@example.org", ai=True)
    assert own.of(Person("B", f"9+our-helper{NOREPLY}")) == Tool("our-helper", ai=True)
    assert own.of(Person("our-helper", "b@example.org")) is None
    assert own.key("builder@example.org")
    assert not own.key("ada@example.org")


def test_the_platform_tells_a_bot_that_looks_like_a_person() -> None:
    ada = Person("Ada", "ada@example.org")
    assert tools(commits=("c1",)).of(ada, "c1") == Tool("Ada", ai=False)
    assert tools(commits=("c1",)).of(ada, "c2") is None
    assert tools(commits=("c1",)).of(ada) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Claude:claude-sonnet-5 coccinelle", "Claude"),
        ("GitHub Copilot:gpt-4.1", "GitHub Copilot"),
        ("Claude Code / claude-opus", "Claude"),
        ("Copilot (GPT-5.4)", "GitHub Copilot"),
        ("[Claude Code](https://claude.com/claude-code)", ""),
        ("openapi-generator 7.2", ""),
        ("Claudette Colbert", ""),
        ("", ""),
    ],
)
def test_named_where_a_tool_is_meant(text: str, name: str) -> None:
    assert named(text) == name


def test_the_data_is_folded_and_each_account_stands_once() -> None:
    keys = [k for a in AGENTS for k in (*a.logins, *a.addresses)]
    titles = [t for a in AGENTS for t in (*a.titles, *a.words)]
    assert len(keys) == len(set(keys))
    assert len(titles) == len(set(titles))
    assert all(text == fold(text) for text in (*keys, *titles))
    assert all("@" in address for a in AGENTS for address in a.addresses)
    assert all("@" not in login for a in AGENTS for login in a.logins)
