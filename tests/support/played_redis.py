"""A server that speaks Redis' protocol and answers the gateway's scripts as a test says."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import hiredis

from heliostat_gateway.redis_state.scripts import SCRIPTS, read_source

Answers: TypeAlias = Mapping[str, Sequence[str | int] | None]


@dataclass
class PlayedRedis:
    """Answers each script by its name; where the answer is None or missing, it hangs up.

    Everything else is what a client says of itself, and is answered with OK.
    """

    answers: dict[str, Sequence[str | int] | None]
    url: str
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """Each script with its arguments."""
    _names: dict[bytes, str] = field(
        default_factory=lambda: {_digest(each): each for each in SCRIPTS}
    )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while data := await reader.read(65536):
            commands.feed(data)
            while isinstance(command := commands.gets(), list):
                answer = self._answer(command)
                if answer is None:
                    writer.close()
                    return
                writer.write(answer)
        writer.close()

    def _answer(self, command: list[bytes]) -> bytes | None:
        if command[0] != b"EVALSHA":
            return b"+OK\r\n"
        name = self._names[command[1]]
        self.asked.append((name, *(each.decode() for each in command[3:])))
        values = self.answers.get(name)
        return None if values is None else _list(values)


@asynccontextmanager
async def played_redis(folder: Path, answers: Answers) -> AsyncIterator[PlayedRedis]:
    """A server of this process, at a socket in the folder."""
    redis = PlayedRedis(dict(answers), f"unix://{folder / 'redis'}")
    async with await asyncio.start_unix_server(redis.serve, folder / "redis"):
        yield redis


def _digest(script: str) -> bytes:
    source = f"{read_source('common')}\n{read_source(script)}"
    return hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest().encode()


def _list(values: Sequence[str | int]) -> bytes:
    texts = [str(value).encode() for value in values]
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%b\r\n" % (len(t), t) for t in texts)
