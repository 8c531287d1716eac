"""What the check can say."""

from __future__ import annotations

from bot.finding import Level, Rule
from registry.advisories.errors import UPDATE

MALWARE = Rule(
    "advisories/malware",
    Level.FAILURE,
    "A version that the change pins is known to be malicious.",
    "It runs its author's code on whoever installs or imports it, training machines included.",
    "Take it out at once; where it was installed, rotate every secret of that machine.",
)
ADMITS = Rule(
    "advisories/admits-malware",
    Level.FAILURE,
    "A range that the change adds or alters admits a version that is known to be malicious.",
    "Mirrors and caches may still serve it, and an installer that may take it will.",
    "Exclude the versions that the finding names, or pin another one.",
)
VULNERABLE = Rule(
    "advisories/vulnerable",
    Level.FAILURE,
    "A version that the change pins has a known vulnerability at or above `advisories.fail_at`.",
    "It is known to attackers as well; a severity that nobody has rated counts as high.",
    "Take the version that the finding names, or state in `advisories.local` why it is harmless.",
)
RANGE = Rule(
    "advisories/vulnerable-range",
    Level.FAILURE,
    "All versions that a range admits, or the newest of them, have a known vulnerability.",
    "Whatever an installer takes, or what it takes first, is affected.",
    "Raise the bound above the affected versions, or lock a version that is clear.",
)
KNOWN = Rule(
    "advisories/already-there",
    Level.NOTE,
    "A package of a changed manifest has vulnerabilities that the base has as well.",
    "The change did not bring them, so it is not stopped for them.",
    "Update the package in a change of its own.",
)
UNDECIDED = Rule(
    "advisories/undecided",
    Level.UNKNOWN,
    "Nobody can say whether an advisory affects the version that the change asks for.",
    "A version or range outside PEP 440 has no order: it may lie inside or outside.",
    "Pin a version that PEP 440 accepts, or say in `advisories.local` what holds.",
)
UNRESOLVED = Rule(
    "advisories/unresolved",
    Level.NOTE,
    "Packages of a changed manifest have no version that could be looked up.",
    "Their ranges were judged, but which version will be installed is not known: not clean.",
    "Add a lock, or pin the versions.",
)
UNREADABLE = Rule(
    "advisories/unreadable",
    Level.UNKNOWN,
    "A changed manifest, or a line of it, cannot be read.",
    "It may ask for packages that are known to be malicious.",
    "Correct the file so that it can be read; where only running it would tell, write the packages "
    "out.",
)
NO_DATABASE = Rule(
    "advisories/no-database",
    Level.UNKNOWN,
    "The change brings packages, and there is no whole database of advisories to look them up in.",
    "A version that nobody looked up is not known to be harmless.",
    f"Run `{UPDATE}`; without network give it a folder, a zip or JSON lines of OSV data.",
)
TOO_OLD = Rule(
    "advisories/too-old",
    Level.UNKNOWN,
    "The change brings packages, and the database is older than `advisories.max_age_days`.",
    "An old copy looks healthy and finds nothing new.",
    f"Run `{UPDATE}`.",
)
LOCAL = Rule(
    "advisories/local-unreadable",
    Level.UNKNOWN,
    "An advisory of the project itself, in `advisories.local` at the base, cannot be read.",
    "What it forbids is not known.",
    "Correct the file at the base: OSV JSON; not_affected needs an author and an expiry.",
)
EXPIRED = Rule(
    "advisories/expired",
    Level.NOTE,
    "A statement that the project is not affected has expired, and no longer counts.",
    "Somebody has to look again.",
    "Confirm it with a new date, or delete it.",
)
RULES = (
    MALWARE, ADMITS, VULNERABLE, RANGE, KNOWN, UNDECIDED, UNRESOLVED, UNREADABLE, NO_DATABASE,
    TOO_OLD, LOCAL, EXPIRED,
)  # fmt: skip
