"""Weights kept by tensor in a DVC cache: what two versions have in common is stored once."""

from registry.tensorstore.joining import get
from registry.tensorstore.keeping import Stored
from registry.tensorstore.putting import put

__all__ = ["Stored", "get", "put"]
