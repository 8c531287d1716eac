"""Pull requests and people: policy, change, checks, engine, reports, doors."""
