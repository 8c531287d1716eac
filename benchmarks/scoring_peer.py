"""Score suites with lm-evaluation-harness; started by benchmarks/scoring.py in its interpreter.

Run: PEER_PYTHON benchmarks/scoring_peer.py MODEL BATCH_SIZE OUTPUT SUITE...
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def score(model: Any, items: list[dict[str, Any]]) -> list[tuple[float, bool | None]]:
    """Return each item's negative log-likelihood, and whether the right choice is likeliest."""
    from lm_eval.api.instance import Instance

    if "text" in items[0]:
        texts = [
            Instance("loglikelihood_rolling", item, (item["text"],), number)
            for number, item in enumerate(items)
        ]
        return [(-float(nats), None) for nats in model.loglikelihood_rolling(texts, True)]
    pairs = [
        Instance("loglikelihood", item, (item["prompt"], choice), number)
        for item in items
        for number, choice in enumerate(item["choices"])
    ]
    answers = iter(model.loglikelihood(pairs, True))
    found: list[tuple[float, bool | None]] = []
    for item in items:
        nats = [float(next(answers)[0]) for _ in item["choices"]]
        right = nats.pop(item["answer"])
        found.append((-right, right > max(nats)))
    return found


def main() -> None:
    """Write {suite: {"seconds": ..., "scores": ...}}."""
    from lm_eval.models.huggingface import HFLM

    folder, batch_size, output, *suites = sys.argv[1:]
    model = HFLM(pretrained=folder, device="cpu", batch_size=int(batch_size), dtype="float32")
    written = {}
    for suite in suites:
        items = [json.loads(line) for line in Path(suite).read_text().splitlines()]
        start = time.process_time()
        scores = score(model, items)
        written[Path(suite).stem] = {"seconds": time.process_time() - start, "scores": scores}
    Path(output).write_text(json.dumps(written))


if __name__ == "__main__":
    main()
