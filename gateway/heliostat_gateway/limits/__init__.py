"""Limits on agents: which of them may call models now, and how fast."""
