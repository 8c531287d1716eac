"""How the tokenizers of two models differ, in a line for reports. No torch here."""

from __future__ import annotations

from typing import Any

from lab.errors import ModelError
from lab.model.fingerprint import TOKENIZER_LIMIT, canonical, tokenizer_json
from lab.model.folder import TOKENIZER, ModelFiles


def vocabulary_change(base: ModelFiles, head: ModelFiles) -> str:
    """Return "" where both have one tokenizer.json, else what changed. Raises ModelError."""
    old, new = _bytes(base), _bytes(head)
    if old == new:
        return ""
    left, right = tokenizer_json(old), tokenizer_json(new)
    if canonical(left) == canonical(right):
        return ""
    before, after = tokens(left), tokens(right)
    size = f"{len(before):,} -> {len(after):,}" if len(before) != len(after) else f"{len(after):,}"
    added, removed = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    moved = sum(before[name] != after[name] for name in before.keys() & after.keys())
    counts = ((added, "added"), (removed, "removed"), (moved, "given another id"))
    said = [f"{count:,} {word}" for count, word in counts if count]
    what = ", ".join(said) or "the same tokens, but other rules to split text"
    return f"tokenizer differs: {size} tokens: {what}"


def _bytes(files: ModelFiles) -> bytes:
    try:
        with (files.folder / TOKENIZER).open("rb") as file:
            return file.read(TOKENIZER_LIMIT + 1)
    except OSError as error:
        raise ModelError(f"{TOKENIZER} cannot be read", "check the folder") from error


def tokens(tokenizer: Any) -> dict[str, object]:
    """Return the id of every token; of a list, its place. What has no such form counts as none."""
    tokenizer = tokenizer if isinstance(tokenizer, dict) else {}
    model, found = tokenizer.get("model"), dict[str, object]()
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if isinstance(vocabulary, dict):
        found.update(vocabulary)
    elif isinstance(vocabulary, list):
        found.update((str(e[0]), n) for n, e in enumerate(vocabulary) if isinstance(e, list) and e)
    added = tokenizer.get("added_tokens")
    for token in added if isinstance(added, list) else []:
        if isinstance(token, dict) and isinstance(token.get("content"), str):
            found[token["content"]] = token.get("id")
    return found
