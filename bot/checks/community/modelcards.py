"""Model cards: the front matter of a README or MODEL_CARD.md, and which files are models."""

from __future__ import annotations

from typing import Any

from bot.checks.community.forms import SIZE_LIMIT, front_matter
from bot.checks.community.workflows import unread
from bot.finding import Level, Rule
from bot.problems import Problem, Problems
from registry.documents import ALIASES, DocumentError, load_yaml

MODEL_SUFFIXES = (".safetensors", ".gguf", ".onnx", ".pt", ".pth", ".ckpt", ".ggml")
MODEL_POINTERS = ("model.dvc", "models.dvc")
TEXTS = ("license_name", "license_link", "pipeline_tag", "library_name")
TEXTS_OR_LISTS = ("license", "language", "tags", "datasets", "metrics", "base_model")

METADATA = Rule(
    "community/model-card-metadata",
    Level.FAILURE,
    "The front matter of the model card is not valid.",
    "Model hubs refuse a card they cannot read, or show the model without licence and data.",
    "Correct the YAML between the two --- lines at the top of the file.",
)


def is_model(path: str) -> bool:
    """Whether a path names a model file or a DVC pointer to one."""
    name = path.rsplit("/", 1)[-1].lower()
    return name in MODEL_POINTERS or name.removesuffix(".dvc").endswith(MODEL_SUFFIXES)


def has_front_matter(data: bytes) -> bool:
    """Whether a README starts with front matter, which makes it a model card."""
    return data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip() == b"---"


def read(data: bytes, blob: str) -> Problems:
    """Return what is wrong in the front matter; a file without one has nothing wrong."""
    try:
        document = load_yaml(front_matter(data), limit=SIZE_LIMIT, aliases=ALIASES)
    except DocumentError as error:
        if not has_front_matter(data):
            return Problems()
        return Problems((unread(error, blob, METADATA.id),))
    value = document.value
    if value is None:
        return Problems()
    if not isinstance(value, dict):
        return Problems((Problem(METADATA.id, "shape", "the front matter is no mapping", 1),))
    return Problems(
        tuple(
            Problem(METADATA.id, message, message, document.line((key,)))
            for key, message in _complaints(value)
        )
    )


def _complaints(value: dict[Any, Any]) -> list[tuple[str, str]]:
    found = []
    for key in TEXTS:
        if not isinstance(value.get(key, ""), str):
            found.append((key, f"`{key}` must be text"))
    for key in TEXTS_OR_LISTS:
        given = value.get(key, "")
        texts = given if isinstance(given, list) else [given]
        if not all(isinstance(text, str) for text in texts):
            found.append((key, f"`{key}` must be text or a list of texts"))
    return found
