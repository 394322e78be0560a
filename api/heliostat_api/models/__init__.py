"""Models that the gateway routes."""
