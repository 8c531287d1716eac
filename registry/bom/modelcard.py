"""The model card within a CycloneDX bill: what was measured, what people say, what it took."""

from __future__ import annotations

from math import isfinite
from typing import Any

from lab.metrics.measure import Measurement
from registry.bom.described import Described
from registry.bom.naming import paragraph, plain

KWH = 3_600_000  # joules


def card(described: Described, sets: list[dict[str, str]]) -> dict[str, Any]:
    """Return a `modelCard`; `sets` refer to the training data. Empty where nothing is known."""
    about = described.about
    named = dict(described.hyperparameters)
    parameters = {
        "task": plain(about.task),
        "architectureFamily": plain(named.get("model_type", "")),
        "modelArchitecture": plain(about.architecture),
        "datasets": sets,
    }
    told = [
        (plain(f"hyperparameter:{name}"), plain(value)) for name, value in described.hyperparameters
    ]
    told += [("parameters", str(about.parameters))] if about.parameters else []
    told += [("language", plain(name)) for name in about.languages]
    told += [("record", record.digest) for record in described.measurements]
    found = {
        "modelParameters": _kept(parameters),
        "quantitativeAnalysis": _kept({"performanceMetrics": _metrics(described)}),
        "considerations": _kept(_considerations(described)),
        "properties": [{"name": f"modelwarden:{name}", "value": value} for name, value in told],
    }
    return _kept(found)


def metric(found: Measurement) -> str:
    """Return what a number is of: the metric and the task."""
    return plain(f"{found.metric} on {found.task}")


def figure(value: float) -> str:
    """Return a number as bills write it: the shortest text that reads back the same."""
    return repr(float(value))


def metered(described: Described) -> float:
    """Return the energy of measuring in kWh, 0 unless all of it was measured."""
    usages = [record.usage for record in described.measurements]
    kwh = sum(usage.joules for usage in usages) / KWH
    return kwh if all(usage.metered for usage in usages) and isfinite(kwh) else 0.0


def trained(described: Described) -> float:
    """Return the energy of training in kWh, 0 where nobody says it."""
    kwh = (described.about.training_joules or 0.0) / KWH
    return kwh if isfinite(kwh) else 0.0


def _metrics(described: Described) -> list[dict[str, Any]]:
    return [
        {"type": metric(one), "value": figure(one.value)}
        | ({"slice": plain(one.slice)} if one.slice else {})
        | _interval(one)
        for record in described.measurements
        for one in record.measurements
    ]


def _interval(one: Measurement) -> dict[str, Any]:
    if one.low is None or one.high is None:
        return {}
    bounds = {"lowerBound": figure(one.low), "upperBound": figure(one.high)}
    return {"confidenceInterval": bounds}


def _considerations(described: Described) -> dict[str, Any]:
    about = described.about
    spent = [
        _energy("validation", metered(described)),
        _energy("training", trained(described)),
    ]
    used = [one for one in spent if one]
    return {
        "useCases": [paragraph(about.uses)] if about.uses else [],
        "technicalLimitations": [paragraph(about.limits)] if about.limits else [],
        "environmentalConsiderations": {"energyConsumptions": used} if used else {},
    }


def _energy(activity: str, kwh: float) -> dict[str, Any]:
    # Who provided the energy is not known: the list of providers, which has to be there, is empty.
    cost = {"value": kwh, "unit": "kWh"}
    return (
        {"activity": activity, "energyProviders": [], "activityEnergyCost": cost} if kwh > 0 else {}
    )


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in ("", [], {})}
