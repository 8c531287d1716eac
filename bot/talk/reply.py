"""What is written under a pull request: the one reply to a comment, and what an approver reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.github.checkruns import APPROVE, name_of
from bot.github.values import Pull
from bot.talk import approving
from bot.talk.quota import Left, exceeded
from bot.talk.shown import code, ended, listed, minutes, moment, quoted, typed
from bot.talk.values import Answer
from bot.wording import plural

BYTES = 30_000  # of a reply; GitHub takes 65,536 characters
FILES = 30  # that a request for approval names


def marker(comment: int) -> str:
    """Return what our reply to a comment begins with: by it, and our account, it is found."""
    return f"<!-- modelwarden:reply:{comment} -->"


def reply(comment: int, answers: Sequence[Answer]) -> str:
    """Return the one reply to a comment, with every answer in the order of its commands."""
    parts = [marker(comment)]
    for answer in answers:
        heading = f"{code(answer.line)}\n\n" if answer.line else ""
        parts.append(heading + _bounded(answer.text, BYTES // max(1, len(answers)) - 1_500))
    return "\n\n".join(parts) + "\n"


def _bounded(text: str, limit: int) -> str:
    # A cut within an element or a block of code would change what follows.
    size = len(text.encode())
    return text if size <= limit else f"The answer has {size:,} bytes, which is too long to show."


def approval_request(
    pull: Pull,
    *,
    files: tuple[tuple[str, str], ...],
    suites: tuple[str, ...],
    estimate: float,
    left: Left,
    expires_at: float,
) -> str:
    """Return what is shown before the weights of a pull request are loaded, as markdown.

    `files` are those of `executables`, `estimate` is in minutes; an approval given now holds
    until `expires_at`, in seconds since the epoch.
    """
    head, base = code(pull.head[: approving.DIGITS]), code(pull.base[: approving.DIGITS])
    source = "a fork" if pull.fork else "this repository"
    lines = [
        "### The model was not measured: its weights need somebody's approval",
        "",
        f"They come from {source}, by {code(pull.author.login)}. Measuring loads head {head} and "
        f"base {base} in a sandbox without network or secrets.",
        "",
        f"- Suites: {listed(suites) or 'none'}",
        f"- Estimated: {minutes(estimate)}",
        f"- Left today: {minutes(left.author)} for {code(pull.author.login)}, "
        f"{minutes(left.repository)} for the repository",
        "",
        *_files(files),
        "",
        *(_how(pull, estimate, left, expires_at) if suites else _nothing()),
    ]
    return "\n".join(lines) + "\n"


def _files(files: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if not files:
        yield "By their names, none of the changed files could run code when the model is loaded."
        return
    yield f"**Read these first.** {plural(len(files), 'changed file')} could run code:"
    yield ""
    for path, why in files[:FILES]:
        yield f"- {code(path)}: {quoted(why)}"
    if len(files) > FILES:
        yield f"- … and {len(files) - FILES:,} more"


def _how(pull: Pull, estimate: float, left: Left, expires_at: float) -> Iterator[str]:
    if over := exceeded(left, estimate):
        yield f"**Not now:** {quoted(ended(over), 400)}"
        yield ""
    yield (
        "**To approve** exactly these commits, somebody with the write role presses the button "
        f"“{APPROVE.label}” of the check run {code(name_of(approving.LOADS))}, or writes in a "
        "new comment:"
    )
    yield ""
    yield typed(approving.line(pull.head))
    yield ""
    yield (
        f"Until then nothing is loaded, and the check does not pass. An approval given now holds "
        f"until {moment(expires_at)}. {approving.VOIDS}"
    )


def _nothing() -> Iterator[str]:
    yield (
        "**Nothing to approve yet:** the policy at the base commit names no suite, so nothing "
        "would be measured. Name one under <code>regression.suite</code> in the policy of the "
        "base branch, then write <code>/warden check</code> here."
    )
