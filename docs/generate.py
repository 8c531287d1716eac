"""Write the pages that come from the code. Run by `make docs`; tests keep them equal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bot import catalog, policy, policydoc, ruledoc
from bot.report.json import schema as report_schema
from bot.talk.page import page as talk_page
from registry.borrowed import register

DOCS = Path(__file__).parent


def pages() -> Mapping[str, str]:
    """Return the text of each generated page by file name."""
    policy_schema = policy.model(catalog.CHECKS).model_json_schema()
    return {
        "rules.md": ruledoc.show(None, "markdown") + "\n",
        "policy.md": policydoc.markdown(catalog.CHECKS) + "\n",
        "chatops.md": talk_page(),
        "policy.schema.json": json.dumps(_draft(policy_schema), indent=2) + "\n",
        "provenance.schema.json": json.dumps(_draft(register.schema()), indent=2) + "\n",
        "report.schema.json": json.dumps(report_schema(), indent=2) + "\n",
    }


def _draft(schema: dict[str, object]) -> dict[str, object]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
