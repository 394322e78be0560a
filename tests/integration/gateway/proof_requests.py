"""The random requests of the proof, and what their clients do."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from .proof_script import (
    BROKEN,
    CHAINS,
    FREE,
    GOOD,
    REJECTED,
    SHOWING_STILLS,
    SILENT_STILLS,
    Account,
)

_WORDS = [
    "pay",
    "each",
    "token",
    "once",
    "ßüö",
    "😀",
    "größer",
    "und",
    "schöner",
    "as",
    "it",
    "was",
    "told",
]
_TOOL = {"type": "object", "properties": {"place": {"type": "string"}}}


class Leaving(StrEnum):
    """When the client goes before its answer is whole."""

    NEVER = "never"
    PAUSED = "paused"  # the provider stands still, and the client has read all of it
    SILENT = "silent"  # the provider stands still, and the client has read nothing
    ANYWHERE = "anywhere"  # bytes may be on their way


@dataclass(frozen=True)
class Wanted:
    """One request."""

    name: str  # unique; on the bill as execution, in the ledger as session
    account: Account
    chat: bool
    stream: bool
    chain: str
    words: dict[str, str]  # by letter: what each provider plays
    filler: str
    max_tokens: int
    tools: bool
    leaving: Leaving
    moment: float  # seconds, for ANYWHERE
    replica: int
    attempt: int

    @property
    def path(self) -> str:
        """Of the endpoint."""
        return "/v1/chat/completions" if self.chat else "/v1/messages"

    def document(self) -> dict[str, object]:
        """The body."""
        said = " ".join(f"{letter}={word}" for letter, word in self.words.items())
        messages = [{"role": "user", "content": f"{said} {self.filler}"}]
        found: dict[str, object] = {"model": f"{self.account.name}.{self.chain}"}
        if self.stream:
            found["stream"] = True
        found |= {"max_tokens": self.max_tokens, "messages": messages}
        if self.tools and self.chat:
            function = {"name": "Look", "description": "Looks.", "parameters": _TOOL}
            found["tools"] = [{"type": "function", "function": function}]
        elif self.tools:
            found["tools"] = [{"name": "Look", "description": "Looks.", "input_schema": _TOOL}]
        if self.chat and self.stream and len(self.filler) % 2:
            found["stream_options"] = {"include_usage": True}
        return found


def random_requests(count: int, accounts: list[Account], chance: Random) -> list[Wanted]:
    """The same for the same seed."""
    weights = [account.weight for account in accounts]
    return [
        _request(f"r{number:05}", chance.choices(accounts, weights)[0], chance)
        for number in range(count)
    ]


def _request(name: str, account: Account, chance: Random) -> Wanted:
    stream = chance.random() < 0.65
    chain = chance.choice(CHAINS)
    words = {letter: _word(chance) for letter in chain if letter != "d"}
    leaving, moment, most = Leaving.NEVER, 0.0, chance.choice([5, 60, 1000, 1000])
    kind = chance.random()
    if kind < 0.09:
        leaving, most = (Leaving.PAUSED if stream else Leaving.SILENT), 1000
        if stream and chance.random() < 0.3:
            leaving = Leaving.SILENT
        words = _ending_in_a_still(words, leaving, stream, chance)
    elif kind < 0.12:
        leaving, moment = Leaving.ANYWHERE, chance.random() * 0.08
    elif kind < 0.127:
        chain, most, stream = "short", 1000, True
        words = {"m": chance.choice(("still-text", "still-before")), "c": "plain"}
    return Wanted(
        name=name,
        account=account,
        chat=chance.random() < 0.5,
        stream=stream,
        chain=chain,
        words=words,
        filler=" ".join(chance.choice(_WORDS) for _ in range(chance.randrange(1, 40))),
        max_tokens=most,
        tools=chance.random() < 0.25,
        leaving=leaving,
        moment=moment,
        replica=chance.randrange(2),
        attempt=chance.choice([1, 1, 2]),
    )


def _word(chance: Random) -> str:
    kind = chance.random()
    if kind < 0.66:
        return chance.choice(GOOD)
    if kind < 0.8:
        return chance.choice(FREE)
    return chance.choice(BROKEN) if kind < 0.98 else chance.choice(REJECTED)


def _ending_in_a_still(
    words: dict[str, str], leaving: Leaving, stream: bool, chance: Random
) -> dict[str, str]:
    stills: tuple[str, ...] = SHOWING_STILLS if leaving is Leaving.PAUSED else SILENT_STILLS
    if not stream:
        stills = (*SHOWING_STILLS, *SILENT_STILLS)
    letters = list(words)
    last = chance.randrange(len(letters))
    return {
        letter: chance.choice(stills) if place >= last else chance.choice(FREE)
        for place, letter in enumerate(letters)
    }
