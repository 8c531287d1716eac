"""Our verdicts beside those of others: ModelGo's description of licences, and classes of data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry.bom.values import Tie
from registry.licenses.terms.judging import judge
from registry.licenses.terms.reading import terms

AUDIT = Path(__file__).parents[4].parent / "shared/data/audit"
MODELGO = AUDIT / "modelgo/licenses_description.yml"
CLASSES = AUDIT / "provenance/license_classes.json"

IDS = {
    "Artistic-3.0": "Artistic-2.0",
    "WTFPL-2.0": "WTFPL",
    "PDDL": "PDDL-1.0",
    "C-UDA": "C-UDA-1.0",
    "GFDL": "GFDL-1.3-only",
    "OPT-175B": "LicenseRef-opt-175b",
    "SEER": "LicenseRef-seer",
    "BigScience-BLOOM-OpenRAIL-M": "bigscience-openrail-m",
}
# Of a model, "train" goes on with its weights and "combine" ships them.
OF_MODELS: dict[str, Tie] = {
    "train": "finetunes", "distill": "distils_from", "combine": "embeds", "amalgamate": "merges",
    "modify": "finetunes",
}  # fmt: skip
OF_OTHERS: dict[str, Tie] = OF_MODELS | {"train": "trains_on", "combine": "vendors"}

MONEY = "ModelGo asks for commercial rights only of what holds the material; section 2(a)(1) of all"
LIBRARY = "files copied into a project are a work based on the library, not one that links it"
WHOLE = "section 3.1.2 binds each recipient of the data; only results of it are free"
COPIED = "what is pasted into a work is adapted there; where it is bundled apart it is `embeds`"
ADAPTER = "section 3(a)(4) asks only that the adapter's licence lets recipients keep this one"
DISAGREE = {
    ("LGPL-3.0", "combine"): LIBRARY,
    ("LGPL-2.1", "combine"): LIBRARY,
    ("OSL-3.0", "combine"): "section 1(c) has copies distributed under the same licence only",
    ("CC-BY-4.0", "modify"): ADAPTER,
    ("CC-BY-4.0", "amalgamate"): ADAPTER,
    ("CC-BY-SA-4.0", "combine"): COPIED,
    ("CC-BY-NC-4.0", "train"): MONEY,
    ("CC-BY-NC-4.0", "distill"): MONEY,
    ("CC-BY-NC-4.0", "combine"): MONEY,
    ("CC-BY-NC-ND-4.0", "train"): MONEY,
    ("CC-BY-NC-ND-4.0", "distill"): MONEY,
    ("CC-BY-NC-ND-4.0", "combine"): MONEY,
    ("CC-BY-NC-SA-4.0", "train"): MONEY,
    ("CC-BY-NC-SA-4.0", "distill"): MONEY,
    ("CC-BY-NC-SA-4.0", "combine"): MONEY,
    ("C-UDA", "combine"): WHOLE,
    ("C-UDA", "amalgamate"): WHOLE,
    ("C-UDA", "modify"): WHOLE,
    ("LGPL-LR", "train"): "whether weights hold the resource is not answered by the text: unknown",
    ("LGPL-LR", "distill"): "whether outputs hold the resource is not answered: unknown",
}


def _blocked(block: dict[str, Any], term: dict[str, Any]) -> bool:
    """Whether ModelGo would not let the result be sold under MIT."""
    if term["result"] in ("NODEF", "independent"):
        return False
    if block["coverage"] and term["result"] not in block["coverage"]:
        return True
    if term.get("relicense") in (False, "conditional"):
        return True
    return not {"commercial_use", "redistribute"} <= set(block["rights"])


def _compared() -> dict[tuple[str, str], tuple[bool, str]]:
    found: dict[tuple[str, str], tuple[bool, str]] = {}
    for block in yaml.safe_load(MODELGO.read_text())[1:]:
        model = "model" in block["categories"] and "data" not in block["categories"]
        id = block["short_id"]
        for usage, tie in (OF_MODELS if model else OF_OTHERS).items():
            said = [t for t in block["terms"] if usage in t["usages"] and "raw" in t["forms"]]
            if said:
                theirs = all(_blocked(block, term) for term in said)
                ours = judge(tie, IDS.get(id, id), "MIT", commercial=True).answer
                found[id, usage] = (theirs, ours)
    return found


@pytest.mark.skipif(not MODELGO.exists(), reason="ModelGo's description is not at hand")
def test_modelgo_agrees_but_where_we_say_why() -> None:
    compared = _compared()
    differ = {
        key
        for key, (theirs, ours) in compared.items()
        if ours == "unknown" or theirs != (ours == "forbidden")
    }
    assert differ == set(DISAGREE)
    assert (len(compared), len(compared) - len(differ)) == (157, 137)


# Names of the collection, with the id that each stands for.
NAMED = {
    "Academic Free License v3.0": "AFL-3.0",
    "Apache License 2.0": "Apache-2.0",
    "Artistic License 2.0": "Artistic-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "C-UDA": "C-UDA-1.0",
    "CC BY 2.0": "CC-BY-2.0",
    "CC BY 2.5": "CC-BY-2.5",
    "CC BY 3.0": "CC-BY-3.0",
    "CC BY 4.0": "CC-BY-4.0",
    "CC BY-NC 2.0": "CC-BY-NC-2.0",
    "CC BY-NC 3.0": "CC-BY-NC-3.0",
    "CC BY-NC 4.0": "CC-BY-NC-4.0",
    "CC BY-NC-ND 3.0": "CC-BY-NC-ND-3.0",
    "CC BY-NC-ND 4.0": "CC-BY-NC-ND-4.0",
    "CC BY-NC-SA 3.0": "CC-BY-NC-SA-3.0",
    "CC BY-NC-SA 4.0": "CC-BY-NC-SA-4.0",
    "CC BY-ND 4.0": "CC-BY-ND-4.0",
    "CC BY-SA 2.0": "CC-BY-SA-2.0",
    "CC BY-SA 3.0": "CC-BY-SA-3.0",
    "CC BY-SA 4.0": "CC-BY-SA-4.0",
    "CC0 1.0": "CC0-1.0",
    "CDLA Permissive 2.0": "CDLA-Permissive-2.0",
    "CDLA Permissive 1.0": "CDLA-Permissive-1.0",
    "CDLA Sharing 1.0": "CDLA-Sharing-1.0",
    "EPL 1.0": "EPL-1.0",
    "GNU General Public License v2.0": "GPL-2.0-only",
    "GNU General Public License v3.0": "GPL-3.0-only",
    "ISC License": "ISC",
    "LGPL 2.1": "LGPL-2.1-only",
    "LGPL 3.0": "LGPL-3.0-only",
    "MIT License": "MIT",
    "MPL 2.0": "MPL-2.0",
    "ODC BY 1.0": "ODC-By-1.0",
    "OGL 3.0": "OGL-UK-3.0",
    "BigScience OpenRAIL-M": "bigscience-openrail-m",
    "Llama 2": "llama2",
}
KEEP = {"attribution", "notice"}
ALIKE = {"share_alike", "network_share_alike", "pass_on_terms"}
OTHERWISE = {
    ("CC BY-ND 4.0", "alike"): "nothing changed may be shared at all, under whatever terms",
    ("LGPL 2.1", "alike"): "section 2(c): what is made from the library stays under its terms",
    ("LGPL 3.0", "alike"): "by section 5(c) of the GPL that it holds",
    ("ODC BY 1.0", "alike"): "section 4.2(a): databases are conveyed under the same terms only",
}


@pytest.mark.skipif(not CLASSES.exists(), reason="the classes of data licences are not at hand")
def test_classes_of_data_licences_agree_but_where_we_say_why() -> None:
    classes = json.loads(CLASSES.read_text())
    differ = set()
    for name, id in NAMED.items():
        use, keep, alike = classes[name]
        facts = terms(id)
        assert facts is not None
        limits = {clause.tag for clause in facts.clauses} & {"noncommercial", "research_only"}
        asked = {tag for term in facts.terms for tag in term.clauses}
        pairs = (
            ("use", use != "All", bool(limits)),
            ("keep", keep == "1", bool(asked & KEEP)),
            ("alike", alike == "1", bool(asked & ALIKE)),
        )
        differ |= {(name, what) for what, theirs, ours in pairs if theirs != ours}
    assert differ == set(OTHERWISE)
