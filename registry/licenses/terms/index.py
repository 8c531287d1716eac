"""Make `facts/index.json`: python -m registry.licenses.terms.index says which file holds what."""

from __future__ import annotations

import json

from registry.errors import BadFacts
from registry.licenses.terms.reading import FOLDER, INDEX, sheet


def build() -> dict[str, str]:
    """Return each id and alias, in lower case, with its file's stem. Raises BadFacts."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.yml")):
        for name in sheet(path).names():
            if name in found:
                other = found[name]
                raise BadFacts(
                    f"{path.name}: '{name}' is in {other}.yml too", "keep one of the two"
                )
            found[name] = path.stem
    return dict(sorted(found.items()))


def main() -> None:
    """Write the index beside the facts."""
    INDEX.write_text(json.dumps(build(), indent=0) + "\n")


if __name__ == "__main__":
    main()
