"""Near-duplicates by datasketch, run by its own Python: `duplicates_peer.py FILE THRESHOLD`."""

import json
import sys

from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]


def main() -> None:
    """Print pairs of similar documents (older, newer), verified by the sketches alone."""
    threshold = float(sys.argv[2])
    index = MinHashLSH(threshold=threshold, num_perm=128)
    sketches: list[MinHash] = []
    pairs: list[tuple[int, int]] = []
    with open(sys.argv[1], encoding="utf-8") as lines:  # noqa: PTH123 - the peer's plain way
        for number, line in enumerate(lines):
            words = json.loads(line)["text"].lower().split()
            shingles = {" ".join(words[at : at + 3]).encode() for at in range(len(words) - 2)}
            sketch = MinHash(num_perm=128, seed=42)
            sketch.update_batch(shingles)
            near = [n for n in index.query(sketch) if sketches[n].jaccard(sketch) >= threshold]
            pairs += [(min(near), number)] if near else []
            index.insert(number, sketch)
            sketches.append(sketch)
    print(json.dumps(pairs))


if __name__ == "__main__":
    main()
