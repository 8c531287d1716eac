"""Compute metrics with lm-evaluation-harness: JSON cases in, JSON values out. Run as a script.

It takes many seconds to import and warns as it does, so tests run it once, beside themselves.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

from lm_eval.api import metrics
from lm_eval.api.task import ConfigurableTask, PerplexityTask


def task(output_type: str, names: dict[str, dict[str, Any]], **more: Any) -> SimpleNamespace:
    return SimpleNamespace(
        OUTPUT_TYPE=output_type,
        config=SimpleNamespace(process_results=None, doc_to_choice=None),
        _metric_fn_list={name: getattr(metrics, f"{name}_fn") for name in names},
        _metric_fn_kwargs=names,
        multiple_input=0,
        count_words=PerplexityTask.count_words,
        count_bytes=PerplexityTask.count_bytes,
        **more,
    )


def results(kind: SimpleNamespace, docs: list[Any], found: list[Any]) -> dict[str, list[Any]]:
    process: Any = ConfigurableTask.process_results
    rows = [process(kind, doc, one) for doc, one in zip(docs, found, strict=True)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def of_choices(case: dict[str, Any]) -> dict[str, float]:
    kind = task(
        "multiple_choice",
        {"acc": {}, "acc_norm": {}, "f1": {}, "mcc": {}},
        multiple_target=0,
        doc_to_choice=lambda doc: doc["choices"],
        doc_to_target=lambda doc: doc["answer"],
    )
    kind._metric_fn_list |= {"acc_bytes": None, "brier_score": None}
    found = [[(-n, False) for n in doc["nats"]] for doc in case["docs"]]
    rows = results(kind, case["docs"], found)
    values = {name: metrics.mean(rows[name]) for name in ("acc", "acc_norm", "acc_bytes")}
    if case["shared"]:
        values["brier"] = metrics.brier_score(rows["brier_score"])
        values["mcc"] = metrics.matthews_corrcoef(rows["mcc"])
        if len(case["docs"][0]["choices"]) == 2:
            values["f1"] = metrics.f1_score(rows["f1"])
    return values


def of_texts(case: dict[str, Any]) -> dict[str, float]:
    names: dict[str, Any] = {"word_perplexity": {}, "byte_perplexity": {}, "bits_per_byte": {}}
    kind = task("loglikelihood_rolling", {}, doc_to_target=lambda doc: doc["text"])
    kind._metric_fn_list = names
    rows = results(kind, case["docs"], [(-doc["nll"],) for doc in case["docs"]])
    return {
        "word_perplexity": metrics.weighted_perplexity(rows["word_perplexity"]),
        "byte_perplexity": metrics.weighted_perplexity(rows["byte_perplexity"]),
        "bits_per_byte": metrics.bits_per_byte(rows["bits_per_byte"]),
    }


def of_targets(case: dict[str, Any]) -> dict[str, float]:
    kind = task("loglikelihood", {})
    kind._metric_fn_list = {"perplexity": None, "acc": None}
    rows = results(kind, case["docs"], [[(-d["nll"], d["greedy"])] for d in case["docs"]])
    return {"perplexity": metrics.perplexity(rows["perplexity"]), "acc": metrics.mean(rows["acc"])}


def of_generated(case: dict[str, Any]) -> dict[str, float]:
    docs = case["docs"]
    several = task(
        "generate_until",
        {"exact_match": case["options"]},
        multiple_target=1,
        doc_to_target=lambda doc: doc["references"],
    )
    single = task(
        "generate_until",
        {"bleu": {}, "chrf": {}, "chrfpp": {}, "ter": {}},
        multiple_target=0,
        doc_to_target=lambda doc: doc["references"][0],
    )
    written = [[doc["final"]] for doc in docs]
    matched = results(several, docs, written)["exact_match"]
    rows = results(single, docs, written)
    return {
        "exact_match": metrics.mean(matched),
        "bleu": metrics.bleu(rows["bleu"]),
        "chrf": metrics.chrf(rows["chrf"]),
        "chrf++": metrics.chrfpp(rows["chrfpp"]),
        "ter": metrics.ter(rows["ter"]),
    }


if __name__ == "__main__":
    made = {
        "choices": of_choices,
        "texts": of_texts,
        "targets": of_targets,
        "generated": of_generated,
    }
    cases = json.load(sys.stdin)
    json.dump([made[case["kind"]](case) for case in cases], sys.stdout)
