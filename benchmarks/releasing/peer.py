"""What somebody without Modelwarden does to register a model: plain MLflow, one process.

peer.py TRACKING-URI FOLDER
"""

from __future__ import annotations

import sys

from mlflow import MlflowClient

NAME = "plain"
METRICS = {"held-out accuracy": 0.8, "held-out bits_per_byte": 1.1, "loss": 2.3, "perplexity": 9.9}


def main(uri: str, folder: str) -> None:
    """Log a run and make a version of it."""
    client = MlflowClient(uri)
    known = client.get_experiment_by_name(NAME)
    experiment = known.experiment_id if known else client.create_experiment(NAME)
    run = client.create_run(experiment, run_name="1.0.0").info.run_id
    client.log_param(run, "architecture", "LlamaForCausalLM")
    for name, value in METRICS.items():
        client.log_metric(run, name, value)
    client.set_tag(run, "git", "main")
    client.set_terminated(run)
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    version = client.create_model_version(NAME, folder, run)
    client.set_registered_model_alias(NAME, "champion", version.version)
    print(version.version)


if __name__ == "__main__":
    main(*sys.argv[1:])
