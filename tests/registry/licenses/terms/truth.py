"""What licence texts hold by reading them: what the tagger of clauses is measured with."""

from __future__ import annotations

_GPL = "no_further_restrictions notice share_alike source_disclosure state_changes"
_CC = "attribution no_further_restrictions state_changes notice"
_RAIL = "attribution notice output_training pass_on_terms state_changes use_restrictions"
_RESEARCH = (
    "attribution no_further_restrictions noncommercial notice research_only use_restrictions"
)
# What each text holds by reading it, whatever the tagger says.
TABLE = {
    "MIT": "notice",
    "ISC": "notice",
    "BSD-2-Clause": "notice",
    "BSD-3-Clause": "notice",
    "0BSD": "",
    "Zlib": "notice state_changes",
    "Apache-2.0": "attribution notice state_changes",
    "MPL-2.0": "notice share_alike source_disclosure",
    "EPL-2.0": "attribution notice share_alike source_disclosure",
    "CDDL-1.0": "attribution no_further_restrictions notice share_alike source_disclosure"
    " state_changes",
    "EUPL-1.2": f"{_GPL} attribution network_share_alike",
    "LGPL-2.1-only": _GPL,
    "LGPL-3.0-only": _GPL,
    "GPL-2.0-only": _GPL,
    "GPL-3.0-only": _GPL,
    "AGPL-3.0-only": f"{_GPL} network_share_alike",
    "SSPL-1.0": f"{_GPL} network_share_alike",
    "BUSL-1.1": "field_of_use no_further_restrictions notice",
    "Elastic-2.0": "field_of_use notice state_changes use_restrictions",
    "PolyForm-Noncommercial-1.0.0": "noncommercial notice",
    "PolyForm-Small-Business-1.0.0": "notice revenue_threshold",
    "Unlicense": "",
    "CC0-1.0": "",
    "CC-BY-4.0": _CC,
    "CC-BY-SA-4.0": f"{_CC} share_alike",
    "CC-BY-NC-4.0": f"{_CC} noncommercial",
    "CC-BY-ND-4.0": f"{_CC} no_derivatives",
    "CC-BY-NC-SA-3.0": f"{_CC} noncommercial share_alike",
    "ODbL-1.0": "no_further_restrictions notice share_alike source_disclosure",
    "CDLA-Permissive-2.0": "notice",
    "CDLA-Sharing-1.0": f"{_CC} share_alike",
    "OFL-1.1": "naming notice share_alike",
    "Artistic-2.0": "notice state_changes",
    "WTFPL": "",
    "JSON": "notice use_restrictions",
    "Hippocratic-2.1": "attribution notice state_changes use_restrictions",
    "MulanPSL-2.0": "notice",
    "OSL-3.0": "attribution network_share_alike notice share_alike source_disclosure state_changes",
    "GFDL-1.3-only": "notice share_alike state_changes",
    "llama2-license": "attribution mau_threshold notice output_training use_restrictions",
    "llama3_1-license": "attribution mau_threshold naming notice output_training use_restrictions",
    "llama3_2-use-policy": "territory use_restrictions",
    "licensedb/llama-license-2023": _RESEARCH,
    "licensedb/gemma-tou-2025-03-24": "notice no_further_restrictions output_training pass_on_terms"
    " state_changes use_restrictions",
    "licensedb/gemma-pup-2024-02-21": "use_restrictions",
    "sd1-creativeml-openrail-m": _RAIL,
    "licensedb/bigcode-open-rail-m-v1": _RAIL,
    "deepseek-v3-model": _RAIL,
    "deepfloyd-if-code": "notice use_restrictions",
    "deepfloyd-if-model": _RESEARCH,
    "sd-turbo": "attribution field_of_use noncommercial notice output_training share_alike"
    " state_changes use_restrictions",
    "svd": "attribution noncommercial notice output_training share_alike state_changes"
    " use_restrictions",
    "licensedb/stability-ai-community-2024": "attribution naming notice output_training"
    " registration revenue_threshold state_changes use_restrictions",
    "tongyi-qianwen": "attribution mau_threshold notice output_training state_changes",
    "licensedb/qwen-2024": "attribution mau_threshold naming notice output_training state_changes",
    "licensedb/falcon-2-11b-1.0": "attribution naming notice pass_on_terms state_changes"
    " use_restrictions",
    "exaone-3.5": "attribution naming noncommercial notice output_training research_only"
    " reverse_engineering use_restrictions",
    "hunyuandit": "mau_threshold notice output_training pass_on_terms state_changes territory"
    " use_restrictions",
    "chatglm-6b-model": "notice use_restrictions",
    "licensedb/nvidia-open-model-2025-04-28": "attribution naming notice output_training"
    " use_restrictions",
    "licensedb/nvidia-model-training-2025": "field_of_use no_distribution use_restrictions",
    "licensedb/flux-1-nc": "attribution field_of_use no_further_restrictions noncommercial notice"
    " output_training share_alike state_changes use_restrictions",
    "licensedb/apple-ml-ferret-2023": "notice",
    "licensedb/bilibili-model-ula-2025-09-09": "mau_threshold noncommercial notice output_training"
    " pass_on_terms revenue_threshold state_changes use_restrictions",
    "licensedb/openatom-model-1.0": "attribution notice output_training state_changes"
    " use_restrictions",
    "licensedb/openmdw-1.0": "notice",
    "licensedb/open-weights-permissive-1.0.0": "notice",
}
# Where the tagger is known to be wrong on them: what it misses, and what it says too much.
MISSED: dict[str, str] = {
    "CDDL-1.0": "attribution state_changes",
    "EUPL-1.2": "attribution network_share_alike",
    "BUSL-1.1": "notice",
    "PolyForm-Noncommercial-1.0.0": "notice",
    "PolyForm-Small-Business-1.0.0": "notice",
    "CC-BY-4.0": "notice",
    "CC-BY-SA-4.0": "notice",
    "CC-BY-NC-4.0": "notice",
    "CC-BY-ND-4.0": "notice",
    "ODbL-1.0": "source_disclosure",
    "CDLA-Permissive-2.0": "notice",
    "OFL-1.1": "notice",
    "Artistic-2.0": "notice state_changes",
    "Hippocratic-2.1": "notice",
    "licensedb/gemma-tou-2025-03-24": "no_further_restrictions",
    "licensedb/flux-1-nc": "share_alike",
    "licensedb/open-weights-permissive-1.0.0": "notice",
}
TOO_MUCH: dict[str, str] = {
    "licensedb/stability-ai-community-2024": "noncommercial",
    "hunyuandit": "naming",
    "licensedb/nvidia-open-model-2025-04-28": "state_changes",
}
