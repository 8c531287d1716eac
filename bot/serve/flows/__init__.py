"""The durable flows: what each kind of job does, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from bot.github.errors import NotFound
from bot.serve.contract import Flow, Plain, Steps
from bot.serve.flows import judge, measure, talk, upkeep
from bot.serve.flows.warden import JUDGE, MEASURE, Warden

_FLOWS: Mapping[str, Callable[[Warden, Steps, Mapping[str, Plain]], Plain]] = {
    JUDGE: judge.flow,
    MEASURE: measure.flow,
    "talk": talk.flow,
    "press": talk.press,
    "rerun": upkeep.rerun,
    "stop": upkeep.stop,
    "history": upkeep.history,
    "reconcile": upkeep.reconcile,
    "sweep": upkeep.sweep,
    "watch": upkeep.watch,
    "forget": upkeep.forget,
}
_EVERYWHERE = frozenset({"sweep", "watch", "forget"})  # the others are about one repository


def flows(warden: Callable[[], Warden]) -> Mapping[str, Flow]:
    """Return every flow by its kind; `warden` is asked when a job runs, once all parts are made."""

    def bound(name: str, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
        part = warden()
        try:
            return _FLOWS[name](part, steps, payload)
        except NotFound as error:
            if name in _EVERYWHERE:
                raise
            # Deleted, or the App was removed from it: nothing is left to do, and nobody to tell.
            part.log(f"{name} {steps.key}: {error.message}")
            return f"gone: {error.message}"

    return MappingProxyType({name: partial(bound, name) for name in _FLOWS})
