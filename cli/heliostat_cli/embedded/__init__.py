"""The embedded world: resources in one SQLite file, Jobs as local process trees.

It behaves as a cluster does, so that the same engine runs in both.
"""
