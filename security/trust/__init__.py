"""Who may do what with which artifact, for how long, and what was seen last."""
