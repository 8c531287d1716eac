"""What a release was made from, as a graph, and which of its links are missing. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from registry.release import links
from registry.release.links import Missing
from registry.release.pages.figures import held
from registry.release.pages.prose import count, size
from registry.release.values import Artifact, Release

__all__ = ["Edge", "Lineage", "Missing", "Node", "as_json", "lineage"]

Kind = Literal[
    "person", "code", "data", "input", "pipeline", "stage", "environment", "weights",
    "fingerprint", "measurement", "previous", "comparison", "check", "approval", "licence", "bill",
    "release", "signature",
]  # fmt: skip
RELEASE = "release"
BILLS = ("bom.cdx.json", "bom.spdx.json")


@dataclass(frozen=True, slots=True)
class Node:
    """One thing: `id` is unique, `label` names it to people, `digest` is "" where it has none."""

    id: str
    kind: Kind
    label: str
    digest: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """`of` came into `to` (both ids), in the way `how`: reads, writes, measures, ..."""

    of: str
    to: str
    how: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """A release's graph; every edge joins nodes of it, and `missing` names what is not there."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    missing: tuple[Missing, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether no link is missing."""
        return not self.missing


def lineage(release: Release, root: str = "", present: Collection[str] | None = None) -> Lineage:
    """Return the lineage of a release.

    `root` is the root digest that is signed, "" where nothing is signed yet; `present` are the
    paths found where the release lies, None where nobody looked.
    """
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    for node, *tied in _all(release, root):
        nodes.setdefault(node.id, node)
        edges |= dict.fromkeys(tied)
    joined = tuple(edge for edge in edges if edge.of in nodes and edge.to in nodes)
    return Lineage(tuple(nodes.values()), joined, tuple(links.missing(release, root, present)))


def as_json(lineage: Lineage) -> str:
    """Return the lineage as JSON, the same text for the same lineage."""
    return json.dumps(asdict(lineage), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


Part = tuple[Node | Edge, ...]


def _all(release: Release, root: str) -> Iterator[tuple[Node, *tuple[Edge, ...]]]:
    where = " ".join(filter(None, (release.repository, release.tag and f"tag {release.tag}")))
    code = Node("code", "code", "commit", release.commit, where)
    yield code, Edge("code", RELEASE, "is of")
    for person in release.contributors:
        name = f"person:{person.name}:{person.login}"
        shown = " ".join(filter(None, (person.name, person.login and f"({person.login})")))
        said = count(person.commits, "commit")
        yield Node(name, "person", shown, "", said), Edge(name, "code", "wrote")
    yield from _making(release)
    yield from _measuring(release)
    yield from _judging(release)
    label = f"{release.artifact} {release.version}"
    yield (Node(RELEASE, "release", label, "", release.date),)
    if root:
        yield Node("signature", "signature", "signed root", root), Edge(RELEASE, "signature", "is")


def _making(release: Release) -> Iterator[tuple[Node, *tuple[Edge, ...]]]:
    """What the weights were made from, and how."""
    weights = release.weights
    for one in release.data:
        node = Node(f"data:{one.path}", "data", one.path, _digest(one), _about(one))
        yield node, *([] if release.pipeline else [Edge(node.id, "weights", "trains")])
    for lock in release.environment:
        node = Node(f"lock:{lock.path}", "environment", lock.path, lock.sha256,
                    count(lock.packages, "package"))  # fmt: skip
        yield node, Edge(node.id, RELEASE, "pins")
    yield (
        Node("weights", "weights", weights.path, _digest(weights), _about(weights)),
        Edge("weights", RELEASE, "is in"),
    )
    pipeline = release.pipeline
    if pipeline is None:
        return
    made, where = links.producers(pipeline), links.touching(links.places(weights))
    touching = links.touching(one.path for one in release.data)
    writes = {stage.name for stage in links.writers(release)}
    said = count(len(pipeline.stages), "stage")
    yield (Node("pipeline", "pipeline", pipeline.path, pipeline.sha256, said),)
    tied: dict[str, list[Edge]] = {}
    for stage in pipeline.stages:
        name = f"stage:{stage.name}"
        edges = [Edge("pipeline", name, "names"), Edge("code", name, "runs in")]
        for path, md5 in stage.deps:
            bound = touching(path)
            edges += [Edge(f"data:{one}", name, "read by") for one in bound]
            before = made(path)
            if where(path):
                edges.append(Edge("weights", name, "read by"))
            elif before is not None:
                edges.append(Edge(f"stage:{before.name}", name, "feeds"))
            elif not bound and not links.is_code(path):
                source = Node(f"input:{path}", "input", path, md5, "by its md5 alone")
                yield source, Edge(source.id, name, "read by")
        tied[name] = [*edges, *([Edge(name, "weights", "writes")] if stage.name in writes else [])]
    used = {edge.of for edges in tied.values() for edge in edges}
    for stage in pipeline.stages:
        name = f"stage:{stage.name}"
        last = () if name in used else (Edge(name, RELEASE, "is listed in"),)
        node = Node(name, "stage", stage.name, "", stage.command)
        yield node, *tied[name], *last


def _measuring(release: Release) -> Iterator[tuple[Node, *tuple[Edge, ...]]]:
    if release.fingerprint:
        node = Node("fingerprint", "fingerprint", "fingerprint", release.fingerprint,
                    "of weights, configuration and tokenizer")  # fmt: skip
        yield node, Edge("weights", "fingerprint", "is named by")
    compared = {f"comparison:{one.version}" for one in release.against}
    for record in release.measurements:
        name = f"measurement:{record.task}:{record.digest}"
        edges = [Edge(name, RELEASE, "measures"), *(Edge(name, to, "is in") for to in compared)]
        if record.fingerprint == release.fingerprint:
            edges.append(Edge("fingerprint", name, "measured as"))
        said = f"{record.n:,} of {record.of:,} items, {record.device}"
        yield Node(name, "measurement", record.task, record.digest, said), *sorted(edges, key=repr)
    if release.previous is not None:
        earlier = release.previous
        name = f"previous:{earlier.version}"
        yield (
            Node(name, "previous", earlier.version, earlier.root, f"commit {earlier.commit}"),
            Edge(name, RELEASE, "comes before"),
        )
    for one in release.against:
        name = f"comparison:{one.version}"
        yield (
            Node(
                name,
                "comparison",
                f"against {one.version}",
                one.report,
                f"{one.outcome}: {one.summary}",
            ),
            Edge(f"previous:{one.version}", name, "is in"),
            Edge(name, RELEASE, "judges"),
        )


def _judging(release: Release) -> Iterator[tuple[Node, *tuple[Edge, ...]]]:
    for check in release.checks:
        waived = f", {len(check.waived):,} waived" if check.waived else ""
        name = f"check:{check.check}"
        node = Node(name, "check", check.check, "", f"{check.outcome}{waived}")
        yield node, Edge(name, RELEASE, "judges")
    for approval in release.approvals:
        name = f"approval:{approval.person}"
        said = f"by {approval.how}, {approval.at}"
        yield Node(name, "approval", approval.person, "", said), Edge(name, RELEASE, "agrees to")
    by: dict[str, list[str]] = {}
    packages = [one for one in release.licences if one.of == "package"]
    for one in release.licences:
        if one.of != "package":
            by.setdefault(one.expression or "not stated", []).append(f"{one.of} {one.name}".strip())
    if packages:
        kinds = len({one.expression for one in packages})
        by[f"{count(kinds, 'licence')} of packages"] = [count(len(packages), "package")]
    for expression, of in by.items():
        name = f"licence:{expression}"
        yield Node(name, "licence", expression, "", ", ".join(of)), Edge(name, RELEASE, "covers")
    for output in release.outputs:
        if output.path.endswith(BILLS):
            name = f"bill:{output.path}"
            node = Node(name, "bill", output.path, output.digest, size(output.size))
            yield node, Edge(name, RELEASE, "lists parts of")


def _digest(one: Artifact) -> str:
    alone = one.pointers[0].digest if len(one.pointers) == 1 else ""
    return one.root or alone


def _about(one: Artifact) -> str:
    if not one.files and not one.pointers:
        return "nothing of it is known"
    files, amount = held(one)
    kinds = sorted({pointer.kind for pointer in one.pointers})
    return f"{files}, {amount}, {', '.join(kinds)}"
