"""The demo: an agent from CSV to verified report, and one that fails verification."""
