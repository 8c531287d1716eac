from __future__ import annotations

from registry.assets.graph import graph
from registry.assets.reading import read
from registry.assets.values import Use
from registry.bom.values import Edge

FILES = [
    (path, read(path, data))
    for path, data in (
        ("README.md", b"---\nlicense: mit\nbase_model: org/m\ndatasets: [org/d]\n---\n"),
        ("run.py", b'X.from_pretrained("org/n")\nX.from_pretrained("./local")'),
        ("tests/test_a.py", b'X.from_pretrained("org/no")'),
    )
]


def licences(use: Use, path: str) -> str:
    return {"org/d": "CC-BY-4.0"}.get(use.name, "")


def test_components_and_edges_of_a_tree() -> None:
    components, edges = graph(FILES, licences)
    assert [(c.ref, c.kind, c.licence, c.found) for c in components] == [
        ("urn:modelwarden:data:org/d", "data", "CC-BY-4.0", "README.md:4"),
        ("urn:modelwarden:model:.", "model", "MIT", "README.md"),
        ("urn:modelwarden:model:org/m", "model", "", "README.md:3"),
        ("urn:modelwarden:model:org/n", "model", "", "run.py:1"),
    ]
    assert edges == (
        Edge("", "embeds", "urn:modelwarden:model:."),
        Edge("", "embeds", "urn:modelwarden:model:org/n"),
        Edge("urn:modelwarden:model:.", "finetunes", "urn:modelwarden:model:org/m"),
        Edge("urn:modelwarden:model:.", "trains_on", "urn:modelwarden:data:org/d"),
    )


def test_the_order_of_files_changes_nothing() -> None:
    assert graph(FILES, licences) == graph(FILES[::-1], licences)
    assert graph([], licences) == ((), ())
