"""Configurations: JSON, YAML and templates, told apart by content and by the names loaders know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from security.scan import jinja, keras, yamlfiles
from security.scan.codekeys import LIBRARIES, named
from security.scan.paths import leaves
from security.scan.plainjson import MAX_PARTS, MAX_VOCABULARY, Pairs, brief, load, walk
from security.scan.source import Source
from security.scan.unseen import unseen
from security.scan.values import Report
from security.strictjson import StrictJSONError

HEAD = 4_096
MAX_TEMPLATES = 100
PROSE = 20  # characters; shorter texts are tokens, which may well be invisible
_TEMPLATES = (".jinja", ".jinja2", ".j2")
_YAMLS = (".yaml", ".yml")
# Files that are a vocabulary: what they hold are tokens, not text for people.
_TOKENS = frozenset(
    {"tokenizer.json", "vocab.json", "added_tokens.json", "special_tokens_map.json"}
)
# Files in which a key names others, that are read beside them.
_NAMED_FILES = (("tokenizer_config.json", "fast_tokenizer_files"), ("modules.json", "path"))
_REACHING = re.compile(rb"__|\battr\b")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf")


def read(source: Source, report: Report) -> None:
    """Judge one text file; one that is no configuration passes."""
    if source.base.endswith(_TEMPLATES):
        jinja.read(source, report)
        return
    head = source.read(0, HEAD)
    is_yaml = source.base.endswith(_YAMLS) or source.base == "mlmodel"
    is_json = source.base.endswith(".json") or head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (
        b"{",
        b"[",
    )
    if not (is_yaml or is_json or (_is_template(source.base, head))):
        return
    if source.size > report.limits.text:
        if is_yaml or source.base.endswith(".json"):
            report.doubt("limit", f"a configuration of {source.size:,} bytes")
        return
    data = source.read(0, source.size)
    if is_yaml:
        yamlfiles.judge(data, report)
    elif not (is_json and _json(source, data, report)) and _is_template(source.base, head):
        jinja.read(source, report)


def _json(source: Source, data: bytes, report: Report) -> bool:
    """Judge JSON; whether it is any."""
    try:
        vocabulary = source.base in _TOKENS
        found = load(data, parts=MAX_VOCABULARY if vocabulary else MAX_PARTS)
    except StrictJSONError as error:
        if source.base.endswith(".json"):
            report.doubt("broken", f"is no JSON: {error}")
            return True
        return False
    for claim in named(found, source.base, LIBRARIES):
        report.threat("config-code", claim, _offset(data, claim.partition(":")[0]))
    _texts(source, found, data, report)
    _places(source, found, data, report)
    if keras.is_keras(found):
        keras.judge(found, report)
    return True


def _texts(source: Source, found: Any, data: bytes, report: Report) -> None:
    """Judge templates wherever they are, and what hides in text."""
    whole = "chat_template" in source.base
    tokens = source.base in _TOKENS
    inside: set[int] = set()
    templates = 0
    for key, value in walk(found):
        if "chat_template" in key and isinstance(value, Pairs | list):
            inside.update(id(text) for _, text in walk(value) if isinstance(text, str))
        if not isinstance(value, str):
            continue
        if whole or "chat_template" in key or id(value) in inside or _renders(key, value):
            templates += 1
            if templates > MAX_TEMPLATES:  # the place of each is searched for
                report.doubt("limit", f"more than {MAX_TEMPLATES} templates")
                return
            jinja.judge(value, report, label=key or "template", at=_offset(data, key))
        elif not tokens and len(value) >= PROSE:
            for _, what in unseen(value):
                report.threat("hidden-text", f"{key:.60} has {what}")


def _is_template(name: str, head: bytes) -> bool:
    return ("chat_template" in name and b"{" in head) or ("template" in name and _marked(head))


def _marked(head: bytes) -> bool:
    """Whether a text is a template of Jinja: other languages have two braces, too."""
    return b"{%" in head or (b"{{" in head and _REACHING.search(head) is not None)


def _renders(key: str, value: str) -> bool:
    return "{%" in value or ("template" in key and _marked(value.encode("utf-8", "replace")))


def _places(source: Source, found: Any, data: bytes, report: Report) -> None:
    """Judge what is named to be read from elsewhere: shards of an index, the base of an adapter."""
    if isinstance(found, Pairs) and source.base.endswith(".index.json"):
        suffix = "." + source.base.removesuffix(".index.json").rpartition(".")[2]
        for pairs in found.all("weight_map"):
            shards = {brief(v): v for _, v in pairs} if isinstance(pairs, Pairs) else {"": None}
            for shard in shards.values():
                _shard(shard, suffix, _offset(data, "weight_map"), report)
    for name, key in _NAMED_FILES:
        if source.base == name:
            for file in _values(found, key):
                if isinstance(file, str) and file and (why := leaves(file)):
                    what = f"{key} names {file!r:.80}, which {why}"
                    report.threat("outside", what, _offset(data, key))
    if isinstance(found, Pairs) and source.base == "adapter_config.json":
        pinned = any(isinstance(v, str) and _COMMIT.fullmatch(v) for v in found.all("revision"))
        for value in found.all("base_model_name_or_path"):
            _base(value, pinned, _offset(data, "base_model_name_or_path"), report)


def _values(found: Any, key: str) -> Iterator[Any]:
    """Yield every value of a key, members of lists one by one."""
    return (value for known, value in walk(found) if known == key)


def _shard(shard: Any, suffix: str, at: int, report: Report) -> None:
    if not isinstance(shard, str):
        report.doubt("broken", f"the index of weights names {brief(shard)}", at)
    elif why := leaves(shard):
        report.threat("outside", f"the shard {shard!r:.80} {why}", at)
    elif suffix in _WEIGHTS and not shard.endswith(suffix):
        report.threat("outside", f"the shard {shard!r:.80} is no {suffix} file", at)


def _base(value: Any, pinned: bool, at: int, report: Report) -> None:
    if not isinstance(value, str) or not value:
        return
    hub = re.fullmatch(r"[\w.-]+/[\w.-]+", value)
    if hub and not pinned:
        report.doubt("outside", f"the base model {value!r:.80} has no revision by its hash", at)
    elif not hub and (why := leaves(value)):
        report.threat("outside", f"the base model {value!r:.80} {why}", at)


def _offset(data: bytes, key: str) -> int:
    """Return where a key is first written, 0 where it is written with escapes."""
    return max(0, data.find(b'"' + key.encode("utf-8", "surrogatepass") + b'"')) if key else 0
