"""Asks of runs: what waits for a person, and what people decide on it."""
