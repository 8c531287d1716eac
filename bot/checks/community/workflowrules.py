"""Rules on workflow files of GitHub Actions."""

from __future__ import annotations

from bot.finding import Level, Rule

INVALID = Rule(
    "community/workflow-invalid",
    Level.FAILURE,
    "A workflow file is not one GitHub can run.",
    "GitHub drops it with an error few people see; what it checked is no longer checked.",
    "Correct the file: valid YAML with `on` and `jobs`; `actionlint` shows every error.",
)
UNREADABLE = Rule(
    "community/unreadable",
    Level.UNKNOWN,
    "A file cannot be judged: too large, not a regular file, or YAML beyond what is read.",
    "What was not read cannot be said to be harmless.",
    "Write it as plain YAML without aliases and tags, in a regular file of moderate size.",
)
PERMISSIONS = Rule(
    "community/workflow-permissions",
    Level.FAILURE,
    "A workflow does not state its permissions, or asks for all of them.",
    "Without the line the token has whatever rights the repository or organisation gives.",
    "Add `permissions: {contents: read}` at the top and widen it in the job that needs more.",
)
UNPINNED = Rule(
    "community/unpinned-action",
    Level.FAILURE,
    "A workflow uses outside code that is not pinned to a commit.",
    "A tag or branch can be moved to other code, which then runs with the workflow's rights.",
    "Pin it: `uses: owner/name@<40 hex digits>  # v1.2.3`.",
)
TARGET = Rule(
    "community/pull-request-target",
    Level.FAILURE,
    "A workflow with the rights of the base checks out the code of a pull request.",
    "Whoever opens a pull request then runs code beside the repository's secrets.",
    "Use `pull_request` instead, or do not check out the head under pull_request_target.",
)
CHECKOUT = Rule(
    "community/checkout-unknown",
    Level.UNKNOWN,
    "A workflow with the rights of the base checks out a ref that cannot be told.",
    "If the ref is the head of a pull request, strangers' code runs beside the secrets.",
    "Write the ref so that it is the base: leave `ref` out, or use github.sha.",
)
INJECTION = Rule(
    "community/script-injection",
    Level.FAILURE,
    "A script of a workflow is put together with text a stranger chooses.",
    "The text becomes part of the script before it runs: a title can be a command.",
    'Put the value in `env:` and use "$NAME" in the script.',
)
RULES = (INVALID, UNREADABLE, PERMISSIONS, UNPINNED, TARGET, CHECKOUT, INJECTION)
