"""Recipes: from a model to a model."""
