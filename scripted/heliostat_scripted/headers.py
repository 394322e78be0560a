"""The headers of an answer, as the scripted provider sends them."""

from typing import TypeAlias

Headers: TypeAlias = list[tuple[str, str]]
