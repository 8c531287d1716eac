"""Digests of models: measured for signing, compared for verifying, held for loading."""

from security.hashing.comparing import compare
from security.hashing.held import Held, hold
from security.hashing.known import Known
from security.hashing.measuring import LEFT_OUT, measure

__all__ = ["LEFT_OUT", "Held", "Known", "compare", "hold", "measure"]
