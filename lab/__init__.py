"""Models and data: suites, scoring, statistics. The only part that imports torch."""
