"""What every endpoint shares: problems, guards, the cookie of a visit."""
