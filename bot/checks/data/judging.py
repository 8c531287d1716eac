"""From evidence on data to findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.checks.data import rules
from bot.checks.data.evidence import Copies, Evidence, Leaking
from bot.checks.data.reading import Trouble
from bot.checks.data.settings import Settings
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location
from bot.wording import plural

NAMED = 20  # leaks of a file that are named one by one
_RULES = {rule.id: rule for rule in rules.RULES}


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Decide, purely."""
    return (
        *(_trouble(trouble, evidence) for trouble in evidence.troubles),
        *_left_out(evidence),
        *_leaks(evidence, settings.max_overlap),
        *(found for one in evidence.copies for found in _copies(one, settings.max_share)),
    )


def _trouble(trouble: Trouble, evidence: Evidence) -> Finding:
    rule = _RULES[trouble.rule]
    # Without an evaluation set nothing but duplicates can hide in what was not read.
    level = rule.level if evidence.evaluated or rule is rules.UNREADABLE else Level.NOTE
    message = f"{shown(trouble.path) or 'data'}: {shown(trouble.reason)}"
    where = Location(trouble.path, trouble.line)
    return rule.at(message, where, remedy=trouble.hint and _sentence(trouble.hint), level=level)


def _left_out(evidence: Evidence) -> Iterator[Finding]:
    """Say what was not compared with: new items may stand in it; old ones were looked for."""
    if evidence.left_out:
        files = plural(evidence.left_out, "data file")
        message = f"{files} that the change leaves alone, not compared with: beyond the bounds"
        yield rules.TOO_LARGE.at(message, level=None if evidence.asks_again else Level.NOTE)


def _sentence(hint: str) -> str:
    return hint[:1].upper() + hint[1:] + "."


def _leaks(evidence: Evidence, accepted: float) -> Iterator[Finding]:
    counts: Counter[str] = Counter(dict(evidence.more))
    old: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for one in evidence.leaks:
        if one.leak.share <= accepted:
            continue
        if one.leak.share <= one.before:
            old[one.path] += 1
        elif named[one.path] < NAMED:
            named[one.path] += 1
            yield _leak(one)
        else:
            counts[one.path] += 1
    for path, count in counts.items():
        yield rules.LEAK.at(f"{path} holds {plural(count, 'further evaluation item')}", _at(path))
    for path, count in old.items():
        message = f"{path}: {plural(count, 'evaluation item')} in it, as in the data before"
        yield rules.KNOWN.at(message, _at(path))


def _at(path: str) -> Location:
    return Location(path)


def _leak(one: Leaking) -> Finding:
    leak = one.leak
    much = "all" if leak.share >= 1 else f"{leak.share:.0%}"
    quote = " ".join(word[:20] for word in leak.quote.split())
    return rules.LEAK.at(
        f"{one.path} holds {much} of item {shown(leak.id)} of {shown(leak.source)}:"
        f' "{shown(quote)} ..."',
        Location(one.path, leak.line),
    )


def _copies(one: Copies, most: float) -> Iterator[Finding]:
    count = one.same + one.near
    if not count:
        return
    share = count / one.added
    line, path, other, likeness = one.examples[0]
    like = "has the words of" if likeness >= 1 else f"is {likeness:.0%} like"
    yield rules.DUPLICATE.at(
        f"{count:,} of {plural(one.added, 'added record')} in {one.path} ({share:.1%}) are"
        f" duplicates, {one.same:,} of them word for word: line {line} {like}"
        f" {shown(path)}:{other}",
        Location(one.path, line),
        level=Level.FAILURE if share > most else None,
    )
