"""Fixtures live in tests/support; every level sees them."""

pytest_plugins = ["support.fixtures"]
