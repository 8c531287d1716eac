"""A report as text: pure functions, the same bytes for the same report."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from bot.finding import Rule
from bot.report.neutral import scrub
from bot.report.options import Options, Renderer
from bot.verdict import Report

# Names, not modules: one format loads only itself.
RENDERERS: Mapping[str, str] = {
    "text": "bot.report.text",
    "json": "bot.report.json",
    "sarif": "bot.report.sarif",
    "markdown": "bot.report.markdown",
    "html": "bot.report.html",
}


def render(
    report: Report,
    format: str,
    rules: Mapping[str, Rule],
    *,
    timings: bool = False,
    colour: bool = False,
    verbose: bool = False,
    width: int = 88,
    room: int = 65_535,
) -> str:
    """Return the report in one of RENDERERS. Every text in it is made harmless first."""
    renderer = cast(Renderer, import_module(RENDERERS[format]))
    return renderer.render(scrub(report), rules, Options(timings, colour, verbose, width, room))
