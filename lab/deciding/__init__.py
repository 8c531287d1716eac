"""From the scores of two models to a verdict. Pure."""
