"""The one place that loads a model: a local folder, safetensors only, never code of its own.

The configuration and the tensors are read by us and handed over, so the library opens no file
of the folder and cannot follow one to another: no pickle, no adapter's base, no remote code.
"""

from __future__ import annotations

import inspect
import os
import tempfile
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lab.errors import ModelError, model_errors
from lab.model.family import Family, family_of
from lab.model.folder import ModelFiles
from lab.model.probe import probe, refuse_bad_numbers, refuse_gaps, refuse_untied
from lab.model.tokens import Tokens, read_tokens
from lab.scoring.proof import Proof

if TYPE_CHECKING:
    import torch

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
DEFAULT_WINDOW = 2048
_CHECK_IT = "check that it loads in transformers"


@dataclass(frozen=True, slots=True)
class Model:
    """A model ready to score.

    `window` is the most tokens it reads at once, `vocabulary` how many it predicts (or how
    many labels); `trims` is whether its head can run at chosen positions only. `proof` is of how
    it may be read, and grows as it is scored.
    """

    module: Any
    tokens: Tokens
    window: int
    vocabulary: int
    trims: bool
    parameters: int
    architecture: str
    device: str
    dtype: str
    fingerprint: str
    family: Family = "causal"
    proof: Proof = field(default_factory=Proof, compare=False)

    def unproven(self) -> Model:
        """Return the same model with nothing proven of it: its scores depend on nothing before."""
        return replace(self, proof=Proof())


def settle(threads: int) -> None:
    """Fix network, seeds and threads (0: as torch likes), best before torch is imported."""
    os.environ.update(OFFLINE)
    # Importing transformers makes torch's compiler create its cache folder, which nothing here
    # uses: a folder that exists spares everybody a new one.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", tempfile.gettempdir())
    # Threads that spin while they wait take CPU seconds from everybody and give nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads:
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    import torch

    torch.manual_seed(0)
    if threads:
        torch.set_num_threads(threads)


def load(files: ModelFiles, device: str = "auto") -> Model:
    """Load the model and prove that it can be scored. Raises ModelError."""
    import torch

    where = _device(device)
    tokens = read_tokens(files)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        module, family = _module(files)
        refuse_bad_numbers(module)
        window = _window(module, len(tokens.opening))
        with model_errors("the model does not run", _CHECK_IT):
            module = module.to(where).eval()
            highest = max(tokens.highest, *tokens.opening, tokens.lead or 0)
            vocabulary = probe(module, family, highest, window)
    return Model(
        module=module,
        tokens=tokens,
        window=window,
        vocabulary=vocabulary,
        trims="logits_to_keep" in inspect.signature(module.forward).parameters,
        parameters=sum(p.numel() for p in module.parameters()),
        architecture=type(module).__name__,
        device=where,
        dtype=str(module.dtype).removeprefix("torch."),
        fingerprint=files.fingerprint,
        family=family,
    )


def _device(device: str) -> str:
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device != "cpu" and not (device.startswith("cuda") and torch.cuda.is_available()):
        raise ModelError(f"device {device!r:.40} is not there", "ask for 'auto' or 'cpu'")
    return device


def _module(files: ModelFiles) -> tuple[Any, Family]:
    import transformers
    from transformers.utils import logging

    quiet: Any = logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    config = files.config()
    kind = str(config.get("model_type"))
    if kind not in transformers.CONFIG_MAPPING:
        message = f"config.json names model_type {kind!r:.60}, which this transformers lacks"
        raise ModelError(message, "use an architecture that transformers ships, or update it")
    family, name = family_of(config)
    with model_errors("config.json cannot be used", _CHECK_IT):
        parsed = transformers.CONFIG_MAPPING[kind].from_dict(config)
    if family == "seq2seq" and not getattr(parsed, "is_encoder_decoder", False):
        raise ModelError(f"{kind!r} is no encoder-decoder of text", "measure a model of text")
    with model_errors("the weights do not fit config.json", "save both together, anew"):
        module, report = getattr(transformers, name).from_pretrained(
            None,
            config=parsed,
            state_dict=_tensors(files),
            dtype="auto" if "quantization_config" in config else files.dtype,
            local_files_only=True,
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # the report names them better than the exception
            output_loading_info=True,
        )
    refuse_gaps(report)
    refuse_untied(module)
    return module, family


def _tensors(files: ModelFiles) -> dict[str, torch.Tensor]:
    """Read the tensors: mapped, so that no page takes memory before it is used."""
    from safetensors import safe_open

    tensors: dict[str, torch.Tensor] = {}
    with model_errors("the weights cannot be read", "fetch the file again, or save it anew"):
        for name in files.weights:
            with safe_open(str(files.folder / name), framework="pt", device="cpu") as shard:
                tensors.update((key, shard.get_tensor(key)) for key in shard.keys())  # noqa: SIM118
    return tensors


def _window(module: Any, opening: int) -> int:
    text = module.config.get_text_config()
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(text, name, None)
        if type(value) is int:
            value -= _lost_positions(module)
            if value < 2 + opening:
                raise ModelError(f"config.json: {name} is {value}", "give the model a context")
            return value
    return DEFAULT_WINDOW


def _lost_positions(module: Any) -> int:
    """Return how many positions no token stands at: some tables keep those up to the padding's."""
    for name, table in module.named_modules():
        padding = getattr(table, "padding_idx", None)
        if name.endswith("position_embeddings") and padding is not None:
            return int(padding) + 1
    return 0
