"""Documents in one SQLite file: the default, without a cloud."""
