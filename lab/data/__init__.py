"""Texts of data files: read bounded, cut to words, searched for leaks and duplicates."""
