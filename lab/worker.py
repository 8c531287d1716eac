"""The side inside the wall: reads a request, loads and scores, writes a response.

Started as `modelwarden.py _score REQUEST RESPONSE`. What is wrong with a model becomes
`Response.failure`; a crash is a crash, and the parent takes it for "could not tell".
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from pathlib import Path

from lab.errors import LabError, ModelError
from lab.model.folder import inspect
from lab.model.load import settle
from lab.protocol import Failure, Request, Response
from lab.scoring.turns import Subject, Tell, run
from lab.wire import REQUEST_LIMIT, WireError, dump_response, read_request

USAGE = 2
_LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy")
_EVERY = 2.0  # seconds between two lines of progress


def main(argv: list[str]) -> int:
    """Score what argv[0] asks for and write argv[1]; 0 where a response was written."""
    if len(argv) != 2:
        sys.stderr.write("usage: modelwarden _score REQUEST RESPONSE\n")
        return USAGE
    source, target = Path(argv[0]), Path(argv[1])
    try:
        with source.open("rb") as file:
            request = read_request(file.read(REQUEST_LIMIT + 1))
    except (OSError, WireError) as error:
        sys.stderr.write(f"modelwarden _score: {error}\n")
        return USAGE
    partial = target.with_name(target.name + ".part")
    partial.write_bytes(dump_response(respond(request)))
    partial.replace(target)
    return 0


def respond(request: Request) -> Response:
    """Score every model on every task, or say why the first that failed could not be."""
    settle(request.threads)
    try:
        found = run(
            [_subject(name, folder, request) for name, folder in request.models],
            request.tasks,
            device=request.device,
            gate=request.gate,
            pace=request.pace,
            budget=request.budget,
            tell=_teller(),
        )
    except LabError as error:
        # What nobody put to a model's name is found when the last of them is compared.
        name = error.model if isinstance(error, ModelError) else ""
        blamed = name or request.models[-1][0]
        return Response(failure=Failure(blamed, error.message), versions=versions())
    return Response(found.scores, versions=versions(), pace=found.pace)


def _subject(name: str, folder: str, request: Request) -> Subject:
    known = next((known for known in request.known if known.model == name), None)
    try:
        return Subject(name, inspect(Path(folder)), known)
    except ModelError as error:
        raise ModelError(error.message, error.hint, name) from error


def versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of the libraries that a score depends on."""
    return tuple((name, version(name)) for name in _LIBRARIES)


def _teller() -> Tell:
    """Return a function that says now and then, on stderr, how far a model is."""
    last, said = time.monotonic(), set[str]()

    def tell(name: str, done: int, total: int) -> None:
        nonlocal last
        line = f"{name}: {done}/{total}\n"
        if line not in said and (done == total or time.monotonic() - last >= _EVERY):
            last = time.monotonic()
            said.add(line)
            sys.stderr.write(line)
            sys.stderr.flush()

    return tell
