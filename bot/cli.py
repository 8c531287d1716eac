"""The command line. Every command imports what it needs only when it runs."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from bot.keys.commands import keys, verify
from bot.recipecli import recipe
from bot.releasing.commands import release
from bot.watchcli import watch

FORMATS = ("text", "json", "sarif", "markdown", "html")
BILLS = ("cyclonedx", "spdx")
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _examples(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


_plugin = click.option(
    "--plugin", "plugins", metavar="NAME", multiple=True, envvar="MODELWARDEN_PLUGINS",
    help="Switch on an installed plugin; repeatable.",
)  # fmt: skip


@click.group(context_settings=_CONTEXT)
@click.version_option(package_name="modelwarden")
def cli() -> None:
    """Stay in control of what enters your model.

    One verdict on every change: model, data, licences, dependencies, people.
    """


cli.add_command(keys)
cli.add_command(verify)
cli.add_command(recipe)
cli.add_command(release)
cli.add_command(watch)


@cli.command(epilog=_examples("modelwarden init", "modelwarden init --repo ../my-model"))
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The repository.")
def init(repo: Path) -> int:
    """Write a policy, a workflow and pre-commit hooks, after looking at the repository."""
    from bot.setup import run

    for line in run(repo):
        click.echo(line)
    return 0


@cli.command(
    epilog=_examples(
        "modelwarden check                              # HEAD against the main branch",
        "modelwarden check --base v1.0 --head my-branch",
        "modelwarden check --staged --only dependencies --only weights",
        "modelwarden check --report review.html --report findings.sarif",
    )
)
@click.option("--base", metavar="REV", help="Where the change starts  [default: the main branch].")
@click.option("--head", metavar="REV", help="Where it ends  [default: HEAD].")
@click.option("--staged", is_flag=True, help="Judge what is staged, against HEAD.")
@click.option("--message", metavar="FILE", type=click.Path(path_type=Path),
              help="Judge one commit message, as a commit-msg hook does.")  # fmt: skip
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The repository.")
@click.option("--format", "format_", type=click.Choice((*FORMATS, *BILLS)), default="text",
              show_default=True,
              help="cyclonedx and spdx: the bill of materials of HEAD.")  # fmt: skip
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path),
              help="Write the report there instead of standard output.")  # fmt: skip
@click.option("--report", "reports", metavar="FILE", multiple=True,
              type=click.Path(path_type=Path),
              help="Also write FILE; its suffix names the format (.html .json .sarif .md .txt "
              ".cdx.json .spdx.json).")  # fmt: skip
@click.option("--only", metavar="CHECK", multiple=True, help="Run only this check; repeatable.")
@click.option("--skip", metavar="CHECK", multiple=True, help="Leave out this check; repeatable.")
@click.option("--policy", metavar="FILE", type=click.Path(path_type=Path),
              help="Use this policy instead of the one at the base commit.")  # fmt: skip
@click.option("--people", metavar="FILE", type=click.Path(path_type=Path),
              help="What the platform says of accounts and agreements, as JSON.")  # fmt: skip
@_plugin
@click.option("--no-cache", is_flag=True, help="Neither read nor keep evidence of earlier runs.")
@click.option("--timings", is_flag=True, help="Show seconds in the report, which then varies.")
@click.option("--verbose", is_flag=True, help="Show notes in full.")
def check(**options: Any) -> int:
    """Judge a change. Exit code: 0 pass, 1 findings, 2 usage or environment, 3 could not tell."""
    from bot.door import check as run

    return run(**options)


@cli.command(epilog=_examples("modelwarden rules", "modelwarden rules weights/pickle"))
@click.argument("rule", required=False)
@click.option("--format", "format_", type=click.Choice(("text", "json", "markdown")),
              default="text", show_default=True)  # fmt: skip
@_plugin
def rules(rule: str | None, format_: str, plugins: tuple[str, ...]) -> int:
    """List every rule, or explain one."""
    from bot.printing import in_colour, write
    from bot.ruledoc import show

    write(show(rule, format_, plugins=plugins, colour=in_colour()) + "\n", None)
    return 0


@cli.command(
    epilog=_examples(
        "modelwarden measure model --suite eval/held-out.jsonl",
        "modelwarden measure model --suite tasks/quiz.yaml --limit 200 --format json",
        "modelwarden measure new-model --against old-model --report comparison.html",
    )
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--suite", "suites", multiple=True, type=click.Path(path_type=Path),
              help="JSONL of items, or YAML task of lm-evaluation-harness; repeatable  "
              "[default: those of the policy].")  # fmt: skip
@click.option("--against", metavar="BASE", type=click.Path(path_type=Path),
              help="Compare with this model: is MODEL worse? Exit code as for check.")  # fmt: skip
@click.option("--device", default="auto", show_default=True,
              help="auto, cpu, cuda (every GPU) or cuda:0,cuda:1.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1),
              help="Score at most N items of each suite, always the same ones.")  # fmt: skip
@click.option("--budget", metavar="SECONDS", type=click.FloatRange(min=0), default=0.0,
              help="Stop scoring after so many seconds of CPU, or of GPU where it runs.",
              )  # fmt: skip
@click.option("--latency", is_flag=True, help="Also time requests to the model.")
@click.option("--trust-code", is_flag=True, help="Let YAML tasks run Python of their own.")
@click.option("--ray", metavar="ADDRESS", help="Score on this Ray cluster.")
@click.option("--no-cache", is_flag=True, help="Neither reuse nor keep scores.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text",
              show_default=True)  # fmt: skip
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path),
              help="Write MODEL's metrics there as JSON, for DVC; of all items, also with "
              "--against.")  # fmt: skip
@click.option("--report", "reports", metavar="FILE", multiple=True,
              type=click.Path(path_type=Path),
              help="Also write FILE; its suffix names the format (.html .json .md .txt .csv).",
              )  # fmt: skip
def measure(**options: Any) -> int:
    """Score a local model that you trust (safetensors), alone or against another one."""
    from bot.measuring import Asked
    from bot.measuring import measure as run

    return run(Asked(**options))


@cli.command(
    epilog=_examples(
        "modelwarden contributors                              # everybody, ever",
        "modelwarden contributors --base v1.0 --head v2.0",
        "modelwarden contributors --format csv --output people.csv --cla signatures.jsonl",
    )
)
@click.option("--base", metavar="REV", help="Leave out what this revision has  [default: nothing].")
@click.option("--head", metavar="REV", help="Whose history it is  [default: HEAD].")
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The repository.")
@click.option("--format", "format_", type=click.Choice(("table", "json", "csv")), default="table",
              show_default=True)  # fmt: skip
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path),
              help="Write the ledger there instead of standard output.")  # fmt: skip
@click.option("--cla", metavar="FILE", type=click.Path(path_type=Path),
              help="Signatures of the agreement, as JSON lines.")  # fmt: skip
@click.option("--people", metavar="FILE", type=click.Path(path_type=Path),
              help="What the platform says of accounts and agreements, as JSON.")  # fmt: skip
@click.option("--lines/--no-lines", default=True, show_default=True,
              help="Count lines; needs every file of the history.")  # fmt: skip
@_plugin
def contributors(**options: Any) -> int:
    """List who made a history: commits, shares, sign-offs, signatures, agreements."""
    from bot.contributors import contributors as run

    return run(**options)


@cli.command(
    epilog=_examples(
        "modelwarden serve --config serve.yml --check   # what is missing, and what to do",
        "modelwarden serve --config serve.yml",
        "modelwarden serve --config serve.yml --worker gpu",
    )
)
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path),
              help="Settings, YAML  [default: MODELWARDEN_CONFIG; then MODELWARDEN_* alone].",
              )  # fmt: skip
@click.option("--database", metavar="URL",
              help="sqlite:///FILE or postgresql://...  [default: SQLite in the folder].",
              )  # fmt: skip
@click.option("--host", help="Address to listen at  [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port  [default: 8000].")
@click.option("--worker", type=click.Choice(("all", "web", "gpu")),
              help="all, web (no GPU jobs) or gpu (those alone, no port)  [default: all].",
              )  # fmt: skip
@click.option("--check", is_flag=True, help="Say what is wrong with this set-up, and end.")
@click.option("--dry-run", is_flag=True, help="Publish nothing: log and pages only.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text",
              show_default=True, help="Of --check.")  # fmt: skip
def serve(**options: Any) -> int:
    """Run the GitHub App: webhook, jobs and read-only pages."""
    from bot.serve.run import serve as run

    return run(**options)


@cli.command(hidden=True)  # a step of action.yml, which docs/action.md describes
@click.option("--event", metavar="FILE", required=True, type=click.Path(path_type=Path),
              help="The event of the job, as the runner keeps it.")  # fmt: skip
@click.option("--base", metavar="COMMIT", required=True, help="Where the change starts.")
@click.option("--head", metavar="COMMIT", required=True, help="Where it ends.")
@click.option("--output", metavar="FILE", required=True, type=click.Path(path_type=Path),
              help="The file for check --people.")  # fmt: skip
def people(**options: Any) -> int:
    """Ask GitHub whose the commits of a change are; the token is GITHUB_TOKEN."""
    from bot.asking import people as run

    return run(**options)


@cli.command(hidden=True)  # a step of publish/action.yml, which docs/action.md describes
@click.option("--event", metavar="FILE", required=True, type=click.Path(path_type=Path),
              help="The event of the workflow_run, as the runner keeps it.")  # fmt: skip
@click.option("--archive", metavar="FILE", required=True, type=click.Path(path_type=Path),
              help="What the run uploaded, as it came.")  # fmt: skip
def publish(**options: Any) -> int:
    """Show on a fork's pull request what its own run reported; the token is GITHUB_TOKEN."""
    from bot.publishing import publish as run

    return run(**options)


def main() -> int:
    """Run the command line; map every error to one line and an exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = cli.main(standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("modelwarden: stopped", err=True)
        return 130
    except SystemExit:
        return 141  # click's end where whoever read the output has gone
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; nothing more can be said
        return 141
    except Exception as error:  # noqa: BLE001 - the door: known errors by name, others in one line
        from bot.explain import explain

        line, code = explain(error)
        click.echo(line, err=True)
        _give_up()
        return code


def _give_up() -> None:
    """Forget what standard output does not take, so that Python says nothing of it at its end."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
