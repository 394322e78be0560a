"""What a request passes on its way to a feature: problems, guards, limits, idempotency."""
