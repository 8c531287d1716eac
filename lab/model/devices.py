"""From a device that somebody asks for to those that a model's replicas run on."""

from __future__ import annotations

from lab.errors import DeviceError


def devices(asked: str) -> tuple[str, ...]:
    """Return the devices meant by "auto", "cpu", "cuda" (all GPUs) or "cuda:0,cuda:2".

    Raises DeviceError where one is not there.
    """
    if asked == "cpu":
        return ("cpu",)
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    every = tuple(f"cuda:{number}" for number in range(count))
    if asked in ("auto", "cuda") and every:
        return every
    if asked == "auto":
        return ("cpu",)
    named = tuple(part.strip() for part in asked.split(","))
    if not set(named) <= set(every) or len(set(named)) < len(named):
        there = ", ".join(("cpu", *every))
        raise DeviceError(f"device {asked!r:.40} is not there", f"there is: {there}")
    return named
