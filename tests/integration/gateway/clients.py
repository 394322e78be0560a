"""What the tests with official SDKs share: what is answered, and that Gemini could read us."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from support.gemini_types import read_gemini_request

from .real_world import World

HELLO = "Hello from the scripted provider."
THOUGHT = "Someone greets me. I greet back."


class Choice(BaseModel):
    """What a structured answer holds."""

    kind: str
    n: int


@pytest.fixture(autouse=True)
def requests_are_gemini_s(world: World) -> Iterator[None]:
    """Google's own types read every request that a test made the gateway send to Gemini."""
    world.proxy.taken()
    yield
    for recorded in world.proxy.taken():
        read_gemini_request(recorded)
