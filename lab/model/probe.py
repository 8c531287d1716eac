"""What a loaded model must prove before its numbers mean anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.errors import ModelError
from lab.model.family import Family

if TYPE_CHECKING:
    import torch

_LENGTH = 16
_CHUNK = 2**24  # numbers of a weight that are looked at at once


def refuse_gaps(report: dict[str, Any]) -> None:
    """Refuse weights that do not match the configuration, tensor by tensor."""
    hint = "save config.json and the weights together, from the same model"
    for kind, words in (
        ("mismatched_keys", "has another shape than config.json says"),
        ("missing_keys", "is missing from the weights"),
        ("unexpected_keys", "is in the weights but not in the model"),
    ):
        names = sorted(key if isinstance(key, str) else key[0] for key in report[kind])
        if names:
            more = f" (and {len(names) - 1:,} more)" if len(names) > 1 else ""
            raise ModelError(f"tensor {names[0]!r:.120} {words}{more}", hint)


def refuse_bad_numbers(module: Any) -> None:
    """Refuse NaN and infinity in any weight."""
    import torch

    for name, tensor in module.named_parameters():
        if not tensor.numel() or not tensor.is_floating_point():
            continue
        # Both ends are NaN where any number is, so one pass sees everything. Types of one byte
        # have no order in torch and are widened, piece by piece.
        pieces = torch.split(tensor.flatten(), _CHUNK) if tensor.itemsize == 1 else (tensor,)
        ends = [
            end
            for piece in pieces
            for end in torch.aminmax(piece.float() if piece.itemsize == 1 else piece)
        ]
        if not all(bool(torch.isfinite(end)) for end in ends):
            message = f"tensor {name!r:.120} holds NaN or infinity"
            raise ModelError(message, "train or convert the model again; these weights are broken")


def refuse_untied(module: Any) -> None:
    """Refuse a tensor that the configuration ties to another one, but that differs from it.

    transformers reads both, other engines drop one: which model would be measured?
    """
    declared = module.get_expanded_tied_weights_keys(all_submodels=True)
    for left, right in sorted(declared.items()):
        if left not in module.all_tied_weights_keys:
            message = f"tensors {left!r:.80} and {right!r:.80} are tied in config.json but differ"
            raise ModelError(message, "set tie_word_embeddings to false, or save only one of them")


def probe(module: Any, family: Family, highest: int, window: int) -> int:
    """Run a few tokens and return how many different ones, or labels, the model predicts.

    Refuses a model that looks ahead, or one too small for its tokenizer.
    """
    import torch

    rows = module.get_input_embeddings().weight.shape[0]
    if not 0 <= highest < rows:
        message = f"the tokenizer's ids go up to {highest}, the model has {rows} embeddings"
        raise ModelError(message, "save tokenizer and model together; resize the embeddings")
    half = max(1, min(_LENGTH, window) // 2)
    if family == "classifier":
        return _probe_labels(module, torch.arange(half) % rows)
    same = (torch.arange(half) % rows).expand(2, half)
    ahead = torch.stack([torch.zeros(half, dtype=torch.long), torch.arange(1, half + 1) % rows])
    tokens = torch.cat([same, ahead], dim=1).to(module.device)
    if family == "seq2seq":
        logits = module(input_ids=tokens[:1].expand(2, -1), decoder_input_ids=tokens).logits
    else:
        logits = module(input_ids=tokens, use_cache=False).logits
    logits = _finite(logits)
    if logits.shape[-1] <= highest:
        message = f"the model predicts {logits.shape[-1]} tokens, the tokenizer has {highest + 1}"
        raise ModelError(message, "save tokenizer and model together; resize the embeddings")
    # The two rows differ in their second half only: a causal model cannot know.
    gap = float((logits[0, :half] - logits[1, :half]).abs().max())
    slack = 1e-3 if module.dtype in (torch.float32, torch.float64) else 5e-2
    if gap > slack * float(logits.std()):
        message = "the model sees the tokens it should predict: its attention is not causal"
        raise ModelError(message, "set is_decoder in config.json, or measure a causal model")
    return int(logits.shape[-1])


def _probe_labels(module: Any, tokens: torch.Tensor) -> int:
    if type(module.config.eos_token_id) is int:
        tokens[-1] = module.config.eos_token_id  # where some read the label
    logits = _finite(module(input_ids=tokens[None].to(module.device)).logits)
    names = len(module.config.id2label)
    if tuple(logits.shape) != (1, names):
        message = f"the model gives {tuple(logits.shape)} numbers, id2label names {names} labels"
        raise ModelError(message, "write one name for each label into id2label of config.json")
    return names


def _finite(logits: torch.Tensor) -> torch.Tensor:
    import torch

    if not bool(torch.isfinite(logits).all()):
        raise ModelError("the model's output is NaN or infinite", "check its weights and dtype")
    return logits.float()
