"""What the policy says about releases, under the key `release`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Card(BaseModel):
    """What only people know about a model, for its card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(default="", description="Heading of the card; '' for the artifact's name.")
    summary: str = Field(default="", description="What the model is, in a few sentences.")
    uses: str = Field(default="", description="What it is for, and what it is not for.")
    limits: str = Field(default="", description="What it cannot do, and what is known to go wrong.")
    languages: tuple[str, ...] = Field(
        default=(), description="ISO 639 codes of what it was trained on."
    )
    tags: tuple[str, ...] = Field(default=(), description="Words to find it by on a hub.")
    base_models: tuple[str, ...] = Field(
        default=(), description="What it was made from, by the hub's names, as acme/base."
    )
    relation: Literal["", "finetune", "adapter", "merge", "quantized"] = Field(
        default="", description="How it was made from that."
    )
    datasets: tuple[str, ...] = Field(default=(), description="Training data by the hub's names.")
    data: str = Field(default="", description="What the training data are, in sentences.")
    task: str = Field(default="text-generation", description="The hub's name of what it does.")


class Settings(BaseModel):
    """How releases are made. Read at the commit that is released, which is merged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    artifact: str = Field(
        default="",
        description="Name of what is released, as acme/small; '' for the repository's name.",
    )
    model: str = Field(
        default="", description="Folder of the weights; '' for that of `regression.model`."
    )
    data: tuple[str, ...] = Field(
        default=(),
        description="Training data; none: what the stage of dvc.lock that makes the weights reads.",
    )
    licence: str = Field(
        default="",
        description="SPDX expression or LicenseRef of the weights; '' for that of the repository.",
    )
    versioning: Literal["semver", "calver"] = Field(
        default="semver", description="semver: MAJOR.MINOR.PATCH; calver: YEAR.MONTH.COUNT."
    )
    tag: str = Field(
        default="v{version}",
        description="Name of the git tag; '{artifact}@v{version}' is what GTO reads.",
    )
    branch: str = Field(
        default="modelwarden-releases", description="Branch that keeps the ledger of releases."
    )
    remote: str = Field(
        default="origin", description="Git remote whose ledger and tags count; '' for none."
    )
    who: tuple[str, ...] = Field(
        default=(),
        description="Who may release, by name in the trust file or GitHub login; none: "
        "whom the trust file's role `release` names.",
    )
    approvals: int = Field(
        default=0,
        ge=0,
        le=20,
        description="How many others must agree, by a signature or an approving review.",
    )
    required: tuple[str, ...] = Field(
        default=(), description="Check runs that GitHub must show as passed on the merged commit."
    )
    seal_to: tuple[str, ...] = Field(
        default=(), description="age recipients; with any, what is published is encrypted to them."
    )
    store: Literal["whole", "tensors"] = Field(
        default="whole",
        description="whole: weights stay where DVC or LFS has them; tensors: also each "
        "tensor once, in the remote.",
    )
    mlflow: str = Field(
        default="sqlite:///mlflow.db",
        description="MLflow tracking URI, relative to the repository; '' for none.",
    )
    github: bool = Field(
        default=True,
        description="Publish as a release on GitHub, if GITHUB_TOKEN is given.",
    )
    card: Card = Field(default_factory=Card, description="What only people know about the model.")
