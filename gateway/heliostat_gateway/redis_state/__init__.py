"""State that all replicas of the gateway share, in Redis. Unused without REDIS_URL."""
