"""What may follow what in a ledger, and what it all comes to. Pure.

The same rules hold for an entry that is about to be written and for one that is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from registry.errors import Blocked, Lost, ReleaseError
from registry.release import ledger
from registry.release.details import details, rank
from registry.release.ledger import Claimed, Issued, Pointing, Tag
from security.auditentry import BEGIN, Entry
from security.trust.releases import Rank

CHAMPION, PREVIOUS = "champion", "previous"
TAKE_OVER = (
    "wait for it, or run it again where it began; if that run is dead, take its number over: "
    "modelwarden release run --take-over"
)
_Said = Mapping[str, str]
_Key = tuple[str, str]


@dataclass(slots=True)
class State:
    """What the entries so far come to. Not shared: whoever folds owns it."""

    issued: dict[tuple[str, Rank], Issued] = field(default_factory=dict)
    claims: dict[tuple[str, Rank], Claimed] = field(default_factory=dict)
    aliases: dict[_Key, Pointing] = field(default_factory=dict)
    # What an alias pointed at before, without what was rolled back: rollback goes there.
    before: dict[_Key, list[str]] = field(default_factory=dict)
    stages: list[Tag] = field(default_factory=list)
    _counts: dict[_Key, int] = field(default_factory=dict)
    _tags: set[str] = field(default_factory=set)
    _stems: dict[str, str] = field(default_factory=dict)

    def follow(self, entry: Entry) -> None:
        """Take an entry in. Raises Lost, Blocked or ReleaseError where it may not follow."""
        said = details(entry)
        if entry.action != BEGIN:
            stem = self._stems.setdefault(stem_of(entry.artifact), entry.artifact)
            if stem != entry.artifact:
                what = f"{entry.artifact} and {stem} would have the same tags"
                raise Blocked(what, "give the artifact another name")
        rule = _RULES.get(entry.action)
        if rule is not None:
            rule(self, entry, said)

    def now(self, artifact: str, alias: str) -> str:
        """Return what an alias points at, "" for nothing."""
        found = self.aliases.get((artifact, alias))
        return found.version if found else ""

    def back(self, artifact: str, alias: str) -> str:
        """Return what a rollback would point an alias at: what was there before, not withdrawn."""
        there = self.now(artifact, alias)
        for version in reversed(self.before.get((artifact, alias), [])):
            if version != there and not self.known(artifact, version).withdrawn:
                return version
        return ""

    def known(self, artifact: str, version: str) -> Issued:
        """Return a version that is out. Raises ReleaseError."""
        found = self.issued.get((artifact, rank(version)))
        if found is None or found.version != version:
            hint = f"name it as it was released: {found.version}" if found else "release it first"
            raise ReleaseError(f"{artifact} {version} was never released", hint)
        return found

    # Versions

    def _claim(self, entry: Entry, said: _Said) -> None:
        key = entry.artifact, rank(said["version"])
        self._refuse_issued(key)
        if there := self.claims.get(key):
            what = f"{there.artifact} {there.version} is being released by {there.actor}"
            raise Lost(f"{what} since {there.since} (run {there.holder})", TAKE_OVER)
        self.claims[key] = Claimed(
            entry.artifact, said["version"], said["commit"], said["holder"], entry.actor, entry.time
        )

    def _refuse_issued(self, key: tuple[str, Rank]) -> None:
        if there := self.issued.get(key):
            what = f"{there.artifact} {there.version} was released by {there.actor}"
            hint = "a version is released once: take the next one"
            raise Lost(f"{what} at {there.at}, from {there.commit[:12]}", hint)

    def _held(self, entry: Entry, said: _Said) -> Claimed:
        key = entry.artifact, rank(said["version"])
        self._refuse_issued(key)
        there, name = self.claims.get(key), f"{entry.artifact} {said['version']}"
        if there is None:
            raise Lost(f"{name} is not claimed, or not any more", "claim it, then go on")
        if (there.holder, there.version) != (said["holder"], said["version"]):
            what = f"{name} is being released as {there.version} by {there.actor}"
            raise Lost(f"{what} since {there.since} (run {there.holder})", TAKE_OVER)
        return there

    def _abandon(self, entry: Entry, said: _Said) -> None:
        self._held(entry, said)
        del self.claims[entry.artifact, rank(said["version"])]

    def _release(self, entry: Entry, said: _Said) -> None:
        claim = self._held(entry, said)
        name = f"{entry.artifact} {said['version']}"
        if claim.commit != said["commit"]:
            what = f"{name} was claimed for commit {claim.commit[:12]}"
            raise ReleaseError(f"{what}, not for {said['commit'][:12]}", "abandon it, claim again")
        if said["tag"] in self._tags:
            raise Lost(f"{name}: the tag {said['tag']} is that of another release", _OTHER_TAG)
        key = entry.artifact, rank(said["version"])
        del self.claims[key]
        self._tags.add(said["tag"])
        self.issued[key] = Issued(
            entry.artifact, said["version"], said["commit"], said["root"], said["tag"],
            said["document"], entry.time, entry.actor,
        )  # fmt: skip

    def _withdraw(self, entry: Entry, said: _Said) -> None:
        there = self.known(entry.artifact, said["version"])
        name = f"{entry.artifact} {there.version}"
        if there.withdrawn:
            raise Blocked(
                f"{name} is withdrawn already: {there.withdrawn}", "nothing is to be done"
            )
        for alias in ledger.ALIASES:
            if self.now(entry.artifact, alias) == there.version:
                hint = f"roll {alias} back, or point it at another version, then withdraw it"
                raise Blocked(f"{name} is what {alias} points at", hint)
        key = entry.artifact, rank(there.version)
        self.issued[key] = replace(there, withdrawn=said["reason"])

    # Aliases

    def _expected(self, entry: Entry, said: _Said) -> None:
        there = self.aliases.get((entry.artifact, said["alias"]))
        now = there.version if there else ""
        if now == said["expect"]:
            return
        what = f"{said['alias']} of {entry.artifact} points at {now or 'nothing'}"
        since = f" since {there.since}, by {there.actor}" if there else ""
        raise Lost(
            f"{what}{since}, not at {said['expect'] or 'nothing'}",
            f"look at it again; if it is still right, expect {now or 'nothing'}",
        )

    def _promote(self, entry: Entry, said: _Said) -> None:
        alias, version, artifact = said["alias"], said["version"], entry.artifact
        self._expected(entry, said)
        what = f"{alias} of {artifact}"
        if version == said["expect"]:
            raise Blocked(
                f"{what} points at {version or 'nothing'} already", "nothing is to be done"
            )
        if not version and "reason" not in said:
            raise Blocked(f"{what} is not pointed at nothing without a reason", "give the reason")
        if version:
            self._promotable(artifact, version, said)
        past = self.before.setdefault((artifact, alias), [])
        if alias == PREVIOUS:
            past = self.before.setdefault((artifact, CHAMPION), [])
            if not version:
                past.clear()
            elif version == self.now(artifact, CHAMPION):
                raise Blocked(f"{version} is the champion of {artifact}", "name an earlier version")
            else:
                past.append(version)
        elif said["expect"]:
            past.append(said["expect"])
        self._point(entry, alias, version, said.get("reason", ""))

    def _promotable(self, artifact: str, version: str, said: _Said) -> None:
        there = self.known(artifact, version)
        if there.withdrawn:
            what = f"{artifact} {version} is withdrawn: {there.withdrawn}"
            raise Blocked(what, "promote another version")
        if said.get("root", there.root) != there.root:
            what = f"{artifact} {version} has the root {there.root[:12]}, not {said['root'][:12]}"
            raise Blocked(what, "measure what is promoted")

    def _rollback(self, entry: Entry, said: _Said) -> None:
        alias, artifact = said["alias"], entry.artifact
        self._expected(entry, said)
        target = self.back(artifact, alias)
        if alias == PREVIOUS or not target:
            what = f"there is nothing that {alias} of {artifact} can go back to"
            raise Blocked(what, "promote a version instead")
        if target != said["version"]:
            what = f"{alias} of {artifact} goes back to {target}, not to {said['version']}"
            raise Blocked(what, f"roll back to {target}, or promote {said['version']}")
        past = self.before[artifact, alias]
        while past.pop() != target:
            pass
        self._point(entry, alias, target, said["reason"])

    def _point(self, entry: Entry, alias: str, version: str, reason: str) -> None:
        key = entry.artifact, alias
        self.aliases[key] = Pointing(
            entry.artifact, alias, version, entry.time, entry.actor, reason
        )
        if version:
            count = self._counts[key] = self._counts.get(key, 0) + 1
            name = f"{stem_of(entry.artifact)}#{alias}#{count}"
            message = f"{alias} of {entry.artifact} is {version}"
            self.stages.append(Tag(name, self.known(entry.artifact, version).commit, message))
        if alias == CHAMPION:
            past = self.back(entry.artifact, CHAMPION)
            if past != self.now(entry.artifact, PREVIOUS):
                self._point(entry, PREVIOUS, past, reason)


def stem_of(artifact: str) -> str:
    """Return an artifact's name as its tags have it (GTO knows no dots, and few slashes)."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", artifact)


_OTHER_TAG = "put the artifact's name into the policy's release.tag"
_RULES: Mapping[str, Callable[[State, Entry, _Said], None]] = {
    ledger.CLAIM: State._claim,
    ledger.ABANDON: State._abandon,
    ledger.RELEASE: State._release,
    ledger.WITHDRAW: State._withdraw,
    ledger.PROMOTE: State._promote,
    ledger.ROLLBACK: State._rollback,
}
