"""Signing by OpenSSF Model Signing v1.0."""
