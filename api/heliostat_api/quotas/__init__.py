"""Quotas: how many runs and schedules one person may have at once."""
