"""Keys of cards and configurations that name models and data, and the calls of Python that do.

Sources: the hub's model card metadata; axolotl, LLaMA-Factory, TRL, torchtune, mergekit,
AutoGPTQ, llm-compressor and lm-evaluation-harness configurations; transformers, peft, datasets.
"""

from __future__ import annotations

from registry.bom.values import Kind, Tie

# A key whose text names a model; the tie is the file's own (finetunes in a training run).
MODELS = frozenset(
    {
        "base_model", "base_model_config", "base_model_name_or_path", "model_id", "model_name",
        "model_name_or_path", "pretrained", "pretrained_model", "pretrained_model_name_or_path",
        "pretrained_model_path", "model_path", "hf_model", "hf_model_name", "draft_model",
        "speculative_model",
    }
)  # fmt: skip
# A key that says by itself what the model is for.
TIED: dict[str, Tie] = {
    "teacher": "distils_from",
    "teacher_model": "distils_from",
    "teacher_model_name": "distils_from",
    "teacher_model_name_or_path": "distils_from",
    "teacher_name_or_path": "distils_from",
    "generator_model": "distils_from",
    "reward_model": "distils_from",
    "reward_model_path": "distils_from",
    "judge_model": "evaluates_on",
    "adapter_name_or_path": "finetunes",
    "lora_model_dir": "finetunes",
    "peft_model_id": "finetunes",
}
# A key whose text, list of texts, or list of tables (`path`, `name`) names data.
DATA: dict[str, Tie] = {
    "datasets": "trains_on",
    "dataset": "trains_on",
    "dataset_name": "trains_on",
    "dataset_names": "trains_on",
    "dataset_id": "trains_on",
    "dataset_mixer": "trains_on",
    "dataset_mixture": "trains_on",
    "train_dataset": "trains_on",
    "train_datasets": "trains_on",
    "training_dataset": "trains_on",
    "pretraining_dataset": "trains_on",
    "dataset_path": "trains_on",
    "eval_dataset": "evaluates_on",
    "eval_datasets": "evaluates_on",
    "test_dataset": "evaluates_on",
    "test_datasets": "evaluates_on",
    "validation_dataset": "evaluates_on",
    "calibration_dataset": "quantises",
}
INNER = ("path", "name", "dataset", "dataset_name", "repo_id", "hf_hub_url", "id", "source")

# Any of these makes a configuration one of training.
TRAINS = frozenset(
    {
        "learning_rate", "num_epochs", "num_train_epochs", "max_steps", "stage", "do_train",
        "per_device_train_batch_size", "micro_batch_size", "lora_r", "lora_rank", "peft",
        "finetuning_type", "trainer", "optimizer", "optim", "rl", "train_batch_size",
        "gradient_accumulation_steps", "lr_scheduler", "lr_scheduler_type", "val_set_size",
        "training_args", "use_peft", "epochs",
    }
)  # fmt: skip
QUANTISES = frozenset(
    {
        "quant_config", "quant_method", "quant_path", "quantize_config", "quantization",
        "quantization_config", "quant_stage", "quant_modifiers", "quantize",
        "export_quantization_bit",
    }
)  # fmt: skip
MERGES = frozenset({"merge_method", "slices", "experts"})
# lm-evaluation-harness: what a task's data is, and what a run measures.
EVALUATES = frozenset({"doc_to_text", "doc_to_target", "metric_list", "fewshot_split",
                       "num_fewshot", "test_split", "benchmarks", "evaluator"})  # fmt: skip

# Relations of a card's base model (hub-docs, model cards).
RELATIONS: dict[str, Tie] = {
    "adapter": "finetunes",
    "finetune": "finetunes",
    "merge": "merges",
    "quantized": "quantises",
}

# Calls by the last part of their name: (keywords and, if any, the position that names the asset).
CALLS: dict[str, tuple[tuple[str, ...], int, Kind]] = {
    "from_pretrained": (
        ("pretrained_model_name_or_path", "model_name", "model_id", "repo_id"),
        0,
        "model",
    ),
    "load_dataset": (("path",), 0, "data"),
    "load_dataset_builder": (("path",), 0, "data"),
    "hf_hub_download": (("repo_id",), 0, "model"),
    "snapshot_download": (("repo_id", "model_id"), 0, "model"),
    "pipeline": (("model",), 1, "model"),
    "SentenceTransformer": (("model_name_or_path",), 0, "model"),
    "CrossEncoder": (("model_name_or_path", "model_name"), 0, "model"),
    "LLM": (("model",), 0, "model"),
    "load_checkpoint_and_dispatch": (("checkpoint",), 1, "model"),
}
# Constructors of training: their `model=` text is fine-tuned, their teacher distilled from.
TEACHERS = ("teacher_model", "teacher")
PEFT = (
    "PeftModel",
    "PeftModelForCausalLM",
    "PeftMixedModel",
    "PeftConfig",
    "PeftModelForSeq2SeqLM",
)
# Arguments, parameters and fields of whatever name a model wherever they stand in code.
ARGUMENTS = frozenset({"base_model_name_or_path", "model_name_or_path"})
# What is read of a model beside its weights.
BESIDE = ("Tokenizer", "TokenizerFast", "Processor", "FeatureExtractor", "Config")
# Functions that only a training script calls.
TRAINING_CALLS = frozenset({"backward", "get_peft_model", "prepare_model_for_kbit_training"})
HELD_OUT = frozenset({"test", "validation", "eval", "val", "dev"})
