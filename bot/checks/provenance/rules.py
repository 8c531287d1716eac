"""What the check `provenance` can say."""

from __future__ import annotations

from bot.finding import Level, Rule

ENTER = (
    "Put down where it is from: modelwarden release notice --register PATH --source URL"
    " --license ID"
)

PASTED = Rule(
    "provenance/pasted",
    Level.WARNING,
    "Added lines carry somebody else's licence or copyright, under terms that can be kept.",
    "Whoever publishes the project passes it on, and has to keep those terms.",
    f"Keep its notices. {ENTER}.",
)
FORBIDDEN = Rule(
    "provenance/forbidden",
    Level.FAILURE,
    "What is taken from others is under a licence that forbids its use for what is published.",
    "The project cannot pass on rights that it was not given.",
    "Take it out, use something else for it, or ask its holder for other terms.",
)
UNKNOWN = Rule(
    "provenance/unknown",
    Level.FAILURE,
    "What is taken from others names no licence, or one whose terms are not known.",
    "Without a licence there is no right to publish it, and a guess is none either.",
    f"Find out its licence from where it was taken. {ENTER}.",
)
DISAGREE = Rule(
    "provenance/disagree",
    Level.FAILURE,
    "A file names another licence than the register has for it.",
    "Nobody can tell which of them holds.",
    "Find out which holds, and correct the register.",
)
UNREGISTERED = Rule(
    "provenance/unregistered",
    Level.WARNING,
    "A folder of other people's files has no entry in the register of provenance.",
    "Nobody will know where it came from, nor which fixes it lacks.",
    f"{ENTER}.",
)
CHANGED = Rule(
    "provenance/changed",
    Level.FAILURE,
    "What is registered as borrowed and unmodified has other bytes than those registered.",
    "Either it is not what was taken from there, or it was changed without saying so.",
    "Register the new revision with `modelwarden release notice --register PATH`, or say"
    " `modified: true`.",
)
MISSING = Rule(
    "provenance/missing",
    Level.FAILURE,
    "An entry of the register names files that are not there.",
    "A register that is wrong in one place is trusted in none.",
    "Correct its path, or take the entry out.",
)
DROPPED = Rule(
    "provenance/dropped",
    Level.FAILURE,
    "The change takes out an entry of the register while its files stay.",
    "They are still somebody else's work.",
    "Put the entry back, or remove the files too.",
)
INVALID = Rule(
    "provenance/invalid",
    Level.UNKNOWN,
    "The register of provenance, or NOTICE, cannot be read.",
    "What it says of borrowed files is not known.",
    "Correct it as docs/provenance.md says.",
)
UNREAD = Rule(
    "provenance/unread",
    Level.UNKNOWN,
    "A changed file, or one that is registered, could not be read or compared to its end.",
    "What was not read may be anybody's.",
    "Make the file smaller, keep large data in DVC or Git LFS, or split the change.",
)
NOTICE = Rule(
    "provenance/notice",
    Level.FAILURE,
    "The generated part of NOTICE is not what the register and the models in use ask for.",
    "Whoever passes the project on relies on it to keep the licences of others.",
    "Run `modelwarden release notice` and commit NOTICE.",
)
RULES = (PASTED, FORBIDDEN, UNKNOWN, DISAGREE, UNREGISTERED, CHANGED, MISSING, DROPPED, INVALID,
         UNREAD, NOTICE)  # fmt: skip
