"""From a model and a task to scores, whatever the kind of either."""
