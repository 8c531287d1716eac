"""GitHub: what it says, what we ask of it, what we publish there."""
