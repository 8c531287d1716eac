"""Python code, read by its syntax tree: which models and data its calls name. Nothing is run."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from registry.assets import keys
from registry.assets.calling import Call, called, constants, defaults
from registry.assets.configs import use_of
from registry.assets.values import Told, Use
from registry.bom.values import Kind, Tie

LIMIT = 1_000_000  # bytes of one file
MAX_NODES = 300_000
_HINT = re.compile(
    rb"from_pretrained|load_dataset|hf_hub_download|snapshot_download|pipeline|SentenceTransformer"
    rb"|CrossEncoder|LLM|load_checkpoint_and_dispatch|Trainer|model_name_or_path"
)


def concerns(data: bytes) -> bool:
    """Whether the bytes hold the name of any call that could name an asset."""
    return _HINT.search(data) is not None


def told(data: bytes) -> Told:
    """Read a Python file; one that does not parse is passed over with the reason."""
    if not concerns(data):
        return Told()
    if len(data) > LIMIT:
        return Told(skipped=f"{len(data):,} bytes, more than {LIMIT:,}")
    try:
        return of_tree(parsed(data))
    except SyntaxError as error:
        return Told(skipped=f"it does not parse: {error.msg:.80}", line=error.lineno or 0)


def parsed(source: bytes | str) -> ast.Module:
    """Return the syntax tree. Raises SyntaxError, also for what is nested too deeply."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the parser thinks of a stranger's style
            return ast.parse(source)
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("nested too deeply") from error
    except ValueError as error:  # a NUL byte, an integer of thousands of digits
        raise SyntaxError(str(error)) from error


def of_tree(tree: ast.Module) -> Told:
    """Return what the calls of a tree name; lines are those of the tree."""
    nodes = []
    for node in ast.walk(tree):
        nodes.append(node)
        if len(nodes) > MAX_NODES:
            return Told(skipped=f"more than {MAX_NODES:,} nodes")
    calls = list(called(nodes, constants(nodes)))
    training = any(_trains(call) for call in calls)
    uses = dict.fromkeys(use for call in calls for use in _uses(call, training=training))
    tie: Tie = "finetunes" if training else "embeds"
    for name, text, line in defaults(nodes, keys.ARGUMENTS):
        use = use_of(text, tie, "model", line, name, firm=False, bare=True)
        if use is not None:
            uses[use] = None
    computed = sum(call.name in keys.CALLS and _asset(call) is None for call in calls)
    return Told("code" if uses else "", tuple(sorted(uses, key=lambda u: u.line)), None,
                computed=computed)  # fmt: skip


def _trains(call: Call) -> bool:
    return call.name in keys.TRAINING_CALLS or call.name.endswith("Trainer")


def _uses(call: Call, *, training: bool) -> Iterator[Use]:
    for key in keys.TEACHERS:
        if key in call.texts:
            yield from _use(call, key, call.texts[key], "distils_from", "model")
    if call.name.endswith("Trainer") and "model" in call.texts:
        yield from _use(call, "model", call.texts["model"], "finetunes", "model")
    for key in sorted(keys.ARGUMENTS & call.texts.keys()):
        tie: Tie = "finetunes" if training else "embeds"
        yield from _use(call, key, call.texts[key], tie, "model")
    text = _asset(call) if call.name in keys.CALLS else None
    if text is None:
        return
    kind = _kind(call)
    yield from _use(call, call.shown, text, _tie(call, kind, training=training), kind)


def _use(call: Call, key: str, text: str, tie: Tie, kind: Kind) -> Iterator[Use]:
    use = use_of(text, tie, kind, call.line, key, firm=False, bare=True)
    if use is not None:
        yield use


def _asset(call: Call) -> str | None:
    """Return the text that names the asset, None where the code computes it."""
    named, position, _ = keys.CALLS[call.name]
    if call.name == "from_pretrained" and call.owner in keys.PEFT and call.owner != "PeftConfig":
        named, position = ("model_id",), 1
    for key in named:
        if key in call.texts:
            return call.texts[key]
    return call.positions.get(position)


def _kind(call: Call) -> Kind:
    if call.name in ("hf_hub_download", "snapshot_download"):
        return "data" if call.texts.get("repo_type") == "dataset" else "model"
    if call.owner in keys.PEFT:
        return "adapter"
    if call.name == "from_pretrained" and call.owner.endswith("Dataset"):
        return "data"
    return keys.CALLS[call.name][2]


def _tie(call: Call, kind: Kind, *, training: bool) -> Tie:
    """Return what the asset is for.

    In a script that trains, loaded weights are fine-tuned and loaded data is trained on. Elsewhere
    a model is run as part of the program (embeds), and data is looked at (evaluates_on).
    """
    if call.target.lower().startswith(keys.TEACHERS):
        return "distils_from"
    if kind == "data":
        split = call.texts.get("split", "").partition("[")[0]
        return "trains_on" if training and split not in keys.HELD_OUT else "evaluates_on"
    beside = call.owner.endswith(keys.BESIDE) or call.name == "pipeline"
    return "finetunes" if training and not beside else "embeds"
