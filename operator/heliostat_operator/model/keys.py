"""The key of an object of a known kind: its namespace and its name."""

from typing import TypeAlias

Key: TypeAlias = tuple[str, str]
