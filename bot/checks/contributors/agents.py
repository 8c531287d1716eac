"""AI accounts as they sign commits: reviewed data.

Each row was seen in public commits or is set by a vendor. It is a fact about an account, so it is
compared whole. Words that are also given names count only where a line has no address:
`Claude Martin <claude@example.org>` is a person.
"""

from __future__ import annotations

from dataclasses import dataclass

REVIEWED = "2026-11-22"


@dataclass(frozen=True, slots=True)
class Agent:
    """One AI tool: what it is called, and its accounts, all in lower case.

    `logins` are those of the platform's no-reply addresses, `[bot]` included; `titles` are words
    no person is called, `words` are names that a person may have.
    """

    name: str
    logins: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


AGENTS: tuple[Agent, ...] = (
    Agent(
        "Claude",
        ("claude", "claude[bot]", "anthropic-claude[bot]", "claude-code-action[bot]"),
        ("noreply@anthropic.com", "claude@anthropic.com"),
        ("claude code", "claude opus", "claude sonnet", "claude haiku", "claude fable",
         "claude-code", "anthropic claude", "claude (anthropic)"),
        ("claude", "anthropic"),
    ),
    Agent(
        "GitHub Copilot",
        ("copilot", "copilot[bot]", "copilot-swe-agent[bot]", "github-copilot[bot]"),
        ("copilot@github.com",),
        ("github copilot", "copilot autofix", "copilot agent", "copilot coding agent",
         "copilot-swe-agent"),
        ("copilot",),
    ),
    Agent(
        "Cursor",
        ("cursoragent", "cursor[bot]", "cursor-agent[bot]"),
        ("cursoragent@cursor.com", "noreply@cursor.com"),
        ("cursor agent", "cursor ai"),
        ("cursor",),
    ),
    Agent(
        "OpenAI Codex",
        ("openai-codex[bot]", "chatgpt-codex-connector[bot]"),
        ("noreply@openai.com", "codex@openai.com"),
        ("openai codex", "codex cli", "chatgpt", "openai"),
        ("codex", "gpt"),
    ),
    Agent(
        "Devin",
        ("devin-ai-integration[bot]",),
        (),
        ("devin ai", "devin-ai-integration"),
        ("devin",),
    ),
    Agent(
        "Gemini",
        ("gemini-code-assist[bot]", "gemini-cli[bot]"),
        ("gemini-cli@google.com",),
        ("gemini code assist", "gemini cli", "gemini-code-assist", "gemini-cli", "google gemini"),
        ("gemini",),
    ),
    Agent(
        "Jules",
        ("google-labs-jules[bot]",),
        (),
        ("google jules", "google-labs-jules"),
        ("jules",),
    ),
    Agent("Aider", (), ("noreply@aider.chat", "aider@aider.chat"), ("aider (",), ("aider",)),
    Agent("Amazon Q", ("amazon-q-developer[bot]",), (), ("amazon q",)),
    Agent("Cline", ("cline[bot]",), (), (), ("cline",)),
    Agent("Continue", ("continue[bot]",), (), ("continue.dev", "continue cli")),
    Agent("Cody", ("sourcegraph-cody[bot]",), (), ("sourcegraph cody",)),
    Agent("JetBrains AI", ("jetbrains-ai[bot]",), (), ("jetbrains ai", "jetbrains junie")),
    Agent("CodeRabbit", ("coderabbitai[bot]",), (), ("coderabbit", "coderabbitai")),
    Agent("PR-Agent", ("codiumai-pr-agent[bot]", "codiumai-pr-agent-pro[bot]"), (), ("pr-agent",)),
    Agent("Replit Agent", (), ("agent@replit.com",), ("replit agent",)),
    Agent("OpenCode", (), ("noreply@opencode.ai",), ("opencode",)),
    Agent("Codebuff", (), ("noreply@codebuff.com",), ("codebuff",)),
    Agent("Freebuff", (), ("noreply@freebuff.com",), ("freebuff",)),
    Agent("DeepSeek", (), ("noreply@deepseek.com",), ("deepseek",)),
    Agent("GLM", (), ("service@zhipuai.cn",), ("zhipu ai", "chatglm")),
    Agent("Windsurf", (), (), ("windsurf cascade",), ("windsurf",)),
    Agent("OpenHands", ("openhands-agent",), ("openhands@all-hands.dev",), ("openhands",)),
    Agent("Qwen", (), (), ("qwen code", "qwen coder"), ("qwen",)),
)  # fmt: skip
