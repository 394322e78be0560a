"""Usage: what model calls cost, by day and by agent, and the keys that people make for calls."""
