"""Score suites with lm-evaluation-harness; started by benchmarks/scoring.py in its interpreter.

Run: PEER_PYTHON benchmarks/scoring_peer.py MODEL BATCH_SIZE OUTPUT SUITE...
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

Scores = list[tuple[list[float], bool | None]]


def score(model: Any, items: list[dict[str, Any]]) -> Scores:
    """Return each item's negative log-likelihoods, and whether the model is right about it."""
    from lm_eval.api.instance import Instance

    if "text" in items[0]:
        texts = [
            Instance("loglikelihood_rolling", item, (item["text"],), number)
            for number, item in enumerate(items)
        ]
        return [([-float(nats)], None) for nats in model.loglikelihood_rolling(texts, True)]
    pairs = [
        Instance("loglikelihood", item, (item["prompt"], choice), number)
        for item in items
        for number, choice in enumerate(item.get("choices") or [item["target"]])
    ]
    answers = iter(model.loglikelihood(pairs, True))
    found: Scores = []
    for item in items:
        if "target" in item:
            nats, greedy = next(answers)
            found.append(([-float(nats)], bool(greedy)))
            continue
        several = [-float(next(answers)[0]) for _ in item["choices"]]
        right, others = several[item["answer"]], [*several]
        others.pop(item["answer"])
        found.append((several, right < min(others)))
    return found


def main() -> None:
    """Write {suite: {"seconds": ..., "scores": ...}}."""
    from lm_eval.models.huggingface import HFLM

    folder, batch_size, output, *suites = sys.argv[1:]
    model = HFLM(pretrained=folder, device="cpu", batch_size=int(batch_size), dtype="float32")
    written: dict[str, dict[str, Any]] = {}
    for suite in suites:
        items = [json.loads(line) for line in Path(suite).read_text().splitlines()]
        start = time.process_time()
        scores = score(model, items)
        written[Path(suite).stem] = {"seconds": time.process_time() - start, "scores": scores}
    Path(output).write_text(json.dumps(written))


if __name__ == "__main__":
    main()
