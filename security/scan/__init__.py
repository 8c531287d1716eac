"""Intake of weight files: what they would do to whoever loads them, found without loading them."""
