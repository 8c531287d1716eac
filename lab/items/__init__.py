"""What is scored: suites read into tasks, their order, their slices."""
