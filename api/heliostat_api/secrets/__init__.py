"""Secrets of people: values that their agents get, which nobody reads here again."""
