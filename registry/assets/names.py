"""Names of models and data sets: the hub's `org/name`, or a path."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urlsplit

LENGTH = 193  # two parts of 96 characters and a slash (huggingface_hub, validate_repo_id)
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_HUB = re.compile(rf"(?:{_PART}/)?{_PART}")
_HOSTS = ("huggingface.co", "hf.co", "www.huggingface.co")

# Readers of files that `load_dataset` takes in the place of a name (datasets, packaged_modules).
BUILDERS = frozenset(
    {
        "arrow", "audiofolder", "csv", "generator", "hdf5", "imagefolder", "json", "lance",
        "pandas", "parquet", "pdffolder", "spark", "sql", "text", "videofolder", "webdataset",
        "xml",
    }
)  # fmt: skip
# First parts of paths that are folders of a machine, not people of the hub.
_FOLDERS = frozenset(
    {
        "artifacts", "cache", "checkpoint", "checkpoints", "ckpt", "ckpts", "config", "configs",
        "data", "dataset", "datasets", "dist", "exp", "experiments", "inputs", "logs", "mnt",
        "model", "models", "out", "output", "outputs", "path", "results", "runs", "save", "saved",
        "saves", "test_data", "tests", "tmp", "train", "weights", "work_dirs", "your", "xxx",
    }
)  # fmt: skip
_FILES = (
    ".arrow", ".bin", ".ckpt", ".csv", ".db", ".gguf", ".gz", ".json", ".jsonl", ".npy", ".npz",
    ".onnx", ".parquet", ".pkl", ".pt", ".pth", ".py", ".safetensors", ".tar", ".toml", ".tsv",
    ".txt", ".yaml", ".yml", ".zip", ".zst",
)  # fmt: skip
# Models that the hub still serves without an organisation, by how their names begin.
_BARE = (
    "albert-", "bert-", "camembert-", "ctrl", "distilbert-", "distilgpt2", "distilroberta-",
    "gpt2", "openai-gpt", "roberta-", "t5-", "transfo-xl-", "xlm-", "xlnet-",
)  # fmt: skip
_PLACEHOLDERS = ("your-", "your_", "my-", "my_", "username/", "user/", "org/name", "namespace/")


def hub(text: str) -> str:
    """Return a hub id without revision and address: `org/name` or `name`; "" where it is none."""
    text = text.strip()
    if "://" in text[:10]:
        text = _of_address(text)
    text = text.partition("@")[0]
    if not 0 < len(text) <= LENGTH or "--" in text or ".." in text or not _HUB.fullmatch(text):
        return ""
    return "" if text.lower().startswith(_PLACEHOLDERS) else text


def is_local(text: str) -> bool:
    """Whether this can only be a path: rooted, relative by dots, deep, or named as a file is."""
    text = text.strip()
    if text.startswith(("/", "./", "../", "~", ".\\", "${", "{{", "<")) or "\\" in text:
        return True
    if "://" in text[:10]:
        return False
    first = text.partition("/")[0].lower()
    named = "/" in text and first in _FOLDERS
    return named or text.count("/") > 1 or text.endswith("/") or text.lower().endswith(_FILES)


def is_bare_model(text: str) -> bool:
    """Whether a name without an organisation is one of the hub's first models."""
    return text.startswith(_BARE)


def local(text: str, folder: str) -> tuple[str, ...]:
    """Return the paths of the repository that a name in a file in `folder` may mean."""
    plain = text.strip().rstrip("/")
    if not plain or plain.startswith(("/", "~", "$", "{")) or len(plain) > 1_000 or "\0" in plain:
        return ()
    found = (posixpath.normpath(posixpath.join(base, plain)) for base in (folder, ""))
    return tuple(dict.fromkeys(p for p in found if not p.startswith("..") and p != "."))


def _of_address(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme == "hf":
        steps = [parts.netloc, *parts.path.strip("/").split("/")]
    elif parts.hostname in _HOSTS:
        steps = parts.path.strip("/").split("/")
    else:
        return ""
    if steps and steps[0] in ("datasets", "models"):
        steps = steps[1:]
    return "/".join(steps[:2])
