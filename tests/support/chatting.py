"""The chat in tests: a real gateway with scripted models, and clients of the WebSocket."""

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from pydantic import JsonValue
from websockets.asyncio.client import ClientConnection, connect

from heliostat_api.base.person import Person
from heliostat_api.chat.model_connection import ModelConnection
from heliostat_cli.embedded.folders import StateFolder
from heliostat_cli.embedded.gateways import serving
from heliostat_cli.embedded.ports import HOST
from heliostat_core.keys import (
    execution_claims,
    new_private_key,
    public_pem,
    sign_admin_token,
    sign_execution_key,
)
from heliostat_gateway.settings import Settings

DEADLINE_SECONDS = 60.0
Frame = Mapping[str, JsonValue]


@dataclass(frozen=True)
class SignedKeys:
    """PersonKeys that book a conversation like a run, so that a test can ask for its sum."""

    private: str
    cap_nanos: int | None = None

    async def key_for(self, person: Person, conversation_id: str) -> str:
        now = int(time.time())
        claims = execution_claims(
            namespace="chat",
            execution=conversation_id,
            execution_uid=conversation_id,
            attempt=1,
            agent=person.kind.value,
            cap_nanos=self.cap_nanos,
            cap_tokens=None,
            correlation_id=conversation_id,
            issued=now,
            expires=now + 600,
        )
        return sign_execution_key(self.private, claims)


@dataclass(frozen=True)
class ScriptedGateway:
    """A gateway that serves scenarios."""

    url: str
    private: str

    def connection(self, model: str, cap_nanos: int | None = None) -> ModelConnection:
        return ModelConnection(self.url, SignedKeys(self.private, cap_nanos), model, test_seconds=0)

    async def booked(self, conversation: str) -> Frame:
        """What the ledger says of a conversation."""
        token = sign_admin_token(self.private, int(time.time()))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers) as client:
            answer = await client.get(f"/admin/executions/{conversation}")
        assert answer.status_code == 200, answer.text
        found: Frame = answer.json()
        return found


@asynccontextmanager
async def scripted_gateway(folder: Path, scenarios: Path) -> AsyncIterator[ScriptedGateway]:
    """In this process, closed at the end."""
    private, state = new_private_key(), StateFolder(folder)
    state.public_keys.mkdir(parents=True)
    (state.public_keys / "test.pem").write_text(public_pem(private))
    settings = Settings(default_provider="scripted", scenarios_dir=scenarios)
    async with serving(state, settings):
        port = state.gateway_port.read_text().strip()
        yield ScriptedGateway(f"http://{HOST}:{port}", private)


@dataclass
class Talker:
    """A client, and the conversation as its frames make it."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list)
    messages: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    expected: int = 1
    """Answers that its words lead to."""

    async def send(self, **command: JsonValue) -> None:
        await self.socket.send(json.dumps(command))

    async def receive(self) -> Frame:
        """The next frame."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            frame: Frame = json.loads(await self.socket.recv())
        return frame

    async def hear(self) -> Frame:
        """The next frame, applied."""
        frame = await self.receive()
        self.frames.append(frame)
        apply(self.messages, copy.deepcopy(frame))
        return frame

    async def until(self, is_it: Callable[[Frame], bool]) -> Frame:
        while not is_it(frame := await self.hear()):
            pass
        return frame

    async def say(self, text: str, id_: str = "1", **more: JsonValue) -> str:
        """The id of the conversation, which is watched from now on."""
        await self.send(type="say", id=id_, text=text, **more)
        taken = await self.until(lambda each: each["type"] in ("accepted", "refused"))
        assert taken["type"] == "accepted", taken
        conversation = taken["conversation"]
        assert isinstance(conversation, str)
        if "conversation" in more:
            self.expected += 1
        else:
            await self.watch(conversation)
        return conversation

    async def watch(self, conversation: str, cursor: JsonValue = None) -> None:
        await self.send(type="watch", conversation=conversation, cursor=cursor)

    async def answered(self) -> dict[str, JsonValue]:
        """The last answer once it is written."""
        while len(self.answers) < self.expected or self.answers[-1]["state"] == "writing":
            await self.hear()
        return self.answers[-1]

    @property
    def answers(self) -> list[dict[str, JsonValue]]:
        """As far as they are known."""
        return [each for each in self.messages.values() if each["role"] == "assistant"]

    def cursors(self) -> list[int]:
        found = [each["cursor"] for each in self.frames if "cursor" in each]
        return [each for each in found if isinstance(each, int)]


def apply(messages: dict[str, dict[str, JsonValue]], frame: Frame) -> None:
    """As a page does it."""
    match frame:
        case {"type": "conversation", "messages": list(found)}:
            messages.clear()
            messages.update({str(each["id"]): each for each in found if isinstance(each, dict)})
        case {"type": "message", "message": dict(message)}:
            messages[str(message["id"])] = message
        case {"type": "part", "message": str(id_), "index": int(index), "part": dict(part)}:
            parts = parts_of(messages[id_])
            assert index <= len(parts)
            parts[index : index + 1] = [part]
        case {"type": "delta", "message": str(id_), "index": int(index), "text": str(text)}:
            part = parts_of(messages[id_])[index]
            part["text"] = f"{part['text']}{text}"


def parts_of(message: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]]:
    parts = message["parts"]
    assert isinstance(parts, list)
    return parts  # type: ignore[return-value]


def of_type(message: Mapping[str, JsonValue], kind: str) -> list[dict[str, JsonValue]]:
    """Its parts of one type."""
    return [each for each in parts_of(message) if each["type"] == kind]


def text_of(message: Mapping[str, JsonValue]) -> str:
    return "".join(str(each["text"]) for each in of_type(message, "text"))


@asynccontextmanager
async def talking(
    url: str, person: str, headers: Mapping[str, str], language: str = "en"
) -> AsyncIterator[Talker]:
    """A client of that person's workspace."""
    address = f"{url.replace('http', 'ws', 1)}/workspace/{person}?language={language}"
    # No pings: on a crowded machine an answer to one may be late, and a wait has its own deadline.
    async with connect(
        address, additional_headers=headers, max_size=None, ping_interval=None
    ) as socket:
        yield Talker(socket)
