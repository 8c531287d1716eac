"""Licences of assets from every source at hand, and of what the project publishes."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from bot.change import FOLDER
from bot.checks.assets.evidence import Asset, Outbound, Source
from bot.checks.assets.files import Tree, up
from bot.checks.assets.settings import Settings
from registry.assets import names
from registry.assets.curated import Book, Curated
from registry.assets.curatednames import generator_license
from registry.assets.known import known
from registry.assets.values import Told, Use
from registry.licenses.terms.values import What

MAKING = ("trains_on", "finetunes", "distils_from", "merges", "quantises")
POLICY, CURATED, TAG, TABLE = "policy", "curated provenance", "hub tag", "known models"


@dataclass(slots=True)
class Shelf:
    """Everything at hand about licences at one commit."""

    tree: Tree
    settings: Settings
    book: Book
    _assets: dict[tuple[str, str], Asset | None] = field(default_factory=dict)

    def asset(self, use: Use, path: str) -> Asset | None:
        """Return the asset a use names, None for a path that the repository does not hold."""
        folder = posixpath.dirname(path)
        key = (use.name, folder)
        if key not in self._assets:
            self._assets[key] = self._own(use, folder) or self._hub(use)
        return self._assets[key]

    def _own(self, use: Use, folder: str) -> Asset | None:
        for path in names.local(use.name, folder):
            entry = self.tree.holds(path)
            if entry is None:
                continue
            at = path if entry.mode == FOLDER else posixpath.dirname(path)
            if at == "" or at == folder:
                return Asset(use.name, path, self._stated(use.name))  # the project's own work
            return Asset(use.name, path, (*self._stated(use.name), *self._beside(at)))
        return None

    def _beside(self, folder: str) -> list[Source]:
        found = []
        card, text = self.tree.card(folder), self.tree.text(folder)
        if card is not None and card.told.stated is not None:
            stated = card.told.stated
            found.append(Source(card.path, stated.license, stated.reason))
        if text is not None and text.ids:
            found.append(Source(text.path, text.ids[0]))
        return found

    def _hub(self, use: Use) -> Asset | None:
        if not use.sure:
            return None
        sources = [*self._stated(use.name)]
        curated = self.book.of(use.name) if use.kind == "data" else ()
        sources += _curated(curated)
        listed = known(use.name) if use.kind != "data" else None
        if listed is not None:
            sources.append(Source(TABLE, listed.license, listed.why))
        models = dict.fromkeys(g for one in curated for g in one.generators)
        generators = tuple((name, generator_license(name)) for name in models)
        return Asset(use.name, "", tuple(sources), generators)

    def _stated(self, name: str) -> tuple[Source, ...]:
        facts = {key.lower(): fact for key, fact in self.settings.facts.items()}
        fact = facts.get(name.lower())
        return (Source(POLICY, fact.license, fact.source),) if fact is not None else ()

    def outbound(self, path: str, told: Told, use: Use) -> Outbound:
        """Return what a thing is published under that is made as a file says."""
        what: What = "code"
        if told.makes == "data":
            what = "data"
        elif use.firm or use.tie in MAKING:
            what = "weights"
        policy = getattr(self.settings.publish, what)
        if policy:
            return Outbound(what, policy, "the policy", stated=True)
        if what != "code":
            for folder in up(posixpath.dirname(path)):
                card = self.tree.card(folder)
                if card is not None and card.told.stated is not None:
                    stated = card.told.stated
                    where = f"{card.path}:{stated.line}"
                    return Outbound(what, stated.license, where, stated=True, reason=stated.reason)
        for folder in up(posixpath.dirname(path)):
            text = self.tree.text(folder)
            if text is not None:
                reason = "" if text.ids else "it is no licence text we know"
                return Outbound(
                    what, text.ids[0] if text.ids else "", text.path, stated=False, reason=reason
                )
        project = self.tree.pyproject()
        return Outbound(what, project, "pyproject.toml" if project else "", stated=False)


def _curated(curated: tuple[Curated, ...]) -> list[Source]:
    if not curated:
        return []
    whole = {one.license for one in curated}
    unclear = sorted({name for one in curated for name in one.unclear})
    sources = []
    if len(whole) > 1:
        reason = f"its {len(curated)} parts have {len(whole)} licences or none"
        sources.append(Source(CURATED, "", reason))
    elif unclear or whole == {""}:
        partly = " AND ".join(dict.fromkeys(e for one in curated for e in one.licenses))
        reason = f"{', '.join(unclear) or 'no licence'} is stated"
        sources.append(Source(CURATED, partly, reason))
    else:
        sources.append(Source(CURATED, curated[0].license, curated[0].collection))
    tags = {one.tag for one in curated if one.tag}
    if len(tags) == 1:
        sources.append(Source(TAG, tags.pop()))
    return sources
