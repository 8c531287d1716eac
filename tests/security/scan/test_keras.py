import json
from typing import Any

import pytest

from security.scan import jsonfiles
from tests.security.scan.recorder import scan, told

CODE, MAYBE, OUTSIDE = ("keras-code", True), ("keras-code", False), ("outside", True)


def layer(
    name: str, config: Any = None, module: str | None = "keras.layers", **more: Any
) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config or {},
            "registered_name": None, **more}  # fmt: skip


def model(*layers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "module": "keras",
        "class_name": "Functional",
        "config": {"name": "m", "layers": list(layers)},
        "registered_name": "Functional",
        "build_config": {"input_shape": [None, 4]},
        "compile_config": {"optimizer": layer("Adam", {}, "keras.optimizers"), "loss": "mse"},
        **more,
    }


def judge(config: Any) -> list[tuple[str, bool]]:
    return told(scan(jsonfiles.read, json.dumps(config).encode(), "m.keras!/config.json"))


@pytest.mark.parametrize(
    "config",
    [
        model(),
        model(layer("Dense", {"units": 4, "activation": "relu", "dtype": layer(
            "DTypePolicy", {"name": "float32"}, "keras")})),
        model(layer("Dense", {"kernel_initializer": layer("GlorotUniform", {},
              "keras.initializers")})),
        model(layer("Activation", {"activation": {"module": "keras.activations", "class_name":
              "function", "config": "relu", "registered_name": "relu"}})),
        model(layer("StringLookup", {"vocabulary": ["a", "b"], "idf_weights": None})),
        model(layer("Functional", {}, "keras.src.models.functional")),
        model(layer("Conv2D", {}, "keras.layers.convolutional.conv2d")),
        model(layer("ExponentialDecay", {}, "keras.optimizers.schedules")),
        model(layer("Slice", {"a": {"class_name": "__slice__", "config": {"start": 1}},
              "b": {"class_name": "__tensor__", "config": {"value": [1.0]}}})),
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {}}]},
         "keras_version": "2.4.0", "backend": "tensorflow"},
        model(layer("X", {}, None, shared_object_id=3)),
    ],
)  # fmt: skip
def test_models_of_keras_alone_have_no_findings(config: Any) -> None:
    assert judge(config) == []


HOSTILE = [
    ("any module (CVE-2025-1550)", layer("function", "system", "os"), CODE),
    ("a class of any module", layer("Popen", {}, "subprocess"), CODE),
    ("dotted module", layer("x", {}, "evil.keras.layers"), CODE),
    ("alike", layer("Dense", {}, "keras_layers"), CODE),
    ("get_file (CVE-2025-8747)", layer("function", "get_file", "keras.utils"), CODE),
    ("safe mode off (CVE-2025-9906)",
     layer("function", "enable_unsafe_deserialization", "keras.config"), CODE),
    ("saving", layer("function", "load_model", "keras.saving"), CODE),
    ("called within layers", layer("function", "get_file", "keras.layers"), CODE),
    ("inner function", layer("function", "x", "keras.src.layers.core.dense"), CODE),
    ("inner name", layer("python_utils", {}, "keras.src.layers.core.lambda_layer"), CODE),
    ("lambda layer", layer("Lambda", {"function": {"class_name": "__lambda__"}}), CODE),
    ("lambda alone", layer("Dense", {"activation": {"class_name": "__lambda__",
     "config": {"value": "4wEA"}}}), CODE),
    ("lambda by package", {"class_name": "Custom>Lambda", "config": {}}, CODE),
    ("old lambda (CVE-2025-9905)", {"class_name": "Lambda", "config": {"function": ["4wEA", None,
     None], "function_type": "lambda"}}, CODE),
    ("code without a lambda", {"class_name": "Wrap", "config": {"function": ["4wEA"]}}, CODE),
    ("torch (CVE-2025-49655)", layer("TorchModuleWrapper", {"module": "gASV"}), CODE),
    ("saved model", layer("TFSMLayer", {"filepath": "/x"}), CODE),
    ("jax", layer("JaxLayer"), CODE),
    ("type spec of any module", layer("__typespec__", {}, "evil"), CODE),
    ("vocabulary (CVE-2025-12058)", layer("StringLookup", {"vocabulary": "/etc/passwd"}), OUTSIDE),
    ("vocabulary beside", layer("TextVectorization", {"vocabulary": "v.txt"}), OUTSIDE),
    ("weights by address", layer("IntegerLookup", {"idf_weights": "http://x/y"}), OUTSIDE),
    ("builtins", layer("function", "eval", "builtins"), MAYBE),
    ("sister", layer("GPT2", {}, "keras_hub.src.models"), MAYBE),
    ("own object", layer("Mine", {}, None, registered_name="my>Mine"), MAYBE),
    ("top level", layer("utils", {}, "keras"), MAYBE),
    ("unknown mark", {"class_name": "__code__", "config": {}}, MAYBE),
    ("module is a list", {"class_name": "A", "config": {}, "module": ["os"]}, MAYBE),
]  # fmt: skip


@pytest.mark.parametrize(("inner", "rule"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_objects_are_found_wherever_they_are(inner: Any, rule: tuple[str, bool]) -> None:
    assert rule in judge(model(inner))
    assert rule in judge(model(compile_config={"loss": [{"a": inner}]}))
    assert rule in judge({"modelTopology": {"model_config": inner}, "weightsManifest": []})


def test_of_two_equal_keys_both_are_judged() -> None:
    text = '{"class_name": "A", "config": {}, "module": "os", "module": "keras.layers"}'
    assert told(scan(jsonfiles.read, text.encode(), "config.json")) == [CODE]


def test_a_configuration_of_transformers_is_none_of_keras() -> None:
    assert judge({"architectures": ["A"], "module": "os", "config": {"class_name": 1}}) == []
