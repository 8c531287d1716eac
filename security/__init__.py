"""Bytes, digests and keys. Imports nothing of the other parts."""
