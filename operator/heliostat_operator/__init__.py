"""Observes and reconciles Agents and Executions."""
