from __future__ import annotations

import sys
import time
from types import ModuleType

import pytest

from lab.protocol import Usage
from lab.speed import usage
from lab.speed.usage import WATTS_PER_CORE, Meter, process_peak, together


def test_a_meter_counts_work_not_waiting() -> None:
    meter = Meter("cpu")
    time.sleep(0.05)
    idle = meter.read()
    start = time.process_time()
    while time.process_time() - start < 0.05:
        pass
    busy = meter.read(tokens=7)
    assert idle.clock >= 0.05
    assert busy.cpu - idle.cpu >= 0.05
    assert busy.tokens == 7
    assert (busy.gpu, busy.metered) == (0, False)
    assert busy.joules == pytest.approx(busy.cpu * WATTS_PER_CORE)


def test_the_peak_is_in_bytes() -> None:
    held = bytearray(64 << 20)
    assert process_peak() > len(held)
    assert Meter("cpu").read().peak < 1 << 40


def test_parts_add_up() -> None:
    whole = together([Usage(1, 2, 3, 4, 5, 6, True), Usage(1, 1, 1, 1, 9, 1, False)])
    assert whole == Usage(2, 3, 4, 5, 9, 7, False)
    assert together([]) == Usage()


def test_a_gpu_without_a_meter_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert usage._energy_counter("cuda:0") is None

    class NVMLError(Exception):
        pass

    def fail() -> None:
        raise NVMLError

    driverless = ModuleType("pynvml")
    driverless.__dict__.update(NVMLError=NVMLError, nvmlInit=fail)
    monkeypatch.setitem(sys.modules, "pynvml", driverless)
    assert usage._energy_counter("cuda:0") is None
