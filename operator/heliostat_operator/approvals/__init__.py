"""Asks of runs: what people decided, what expired, and whether the admission policy holds."""
