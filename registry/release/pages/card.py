"""The one generated page about a release: a model card that the Hugging Face hub reads too.

What nobody stated is "not stated"; nothing is made up, and the same release gives the same page.
"""

from __future__ import annotations

from registry.release.pages import hub
from registry.release.pages.about import About
from registry.release.pages.figures import compared, held, measured
from registry.release.pages.frontmatter import front, library, licence_file, weights_licence
from registry.release.pages.prose import (
    NAME,
    UNSTATED,
    code,
    count,
    opening,
    page,
    paragraphs,
    plain,
    section,
    table,
)
from registry.release.values import Artifact, Licence, Release

__all__ = ["About", "card"]

ROWS = 500  # of a table; the documents beside the card hold all
JOULES = 3600  # in a watt-hour

DRAFT = "None: this is a draft, of files that nobody released."


def card(release: Release, about: About, previous: Release | None = None) -> str:
    """Return the card: front matter, then the page. `previous` is the release before this one."""
    body = page(
        [f"# {plain(about.title or release.artifact, NAME)}"],
        paragraphs(about.summary),
        _facts(release, about),
        section("Uses", paragraphs(about.uses)),
        section("Measurements", *_measurements(release, previous)),
        section("Licences", *_licences(release)),
        section("Training data", *_data(release, about)),
        section("Limits", paragraphs(about.limits)),
        section("Energy", _energy(release, about)),
        section("Languages", _languages(about)),
        section("How to verify", *(verifying(release) if release.commit else [[DRAFT]])),
        section("Environment", *_environment(release)),
        section("Who made it", *_people(release)),
        section("Checks", *_checks(release)),
    )
    return f"{front(release, about)}\n{body}"


def _facts(release: Release, about: About) -> list[str]:
    architectures = [about.architecture, *(one.architecture for one in release.measurements)]
    sizes = [about.parameters, *(one.parameters for one in release.measurements)]
    number = next((f"{one:,}" for one in sizes if one), UNSTATED)
    repository = hub.address(release.repository)
    rows = (
        ("Version", code(release.version) if release.commit else DRAFT),
        ("Released from", _from(release)),
        ("Repository", f"<{repository}>" if repository else code(release.repository) or UNSTATED),
        ("Task", plain(about.task, NAME) or UNSTATED),
        ("Architecture", next((code(one) for one in architectures if one), UNSTATED)),
        ("Parameters", number),
        ("Base model", ", ".join(map(code, about.base_models)) or UNSTATED),
        ("How it was made from it", plain(about.relation, 60) or UNSTATED),
        ("Library", code(library(release, about)) or UNSTATED),
        ("Weights", ", ".join(dict.fromkeys(held(release.weights)))),
        ("Fingerprint", code(release.fingerprint) or UNSTATED),
        ("Licence of the weights", code(weights_licence(release)) or UNSTATED),
        ("Previous release", code(release.previous.version) if release.previous else "none"),
    )
    kept = [r for r in rows if about.base_models or not r[0].startswith("How it was made")]
    return table(("About", ""), kept)


def _from(release: Release) -> str:
    date = plain(release.date, 40) or UNSTATED
    return f"commit {code(release.commit)} of {date}" if release.commit else UNSTATED


def _measurements(release: Release, previous: Release | None) -> list[list[str]]:
    if not release.measurements:
        return [["Not measured."]]
    told = "An interval covers the true value in as many of a hundred samples as its heading says."
    found = [[told], *(measured(one) for one in release.measurements)]
    if previous is not None:
        heading = f"### Compared with {code(previous.version)}"
        found.append([heading, "", *compared(release, previous)])
    elif release.previous is None:
        found.append(["No earlier release to compare with."])
    return found


def _licences(release: Release) -> list[list[str]]:
    order = ("code", "weights", "data")
    told = {one.of for one in release.licences}
    named = [one for one in release.licences if one.of in order]
    named += [Licence(of, "", "") for of in order if of not in told]
    named.sort(key=lambda one: order.index(one.of))
    rows = [(plain(one.of, 40), plain(one.name, NAME) or "–", _expression(one)) for one in named]
    packages = [one for one in release.licences if one.of == "package"]
    found = [table(("Of", "What", "Licence"), rows[:ROWS]), _left(len(rows))]
    if packages:
        by: dict[str, int] = {}
        for one in packages:
            by[_expression(one)] = by.get(_expression(one), 0) + 1
        counts = ", ".join(f"{name} ({number:,})" for name, number in sorted(by.items())[:ROWS])
        found.append(
            [f"{count(len(packages), 'package')}: {counts}. Each is in `release/bom.cdx.json`."]
        )
    text = licence_file(release)
    return [*found, [f"Text of the licence: {code(text)}."] if text else []]


def _expression(one: Licence) -> str:
    return code(one.expression) if hub.licence(one.expression)[0] != "unknown" else UNSTATED


def _data(release: Release, about: About) -> list[list[str]]:
    rows = [_row(one) for one in release.data]
    heads = ("Path", "Files", "Size", "Digest")
    body = [table(heads, rows[:ROWS], right=" rr"), _left(len(rows))] if rows else []
    names = [f"Data sets on the hub: {', '.join(map(code, about.datasets))}."]
    return [
        paragraphs(about.data) if about.data else [],
        *(body or [["The files it was trained on: not stated."]]),
        names if about.datasets else [],
    ]


def _row(one: Artifact) -> tuple[str, ...]:
    if one.root:
        digest = f"sha256 root {code(one.root)}"
    elif len(one.pointers) == 1:
        digest = f"{plain(one.pointers[0].kind, 20)} {code(one.pointers[0].digest)}"
    else:
        digest = f"{count(len(one.pointers), 'digest')} in `release/release.json`"
    return code(one.path), *held(one), digest


def _energy(release: Release, about: About) -> list[str]:
    training = UNSTATED
    if about.training_joules is not None:
        training = f"{_hours(about.training_joules)}, as its makers state"
    used = [one.usage for one in release.measurements if one.usage.joules > 0]
    if not used:
        measuring = UNSTATED
    else:
        how = (
            "measured by the GPU"
            if all(one.metered for one in used)
            else "an estimate from seconds"
        )
        some = len(release.measurements) - len(used)
        part = f"; {count(some, 'measurement')} without a figure" if some else ""
        measuring = f"{_hours(sum(one.joules for one in used))} ({how}{part})"
    return [f"- Training: {training}.", f"- Measuring: {measuring}."]


def _hours(joules: float) -> str:
    return f"{joules / JOULES:,.4g} Wh"


def _languages(about: About) -> list[str]:
    named = ", ".join(plain(one, 60) for one in about.languages)
    return [f"Trained on: {named}." if named else f"{UNSTATED.capitalize()}."]


def verifying(release: Release) -> list[list[str]]:
    """Return how a reader proves that what is at hand is this release."""
    name = release.artifact if release.artifact.isascii() else ""
    safe = name and all(c.isalnum() or c in "._/-" for c in name) and not name.startswith("-")
    command = f"modelwarden verify . --artifact {name}" if safe else "modelwarden verify ."
    told = f"It must name version {code(release.version)}, and as its signer somebody you trust."
    return [
        ["In the folder of the model, with the project's trust file or one public key:"],
        ["```", f"{command} --trust trust.toml", "```"],
        [told + " Neither MLflow, DVC nor torch is needed."],
    ]


def _environment(release: Release) -> list[list[str]]:
    rows = [(code(one.path), f"{one.packages:,}", code(one.sha256)) for one in release.environment]
    locks = table(("File", "Packages", "SHA-256"), rows[:ROWS], right=" r")
    measured_on = {
        f"{plain(one.device, 100)}, {plain(one.dtype, 40)}: "
        + ", ".join(f"{plain(name, 60)} {plain(version, 60)}" for name, version in one.versions)
        for one in release.measurements
    }
    told = "Pipeline: not stated."
    if (lock := release.pipeline) is not None:
        stages = count(len(lock.stages), "stage")
        told = f"Pipeline: {code(lock.path)}, {stages}, SHA-256 {code(lock.sha256)}."
    return [
        locks if rows else ["Files that pin packages: not stated."],
        [told],
        [f"- Measured on {one}" for one in sorted(measured_on)],
    ]


def _people(release: Release) -> list[list[str]]:
    made = [
        f"- {opening(one.name, NAME)}{f' ({code(one.login)})' if one.login else ''},"
        f" {count(one.commits, 'commit')}"
        for one in release.contributors[:ROWS]
    ]
    agreed = [
        f"- {opening(one.person, NAME)} agreed by {plain(one.how, 40)}, {plain(one.at, 40)}"
        for one in release.approvals
    ]
    return [made or ["Not stated."], _left(len(release.contributors)), agreed]


def _checks(release: Release) -> list[list[str]]:
    if not release.checks:
        return [["Not stated."]]
    rows = [(code(one.check), plain(one.outcome, 40), plain(one.summary)) for one in release.checks]
    waived = [f"- {code(one.check)}: {plain(w)}" for one in release.checks for w in one.waived]
    told = ["Findings that were waived:", "", *waived] if waived else ["Nothing was waived."]
    return [table(("Check", "Outcome", "Summary"), rows), told]


def _left(rows: int) -> list[str]:
    return [f"{count(rows - ROWS, 'more row')} in `release/release.json`."] if rows > ROWS else []
