"""What models write, against lm-evaluation-harness and the plainest generation there is."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError, SuiteError
from lab.model.folder import inspect
from lab.model.load import Model, load
from lab.protocol import Filter, Generation, Item, ItemScore, Kind, Task
from lab.scoring import generate
from lab.scoring.generate import GenerationScorer
from lab.scoring.score import scorer
from lab.scoring.writer import Writer
from lab.wire import longest
from tests.lab.models import TEXT, make_classifier, make_model, make_pair_model, make_tokenizer

WINDOW = 96
PROMPTS = (
    *(text[: 4 + 9 * n] for n, text in enumerate(TEXT * 2)),
    "Who",
    "boat",
    TEXT[1] * 3 + TEXT[0][:21],  # longer than the model reads
)
UNTIL = (",", " the ", "; n", "é")
TOKENS = 20
ORACLE = """
import json, sys
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
folders, prompts, untils, tokens = json.load(sys.stdin)
found = {}
for folder in folders:
    for size in (1, 4):
        model = HFLM(pretrained=folder, device="cpu", batch_size=size, dtype="float32")
        for until in untils:
            asked = {"until": list(until), "max_gen_toks": tokens, "do_sample": False}
            instances = [Instance("generate_until", {}, (p, dict(asked)), 0) for p in prompts]
            written = model.generate_until(instances, disable_tqdm=True)
            found.setdefault(folder, []).append([size, until, written])
print("\\n" + json.dumps(found))
"""


def train(folder: Path) -> Path:
    """Teach a model the sentences, so that no two tokens are about equally likely."""
    import torch
    import transformers

    auto: Any = transformers
    model = auto.AutoModelForCausalLM.from_pretrained(str(folder))
    tokenizer = auto.PreTrainedTokenizerFast.from_pretrained(str(folder))
    texts = [tokenizer(f"{text}</s>")["input_ids"] for text in TEXT]
    length = max(map(len, texts))
    ids = torch.tensor([[*text, *[1] * (length - len(text))] for text in texts])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more would wait for each other
    for _ in range(60):
        loss = model(input_ids=ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.set_num_threads(threads)
    assert loss.item() < 0.2
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        "llama": train(
            make_model(tmp_path_factory.mktemp("writes"), max_position_embeddings=WINDOW)
        ),
        "gpt2": train(make_model(tmp_path_factory.mktemp("writes"), "gpt2", n_positions=WINDOW)),
    }


@pytest.fixture(scope="module")
def oracle(folders: dict[str, Path]) -> dict[str, list[tuple[int, list[str], list[str]]]]:
    asked = [list(map(str, folders.values())), PROMPTS, [UNTIL, ()], TOKENS]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ORACLE],
        input=json.dumps(asked), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {name: found[str(folder)] for name, folder in folders.items()}


@pytest.fixture(scope="module")
def model(folders: dict[str, Path]) -> Model:
    return load(inspect(folders["llama"]), "cpu")


def task_of(
    prompts: tuple[str, ...] = PROMPTS,
    until: tuple[str, ...] = UNTIL,
    tokens: int = TOKENS,
    filters: tuple[Filter, ...] = (),
    references: tuple[str, ...] = (" boats",),
) -> Task:
    items = tuple(Item(str(n), text, references) for n, text in enumerate(prompts))
    return Task("t", items, Kind.GENERATE, generation=Generation(until, tokens, filters))


def scored(model: Model, task: Task, batch_tokens: int = 0) -> tuple[ItemScore, ...]:
    found = scorer(model, task, batch_tokens=batch_tokens)
    assert isinstance(found, GenerationScorer)
    return found.take(len(task.items))


def written(model: Model, task: Task, batch_tokens: int = 0) -> list[str]:
    return [score.output for score in scored(model, task, batch_tokens)]


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_the_harness_writes_the_same(
    name: str, folders: dict[str, Path], oracle: dict[str, list[tuple[int, list[str], list[str]]]]
) -> None:
    model = load(inspect(folders[name]), "cpu")
    for batch_tokens in (1, 150, 0):
        for _, until, texts in oracle[name]:
            assert written(model, task_of(until=tuple(until)), batch_tokens) == texts
    assert len(set(texts)) > 5
    assert len({len(text) for text in texts}) > 5  # some end early, at the end of a sentence


def test_stages_and_order_do_not_matter(model: Model) -> None:
    task = task_of()
    whole = scored(model, task)
    parts = scorer(model, task)
    found = [*parts.take(3), *parts.take(1), *parts.take(99), *parts.take(1)]
    assert [f.output for f in found] == [w.output for w in whole]
    assert [f.nll for f in found] == pytest.approx([w.nll for w in whole], abs=1e-4)
    assert written(model, task_of(PROMPTS[::-1]))[::-1] == [w.output for w in whole]


@pytest.mark.parametrize("kind", ["mistral", "bloom", "opt", "mamba", "gemma3_text", "rwkv"])
def test_batches_do_not_matter_to_any_architecture(kind: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {
        "mistral": {"sliding_window": 8, "num_key_value_heads": 2},
        "rwkv": {"attention_hidden_size": 32},  # lets padding in, and is read row by row
    }.get(kind, {})
    model = load(inspect(make_model(tmp_path, kind, **changes)), "cpu")
    task = task_of((*PROMPTS[:6], "Who"), until=(), tokens=8)
    assert written(model, task) == written(model, task, 1)


def steps_of(model: Model, task: Task) -> tuple[int, list[str]]:
    """Return how often the model runs to write, and what it writes."""
    steps = 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += 1

    hook = model.module.register_forward_hook(count)
    try:
        texts = Writer(model, task).write(task.items)
    finally:
        hook.remove()
    return steps, texts


def test_a_row_that_has_ended_takes_no_more_steps(model: Model) -> None:
    steps, texts = steps_of(model, task_of((PROMPTS[3], PROMPTS[3]), until=(" ",), tokens=60))
    assert steps < 20
    assert not any(" " in text for text in texts)


@pytest.mark.parametrize("place", ["tokenizer", "config"])
def test_what_ends_a_text(place: str, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of((TEXT[0][:28], TEXT[0][:32]), until=())
    whole = written(model, task)
    [end] = model.tokens.tokenizer.encode(" dusk").ids[-1:]
    if place == "config":
        monkeypatch.setattr(model.module.config, "eos_token_id", [1, end])
    else:
        model = replace(model, tokens=replace(model.tokens, end=end))
    last = model.tokens.tokenizer.decode([end])
    assert all(last in text for text in whole)
    assert written(model, task) == [text.partition(last)[0] for text in whole]


def test_rows_are_written_together(model: Model) -> None:
    steps, _ = steps_of(model, task_of(PROMPTS * 2, until=()))
    assert steps <= TOKENS + 6  # the proof that padding is harmless takes two steps a read


def test_what_comes_with_the_model_has_no_say(folders: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    right = written(load(inspect(folders["llama"]), "cpu"), task_of())
    folder = shutil.copytree(folders["llama"], tmp_path / "bent")
    bent = {
        "do_sample": True, "temperature": 9.0, "num_beams": 3, "repetition_penalty": 4.0,
        "no_repeat_ngram_size": 1, "min_new_tokens": 20, "max_length": 3, "max_new_tokens": 2,
        "eos_token_id": [20, 70, 71, 72, 73], "suppress_tokens": [68, 69, 70],
        "forced_bos_token_id": 9, "stop_strings": ["a"], "begin_suppress_tokens": [3],
        "cache_implementation": "static", "num_return_sequences": 2, "use_cache": False,
    }  # fmt: skip
    (folder / "generation_config.json").write_text(json.dumps(bent))
    model = load(inspect(folder), "cpu")
    assert written(model, task_of()) == right
    import transformers

    made: Any = transformers
    model.module.generation_config = made.GenerationConfig(**bent)
    assert written(model, task_of()) == right


def test_the_first_reference_is_scored_as_a_target(model: Model) -> None:
    task = replace(task_of(PROMPTS[:5], references=("boats.", "never")), delimiter=" ")
    targets = Task("t", task_of(PROMPTS[:5], references=(" boats.",)).items, Kind.TARGET)
    made = scorer(model, task)
    plain = scorer(model, targets)
    for found, right in zip(made.take(5), plain.take(5), strict=True):
        assert found.nll == pytest.approx(right.nll, abs=1e-5)
        assert (found.id, found.tokens, found.bytes) == (right.id, right.tokens, right.bytes)
        assert found.nats == ()
    assert made.level == plain.level
    assert made.read > plain.read


def test_filters_make_the_answer(model: Model) -> None:
    prompt, rest = TEXT[0][:28], TEXT[0][28:]
    assert rest.startswith(" the shore")
    steps = (Filter("regex", (("regex_pattern", r"c(oun\w+)"),)), Filter("uppercase"))
    task = task_of((prompt,), until=(), tokens=40, filters=steps, references=("x", "OUNTS"))
    [found] = scored(model, task)
    assert (found.output, found.final, found.correct) == (rest, "OUNTS", True)
    [found] = scored(model, task_of((prompt,), until=(), tokens=40, references=(rest.strip(),)))
    assert (found.final, found.correct) == (rest, False)  # space counts, as in exact_match
    with pytest.raises(SuiteError, match="filter 'custom' is not supported"):
        scorer(model, task_of(filters=(Filter("custom"),)))


def test_contexts_that_do_not_fit_are_cut(model: Model) -> None:
    long = TEXT[0] * 40
    task = task_of((long, long + TEXT[0][:30]), references=(TEXT[1],))
    for item, score in zip(generate.target(model, task).items, scored(model, task), strict=True):
        ids = model.tokens.tokenizer.encode(item.context + TEXT[1]).ids
        assert WINDOW - 12 < len(ids) <= WINDOW
        assert task.items[int(item.id)].context.endswith(item.context)
        assert score.tokens > 10


def test_what_cannot_be_written(model: Model, tmp_path: Path) -> None:
    labels = load(inspect(make_classifier(tmp_path / "labels")), "cpu")
    with pytest.raises(ModelError, match="is of kind generate"):
        scorer(labels, task_of())
    with pytest.raises(ModelError, match="asks for 96 tokens, the model reads 96"):
        scorer(model, task_of(tokens=WINDOW))
    folder = make_model(tmp_path / "bare")
    make_tokenizer(folder, bos=False)
    bare = load(inspect(folder), "cpu")
    with pytest.raises(ModelError, match="item '0' has no context to go on from"):
        scored(bare, task_of(("",), references=("a boat",)))


def favour(folder: Path, tokens: tuple[int, int]) -> Model:
    """Load a model that writes only the first of the tokens, or only the second."""
    from safetensors.torch import load_file, save_file

    make_model(folder, tie_word_embeddings=False)
    make_tokenizer(folder, bos=False)
    path = str(folder / "model.safetensors")
    tensors = load_file(path)
    head = tensors["lm_head.weight"].zero_()
    head[tokens[0]], head[tokens[1]] = 1.0, -1.0
    save_file(tensors, path, {"format": "pt"})
    return load(inspect(folder), "cpu")


def test_broken_bytes_become_text(tmp_path: Path) -> None:
    make_tokenizer(tmp_path, bos=False)
    vocabulary = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    model = favour(tmp_path, (vocabulary["Ģ"], vocabulary["ģ"]))  # 0x80 and 0x81, as BPE has it
    texts = written(model, task_of(PROMPTS[:2], tokens=5))
    assert texts == ["\N{REPLACEMENT CHARACTER}" * 5] * 2
    assert all(text.encode() for text in texts)


def test_output_is_bounded(tmp_path: Path) -> None:
    make_tokenizer(tmp_path, bos=False)
    model = favour(tmp_path, (5, 6))
    tokenizer = json.loads((tmp_path / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    for name in [name for name, number in vocabulary.items() if number in (5, 6)]:
        number = vocabulary.pop(name)
        vocabulary["x" * (5_000 + number)] = number
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    model = load(inspect(tmp_path), "cpu")
    [text] = written(model, task_of(("Who",), until=(), tokens=3))
    assert text == "x" * longest(Generation(tokens=3))


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_encoder_decoders_write_as_transformers_does(kind: str, tmp_path: Path) -> None:
    import torch
    import transformers

    wide: dict[str, Any] = {"initializer_factor": 3.0} if kind == "t5" else {}
    folder = make_pair_model(tmp_path, kind, **wide)
    task = task_of(until=(), tokens=12)
    model = load(inspect(folder), "cpu")
    texts = written(model, task)
    assert texts == written(model, task, 1)
    auto: Any = transformers
    module = auto.AutoModelForSeq2SeqLM.from_pretrained(str(folder)).eval()
    tokenizer = auto.PreTrainedTokenizerFast.from_pretrained(str(folder))
    config = auto.GenerationConfig(
        do_sample=False, max_new_tokens=12, eos_token_id=1, pad_token_id=0,
        decoder_start_token_id=module.config.decoder_start_token_id,
    )  # fmt: skip
    module.generation_config = config  # BART's own forces what is written last
    for prompt, text in zip(PROMPTS, texts, strict=True):
        ids = torch.tensor([tokenizer(prompt)["input_ids"][-model.window :]])
        with torch.inference_mode():
            [right] = module.generate(input_ids=ids, generation_config=config)
        assert text == tokenizer.decode(right, skip_special_tokens=True)
    assert len(set(texts)) > 5


def test_progress_reaches_the_end(model: Model) -> None:
    told: list[tuple[int, int]] = []
    scorer(model, task_of(), batch_tokens=100).take(99, lambda *done: told.append(done))
    assert len(told) > 2
    assert told[-1] == (len(PROMPTS), len(PROMPTS))
