"""The check `assets`."""
