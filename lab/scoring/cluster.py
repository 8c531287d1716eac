"""Score a suite on an existing Ray cluster, shard by shard. Needs the extra `ray`.

A Ray worker is no sandbox: it runs with the rights of whoever started the cluster, and its
answers are unpickled here. This is for a model, and a cluster, that you trust; the check of
pull requests never uses it.

Every worker must have this program, the same versions of its libraries, and the model's folder
at the same path; that all of this holds is verified with every shard. The scores of a shard do
not depend on who computed it, so that one worker and many give the same, to the last bit, on
processors of one type.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.errors import LabError, ModelError
from lab.model.folder import ModelFiles, inspect
from lab.model.load import Model, load, settle
from lab.protocol import ModelScores, Task
from lab.scoring.plain import Progress
from lab.scoring.score import score
from lab.scoring.shards import join, shards
from lab.speed.usage import Meter
from lab.worker import versions

RETRIES = 3  # times that one shard may lose its worker
PATIENCE = 3600.0  # seconds without any shard done
_TICK = 10.0
_ADDRESS = re.compile(r"auto|[\w.-]{1,253}:\d{1,5}|\[[0-9a-fA-F:]{2,45}\]:\d{1,5}")
_ROOT = Path(__file__).resolve().parents[2]
_ROOM = 1 << 30  # bytes that scoring takes beside the weights


class ClusterError(LabError):
    """The cluster cannot be reached, or lost too many workers."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to know beside the shard."""

    name: str
    folder: str
    fingerprint: str
    device: str
    threads: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says of one shard: scores of one task, or why the model has none."""

    scores: ModelScores | None
    versions: tuple[tuple[str, str], ...] = ()
    failure: tuple[str, str] = ("", "")  # message, hint


def measure_on_ray(
    address: str,
    name: str,
    folder: Path,
    tasks: Sequence[Task],
    device: str = "auto",
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> ModelScores:
    """Score the model on the cluster at "host:port" ("auto": the one of this machine).

    Each worker takes `threads` cores, or one GPU. Shards of a lost worker go to another one.
    Raises ModelError, once, where a shard fails because of the model, and ClusterError.
    """
    files = inspect(folder.resolve())
    with _connected(address) as ray:
        gpu = _on_gpu(ray, device)
        job = Job(name, str(files.folder), files.fingerprint, "cuda" if gpu else "cpu", threads)
        needs = {"CPU": float(threads), "GPU": float(gpu), "memory": float(_memory(files))}
        remote = ray.remote(
            num_cpus=threads, num_gpus=int(gpu), memory=_memory(files), max_retries=0
        )(_score)
        run = _Run(ray, lambda shard: remote.remote(job, shard), needs, progress)
        return _joined(run.all([shards(task) for task in tasks]), run.lost)


class _Run:
    """Shards on their way: sent, awaited, and sent again where a worker was lost."""

    def __init__(
        self,
        ray: Any,
        send: Callable[[Task], Any],
        needs: dict[str, float],
        progress: Progress | None,
    ) -> None:
        self._ray, self._send, self._needs, self._progress = ray, send, needs, progress
        self.lost = 0

    def all(self, cut: Sequence[Sequence[Task]]) -> list[list[Answer]]:
        """Return the answers, shard by shard, as they were cut."""
        places = [(t, s) for t, parts in enumerate(cut) for s in range(len(parts))]
        total = sum(len(cut[t][s].items) for t, s in places)
        answers: dict[tuple[int, int], Answer] = {}
        waiting = {self._send(cut[t][s]): (t, s) for t, s in places}
        tries = dict.fromkeys(places, 0)
        done = 0
        while waiting:
            reference = self._next(list(waiting))
            place = waiting.pop(reference)
            shard = cut[place[0]][place[1]]
            answer = self._answer(reference)
            if answer is None:
                tries[place] += 1
                self.lost += 1
                if tries[place] > RETRIES:
                    message = f"{shard.name}: the same shard lost {tries[place]} workers"
                    raise ClusterError(message, "see why on the node; it may lack memory")
                waiting[self._send(shard)] = place
                continue
            answers[place] = answer
            done += len(shard.items)
            if self._progress:
                self._progress(done, total)
        return [[answers[t, s] for s in range(len(parts))] for t, parts in enumerate(cut)]

    def _next(self, waiting: list[Any]) -> Any:
        """Return the next shard that is done, or whose worker is lost."""
        waited = 0.0
        while waited < PATIENCE:
            if not any(_fits(node, self._needs) for node in self._ray.nodes()):
                need = ", ".join(f"{n:g} {what}" for what, n in self._needs.items() if n)
                message = f"no node of the cluster has {need}"
                raise ClusterError(message, "start a larger node, or take fewer threads")
            ready, _ = self._ray.wait(waiting, num_returns=1, timeout=_TICK)
            if ready:
                return ready[0]
            waited += _TICK
        message = f"no shard was done in {PATIENCE:,.0f} seconds"
        raise ClusterError(message, "see whether the cluster is busy with other work")

    def _answer(self, reference: Any) -> Answer | None:
        """Return what a worker said; None where it was lost before."""
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(reference)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError,
                errors.LocalRayletDiedError, errors.ObjectLostError):  # fmt: skip
            return None
        except errors.RayError as error:
            # Its text holds the worker's traceback; the last line says what was wrong.
            last = str(error).strip().rsplit("\n", 1)[-1]
            hint = "install the same modelwarden, with extra `model`, on every node"
            raise ClusterError(f"a worker failed: {last:.300}", hint) from error
        if not isinstance(answer, Answer):
            raise ClusterError("a worker runs another program", "install the same on every node")
        if answer.scores is None:
            raise ModelError(*answer.failure)
        return answer


def _score(job: Job, shard: Task) -> Answer:
    """Score one shard; runs in a worker, which keeps the model for the next."""
    try:
        model = _model(job)
        meter = Meter(model.device)
        found = score(model.unproven(), shard)
    except ModelError as error:
        return Answer(None, failure=(error.message, error.hint))
    found = replace(found, usage=meter.read(found.usage.tokens))
    return Answer(
        ModelScores(
            model=job.name,
            fingerprint=model.fingerprint,
            parameters=model.parameters,
            architecture=model.architecture,
            device=model.device,
            dtype=model.dtype,
            tasks=(found,),
        ),
        versions(),
    )


@lru_cache(maxsize=1)
def _model(job: Job) -> Model:
    settle(job.threads)
    files = inspect(Path(job.folder))
    if files.fingerprint != job.fingerprint:
        hint = "put the same files at the same path on every node"
        raise ModelError("a node has other files at the model's path", hint)
    return load(files, job.device)


def _joined(answers: list[list[Answer]], lost: int) -> ModelScores:
    """Put the shards together. Raises ClusterError where workers were not alike."""
    parts = [[a.scores for a in task if a.scores] for task in answers]
    first = parts[0][0]
    for task in parts:
        for part in task:
            if replace(part, tasks=()) != replace(first, tasks=()):
                raise ClusterError("workers loaded the model differently", "use like nodes")
    if len({answer.versions for task in answers for answer in task}) > 1:
        hint = "install the same versions on every node"
        raise ClusterError("workers have different versions of the libraries", hint)
    note = f"{lost} shard{'s' * (lost > 1)} scored again: a worker of the cluster was lost"
    return replace(
        first,
        tasks=tuple(join([part.tasks[0] for part in task]) for task in parts),
        notes=(*first.notes, *([note] if lost else [])),
    )


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Connect to a cluster that runs, never start one, and leave it at the end."""
    if not _ADDRESS.fullmatch(address):
        raise ClusterError(f"{address!r:.80} is no address", "give HOST:PORT, or 'auto'")
    # Read when Ray is imported: by default it tries an address for ten minutes.
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")
    try:
        import ray
    except ImportError as error:
        message = "Ray is not installed"
        raise ClusterError(message, "pip install 'modelwarden[ray]'") from error
    try:
        # Ray puts the folder we stand in on the workers' path, ahead of what is installed:
        # it must not be a checkout that brings a `lab` of its own.
        with contextlib.chdir(_ROOT):
            ray.init(
                address, log_to_driver=False, configure_logging=False, logging_level=logging.ERROR
            )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        first = str(error).strip().split("\n", 1)[0]
        hint = "see `ray status`; a cluster is started with `ray start --head`"
        raise ClusterError(f"no cluster at {address}: {first:.200}", hint) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _on_gpu(ray: Any, device: str) -> bool:
    if device not in ("auto", "cpu", "cuda"):
        message = f"device {device!r:.40} is not one of a cluster"
        raise ClusterError(message, "ask for 'auto', 'cpu' or 'cuda': nodes pick their GPU")
    return device == "cuda" or (device == "auto" and ray.cluster_resources().get("GPU", 0) >= 1)


def _memory(files: ModelFiles) -> int:
    return _ROOM + sum((files.folder / name).stat().st_size for name in files.weights)


def _fits(node: dict[str, Any], needs: dict[str, float]) -> bool:
    has = node["Resources"]
    return bool(node["Alive"]) and all(has.get(what, 0.0) >= n for what, n in needs.items())
