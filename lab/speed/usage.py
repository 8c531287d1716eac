"""What a piece of work takes: seconds, memory and energy, from its start until it is read.

Needs nothing that the sandbox withholds: no files, no children, no network.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from lab.protocol import Usage

# Where no meter is at hand energy is estimated: about what a busy core of a server, with its
# share of memory, and a busy GPU of a data centre draw.
WATTS_PER_CORE = 10.0
WATTS_PER_GPU = 300.0


class Meter:
    """Runs from its making; `read` says what the process took since.

    CPU seconds are of all threads. GPU seconds are those between two events on each of the
    devices, so they count a GPU that waits. The peak is of the whole life of the process on a
    CPU (the system keeps no other), and since the start on a GPU.
    """

    def __init__(self, *devices: str) -> None:
        self._gpus = tuple(_Gpu(device) for device in devices if device.startswith("cuda"))
        self._clock = time.perf_counter()
        self._cpu = time.process_time()

    def read(self, tokens: int = 0) -> Usage:
        """Return what was used since the start; `tokens` are those that the model read."""
        gpu = sum((one.seconds() for one in self._gpus), 0.0)
        cpu = time.process_time() - self._cpu
        joules = [one.joules() for one in self._gpus]
        metered = [j for j in joules if j is not None]
        whole = bool(joules) and len(metered) == len(joules)
        return Usage(
            cpu=cpu,
            gpu=gpu,
            clock=time.perf_counter() - self._clock,
            tokens=tokens,
            peak=max((one.peak() for one in self._gpus), default=process_peak()),
            joules=sum(metered) if whole else cpu * WATTS_PER_CORE + gpu * WATTS_PER_GPU,
            metered=whole,
        )


def together(parts: Sequence[Usage]) -> Usage:
    """Return what several pieces of work took that ran one after another, or apart."""
    return Usage(
        cpu=sum(part.cpu for part in parts),
        gpu=sum(part.gpu for part in parts),
        clock=sum(part.clock for part in parts),
        tokens=sum(part.tokens for part in parts),
        peak=max((part.peak for part in parts), default=0),
        joules=sum(part.joules for part in parts),
        metered=bool(parts) and all(part.metered for part in parts),
    )


def process_peak() -> int:
    """Return the most memory in bytes that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Gpu:
    """One device: an event at the start of the work, and its energy counter then."""

    def __init__(self, device: str) -> None:
        import torch

        self._device = torch.device(device)
        self._energy = _energy_counter(device)
        torch.cuda.reset_peak_memory_stats(self._device)
        self._start = self._event()
        self._before = self._energy.read() if self._energy else 0.0

    def seconds(self) -> float:
        end = self._event()
        end.synchronize()
        return float(self._start.elapsed_time(end)) / 1000

    def joules(self) -> float | None:
        return self._energy.read() - self._before if self._energy else None

    def peak(self) -> int:
        import torch

        return torch.cuda.max_memory_allocated(self._device)

    def _event(self) -> Any:
        import torch

        kind: Any = torch.cuda.Event
        event = kind(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event


@dataclass(frozen=True, slots=True)
class _Energy:
    """The counter of the GPU's own meter."""

    nvml: Any
    handle: Any

    def read(self) -> float:
        return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1000


def _energy_counter(device: str) -> _Energy | None:
    """Return the counter of this device, None where its driver or NVML's bindings lack one."""
    try:
        pynvml: Any = import_module("pynvml")
    except ImportError:
        return None
    import torch

    try:
        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(device).uuid
        counter = _Energy(pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}"))
        counter.read()
    except pynvml.NVMLError:
        return None
    return counter
