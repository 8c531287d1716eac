"""A small real check: finds the word "bad" in changed text files. For tests of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from bot.change import Change
from bot.check import Section
from bot.errors import CouldNotTell
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Location, Rule
from bot.world import World

NAME = "toy"
VERSION = 1
BAD = Rule("toy/bad", Level.FAILURE, "A file says bad.", "Bad is bad.", "Say good.")
ODD = Rule("toy/odd", Level.UNKNOWN, "A file cannot be read.", "It may be bad.", "Fix it.")
RULES = (BAD, ODD)


class Settings(Section):
    """Words to look for."""

    word: str = Field(default="bad", description="The word.")
    words: tuple[str, ...] = Field(default=(), description="More words.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """(path, text) of changed files."""

    texts: tuple[tuple[str, str], ...]


def applies(change: Change, settings: Settings) -> str:
    return "" if change.files else "no file changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    texts = []
    for file in change.files:
        if file.file is not None:
            if file.path == "crash":
                raise RuntimeError("broken\nbadly")
            if file.path == "blind":
                raise CouldNotTell("cannot see", "open your eyes")
            texts.append((file.path, world.read(file.file.blob).decode()))
    return Evidence(tuple(texts))


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    found = [BAD.at("says bad", Location(p)) for p, t in evidence.texts if settings.word in t]
    odd = [ODD.at("is odd", Location(p)) for p, t in evidence.texts if "odd" in t]
    return (*found, *odd)


def summary(evidence: Evidence) -> str:
    return f"{len(evidence.texts)} files"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    return ()
