"""MLflow: what a release looks like there. The ledger in git decides; this is derived from it."""

from registry.mlflow.recording import Recorded
from registry.mlflow.store import Known, Registry

__all__ = ["Known", "Recorded", "Registry"]
