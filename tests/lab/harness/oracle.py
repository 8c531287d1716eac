"""Build requests with lm-evaluation-harness: task files in, JSON out. Run as a script.

It takes many seconds to import and warns as it does, so tests run it once, beside themselves.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "0"}

from lm_eval.tasks._index import TaskIndex
from lm_eval.tasks.manager import TaskManager

SEED = 1234


def requests(path: Path) -> list[dict[str, Any]]:
    index = TaskIndex.build([path.parent])
    manager = TaskManager(include_defaults=False)
    manager._index = index  # one folder is one index
    loaded = manager.load(path.parent.name)
    found = []
    for name, task in loaded["tasks"].items():
        task.set_fewshot_seed(SEED)
        task.build_all_requests()
        asked = [[one.doc_id, list(one.args)] for one in task.instances]
        golds = [task.doc_to_target(doc) for doc in task.eval_docs]
        found.append({"name": name, "asked": asked, "golds": golds})
    return found


def main(root: Path) -> None:
    os.chdir(root)
    found = {}
    for path in sorted(root.glob("*/task.yaml")):
        try:
            found[path.parent.name] = requests(path)
        except Exception as error:  # noqa: BLE001 - such a case fails its test
            found[path.parent.name] = [{"error": f"{type(error).__name__}: {error}"}]
    (root / "asked.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
