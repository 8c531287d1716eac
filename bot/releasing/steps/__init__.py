"""The steps of a release, and what they share."""
