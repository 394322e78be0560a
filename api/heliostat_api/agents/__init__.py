"""Agents, as people see and command them."""
