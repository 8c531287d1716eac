"""The parts of benchmarks.security."""
