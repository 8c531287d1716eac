"""How long a model takes, and whether another takes longer."""
