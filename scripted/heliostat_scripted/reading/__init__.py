"""Requests of the other dialects, read into what a scenario can see of them."""
