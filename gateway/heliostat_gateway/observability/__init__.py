"""What the gateway shows of itself: log lines and metrics, cheap enough for every request."""
