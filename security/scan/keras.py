"""Configurations of Keras models, as in `.keras` files and in attributes of HDF5.

Whatever names a module is imported by `deserialize_keras_object`: CVE-2025-1550 (any module),
CVE-2025-8747 (`get_file`), CVE-2025-9906 (switching safe mode off), CVE-2025-9905 (lambdas in
HDF5), CVE-2025-49655 (a pickle for torch), CVE-2025-12058 (vocabularies read from any path).
"""

from __future__ import annotations

import re
from typing import Any

from security.scan.paths import leaves
from security.scan.plainjson import Pairs, brief, walk
from security.scan.values import Report

_PARTS = (
    "layers|activations|constraints|initializers|losses|metrics|optimizers|regularizers|models"
    "|quantizers|random|dtype_policies|mixed_precision"
)
# Public modules hold functions and classes to be named; inner ones hold what they import, too.
_PUBLIC = re.compile(
    rf"(?:tf_keras|(?:tensorflow\.)?keras)\.(?:{_PARTS})(?:\.(?:schedules|experimental))?"
)
_INNER = re.compile(rf"(?:tf_)?keras\.(?:src\.)?(?:engine|{_PARTS})(?:\.[a-z0-9_]+)*")
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*")
# What `keras` itself may be asked for.
_TOP = frozenset(
    {"Model", "Sequential", "Functional", "Variable", "KerasTensor", "DTypePolicy", "InputSpec"}
    | {"FloatDTypePolicy", "QuantizedDTypePolicy", "QuantizedFloat8DTypePolicy", "Layer", "Input"}
)
_SISTERS = ("keras_hub.", "keras_nlp.", "keras_cv.", "keras_core.", "tensorflow_addons.")
_RUNS = frozenset({"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"})
_MARKS = frozenset(
    {"__tensor__", "__numpy__", "__bytes__", "__slice__", "__ellipsis__", "__keras_tensor__"}
    | {"__tuple__", "__typespec__"}
)
_CALLS = frozenset(
    {"get_file", "load_model", "load_weights", "enable_unsafe_deserialization", "model_from_json"}
    | {"deserialize_keras_object", "func_load", "register_keras_serializable"}
)
_READS = ("vocabulary", "idf_weights")  # lists of values, or the name of a file


def is_keras(found: Any) -> bool:
    """Whether this configuration is one that Keras rebuilds a model from."""
    if not isinstance(found, Pairs):
        return False
    keys = {key for key, _ in found}
    return (
        {"class_name", "config"} <= keys
        or "modelTopology" in keys
        or bool(keys & {"keras_version", "model_config"} and keys & {"config", "model_config"})
    )


def judge(found: Any, report: Report, *, at: int = -1) -> None:
    """Report every object of the configuration that brings or reaches code, or reads files."""
    for _, value in walk(found):
        if isinstance(value, Pairs):
            names = [n for n in value.all("class_name") if isinstance(n, str)]
            _names(names, value, report, at)
            for module in value.all("module"):
                _module(module, names, value, report, at)
            for registered in value.all("registered_name"):
                _registered(registered, value, report, at)
            for key in _READS:
                for target in value.all(key):
                    _reads(key, target, report, at)


def _names(names: list[str], value: Pairs, report: Report, at: int) -> None:
    for name in names:
        last = name.rpartition(">")[2].rpartition(".")[2]
        if last in _RUNS or name == "__lambda__":
            report.threat("keras-code", f"{name:.60} rebuilds code from the file", at)
        elif name.startswith("__") and name not in _MARKS:
            report.doubt("keras-code", f"an object of the unknown kind {name:.60}", at)
        if name == "function":
            for called in value.all("config"):
                if called in _CALLS:
                    report.threat("keras-code", f"the function {called}", at)
    if any(kind in ("lambda", "function") for kind in value.all("function_type")) or any(
        isinstance(code, list) for code in value.all("function")
    ):
        report.threat("keras-code", "a function written out as code", at)


def _module(module: Any, names: list[str], value: Pairs, report: Report, at: int) -> None:
    if module is None or (not names and not list(value.all("config"))):
        return  # no object, only a field of that name
    if not isinstance(module, str):
        report.doubt("keras-code", f"a module named {brief(module)}", at)
        return
    told = f"{module:.60}.{names[0] if names else '?':.60}"
    if module == "keras":
        if not all(name in _TOP for name in names):
            report.doubt("keras-code", f"the object {told}", at)
    elif _PUBLIC.fullmatch(module):
        return
    elif _INNER.fullmatch(module):
        if not all(_CLASS.fullmatch(name) for name in names):
            report.threat("keras-code", f"{told}, from inside of Keras", at)
    elif module == "builtins" or module.startswith(_SISTERS):
        report.doubt("keras-code", f"the object {told}, which is not of Keras itself", at)
    elif not (module.startswith("tensorflow.python.framework.") and "__typespec__" in names):
        report.threat("keras-code", f"imports {told}", at)


def _registered(registered: Any, value: Pairs, report: Report, at: int) -> None:
    if isinstance(registered, str) and ">" in registered:
        package = registered.partition(">")[0]
        if package not in ("keras", "keras_hub", "keras_nlp"):
            report.doubt("keras-code", f"{registered:.60} is an object of the author's own", at)


def _reads(key: str, target: Any, report: Report, at: int) -> None:
    if not isinstance(target, str) or not target:
        return
    why = leaves(target) or "is read from a file of the reader's machine"
    report.threat("outside", f"{key} {target!r:.80} {why}", at)
