"""A release: code, data, weights, environment and measurements under one number."""
