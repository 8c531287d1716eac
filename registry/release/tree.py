"""A lineage as a tree in a terminal: a release, and below each thing what came into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from registry.release.lineage import RELEASE, Lineage, Node
from registry.release.pages.prose import NAME, count, short, visible

LINES = 2_000
DEPTH = 40
_NAMES = {"environment": "environment", "bill": "bill of materials", "input": "read"}


def as_tree(lineage: Lineage) -> str:
    """Return the tree as text. What was shown above is named again, without what is below it."""
    nodes = {node.id: node for node in lineage.nodes}
    below: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for edge in lineage.edges:
        below[edge.to].append((edge.of, edge.how))
    lines = [_line(nodes[RELEASE])] if RELEASE in nodes else []
    lines += [f"  {_line(node)}" for node in lineage.nodes if node.kind == "signature"]
    seen = {RELEASE}
    for line in _branches(RELEASE, nodes, below, seen):
        lines.append(line)
        if len(lines) == LINES:
            lines.append("… cut: the JSON form holds all")
            break
    alone = [node for node in lineage.nodes if node.id not in seen and node.kind != "signature"]
    if alone and len(lines) < LINES:
        lines += ["not linked to the release:", *(f"  {_line(node)}" for node in alone[:LINES])]
    return "\n".join([*lines, *_missing(lineage)]) + "\n"


def _branches(
    start: str, nodes: dict[str, Node], below: dict[str, list[tuple[str, str]]], seen: set[str]
) -> Iterator[str]:
    # No recursion: how deep a pipeline is, is a stranger's choice.
    open_ = [(start, "", iter(_last(below[start])))]
    while open_:
        _, indent, rest = open_[-1]
        step = next(rest, None)
        if step is None:
            open_.pop()
            continue
        name, how, last = step
        again = name in seen
        seen.add(name)
        deeper = bool(below[name]) and not again and len(open_) < DEPTH
        mark = " (above)" if again and below[name] else ""
        mark = " (…)" if below[name] and not again and not deeper else mark
        yield f"{indent}{'└── ' if last else '├── '}{_line(nodes[name])} [{how}]{mark}"
        if deeper:
            indent += "    " if last else "│   "
            open_.append((name, indent, iter(_last(below[name]))))


def _last(found: list[tuple[str, str]]) -> list[tuple[str, str, bool]]:
    return [(*one, i == len(found) - 1) for i, one in enumerate(found)]


def _line(node: Node) -> str:
    kind = _NAMES.get(node.kind, node.kind)
    label = "" if node.label == kind else visible(node.label, NAME)
    digest = short(visible(node.digest, 200))
    detail = f"({visible(node.detail, 120)})" if node.detail else ""
    return " ".join(filter(None, (kind, label, digest, detail)))


def _missing(lineage: Lineage) -> Iterator[str]:
    if not lineage.missing:
        yield "every link is there"
        return
    yield f"{count(len(lineage.missing), 'link')} missing:"
    for one in lineage.missing[:LINES]:
        yield f"  ✗ {visible(one.what, NAME)}: {visible(one.why)}"
        yield f"    {visible(one.remedy)}"
