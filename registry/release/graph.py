"""A lineage as one SVG: no script, no outside file, readable on light and on dark pages.

Things of one kind share a box, a line each; stages have boxes of their own while they are few.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from registry.release.layout import MARGIN, Drawing, Line, Placed, layout
from registry.release.lineage import Lineage, Node
from registry.release.pages.prose import NAME, count, short, visible

STAGES = 12  # more of them share a box
ROWS = 40  # lines of one box
CELL, LEADING, HEAD, PAD = 7.3, 17.0, 24.0, 12.0  # of 12 px letters, in px
LEAST, MOST = 16, 36  # letters of a line of a box
LINKS = 30  # missing links that are drawn
_TITLES = {
    "person": ("Made by", "Made by"),
    "code": ("Code", "Code"),
    "data": ("Data", "Data"),
    "input": ("Read, not bound", "Read, not bound"),
    "pipeline": ("Pipeline", "Pipelines"),
    "stage": ("Stage", "Stages"),
    "environment": ("Environment", "Environment"),
    "weights": ("Weights", "Weights"),
    "fingerprint": ("Fingerprint", "Fingerprints"),
    "measurement": ("Measurement", "Measurements"),
    "previous": ("Release before", "Releases before"),
    "comparison": ("Comparison", "Comparisons"),
    "check": ("Check", "Checks"),
    "approval": ("Approval", "Approvals"),
    "licence": ("Licence", "Licences"),
    "bill": ("Bill of materials", "Bill of materials"),
    "release": ("Release", "Release"),
    "signature": ("Signature", "Signatures"),
}
_HUES = {
    "person": "code", "code": "code", "pipeline": "code", "stage": "code", "data": "data",
    "input": "data", "environment": "data", "measurement": "told", "comparison": "told",
    "previous": "told", "fingerprint": "told", "release": "made", "weights": "made",
    "signature": "made",
}  # fmt: skip
_STYLE = """
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#18202b}
.page{fill:#fff}.box{fill:#f5f6f8;stroke:#c3cad4}.band{fill:#566273}
.code .band{fill:#1c5fb8}.data .band{fill:#14702f}.told .band{fill:#7a3fb0}.made .band{fill:#b3480b}
.head{font-weight:700}.quiet{fill:#566273}.line{fill:none;stroke:#8b96a5;stroke-width:1.3}
.tip{fill:#8b96a5}.gap .box{fill:#fdeae8;stroke:#b3261e}.gap .band{fill:#b3261e}
@media(prefers-color-scheme:dark){text{fill:#e4e9f0}.page{fill:#0e1319}
.box{fill:#161d26;stroke:#3a4657}.band{fill:#9aa8b8}.code .band{fill:#82b6ff}
.data .band{fill:#5fce82}.told .band{fill:#c9a0f5}.made .band{fill:#f2a263}.quiet{fill:#9aa8b8}
.line{stroke:#6c7a8c}.tip{fill:#6c7a8c}.gap .box{fill:#3a1a1a;stroke:#ff8a80}
.gap .band{fill:#ff8a80}}
"""


@dataclass(frozen=True, slots=True)
class Box:
    """What is written in one box: `rows` are (left, right, style)."""

    name: str
    hue: str
    title: str
    rows: tuple[tuple[str, str, str], ...]
    says: str = ""  # all of it, for a reader of the source and for a pointer held above

    @property
    def cells(self) -> int:
        """Letters of its longest line."""
        inside = (_cells(left) + _cells(right) + 2 * bool(right) for left, right, _ in self.rows)
        return max(LEAST, _cells(self.title) + 1, *inside)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in px."""
        return (
            round(self.cells * CELL + 2 * PAD, 1),
            HEAD + LEADING * len(self.rows) + (8 if self.rows else 2),
        )


def as_svg(lineage: Lineage) -> str:
    """Return the drawing, the same text for the same lineage."""
    place = _places(lineage)
    groups: dict[str, list[Node]] = {}
    for node in lineage.nodes:
        groups.setdefault(place[node.id], []).append(node)
    boxes = {name: _box(name, nodes) for name, nodes in groups.items()}
    ties: dict[tuple[str, str], list[str]] = {}
    for edge in lineage.edges:
        words = ties.setdefault((place[edge.of], place[edge.to]), [])
        if edge.how not in words:
            words.append(edge.how)
    drawing = layout({name: box.size for name, box in boxes.items()}, ties)
    return _sheet(lineage, boxes, ties, drawing)


def _places(lineage: Lineage) -> dict[str, str]:
    many = sum(node.kind == "stage" for node in lineage.nodes) > STAGES
    own = "" if many else "stage"
    return {node.id: node.id if node.kind == own else node.kind for node in lineage.nodes}


def _box(name: str, nodes: list[Node]) -> Box:
    kind = nodes[0].kind
    one, many = _TITLES[kind]
    title = one if len(nodes) == 1 else f"{many} ({len(nodes):,})"
    if len(nodes) == 1:
        node = nodes[0]
        label = "" if node.label in (kind, "signed root") else node.label
        lines = [(label, "label"), (short(node.digest), "quiet"), (node.detail, "quiet")]
        rows = [(_fit(text, MOST), "", style) for text, style in lines if text]
    else:
        rows = [_row(node) for node in nodes[:ROWS]]
        rows += [(f"… and {len(nodes) - ROWS:,} more", "", "quiet")] if len(nodes) > ROWS else []
    return Box(name, _HUES.get(kind, "held"), title, tuple(rows), _says(title, nodes))


def _row(node: Node) -> tuple[str, str, str]:
    right = visible(node.digest)[:8] or _fit(node.detail, 13)
    return _fit(node.label, MOST - 2 - _cells(right), tail=node.kind == "data"), right, "label"


def _says(title: str, nodes: Iterable[Node]) -> str:
    parts = [
        " ".join(
            filter(None, (visible(n.label, 100), visible(n.digest, 64), visible(n.detail, 300)))
        )
        for n in list(nodes)[:ROWS]
    ]
    return f"{title}: {'; '.join(parts)}"


def _fit(text: str, cells: int, tail: bool = False) -> str:
    """Return text that takes at most so many cells; of paths, the end says most."""
    shown = visible(text, NAME)
    if _cells(shown) <= cells:
        return shown
    kept, room = "", cells - 1
    for character in reversed(shown) if tail else shown:
        room -= _width(character)
        if room < 0:
            break
        kept += character
    return "…" + kept[::-1] if tail else kept + "…"


def _cells(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    # What a font has no letter for is taken from another, which may be wider.
    return 1 if character.isascii() or character in "…–’" else _wide(character)


def _wide(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WFA" or ord(character) > 0x4FF else 1


def _sheet(
    lineage: Lineage, boxes: Mapping[str, Box], ties: Mapping[tuple[str, str], list[str]],
    drawing: Drawing,
) -> str:  # fmt: skip
    gap = _gaps(lineage)
    width, height = drawing.width, drawing.height
    notes = ""
    if gap is not None:
        wide, high = gap.size
        width = max(width, wide + 2 * MARGIN)
        notes = _drawn(gap, Placed(gap.name, MARGIN, height, wide, high, height + high))
        height += high + MARGIN
    name = next((n.label for n in lineage.nodes if n.kind == "release"), "a release")
    title = f"Lineage of {visible(name, NAME)}"
    told = f"{count(len(lineage.nodes), 'thing')} it was made from and how they came into it. "
    missing = "; ".join(
        f"{visible(m.what, 200)}: {visible(m.why, 300)}" for m in lineage.missing[:LINKS]
    )
    told += f"Missing: {missing}." if lineage.missing else "Every link is there."
    ports = _ports(drawing)
    lines = "".join(_line(line, ports, boxes, ties[line.of, line.to]) for line in drawing.lines)
    inside = "".join(_drawn(boxes[one.name], one) for one in drawing.boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title><desc>{escape(told)}</desc><style>{_STYLE}</style>"
        f'<rect class="page" width="100%" height="100%" rx="8"/>\n'
        f"{lines}\n{inside}\n{notes}</svg>\n"
    )


def _gaps(lineage: Lineage) -> Box | None:
    if not lineage.missing:
        return None
    rows = [(_fit(f"{m.what}: {m.why}", 110), "", "label") for m in lineage.missing[:LINKS]]
    left = len(lineage.missing) - LINKS
    rows += [(f"… and {left:,} more", "", "quiet")] if left > 0 else []
    return Box("missing", "gap", f"Missing ({len(lineage.missing):,})", tuple(rows))


def _drawn(box: Box, at: Placed) -> str:
    """Draw a box; a sheet of its own inside cuts off what a strange font makes too wide."""
    lines = [f'<text class="head" x="{PAD}" y="18">{escape(box.title)}</text>']
    for number, (left, right, style) in enumerate(box.rows):
        y = f"{HEAD + LEADING * (number + 1) - 4:g}"
        lines.append(f'<text class="{style}" x="{PAD}" y="{y}">{escape(left)}</text>')
        if right:
            x = f"{at.width - PAD:.1f}"
            lines.append(
                f'<text class="quiet" x="{x}" y="{y}" text-anchor="end">{escape(right)}</text>'
            )
    says = f"<title>{escape(box.says)}</title>" if box.says else ""
    return (
        f'<svg class="{box.hue}" x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}"'
        f' height="{at.height:.1f}">{says}<rect class="box" x=".5" y=".5" rx="6"'
        f' width="{at.width - 1:.1f}" height="{at.height - 1:.1f}"/>'
        f'<rect class="band" x="1" y="6" width="3" height="{at.height - 12:.1f}"/>'
        f"{''.join(lines)}</svg>"
    )


def _ports(drawing: Drawing) -> dict[tuple[str, str, str], float]:
    """Return where each line leaves and enters its boxes, side by side in their order."""
    found: dict[tuple[str, str, str], float] = {}
    for box in drawing.boxes:
        out = sorted((line.stops[1][0], line.to) for line in drawing.lines if line.of == box.name)
        into = sorted((line.stops[-2][0], line.of) for line in drawing.lines if line.to == box.name)
        for side, ends in (("out", out), ("in", into)):
            step = min(22.0, (box.width - 20) / max(len(ends), 1))
            first = box.x + box.width / 2 - step * (len(ends) - 1) / 2
            for number, (_, other) in enumerate(ends):
                pair = (box.name, other) if side == "out" else (other, box.name)
                found[side, *pair] = first + number * step
    return found


def _line(
    line: Line, ports: Mapping[tuple[str, str, str], float], boxes: Mapping[str, Box],
    words: Iterable[str],
) -> str:  # fmt: skip
    stops = list(line.stops)
    start, end = ports["out", line.of, line.to], ports["in", line.of, line.to]
    top = stops[0][1] + boxes[line.of].size[1]
    path = f"M{start:.1f} {top:.1f}L{start:.1f} {stops[0][2]:.1f}"
    x, y = start, stops[0][2]
    for number, (middle, upper, lower) in enumerate(stops[1:], 1):
        last = number == len(stops) - 1
        to, roof = (end, upper - 5) if last else (middle, upper)
        half = (y + roof) / 2
        path += f"C{x:.1f} {half:.1f} {to:.1f} {half:.1f} {to:.1f} {roof:.1f}"
        x, y = to, lower
        path += "" if last else f"L{to:.1f} {lower:.1f}"
    tip = f"M{end - 4:.1f} {stops[-1][1] - 7:.1f}h8l-4 7z"
    said = visible(", ".join(words), NAME)
    says = escape(f"{boxes[line.of].title} → {boxes[line.to].title}: {said}")
    return (
        f'<g><title>{says}</title><path class="line" d="{path}"/><path class="tip" d="{tip}"/></g>'
    )
