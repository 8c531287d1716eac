import json

import pytest

from registry.modelconfig import ConfigError, Index, named_code, read_index

KNOWN = frozenset({"transformers", "diffusers", "sentence_transformers"})


@pytest.mark.parametrize(
    ("name", "value", "claims"),
    [
        ("config.json", {"architectures": ["LlamaForCausalLM"], "vocab_size": 9}, ()),
        ("config.json", {"auto_map": {}}, ()),
        (
            "config.json",
            {"auto_map": {"AutoModel": "m.M"}},
            ('auto_map: {"AutoModel": "m.M"}',),
        ),
        ("config.json", {"text_config": [{"auto_map": "x"}]}, ('auto_map: "x"',)),
        ("tokenizer_config.json", {"trust_remote_code": True}, ("trust_remote_code: true",)),
        ("tokenizer_config.json", {"trust_remote_code": 1}, ("trust_remote_code: 1",)),
        ("tokenizer_config.json", {"trust_remote_code": False}, ()),
        ("config.json", {"a": {"_target_": "os.system"}}, ('_target_: "os.system"',)),
        ("config.json", {"attn_implementation": "sdpa"}, ()),
        (
            "config.json",
            {"attn_implementation": "owner/kernel"},
            ('attn_implementation: "owner/kernel"',),
        ),
        ("config.json", {"_attn_implementation_internal": "a/b"},
         ('_attn_implementation_internal: "a/b"',)),
        ("config.json", {"attn_implementation": {"text_config": "a/b", "": "sdpa"}},
         ('attn_implementation: {"text_config": "a/b", "": "sdpa"}',)),
        ("config.json", {"model_file": "net.py"}, ('model_file: "net.py"',)),
        ("config.json", {"custom_pipelines": {"p": {"impl": "x.P"}}},
         ('custom_pipelines: {"p": [["impl", "x.P"]]}',)),
        (
            "model_index.json",
            {"_class_name": "P", "unet": ["diffusers", "U"], "vae": [None, None]},
            (),
        ),
        ("model_index.json", {"unet": ["my_unet", "U"]}, ('unet: ["my_unet", "U"]',)),
        ("model_index.json", {"_class_name": ["pipe", "P"]}, ('_class_name: ["pipe", "P"]',)),
        ("modules.json", [{"idx": 0, "type": "sentence_transformers.models.Pooling"}], ()),
        ("modules.json", [{"type": "evil.M"}], ('type: "evil.M"',)),
        ("modules.json", [{"type": None}], ("type: null",)),
        ("adapter_config.json", {"auto_mapping": {"parent_library": "transformers.models"}}, ()),
        (
            "adapter_config.json",
            {"auto_mapping": {"parent_library": "evil"}},
            ('parent_library: "evil"',),
        ),
    ],
)  # fmt: skip
def test_finds_what_names_code(name: str, value: object, claims: tuple[str, ...]) -> None:
    assert named_code(json.dumps(value).encode(), name, KNOWN) == claims


def test_of_two_equal_keys_both_are_seen() -> None:
    data = b'{"auto_map": "x", "auto_map": null}'
    assert named_code(data, "config.json", KNOWN) == ('auto_map: "x"',)


def test_infinity_is_common_in_configurations() -> None:
    assert named_code(b'{"time_step_limit": [0.0, Infinity]}', "config.json", KNOWN) == ()


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b""])
def test_what_is_not_json_is_said_to_be_unreadable(data: bytes) -> None:
    with pytest.raises(ConfigError):
        named_code(data, "config.json", KNOWN)


def index(**shards: object) -> bytes:
    return json.dumps({"metadata": {}, "weight_map": shards}).encode()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (index(a="m-1.safetensors", b="m-1.safetensors"), Index(("m-1.safetensors",))),
        (index(a="sub/m.safetensors"), Index(("sub/m.safetensors",))),
        (index(a="../m.safetensors"), Index((), ('"../m.safetensors"',))),
        (index(a="/m.safetensors"), Index((), ('"/m.safetensors"',))),
        (index(a="https://x/m.safetensors"), Index((), ('"https://x/m.safetensors"',))),
        (index(a="README.md"), Index((), ('"README.md"',))),
        (index(a="m.bin"), Index((), ('"m.bin"',))),
        (index(a=3), Index((), ("3",))),
        (b'{"weight_map": []}', Index((), ("weight_map is not an object",))),
        (
            b'{"weight_map": {"a": "../x"}, "weight_map": {"a": "m.safetensors"}}',
            Index(("m.safetensors",), ('"../x"',)),
        ),
        (b'{"other": 1}', Index()),
        (b"[1]", Index()),
    ],
)
def test_reads_indices(data: bytes, found: Index) -> None:
    assert read_index(data, "model.safetensors.index.json") == found
