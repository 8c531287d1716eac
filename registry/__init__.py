"""Versions: where the bytes of data and weights are, by pointer and digest."""
