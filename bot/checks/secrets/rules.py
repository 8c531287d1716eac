"""The rules of the check on secrets and personal data."""

from __future__ import annotations

from bot.finding import Level, Rule

CREDENTIAL = Rule(
    "secrets/credential",
    Level.FAILURE,
    "An added line, or a commit message, holds a key, a token or a password.",
    "Whoever can read the repository can use it, and git keeps it for ever.",
    "Revoke it where it was issued, then take it out of the branch's commits. A made-up one may"
    " be waived, or accepted in .github/modelwarden-secrets.json of the base.",
)
PASSING = Rule(
    "secrets/in-history",
    Level.FAILURE,
    "An earlier commit of the change adds a credential that the head no longer has.",
    "A later commit hides it from the diff, not from the history that is merged.",
    "Revoke it where it was issued, and squash the commits or write them anew.",
)
PERSONAL = Rule(
    "secrets/personal-data",
    Level.FAILURE,
    "An added line holds data about a person (a warning outside of data files).",
    "Published data about people cannot be taken back, and models repeat what they saw.",
    "Remove or replace it; where it is meant, name its kind in `secrets.allow_kinds` or its path "
    "in `secrets.allow_paths` of the policy.",
)
KNOWN = Rule(
    "secrets/known",
    Level.NOTE,
    "An added line holds a value that the base has already, or accepts in its baseline.",
    "It is not new, but it is still there.",
    "Remove it when there is time; revoke a credential that was never revoked.",
)
UNREAD = Rule(
    "secrets/unread",
    Level.UNKNOWN,
    "A changed file, or the history, was not read to its end.",
    "What was not read may hold anything.",
    "Split the file, keep it in DVC or Git LFS, or raise secrets.max_file_bytes.",
)
UNSEEN = Rule(
    "secrets/content-unseen",
    Level.NOTE,
    "An LFS or DVC pointer whose content is not at hand, so that it was not scanned.",
    "Only the pointer is in git.",
    "Fetch the content first ('git lfs fetch' or 'dvc fetch' of the head), then check again.",
)
RULES = (CREDENTIAL, PASSING, PERSONAL, KNOWN, UNREAD, UNSEEN)
