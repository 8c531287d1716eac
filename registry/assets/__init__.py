"""Models and data sets that files name: cards, configurations, notebooks and code, never run."""
