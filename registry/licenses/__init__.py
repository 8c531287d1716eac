"""Licences: expressions, names, texts, and what packages say about their own."""
