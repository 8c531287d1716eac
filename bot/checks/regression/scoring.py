"""Score models on tasks inside the sandbox, and believe nothing of the answer unchecked."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot import sandbox
from bot.errors import CouldNotTell
from bot.sandbox import Limits, SandboxFailed
from lab import wire
from lab.deciding.gate import judge
from lab.errors import CompareError
from lab.protocol import (
    Gate,
    Item,
    ItemScore,
    Kind,
    ModelScores,
    PaceScores,
    Request,
    Response,
    Task,
)
from modelwarden import ROOT

ITEM_BYTES = 400  # of the answer, for each item and model, besides its id
BASIC_BYTES = 100_000
CHARACTER_BYTES = 6  # of JSON for one character, escaped
WORST_NLL = 1e4  # nats for one token: far beyond what a finite softmax gives
SPREAD = 16  # tokens for one byte: far beyond any tokenizer, bytes that need escaping included
NVIDIA = Path("/dev/nvidiactl")
LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "scipy")


def lacking() -> tuple[str, ...]:
    """Return the libraries that scoring needs and this installation lacks; imports none."""
    return tuple(name for name in LIBRARIES if importlib.util.find_spec(name) is None)


class ModelFailed(CouldNotTell):
    """A model could not be loaded or scored; `model` is its name in the request.

    What to do is said by us: advice must not come out of a sandbox that held a stranger's model.
    """

    def __init__(self, model: str, reason: str) -> None:
        hint = (
            "save configuration, tokenizer and weights together with save_pretrained, and try "
            "`modelwarden measure` on them"
        )
        super().__init__(reason, hint)
        self.model = model


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of every model of a request, and the rung of the sandbox that held them.

    `reused` counts the items of the base known from an earlier run; `tokenizer` says how that
    of head differs.
    """

    models: tuple[ModelScores, ...]
    rung: str
    versions: tuple[tuple[str, str], ...]
    pace: PaceScores | None = None
    reused: int = 0
    tokenizer: str = ""


def score(
    request: Request,
    folder: Path,
    *,
    minutes: float,
    memory_gb: float,
    say: Callable[[str], None],
) -> Scored:
    """Run the request in one sandboxed child; `folder` is ours, private and temporary.

    `say` hears how far it is.

    Raises ModelFailed, or SandboxFailed where there is no answer or one that is not sound.
    """
    path = folder / "request.json"
    data = wire.dump_request(request)
    if len(data) > wire.REQUEST_LIMIT:
        message = f"the suites come to {len(data):,} bytes, more than {wire.REQUEST_LIMIT:,}"
        raise SandboxFailed(message, "lower regression.limit, or split the policy's suites")
    path.write_bytes(data)
    result = sandbox.run(
        (str(ROOT / "modelwarden.py"), "_score", str(path)),
        inputs=(path, *(Path(place) for _, place in request.models)),
        limits=Limits(minutes * 60, int(memory_gb * (1 << 30)), _bound(request)),
        cuda=request.device != "cpu" and NVIDIA.exists(),
        progress=say,
    )
    response = checked(result.answer, request)
    if response.failure is not None:
        raise ModelFailed(response.failure.model, response.failure.reason)
    return Scored(response.scores, result.rung, response.versions, response.pace)


def _bound(request: Request) -> int:
    each = sum(_item_bound(task, item) for task in request.tasks for item in task.items)
    return min(wire.RESPONSE_LIMIT, BASIC_BYTES + len(request.models) * each)


def _item_bound(task: Task, item: Item) -> int:
    written = 2 * wire.longest(task.generation) if task.kind is Kind.GENERATE else 0
    named = max(map(len, item.choices)) if task.kind is Kind.LABEL else 0
    characters = len(item.id + item.cluster) + written + named
    return ITEM_BYTES + CHARACTER_BYTES * characters + 25 * len(item.choices)


def checked(answer: bytes, request: Request) -> Response:
    """Return the answer as values if it is a possible one to this request.

    The wire sees to shape, items and finite numbers; here it is what words may be shown and
    which numbers can be true of these texts. Raises SandboxFailed.
    """
    try:
        response = wire.read_response(answer, request)
    except wire.WireError as error:
        raise _unsound(error.message) from error
    if response.failure is not None:
        _require(response.failure.model in dict(request.models), "a failure of another model")
        _require(not response.scores, "scores beside a failure")
        _require(bool(response.failure.reason), "a failure without a reason")
    _require(len(response.versions) < 20, "too many versions")
    _require(all(_is_word(w) for pair in response.versions for w in pair), "odd versions")
    for scores in response.scores:
        _check_model(scores, request)
    if request.gate is not None and len(response.scores) == 2:
        _check_end(response, request, request.gate)
    return response


def _check_end(response: Response, request: Request, gate: Gate) -> None:
    """Replay the gate: scoring may have ended only where its answer was clear."""
    base, head = (scores.tasks for scores in response.scores)
    try:
        decisions = judge(request.tasks, base, head, gate)
    except CompareError as error:
        raise _unsound(error.message) from error
    ends = all(d.settled and d.n == len(t.items) for d, t in zip(decisions, base, strict=True))
    _require(ends, "scoring did not end where the answer was clear")


def _check_model(scores: ModelScores, request: Request) -> None:
    words = (scores.architecture, scores.device, scores.dtype)
    _require(all(map(_is_word, words)), "odd words about a model")
    known = next((known for known in request.known if known.model == scores.model), None)
    _require(scores.notes == (known.notes if known else ()), "notes that nobody asked for")
    digits = set(scores.fingerprint) <= set("0123456789abcdef")
    _require(digits and len(scores.fingerprint) == 64, "a fingerprint that is none")
    _require(0 < scores.parameters < 1 << 50, "an impossible number of parameters")
    for task, answer in zip(request.tasks, scores.tasks, strict=True):
        for item, found in zip(task.items, answer.items, strict=False):
            _require(_is_possible(item, found), f"impossible scores of item {item.id!r:.80}")
    if known is not None:
        _check_known(scores, known)


def _check_known(scores: ModelScores, known: ModelScores) -> None:
    """Whoever held a stranger's model may not rewrite what was known before."""
    before = {task.task: task.items for task in known.tasks}
    for task in scores.tasks:
        same = zip(task.items, before.get(task.task, ()), strict=False)
        _require(all(now == then for now, then in same), "other scores than were known")


def _is_possible(item: Item, found: ItemScore) -> bool:
    whole = len((item.context + item.choices[item.answer]).encode())
    return (
        0 < found.bytes <= max(1, len(item.choices[item.answer].encode()))
        and 0 < found.tokens <= SPREAD * whole + 64
        and found.nll <= WORST_NLL * found.tokens
    )


def _is_word(text: str) -> bool:
    return 0 < len(text) <= 100 and text.isprintable()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _unsound(otherwise)


def _unsound(what: str) -> SandboxFailed:
    return SandboxFailed(
        f"the sandbox handed out an unsound answer: {what}",
        "the model or its loader misbehaved; look at the model files of the change",
    )
