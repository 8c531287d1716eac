"""Changed files handed to the scan, and what is kept of its judgement by blob id."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from bot.change import Change
from bot.checks.weights.contents import Opener, lazy
from bot.errors import CouldNotTell
from bot.world import TEXT_LIMIT, World
from modelwarden import __version__
from registry.modelconfig import CONFIG_NAMES
from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import Source, of_bytes
from security.scan.values import Scanned
from security.sniff import PREFIX

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
        return replace(found, threats=found.threats[:KEPT])

    def kept(self, path: str, digest: str, source: Source) -> Scanned:
        """Scan an open file whose bytes `digest` names, or remember what was found in it."""
        return self._world.facts(
            self._key(path), digest, Scanned, lambda: self.source(replace(source, name=path))
        )

    def blob(self, path: str, blob: str) -> Scanned:
        """Scan a git blob; no more of it is read than the scan asks for.

        Raises Missing, TooLarge: what could not be read is not remembered.
        """

        def make() -> Scanned:
            failed: list[CouldNotTell] = []
            with Opener(self._world) as opener:
                found = self.source(self._opened(path, blob, opener, failed))
            if failed:  # a reader that met it may have taken it for a fault of the file
                raise failed[0]
            return found

        return self._world.facts(self._key(path), blob, Scanned, make)

    def _key(self, path: str) -> str:
        return f"{self._maker}/scan/{__version__}/{posixpath.basename(path)}"

    def _opened(self, path: str, blob: str, opener: Opener, failed: list[CouldNotTell]) -> Source:
        size = self._world.size(blob)
        if size <= TEXT_LIMIT:
            return of_bytes(path, self._world.read(blob))

        def whole() -> Source:
            try:
                return opener.exported(path, blob)
            except CouldNotTell as error:
                failed.append(error)
                raise

        return lazy(path, size, lambda: self._world.prefix(blob, PREFIX), whole)


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
