"""Executions, as people see and command them."""
