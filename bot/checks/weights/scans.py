"""Changed files handed to the scan, and what is kept of its judgement by blob id."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from bot.change import Change
from bot.checks.weights.contents import Held, Opener
from bot.world import World
from modelwarden import __version__
from registry.modelconfig import CONFIG_NAMES
from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import Source
from security.scan.values import Scanned

KEPT = 50  # threats of one file
TEXTS = CONFIG_NAMES | {"chat_template.json", "tokenizer.json", "special_tokens_map.json"}
TEMPLATES = (".jinja", ".jinja2", ".j2")


class Scanner:
    """Scans files of one collection; the process that tries pickles is shared by them."""

    def __init__(self, world: World, maker: str) -> None:
        self._world, self._maker = world, maker
        self._booth = Booth()

    def __enter__(self) -> Scanner:
        return self

    def __exit__(self, *_: object) -> None:
        self._booth.close()

    def source(self, source: Source) -> Scanned:
        """Scan an open file. Loaders go by the last part of its name; so does this."""
        name = posixpath.basename(source.name)
        found = scan_file(replace(source, name=name), booth=self._booth)
        worst = sorted(found.threats, key=lambda threat: not threat.certain)
        return replace(found, threats=tuple(worst[:KEPT]))

    def kept(self, path: str, digest: str, source: Source) -> Scanned:
        """Scan an open file whose bytes `digest` names, or remember what was found in it."""
        return self._world.facts(
            self._key(path), digest, Scanned, lambda: self.source(replace(source, name=path))
        )

    def blob(self, path: str, blob: str) -> Scanned:
        """Scan a git blob. Raises Missing, TooLarge."""

        def make() -> Scanned:
            with Opener(self._world) as opener:
                return self.source(opener.source(Held(path, blob)))

        return self._world.facts(self._key(path), blob, Scanned, make)

    def _key(self, path: str) -> str:
        return f"{self._maker}/scan/{__version__}/{posixpath.basename(path)}"


def is_text_of_model(path: str, change: Change, world: World) -> bool:
    """Whether a text is one that loaders of models read: by its name, or a template beside it."""
    folder, name = posixpath.split(path)
    if name in TEXTS:
        return True
    if not name.endswith(TEMPLATES):
        return False
    around = (folder, posixpath.dirname(folder)) if folder else ("",)
    names = (
        posixpath.basename(e.path) for place in around for e in world.folder(change.head, place)
    )
    return not CONFIG_NAMES.isdisjoint(names)
