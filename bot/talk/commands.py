"""The one table of commands: it feeds parsing, rights, help and docs/chatops.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.github.values import Role

WORD = "/warden"


@dataclass(frozen=True, slots=True)
class Flag:
    """An option of a command, `--name VALUE`; without it the command may be refused."""

    name: str
    value: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """One command.

    In `words`, "RULE" takes a value, "[CHECK]" may be left out, "until" stands for itself.
    `tail` is the word after which the rest of the line is plain text. `role` is the least role;
    `author`: the author of the pull request may as well. `barred`: not for people who have
    declared a conflict of interest.
    """

    name: str
    role: Role
    does: str
    more: str
    example: str
    words: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    tail: str = ""
    author: bool = False
    barred: bool = False

    @property
    def usage(self) -> str:
        """How it is typed."""
        flags = (f"--{f.name} {f.value}" for f in self.flags)
        shown = (t if f.required else f"[{t}]" for f, t in zip(self.flags, flags, strict=True))
        tail = (f"{self.tail} …",) if self.tail else ()
        return " ".join((WORD, self.name, *self.words, *shown, *tail))

    @property
    def who(self) -> str:
        """Who may say it, in words."""
        if self.role is Role.NONE:
            return "anybody"
        author = ", or the author of the pull request" if self.author else ""
        return f"{self.role.name.lower()} role{author}"


_TABLE = (
    Spec(
        "help",
        Role.NONE,
        "Shows the commands, or one of them at length.",
        "The list says which commands are yours to use here, by the role that GitHub reports now.",
        "/warden help waive",
        words=("[COMMAND]",),
    ),
    Spec(
        "check",
        Role.TRIAGE,
        "Judges the pull request again: every check, or the one named.",
        "The commits are those of now, the policy that of the base commit. It never loads weights "
        "that nobody has approved, and measures once more only for those who may approve it.",
        "/warden check licenses",
        words=("[CHECK]",),
        author=True,
    ),
    Spec(
        "measure",
        Role.WRITE,
        "Approves loading this pull request's weights, to measure them on the policy's suites.",
        "The approval is for exactly the head you name, with at least 12 of its hex digits, on the "
        "base of now. A push, a new base, closing and reopening end it, and so does time. Your "
        "role is read again before the run starts.",
        "/warden measure --head 0123456789ab --suite general",
        flags=(Flag("head", "SHA", required=True), Flag("suite", "SUITE")),
        barred=True,
    ),
    Spec(
        "cancel",
        Role.WRITE,
        "Ends what runs or waits for the pull request, approvals included.",
        "Its checks are concluded as cancelled, which does not let the change in.",
        "/warden cancel",
        author=True,
    ),
    Spec(
        "waive",
        Role.MAINTAIN,
        "Accepts the findings of a rule on this pull request, until a date and for a reason.",
        "The report goes on showing the finding, with your reason. It is for the head of now: a "
        "push ends it. Rules about code that runs "
        "and about the policy itself can be waived only in the policy file, and nobody waives "
        "findings of their own change.",
        "/warden waive regression/slower until 2026-12-31 because the new cache comes next week",
        words=("RULE", "until", "DATE"),
        tail="because",
        barred=True,
    ),
    Spec(
        "explain",
        Role.NONE,
        "Says what a rule finds, why, and what to do.",
        "It is the text of `modelwarden rules RULE`.",
        "/warden explain weights/pickle",
        words=("RULE",),
    ),
    Spec(
        "sign-cla",
        Role.NONE,
        "Signs the project's contributor agreement, for yourself.",
        "Kept are your account's number, this comment's, and the SHA-256 of the agreement at the "
        "base commit: a new text asks for a new signature. Nobody can sign for another person.",
        "/warden sign-cla",
    ),
    Spec(
        "conflict",
        Role.WRITE,
        "Declares that you have a conflict of interest on this pull request.",
        "From then on you can approve, waive or release nothing on it; others can. Approvals you "
        "gave on it end. It cannot be taken back by a comment.",
        "/warden conflict",
    ),
    Spec(
        "release",
        Role.MAINTAIN,
        "Starts the release of this merged pull request.",
        "The bot releases nothing itself: it starts the project's workflow `release.yml`, which "
        "has an identity of its own and holds every gate of the policy again. Without a version "
        "the workflow takes the one that follows from what changed. Where the policy at the base "
        "says under `release.who` who may release, nobody else may ask for it. Asked twice, it is "
        "released once.",
        "/warden release 1.2.0",
        words=("[VERSION]",),
        barred=True,
    ),
)
COMMANDS: Mapping[str, Spec] = MappingProxyType({spec.name: spec for spec in _TABLE})
