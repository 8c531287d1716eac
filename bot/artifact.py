"""What a workflow of a pull request hands over: an archive that may say anything about itself.

A run of `pull_request` uses the workflow file of the pull request, so whoever opened it decides
what the archive holds. Where it belongs is asked of GitHub, never of the archive; what it says
is retold in our own words, never in its own; and it is never a check that a branch may require.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.change import Change
from bot.errors import CouldNotTell
from bot.finding import Finding, Level, Rule
from bot.github.errors import NotFound
from bot.github.values import Api, Pull
from bot.report import read, render
from bot.report.neutral import cut_bytes
from bot.verdict import Outcome, Report, Verdict
from bot.wording import plural
from security import strictjson

MARKER = "<!-- modelwarden:reported -->"
NAME = "report.json"
NAMES = frozenset((NAME, "report.html", "findings.sarif"))  # what the action uploads
ARCHIVE, EVENT = 50_000_000, 25_000_000  # bytes; GitHub sends no larger event
BODY = 60_000  # bytes of the comment
_DIRECTORY = 4_096  # bytes of an archive's list of files
_FEED = 42  # bytes of the two records at the end of an archive

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_FULL_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_RUN = re.compile(r"https://[A-Za-z0-9.-]{1,200}/[A-Za-z0-9._/-]{3,210}/actions/runs/[0-9]{1,20}")

_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(ValueError, RuntimeError, OSError),
)


class BadArtifact(CouldNotTell):
    """The archive is not one that the action uploads; nothing of it is used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "look at the run that uploaded it, and run it again")


class NoTarget(CouldNotTell):
    """There is no pull request that the result belongs to; nothing is published."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "nothing to do where it was closed or pushed to since")


class Past(NoTarget):
    """The pull request was closed or pushed to since the run: there is nothing to show of it."""


@dataclass(frozen=True, slots=True)
class Run:
    """The run that ended, as the payload of `workflow_run` describes it: GitHub's own word.

    `head_repository` and `repository` are ids. What a fork may name, its branch, is left out.
    """

    id: int
    repository: int
    name: str
    head: str
    head_repository: int
    url: str


@dataclass(frozen=True, slots=True)
class Publication:
    """A result that may be shown on `pull`. `report` holds no word of the archive."""

    pull: Pull
    run: Run
    report: Report


def run_of(event: bytes) -> Run:
    """Return the run a `workflow_run` payload is about. Raises NoTarget."""
    try:
        value = strictjson.loads(event, limit=EVENT)
    except strictjson.StrictJSONError as error:
        raise NoTarget(f"the event is not JSON: {error}") from error
    run, here = _at(value, "workflow_run"), _at(value, "repository")
    if _at(value, "action") != "completed" or _at(run, "event") != "pull_request":
        raise NoTarget("the event is not the end of a run for a pull request")
    found = Run(
        _id(run),
        _id(here),
        _text(here, "full_name", _FULL_NAME),
        _text(run, "head_sha", _SHA),
        _id(_at(run, "head_repository")),
        _text(run, "html_url", _RUN),
    )
    if _id(_at(run, "repository")) != found.repository:
        raise NoTarget("the run is of another repository")
    return found


def _at(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _id(value: Any) -> int:
    found = _at(value, "id")
    if type(found) is not int or not 0 < found <= 2**53:
        raise NoTarget("the event names no id of the run or of its repository (a deleted fork?)")
    return found


def _text(value: Any, key: str, pattern: re.Pattern[str]) -> str:
    found = _at(value, key)
    if not isinstance(found, str) or not pattern.fullmatch(found):
        raise NoTarget(f"the event has no {key} of the form it should have")
    return found


def publication(
    archive: bytes, run: Run, pulls: Sequence[Pull], rules: Mapping[str, Rule]
) -> Publication:
    """Return what may be shown of an archive, and where.

    `pulls` are the open pull requests whose head is `run.head`, as the API gives them.
    Raises NoTarget, BadArtifact and bot.report.read.BadReport.
    """
    found = read.load(extract(archive))
    pull = _target(run, pulls, found.change)
    change = Change(
        run.name, found.change.base, pull.head, found.change.merge_base, (), pull.number
    )
    return Publication(pull, run, Report(change, "not proven", _retold(found, rules)))


def extract(archive: bytes) -> bytes:
    """Return `report.json` out of a zip archive. Raises BadArtifact."""
    if len(archive) > ARCHIVE:
        raise BadArtifact(f"an archive of {len(archive):,} bytes, more than {ARCHIVE:,}")
    # The list of files is bounded before it is read: an entry of it takes ten times its size.
    end = archive[-22:]
    if len(end) < 22 or end[:4] != b"PK\5\6" or archive[-_FEED:].startswith(b"PK\6\7"):
        raise BadArtifact("not a plain zip archive")
    if int.from_bytes(end[12:16], "little") > _DIRECTORY:
        raise BadArtifact("an archive of more files than the action uploads")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _entry(opened)
    except _DAMAGE as error:
        raise BadArtifact(f"a damaged archive: {ascii(str(error))[:200]}") from error


def _entry(opened: zipfile.ZipFile) -> bytes:
    infos = opened.infolist()
    names = [info.filename for info in infos]
    if not NAMES.issuperset(names) or len(set(names)) != len(names) or NAME not in names:
        raise BadArtifact(f"an archive of other files than {', '.join(sorted(NAMES))}")
    info = infos[names.index(NAME)]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise BadArtifact(f"{NAME} is encrypted, or packed in an unusual way")
    with opened.open(info) as file:  # what the archive says of its size is not believed
        data = file.read(read.LIMIT + 1)
    if len(data) > read.LIMIT:
        raise BadArtifact(f"{NAME} has more than {read.LIMIT:,} bytes")
    return data


def _target(run: Run, pulls: Sequence[Pull], claimed: Change) -> Pull:
    """Return the pull request. What is claimed may only choose among those that fit the run."""
    fitting = [
        p for p in pulls
        if p.state == "open" and p.repo.id == run.repository
        and (p.head, p.head_repository) == (run.head, run.head_repository)
    ]  # fmt: skip
    if not fitting:
        raise Past(f"no open pull request has the head {run.head[:12]} of this run")
    if claimed.head != run.head:
        raise BadArtifact("the report is about another commit than the run")
    if len(fitting) > 1:
        fitting = [p for p in fitting if p.base == claimed.base]
    if len(fitting) != 1:
        raise NoTarget("several pull requests have this head, and the report fits none of them")
    (pull,) = fitting
    if claimed.number not in (0, pull.number):
        raise BadArtifact("the report is about another pull request")
    return pull


def _retold(report: Report, rules: Mapping[str, Rule]) -> tuple[Verdict, ...]:
    """Return the verdicts in words of ours: names that are known, and how often."""
    known = {name.partition("/")[0] for name in rules}
    shown = [_verdict(v, rules) for v in report.verdicts if v.check in known]
    others = [v for v in report.verdicts if v.check not in known]
    if others:
        worst = Report(report.change, "", tuple(others)).outcome
        reason = f"{plural(len(others), 'check')} that this version does not know"
        shown.append(Verdict("other", worst, (), reason))
    return tuple(shown)


def _verdict(verdict: Verdict, rules: Mapping[str, Rule]) -> Verdict:
    findings = tuple(_findings(verdict.findings, rules))
    reason = "the run says why" if verdict.outcome is Outcome.ERROR else ""
    return Verdict(verdict.check, verdict.outcome, findings, reason)


def _findings(findings: Sequence[Finding], rules: Mapping[str, Rule]) -> Iterator[Finding]:
    counted = Counter((f.rule, f.severity, bool(f.waived)) for f in findings)
    strange: Counter[tuple[Level, bool]] = Counter()
    for (name, severity, covered), count in counted.items():
        rule = rules.get(name)
        if rule is None:
            strange[severity, covered] += count
            continue
        where = f"in {plural(count, 'place')}, which the run names"
        waiver = "as the run says" if covered else ""
        yield Finding(rule.id, severity, where, rule.remedy, waived=waiver)
    for (severity, covered), count in strange.items():
        words = f"{plural(count, 'finding')} of rules that this version does not know"
        waiver = "as the run says" if covered else ""
        yield Finding("other", severity, words, "Look at the run.", waived=waiver)


def comment(given: Publication, rules: Mapping[str, Rule]) -> str:
    """Return the one comment about it: what it is worth first, then what it says."""
    text = render(given.report, "markdown", rules)
    # The renderer's headline and subject speak for us; this is the word of another.
    details = text.split("\n\n", 2)[2]
    outcome, head = given.report.outcome.upper(), given.pull.head[:12]
    return cut_bytes(
        f"{MARKER}\n## Not proof: the workflow of this pull request reports {outcome}\n\n"
        f"Its own [run]({given.run.url}) says so of <code>{head}</code>. A pull request may change "
        "its workflow, and so what is reported here: no branch should require it. Only a check "
        f"run of the Modelwarden App, or a run that you start yourself, decides.\n\n{details}",
        BODY,
    )


def show(
    api: Api, author: int, event: bytes, archive: bytes, rules: Mapping[str, Rule]
) -> Publication:
    """Write the one comment about an archive, or edit it. `author` is the account that writes.

    Raises NoTarget, BadArtifact, BadReport and GitHubError; then nothing was written.
    """
    run = run_of(event)
    if run.repository != api.repo.id:
        raise NoTarget("the run is of another repository than the token")
    made = publication(archive, run, api.pulls_with_head(run.head), rules)
    number, body = made.pull.number, comment(made, rules)
    every = api.comments(number)
    # Anybody may write the marker: only the account says whose comment it is.
    ours = next((c for c in every if c.author.id == author and c.body.startswith(MARKER)), None)
    now = api.pull(number)
    if (now.state, now.head, now.head_repository) != ("open", run.head, run.head_repository):
        raise Past(f"pull request {number} was closed or pushed to meanwhile")
    if ours is not None and ours.body.strip() == body.strip():
        return made
    if ours is not None:
        with suppress(NotFound):  # deleted since: written again
            api.update_comment(ours.id, body)
            return made
    api.create_comment(number, body, MARKER)
    return made
