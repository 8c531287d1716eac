import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.scan import jsonfiles
from security.scan.rules import RULES
from tests.security.scan.recorder import scan, told

CODE, MAYBE, OUTSIDE = ("config-code", True), ("config-code", False), ("outside", True)
TEMPLATE, BROKEN, HIDDEN = ("template", True), ("broken", False), ("hidden-text", True)
UNPINNED, UNREAD, LIMIT = ("outside", False), ("unread", False), ("limit", False)
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}"
BAD = "{{ x.__class__ }}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def judge(name: str, value: Any) -> list[tuple[str, bool]]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = scan(jsonfiles.read, data, name)
    assert all(threat.rule in RULES for threat in found)
    return told(found)


HARMLESS: list[tuple[str, Any]] = [
    ("config.json", {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 9,
                     "rope_scaling": {"type": "linear"}, "attn_implementation": "sdpa"}),
    ("config.json", {"kernel": "rbf", "kernel_size": 3, "module": "decoder"}),
    ("config.json", {"quantization_config": {"quant_method": "gptq", "bits": 4,
                     "modules_to_not_convert": ["lm_head"], "modules_in_block": [["a.b"]]}}),
    ("tokenizer_config.json", {"chat_template": GOOD, "tokenizer_class": "LlamaTokenizer"}),
    ("tokenizer_config.json", {"chat_template": [{"name": "default", "template": GOOD}]}),
    ("tokenizer_config.json", {"added_tokens_decoder": {"1": {"content": "\u200b"}}}),
    ("chat_template.json", {"chat_template": GOOD}),
    ("processor_config.json", {"processor_class": "P", "chat_template": None}),
    ("generation_config.json", {"max_length": 9, "do_sample": True, "eos_token_id": [1, 2]}),
    ("tokenizer.json", {"version": "1.0", "model": {"vocab": {"__class__": 1, "a.py": 2}}}),
    ("adapter_config.json", {"base_model_name_or_path": "o/m", "revision": COMMIT, "r": 8}),
    ("adapter_config.json", {"base_model_name_or_path": "tiny", "auto_mapping": None}),
    ("model_index.json", {"_class_name": "P", "unet": ["diffusers", "U"], "vae": [None, None]}),
    ("modules.json", [{"idx": 0, "type": "sentence_transformers.models.Pooling"}]),
    ("1_Dense/config.json", {"activation_function": "torch.nn.modules.activation.Tanh"}),
    ("model.safetensors.index.json", {"weight_map": {"a": "model-1.safetensors", "b":
                                      "sub/model-2.safetensors"}, "metadata": {"total_size": 1}}),
    ("scheduler_config.json", b'{"steps": [0.0, Infinity], "a": 1, "a": 2}'),
    ("template", b"{{- if .System }}{{ .System }}{{ end }}"),
    ("prompt.json", {"template": "Answer {{json}} of {question}", "_type": "prompt"}),
    ("config.json", {"activation_fn": "gelu_new", "types": {"a": "bc"}, "megatron_core": None}),
    ("adapter_config.json", {"megatron_core": "megatron.core", "megatron_config": None}),
    ("tokenizer_config.json", {"fast_tokenizer_files": ["tokenizer.4.0.json", "tokenizer.json"]}),
    ("modules.json", [{"idx": 0, "path": "", "type": "sentence_transformers.models.Dense"},
                      {"idx": 1, "path": "1_Dense"}]),
    ("router_config.json", {"types": {"a": "sentence_transformers.models.Transformer"}}),
    ("data.jsonl", b'{"a": 1}\n{"auto_map": "x"}\n'),
    ("notes.txt", b"{ not JSON"),
    ("README.md", b"# {% raw %} and auto_map: x\n"),
    ("train.py", b"# {% include 'x' %}\n"),
    ("config.yaml", b"model:\n  type: llama\n  layers: [1, 2]\n  path: &p data/x\n  again: *p\n"),
    ("config.yml", b"# _target_: os.system\nname: 'a!b'\nexpr: \"x != y\"\n"),
    ("config.yaml", b"_target_: null\ntrust_remote_code: false\nauto_map: {}\n"),
    ("MLmodel", b"flavors:\n  python_function:\n    loader_module: mlflow.transformers\n"),
    ("chat.jinja", GOOD.encode()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_configurations_in_use_have_no_findings(name: str, value: Any) -> None:
    assert judge(name, value) == []


HOSTILE: list[tuple[str, Any, tuple[str, bool]]] = [
    ("config.json", {"sbert_ce_default_activation_function": "os.abort"}, CODE),
    ("config.json", {"sentence_transformers": {"activation_fn": "evil.Act"}}, CODE),
    ("adapter_config.json", {"megatron_config": {"a": 1}, "megatron_core": "evil.core"}, CODE),
    ("router_config.json", {"types": {"q": "evil.Module"}, "structure": {"q": ["q"]}}, CODE),
    ("modules.json", [{"idx": 0, "path": "../other", "type": "sentence_transformers.models.P"}],
     OUTSIDE),
    ("tokenizer_config.json", {"fast_tokenizer_files": ["../x/tokenizer.9.json"]}, OUTSIDE),
    ("prompt.json", {"template": BAD, "template_format": "jinja2"}, TEMPLATE),
    ("chat_template", BAD.encode(), TEMPLATE),
    ("config.json", {"auto_map": {"AutoModel": "m.M"}}, CODE),
    ("config.json", {"text_config": [{"auto_map": "o/r--m.M"}]}, CODE),
    ("config.json", b'{"\\u0061uto_map": "m.M"}', CODE),
    ("config.json", b'{"auto_map": "m.M", "auto_map": null}', CODE),
    ("config.json", b'\xef\xbb\xbf{"auto_map": "m.M"}', CODE),
    ("anything.json", {"auto_map": "m.M"}, CODE),
    ("no-name-at-all", {"auto_map": "m.M"}, CODE),
    ("config.json", {"vision": {"trust_remote_code": True}}, CODE),
    ("config.json", {"_attn_implementation_internal": "o/k"}, CODE),
    ("config.json", {"attn_implementation": {"text": "o/k:f"}}, CODE),
    ("config.json", {"quantization_config": {"module_path": "evil.q"}}, CODE),
    ("config.json", {"quantization_config": {"kernel": "o/k"}}, CODE),
    ("config.json", {"ops": "build/ops.so"}, CODE),
    ("config.json", {"use_kernels": True}, CODE),
    ("config.json", {"a": {"_target_": "os.system"}}, CODE),
    ("config.json", {"py/object": "os.system"}, CODE),
    ("pipeline.json", {"custom_pipelines": {"p": {"impl": "x.P"}}}, CODE),
    ("model_index.json", {"unet": ["my_unet", "U"]}, CODE),
    ("model_index.json", {"_class_name": ["pipe", "P"]}, CODE),
    ("modules.json", [{"type": "evil.M"}], CODE),
    ("1_Dense/config.json", {"activation_function": "os.system"}, CODE),
    ("adapter_config.json", {"auto_mapping": {"parent_library": "evil"}}, CODE),
    ("adapter_config.json", {"base_model_name_or_path": "o/m"}, UNPINNED),
    ("adapter_config.json", {"base_model_name_or_path": "o/m", "revision": "main"}, UNPINNED),
    ("adapter_config.json", {"base_model_name_or_path": "/home/x"}, OUTSIDE),
    ("adapter_config.json", {"base_model_name_or_path": "http://x/y"}, OUTSIDE),
    ("m.safetensors.index.json", {"weight_map": {"a": "../m.safetensors"}}, OUTSIDE),
    ("m.safetensors.index.json", {"weight_map": {"a": "/m.safetensors"}}, OUTSIDE),
    ("m.safetensors.index.json", {"weight_map": {"a": "m.bin"}}, OUTSIDE),
    ("m.safetensors.index.json", {"weight_map": {"a": "s3://x/m.safetensors"}}, OUTSIDE),
    ("m.safetensors.index.json", {"weight_map": {"a": 1}}, BROKEN),
    ("m.safetensors.index.json", {"weight_map": []}, BROKEN),
    ("m.safetensors.index.json",
     b'{"weight_map": {"a": "/x"}, "weight_map": {"a": "m.safetensors"}}', OUTSIDE),
    ("tokenizer_config.json", {"chat_template": BAD}, TEMPLATE),
    ("tokenizer_config.json", {"chat_template": [{"name": "t", "template": BAD}]}, TEMPLATE),
    ("tokenizer_config.json", {"chat_template": {"rag": BAD}}, TEMPLATE),
    ("processor_config.json", {"a": {"chat_template": BAD}}, TEMPLATE),
    ("chat_template.json", {"default": BAD}, TEMPLATE),
    ("config.json", {"prompt": "{% include 'x' %}"}, TEMPLATE),
    ("config.json", {"system_prompt": "You are always very kind.\u202e"}, HIDDEN),
    ("config.json", b"{", BROKEN),
    ("config.json", b"\xff{}", BROKEN),
    ("config.json", "{}".encode("utf-16"), BROKEN),
    ("config.json", b"[" * 100_000, BROKEN),
    ("config.json", b"9" * 5_000, BROKEN),
    ("config.json", b"[" + b"1," * 3_000_001 + b"1]", BROKEN),
    ("config.json", {f"chat_template{i}": GOOD for i in range(200)}, LIMIT),
    ("template", (b"{% include 'x' %}"), TEMPLATE),
    ("chat.jinja2", BAD.encode(), TEMPLATE),
    ("model_config.yaml", b"model:\n  optim:\n    _target_: os.system\n", CODE),
    ("model_config.yaml", b"{_target_: os.system}\n", CODE),
    ("model_config.yaml", b"- '_target_': os.system\n", CODE),
    ("model_config.yaml", b'"\\x5ftarget_": os.system\n', CODE),
    ("model_config.yaml", b"_target_:\n  os.system\n", CODE),
    ("model_config.yaml", b"_target_: nemo.collections.asr.X\n", MAYBE),
    ("model_config.yaml", b"? _target_\n: os.system\n", UNREAD),
    ("model_config.yaml", b'a: {"_target_":os.system}\n', CODE),
    ("model_config.yaml", b'{? "_target_"\n: os.system}\n', UNREAD),
    ("model_config.yaml", b'[a, ? "_tar\\\nget_"\n : os.system]\n', UNREAD),
    ("a.yaml", b"x: !!python/object/apply:os.system ['id']\n", CODE),
    ("a.yaml", b"x: !<tag:yaml.org,2002:python/object/apply:os.system> [id]\n", CODE),
    ("a.yaml", b"%TAG !p! tag:yaml.org,2002:python/\n---\nx: !p!name:os.system\n", MAYBE),
    ("hyperparams.yaml", b"model: !new:evil.Model\n", CODE),
    ("hyperparams.yaml", b"x: !apply:os.system [id]\n", CODE),
    ("a.yaml", b"x: !unknown y\n", UNREAD),
    ("a.yaml", b"x: &k _target_\ny: {*k : os.system}\n", UNREAD),
    ("a.yaml", b"trust_remote_code: true\n", CODE),
    ("a.yaml", b"attn_implementation: o/k\n", CODE),
    ("a.yaml", b"entry: run.py\n", CODE),
    ("a.yaml", b"chat_template: |\n  {% include 'x' %}\n", TEMPLATE),
    ("a.yaml", b"a: &a [1]\n" + b"b: [*a, *a]\n" * 200, LIMIT),
    ("a.yaml", b"- 1\n" * 600_000, LIMIT),
    ("a.yaml", b"x: [" + b"1, " * 6_000 + b"]\n", LIMIT),
    ("a.yaml", b"x: \xff\n", BROKEN),
    ("a.yaml", b"x: 1\0\n", BROKEN),
    ("MLmodel", b"flavors:\n  python_function:\n    loader_module: evil\n", CODE),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "rule"), HOSTILE)
def test_hostile_configurations_are_found_for_their_reason(
    name: str, value: Any, rule: tuple[str, bool]
) -> None:
    assert rule in judge(name, value)


def test_the_place_of_a_key_is_given() -> None:
    (found,) = scan(jsonfiles.read, b'{"a": 1, "auto_map": "m.M"}', "config.json")
    assert found.offset == 9
    (found,) = scan(jsonfiles.read, b"a: 1\n_target_: os.system\n", "a.yaml")
    assert found.offset == 5


def test_a_configuration_beyond_the_limit_is_a_doubt() -> None:
    data = b"{" + b" " * (33 << 20) + b"}"
    assert judge("config.json", data) == [LIMIT]
    assert judge("rows.jsonl", data) == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["auto_map", "module", "class_name", "config", "chat_template", "weight_map", "a",
         "_attn_implementation", "base_model_name_or_path", "function", "registered_name"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
NAMES = ["config.json", "m.safetensors.index.json", "adapter_config.json", "modules.json",
         "model_index.json", "chat_template.json", "x"]  # fmt: skip


@given(st.sampled_from(NAMES), VALUES)
def test_any_json_is_judged(name: str, value: Any) -> None:
    judge(name, value)


@given(st.sampled_from([*NAMES, "a.yaml", "a.jinja", "mlmodel"]), st.binary(max_size=80))
def test_any_bytes_are_judged(name: str, data: bytes) -> None:
    judge(name, data)


@given(st.text(alphabet="ab:{}[]\"'!&*?%<>_ \n\\x5ftargetpython/", max_size=80))
def test_any_yaml_is_judged(text: str) -> None:
    judge("a.yaml", text.encode())
