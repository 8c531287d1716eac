"""The one entry point. Puts our own install root first and refuses look-alike packages.

A checkout may hold its own `security/` or `lab/`; those must never be imported in our place.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

__version__ = "0.1.0"

ROOT = Path(__file__).resolve().parent
PARTS = ("bot", "lab", "registry", "security")


def guard() -> None:
    """Make our packages importable from ROOT only. Raises SystemExit(2) if they are not."""
    sys.path[:] = [str(ROOT), *(p for p in sys.path if p not in ("", str(ROOT)))]
    for part in PARTS:
        spec = importlib.util.find_spec(part)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin != ROOT / part / "__init__.py":
            print(
                f"modelwarden: package '{part}' would load from {origin}, not from {ROOT}.\n"
                "  Reinstall modelwarden in a virtual environment of its own.",
                file=sys.stderr,
            )
            raise SystemExit(2)


def main() -> None:
    """Run what was asked for; Ctrl-C ends it in one line also while it loads."""
    try:
        run()
    except KeyboardInterrupt:
        print("modelwarden: stopped", file=sys.stderr)
        raise SystemExit(130) from None


def run() -> None:
    """Run the command line, or one of our own children where the first argument says so."""
    guard()
    if sys.argv[1:2] == ["_score"]:
        from lab.worker import main as score

        raise SystemExit(score(sys.argv[2:]))
    if sys.argv[1:2] == ["_convert"]:
        from lab.recipes.checkpoint import main as convert

        raise SystemExit(convert(sys.argv[2:]))
    if sys.argv[1:2] == ["_judge"]:
        from bot.serve.judgechild import main as judge

        raise SystemExit(judge(sys.argv[2:]))
    from bot.cli import main as command_line

    raise SystemExit(command_line())


if __name__ == "__main__":
    main()
