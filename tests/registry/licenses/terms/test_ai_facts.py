"""Facts of AI licences: what the texts say of well-known questions, and which texts were read."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from registry.bom.values import Tie
from registry.licenses.matching.names import FILES
from registry.licenses.terms.judging import judge
from registry.licenses.terms.reading import FOLDER, Sheet, digest, sheet, terms, words
from registry.licenses.terms.values import Answer

AUDIT = Path(__file__).parents[5] / "shared/data/audit"
TEXTS = AUDIT / "ai-licenses"
needs_texts = pytest.mark.skipif(not TEXTS.is_dir(), reason="the licence texts are not at hand")
MODELS = tuple(
    (path.stem, facts)
    for path in sorted(FOLDER.glob("*.yml"))
    if (facts := sheet(path)).nature in ("model", "policy")
)

# Texts of software, content and data licences among them, whose facts are in sheets of their own.
_ELSEWHERE = {
    "Apache-2.0", "MIT", "AGPL-3.0", "CC-BY-NC-4.0", "cdla", "odbl", "odc", "apple-ml",
    "nvidia-data",
}  # fmt: skip

# (licence, tie, published under, for money) -> answer, what it rests on, words of the sentence
QUESTIONS: tuple[tuple[str, Tie, str, bool, Answer, str, str], ...] = (
    ("llama2", "distils_from", "Apache-2.0", False, "forbidden", "output_training",
     "improve any other large language model"),
    ("llama2", "finetunes", "llama2", True, "conditions", "mau_threshold",
     "greater than 700 million monthly active users"),
    ("llama3.1", "distils_from", "Apache-2.0", True, "conditions", "naming",
     "include “Llama” at the beginning of any such AI model name"),
    ("llama3.1", "finetunes", "llama3.1", True, "conditions", "naming",
     "prominently display “Built with Llama”"),
    ("llama3.2", "finetunes", "llama3.2", True, "conditions", "territory",
     "principal place of business in, the European Union"),
    ("llama3.3", "quantises", "llama3.3", True, "conditions", "attribution",
     "Llama 3.3 is licensed under the Llama 3.3 Community License"),
    ("llama4", "distils_from", "MIT", True, "conditions", "territory", "Llama 4"),
    ("LicenseRef-llama1", "finetunes", "LicenseRef-llama1", True, "forbidden", "noncommercial",
     "solely for your non-commercial research purposes"),
    ("LicenseRef-llama1", "finetunes", "Apache-2.0", False, "forbidden", "research_only",
     "solely for your non-commercial research purposes"),
    ("gemma", "distils_from", "gemma", True, "conditions", "output_training",
     "generation of synthetic data Outputs by Gemma for training that model"),
    ("gemma", "distils_from", "Apache-2.0", True, "forbidden", "pass_on_terms",
     "as an enforceable provision in any agreement"),
    ("gemma", "finetunes", "gemma", True, "conditions", "use_restrictions",
     "Gemma Prohibited Use Policy"),
    ("creativeml-openrail-m", "finetunes", "Apache-2.0", True, "forbidden", "pass_on_terms",
     "MUST be included as an enforceable provision"),
    ("creativeml-openrail-m", "finetunes", "openrail++", True, "conditions", "use_restrictions",
     "Attachment A"),
    ("bigscience-openrail-m", "finetunes", "openrail++", True, "forbidden", "pass_on_terms",
     "MUST be included"),
    ("openrail++", "distils_from", "openrail++", True, "conditions", "output_training",
     "generation of synthetic data by the Model for training the other model"),
    ("bigcode-openrail-m", "finetunes", "bigcode-openrail-m", True, "conditions", "pass_on_terms",
     "must accomplish the same purpose"),
    ("deepfloyd-if-license", "embeds", "deepfloyd-if-license", True, "forbidden", "noncommercial",
     "non-commercial research purposes"),
    ("LicenseRef-sai-nc-community", "finetunes", "LicenseRef-sai-nc-community", True, "forbidden",
     "noncommercial", "does not include any production use"),
    ("LicenseRef-sai-nc-community", "finetunes", "LicenseRef-sai-nc-community", False,
     "conditions", "field_of_use", "as part of your hosted service or via your APIs"),
    ("LicenseRef-svd", "quantises", "Apache-2.0", False, "forbidden", "share_alike",
     "will remain subject to this Agreement"),
    ("LicenseRef-stability-ai-community", "finetunes", "LicenseRef-stability-ai-community", True,
     "conditions", "revenue_threshold", "more than USD $1,000,000 in annual revenue"),
    ("LicenseRef-stability-ai-community", "distils_from", "Apache-2.0", False, "forbidden",
     "output_training", "any foundational generative AI model"),
    ("LicenseRef-tongyi-qianwen", "distils_from", "Apache-2.0", False, "forbidden",
     "output_training", "improve any other large language model"),
    ("LicenseRef-qwen", "distils_from", "Apache-2.0", True, "conditions", "naming",
     "“Built with Qwen” or “Improved using Qwen”"),
    ("LicenseRef-qwen", "finetunes", "Apache-2.0", True, "conditions", "mau_threshold",
     "more than 100 million monthly active users"),
    ("LicenseRef-deepseek", "finetunes", "LicenseRef-deepseek", True, "conditions",
     "pass_on_terms", "MUST be included as an enforceable provision"),
    ("LicenseRef-falcon-2-11b-1.0", "distils_from", "Apache-2.0", True, "conditions",
     "use_restrictions", "any output from the Work or Derivative Work"),
    ("LicenseRef-exaone-1.1-nc", "distils_from", "LicenseRef-exaone-1.1-nc", False, "forbidden",
     "output_training", "develop or improve other models"),
    ("LicenseRef-exaone-1.1-nc", "finetunes", "LicenseRef-exaone-1.1-nc", False, "conditions",
     "naming", "“EXAONE” at the beginning of its name"),
    ("LicenseRef-tencent-hunyuan-dit", "finetunes", "LicenseRef-tencent-hunyuan-dit", True,
     "conditions", "territory", "excluding the territory of the European Union."),
    ("LicenseRef-tencent-hunyuan-3d-2.0", "embeds", "LicenseRef-tencent-hunyuan-3d-2.0", True,
     "conditions", "territory", "European Union, United Kingdom and South Korea"),
    ("LicenseRef-flux-1-nc", "distils_from", "Apache-2.0", True, "forbidden", "noncommercial",
     "Non-Commercial Purposes"),
    ("LicenseRef-flux-1-nc", "distils_from", "Apache-2.0", False, "conditions",
     "output_training", "competitive with the FLUX.1 [dev] Model"),
    ("LicenseRef-nvidia-open-model", "finetunes", "Apache-2.0", True, "conditions", "naming",
     "Built on NVIDIA Cosmos"),
    ("LicenseRef-nvidia-model-training-2025", "trains_on", "Apache-2.0", True, "conditions",
     "field_of_use", "solely for the purpose of internal training"),
    ("LicenseRef-nvidia-model-training-2025", "vendors", "Apache-2.0", False, "forbidden",
     "no_distribution", "otherwise make available to others the Datasets"),
    ("LicenseRef-bilibili-model", "finetunes", "LicenseRef-bilibili-model", True, "conditions",
     "revenue_threshold", "exceeded RMB 1 billion"),
    ("LicenseRef-openatom-model-1.0", "quantises", "Apache-2.0", True, "conditions",
     "state_changes", "stating that You modified the files"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("inbound", "tie", "outbound", "money", "answer", "tag", "said"), QUESTIONS
)
def test_a_well_known_question(
    inbound: str, tie: Tie, outbound: str, money: bool, answer: Answer, tag: str, said: str
) -> None:
    found = judge(tie, inbound, outbound, commercial=money)
    assert found.answer == answer
    assert any(reason.tag == tag and said in reason.quote for reason in found.reasons)


@pytest.mark.parametrize("tie", ["distils_from", "evaluates_on", "trains_on", "links"])
def test_a_permissive_model_licence_allows(tie: Tie) -> None:
    for inbound in ("OpenMDW-1.0", "LicenseRef-open-weights-permissive-1.0.0"):
        assert judge(tie, inbound, "Apache-2.0", commercial=True).answer == "allowed"


@pytest.mark.parametrize(
    ("license", "tie"),
    [
        ("llama2", "links"),  # models are not linked
        ("gemma", "trains_on"),  # outputs are free but to make a model perform like it
        ("LicenseRef-glm", "finetunes"),  # "to use the Software" and no more
        ("LicenseRef-glm", "distils_from"),
        ("LicenseRef-exaone-1.1-nc", "merges"),
        ("LicenseRef-gemma-use-policy", "finetunes"),  # a policy grants nothing
        ("LicenseRef-llama3.2-use-policy", "evaluates_on"),
    ],
)
def test_what_a_text_does_not_say_is_unknown(license: str, tie: Tie) -> None:
    assert terms(license) is not None
    assert judge(tie, license, license, commercial=False).answer == "unknown"


@pytest.mark.parametrize(
    "name",
    [
        # Texts that were not at hand when the others were read.
        "llama3", "grok2-community", "apple-amlr", "h-research", "intel-research",
        "fair-noncommercial-research-license", "openmdw-1.1", "openrail",
        "LicenseRef-qwen-research",
        # Names on cards that stand for several texts.
        "LicenseRef-exaone", "LicenseRef-tencent-hunyuan-community",
        "LicenseRef-flux-1-dev-non-commercial-license", "LicenseRef-nvidia-open-model-license",
        # Terms of services that generate data.
        "LicenseRef-openai-tou", "LicenseRef-anthropic",
    ],
)  # fmt: skip
def test_nothing_is_said_of_what_was_not_read(name: str) -> None:
    assert terms(name) is None


def test_near_relatives_differ_where_their_texts_do() -> None:
    assert _answer("llama2", "distils_from") == "forbidden"
    assert _answer("llama3.1", "distils_from") == "conditions"
    assert _answer("LicenseRef-tongyi-qianwen", "distils_from") == "forbidden"
    assert _answer("LicenseRef-qwen", "distils_from") == "conditions"
    assert "territory" not in _tags("llama3.1")
    for later in ("llama3.2", "llama3.3", "llama4"):
        assert "territory" in _tags(later)


def _answer(license: str, tie: Tie) -> str:
    found = terms(license)
    assert found is not None
    return next(term.answer for term in found.terms if term.tie == tie)


def _tags(license: str) -> set[str]:
    found = terms(license)
    assert found is not None
    return {clause.tag for clause in found.clauses}


@pytest.mark.parametrize(
    "name", sorted({id for id, family in FILES.values() if family not in _ELSEWHERE})
)
def test_what_a_text_is_called_has_facts(name: str) -> None:
    assert terms(name) is not None


@needs_texts
def test_every_ai_text_at_hand_was_read_and_has_its_listed_name() -> None:
    read = {d: id for _, facts in MODELS for id, digests in facts.ids.items() for d in digests}
    for row in json.loads((TEXTS / "index.json").read_text()):
        if row["expected_family"] in _ELSEWHERE:
            continue
        id = read[digest((TEXTS / row["file"]).read_text())]
        if row["id"].startswith("LicenseRef-"):
            found = terms(row["id"])
            assert found is not None
            assert found.id == id or "use-policy" in found.id


@needs_texts
@pytest.mark.parametrize(("stem", "facts"), MODELS, ids=[stem for stem, _ in MODELS])
def test_each_version_of_a_text_says_each_sentence(stem: str, facts: Sheet) -> None:
    for id, digests in facts.ids.items():
        for clause in facts.clauses:
            quote = f" {' '.join(words(clause.quote))} "
            lacking = [_called(d) for d in digests if quote not in _at_hand()[d][1]]
            assert set(lacking) <= _LACKS.get((stem, clause.tag), set()), f"{id}: {clause.tag}"


# A licence and its use policy are two texts of one agreement; one copy of Llama 2
# lacks an "an" and has a sign for "(c)".
_POLICY = {
    name: {file for file in FILES if file.endswith(suffix)}
    for name, suffix in (
        ("llama3.2", "llama3_2-use-policy.txt"),
        ("llama3.3", "llama3_3-use-policy.txt"),
        ("llama4", "llama-4-license-2025.txt"),
    )
}
_MAIN = {
    "llama3.2": {"llama3_2-license.txt", "licensedb/llama-3.2-license-2024.txt"},
    "llama3.3": {"llama3_3-license.txt", "licensedb/llama-3.3-license-2024.txt"},
    "llama4": {"licensedb/llama-4-cla-2025.txt"},
}
_LACKS: dict[tuple[str, str], set[str]] = {
    ("llama2", "termination"): {"Llama2.txt"},
    ("llama2", "attribution"): {"Llama2.txt"},
    **{(name, "territory"): files for name, files in _MAIN.items()},
    **{
        (name, tag): files
        for name, files in _POLICY.items()
        for tag in ("naming", "notice", "attribution", "use_restrictions", "mau_threshold",
                    "termination")
    },
}  # fmt: skip


@cache
def _at_hand() -> dict[str, tuple[str, str]]:
    """Return each text by digest: the file's name, and its words."""
    files = [(str(p.relative_to(TEXTS)), p) for p in sorted(TEXTS.glob("**/*.txt"))]
    files += [(p.name, p) for p in sorted((AUDIT / "modelgo/raw").glob("*.tx*"))]
    found: dict[str, tuple[str, str]] = {}
    for name, path in files:
        text = path.read_text(errors="replace")
        found.setdefault(digest(text), (name, f" {' '.join(words(text))} "))
    return found


def _called(text: str) -> str:
    return _at_hand()[text][0]
