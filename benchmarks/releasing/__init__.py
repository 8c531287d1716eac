"""Parts of benchmarks.registry."""
