"""From scores to numbers that people read, with intervals."""
