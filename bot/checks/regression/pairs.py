"""From a change to scores of its two models: laid out, fingerprinted, scored in one sandbox."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from bot import sandbox
from bot.change import Change
from bot.checks.regression.folders import identity
from bot.checks.regression.scoring import Scored, lacking, score
from bot.checks.regression.settings import Settings
from bot.checks.regression.suites import Suites
from bot.errors import CouldNotTell
from bot.kept import Kept
from bot.world import World
from lab.errors import ModelError
from lab.model.folder import ModelFiles, inspect
from lab.model.vocabulary import vocabulary_change
from lab.protocol import ModelScores, Pace, Request
from lab.record import harness
from lab.worker import versions
from registry.errors import RegistryError
from registry.weights import Located, materialise


class Unprotected(CouldNotTell):
    """A required protection does not hold on this machine."""


class Unequipped(CouldNotTell):
    """The libraries for scoring are not installed."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The files of the model before and after; () where there is none."""

    base: tuple[Located, ...]
    head: tuple[Located, ...]

    @property
    def present(self) -> tuple[tuple[str, tuple[Located, ...]], ...]:
        """The sides that hold a model, with their names."""
        return tuple((n, f) for n, f in (("base", self.base), ("head", self.head)) if f)


def score_sides(
    change: Change, world: World, settings: Settings, sides: Sides, suites: Suites, maker: str
) -> Scored:
    """Return the scores of both models, remembered by their files and the suites.

    No models in it: both are the same bytes. Raises RegistryError, LabError or CouldNotTell.
    """
    if missing := lacking():
        raise Unequipped(
            f"not installed: {', '.join(missing)}", "run: pip install 'modelwarden[model]'"
        )
    both = hashlib.sha256(f"{identity(sides.base)} {identity(sides.head)}".encode())
    # Other code, libraries or walls may come to other scores.
    made_by = (
        *(maker, harness(), versions(), settings.require),
        *(suites.digest, settings.device, settings.gate, bool(settings.slowdown)),
    )
    return world.facts(
        "/".join(map(str, made_by)),
        both.hexdigest(),
        Scored,
        lambda: _score(change, world, settings, sides, suites),
    )


def _score(
    change: Change, world: World, settings: Settings, sides: Sides, suites: Suites
) -> Scored:
    protection = sandbox.probe()
    if missing := protection.missing(settings.require):
        raise Unprotected(
            f"this machine does not give: {', '.join(missing)} "
            f"(sandbox: {protection.rung or 'none'}); no model was loaded",
            sandbox.REMEDY,
        )
    with tempfile.TemporaryDirectory(prefix="modelwarden-", ignore_cleanup_errors=True) as place:
        models = tuple(
            (name, _lay_out(change, world, settings, Path(place, name), files))
            for name, files in sides.present
        )
        files = [_inspected(name, folder) for name, folder in models]
        if len(files) == 2 and files[0].fingerprint == files[1].fingerprint:
            return Scored((), "", ())
        known = _known(world, settings, files[0], suites) if len(files) == 2 else None
        request = Request(
            tuple((name, str(folder)) for name, folder in models),
            suites.tasks,
            settings.device,
            gate=settings.gate,
            pace=Pace() if settings.slowdown else None,
            known=(known,) if known else (),
        )
        items = sum(len(task.items) for task in suites.tasks)
        world.say(f"      regression: scoring {len(models)} models on {items:,} items")
        scored = score(
            request,
            Path(place),
            minutes=settings.minutes,
            memory_gb=settings.memory_gb,
            say=lambda line: world.say(f"      regression: {line}"),
        )
        reused = sum(len(task.items) for task in known.tasks) if known else 0
        changed = vocabulary_change(*files) if len(files) == 2 else ""
        # A digest of files is what we saw of them, not what a stranger's model says.
        found = tuple(
            replace(model, fingerprint=seen.fingerprint)
            for model, seen in zip(scored.models, files, strict=True)
        )
        return replace(scored, models=found, reused=reused, tokenizer=changed)


def _known(
    world: World, settings: Settings, base: ModelFiles, suites: Suites
) -> ModelScores | None:
    """Return what `modelwarden measure` kept of the base on this machine.

    What a sandbox says is never kept so: it also held a stranger's model.
    """
    return Kept(world.store, settings.device).known("base", base.fingerprint, suites.tasks)


def _lay_out(
    change: Change, world: World, settings: Settings, folder: Path, files: tuple[Located, ...]
) -> Path:
    folder.mkdir()
    try:
        materialise(
            world,
            files,
            folder,
            base_commit=change.base,
            head_commit=change.head,
            limit_bytes=int(settings.max_gb * 1e9),
        )
    except RegistryError as error:
        raise type(error)(f"{folder.name} model: {error.message}", error.hint) from error
    return folder


def _inspected(name: str, folder: Path) -> ModelFiles:
    try:
        return inspect(folder)
    except ModelError as error:
        raise ModelError(f"{name} model: {error.message}", error.hint) from error
