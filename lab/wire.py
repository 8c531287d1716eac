"""Requests and responses as bytes: bounded, strictly typed, finite numbers only."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from lab.errors import LabError
from lab.protocol import (
    Generation,
    Item,
    ItemScore,
    Kind,
    PaceScores,
    Request,
    Response,
    Task,
    TaskScores,
    Usage,
)

REQUEST_LIMIT = 256_000_000
RESPONSE_LIMIT = 256_000_000
REASON_LIMIT = 1_000
NAME_LIMIT = 200  # characters of a label
MOST = 1e18  # of seconds, tokens, bytes or nats: beyond what any run takes, and safe to square
_LEAST_SECONDS = 1e-9

_REQUEST = TypeAdapter(Request)
_RESPONSE = TypeAdapter(Response)


class WireError(LabError):
    """The bytes are not what the other side should have written."""


def dump_request(request: Request) -> bytes:
    """Return the request as JSON."""
    return _REQUEST.dump_json(request)


def dump_response(response: Response) -> bytes:
    """Return the response as JSON."""
    return _RESPONSE.dump_json(response)


def longest(generation: Generation) -> int:
    """Return how many characters of what a model writes are kept: four times what tokens hold.

    Metrics of it are computed outside the sandbox, and take their time with its length; the
    tokens of a hostile tokenizer may be of any.
    """
    return 1_000 + 16 * generation.tokens


def read_request(data: bytes) -> Request:
    """Parse a request. Raises WireError."""
    if len(data) > REQUEST_LIMIT:
        raise _error(f"request of {len(data):,} bytes")
    try:
        return _REQUEST.validate_json(data, strict=True)
    except ValidationError as error:
        raise _error(f"request is not valid: {_first(error)}") from error


def read_response(data: bytes, request: Request) -> Response:
    """Parse the response to this request. Raises WireError.

    What comes out of the sandbox is a stranger's word: it must speak of the models, tasks and
    items that were asked for, all of them, in their order.
    """
    if len(data) > RESPONSE_LIMIT:
        raise _error(f"response of {len(data):,} bytes")
    try:
        response = _RESPONSE.validate_json(data, strict=True)
    except ValidationError as error:
        raise _error(f"response is not valid: {_first(error)}") from error
    if response.failure is not None:
        if len(response.failure.reason) > REASON_LIMIT or not response.failure.reason.isprintable():
            raise _error("the reason for the failure is not one short line")
        return response
    if [s.model for s in response.scores] != [name for name, _ in request.models]:
        raise _error("response is not about the models of the request")
    if not _is_possible_pace(response.pace, request):
        raise _error("response holds times that were not asked for, or that no run can take")
    # Only a gate that may end early, or a budget, leaves items unscored.
    whole = not request.budget and not (request.gate and request.gate.early)
    for scores in response.scores:
        if [t.task for t in scores.tasks] != [t.name for t in request.tasks]:
            raise _error("response is not about the tasks of the request")
        for asked, scored in zip(request.tasks, scores.tasks, strict=True):
            _check_task(asked, scored, whole)
    return response


def _check_task(task: Task, scored: TaskScores, whole: bool) -> None:
    text = task.kind is Kind.TEXT
    asked = [(i.id, i.cluster, text) for i in task.items[: None if whole else len(scored.items)]]
    if asked != [(i.id, i.cluster, i.correct is None) for i in scored.items]:
        raise _error("response is not about the items of the request")
    if scored.gap is not None and not 0 <= scored.gap <= MOST:
        raise _error("response holds a gap that is none")
    if not _is_possible(scored.usage):
        raise _error("response holds times that no run can take")
    for item, found in zip(task.items, scored.items, strict=False):
        if not _is_sane(task, item, found):
            raise _error("response holds a score that no model can have")


def _is_sane(task: Task, item: Item, found: ItemScore) -> bool:
    nats = len(item.choices) if task.kind in (Kind.CHOICES, Kind.LABEL) else 0
    written = longest(task.generation) if task.kind is Kind.GENERATE else NAME_LIMIT
    return (
        all(0 <= n <= MOST for n in (found.nll, *found.nats))
        and found.tokens >= 1
        and found.bytes >= 1
        and len(found.nats) in (0, nats)
        and max(len(found.output), len(found.final)) <= written
    )


def _is_possible_pace(pace: PaceScores | None, request: Request) -> bool:
    if pace is None:
        return True
    if request.pace is None:
        return False
    times = [seconds for pair in (*pace.prefill, *pace.decode) for seconds in pair]
    return (
        0 < len(pace.prefill) <= request.pace.rounds
        and len(pace.decode) in (0, len(pace.prefill))
        and all(_LEAST_SECONDS <= seconds <= MOST for seconds in times)
        and all(0 <= n <= MOST for n in (*pace.peak, pace.written))
    )


def _is_possible(usage: Usage) -> bool:
    numbers = (usage.cpu, usage.gpu, usage.clock, usage.tokens, usage.peak, usage.joules)
    return all(0 <= n <= MOST for n in numbers)


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}"[:300]


def _error(message: str) -> WireError:
    return WireError(message, "run the measurement again; if it stays, report it")
