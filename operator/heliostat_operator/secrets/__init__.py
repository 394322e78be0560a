"""Secrets that the operator makes, and values that it fetches for runs."""
