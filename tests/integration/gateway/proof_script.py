"""What the provider plays in the proof: a word for each provider in the prompt, usage at random.

The prompt says for each provider what it plays (`m=kinds c=500 g=still-text`), so that a request
is the same whoever answers it, and whichever gateway asks.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

# By letter: the provider of the gateway.
PROVIDERS = {"m": "anthropic", "c": "openai", "g": "gemini"}
# By provider of the gateway: its dialect as the bill calls it.
DIALECTS = {"messages": "anthropic", "chat": "openai", "gemini": "gemini"}
CHAINS = ("m", "c", "g", "mc", "cm", "mg", "gm", "cg", "gc", "mcg", "cgm", "gmc", "dm", "dcg")
PAUSE = "(I pause here)"  # the last that is shown before a stall
GOOD = ("plain", "kinds", "tool", "long")
FREE = ("429", "429-bare", "500", "503", "529", "403", "408", "500-once")
REJECTED = ("400", "413", "422")
BROKEN = (
    "cut-before-first-byte",
    "cut-before-first-token",
    "cut-after-first-token",
    "cut-later",
    "cut-once",
    "bad-json",
    "bad-json-later",
    "error-event",
    "error-event-first",
    "wrong-content-type",
    "no-final-usage",
    "no-end",
    "slow-first-token",
)
# A client leaves while the provider stands still: then both have seen the same.
SHOWING_STILLS = ("still-text", "still-thought", "still-tool")
SILENT_STILLS = ("still-before", "still-start")
_LONG = "Grüße an alle 😀, die hier zählen: Ωμέγα kostet so viel wie omega. "
_TEXT = {"text": "The sun is 150 million kilometres away."}
_CALL = {"name": "Look", "input": {"place": "Zürich 😀", "depth": 3, "why": "so that it is long"}}


def steps_of(word: str) -> list[dict[str, object]]:
    """The answer, as far as it comes."""
    stall: dict[str, object] = {"stall": True}
    match word:
        case "kinds":
            return [{"thinking": "I look this up, word by word."}, dict(_TEXT)]
        case "tool" | "error-event" | "cut-later":
            return [dict(_TEXT), {"tool": _CALL}]
        case "long" | "bad-json-later" | "no-final-usage":
            return [{"thinking": "How long? Very."}, {"text": _LONG * 4}]
        case "still-before":
            return [stall, dict(_TEXT)]
        case "still-text":
            return [{"text": _LONG}, {"text": PAUSE}, stall]
        case "still-thought":
            return [{"thinking": _LONG}, {"text": PAUSE}, stall, dict(_TEXT)]
        case "still-tool":
            return [dict(_TEXT), {"tool": {"name": "Look", "input": {"place": PAUSE}}}, stall]
        case _:
            return [{"text": _LONG}, dict(_TEXT)]


def fault_of(word: str) -> dict[str, object] | None:
    """The fault that spoils it."""
    match word:
        case "still-start":
            return {"name": "stall", "after": 0}
        case "429":
            return {"name": word, "after": 0.2}
        case "slow-first-token":
            return {"name": word, "after": 0.05}
        case "500-once":
            return {"status": 500, "times": 1}
        case "cut-once":
            return {"name": "cut-before-first-token", "times": 1}
        case "cut-later":
            return {"name": "cut-after-first-token", "after": 3}
        case "bad-json-later":
            return {"name": "bad-json", "after": 4}
        case "error-event-first":
            return {"name": "error-event", "after": 0}
    known = word in FREE or word in REJECTED or word in BROKEN
    return {"name": word} if known else None


@dataclass(frozen=True)
class Account:
    """Who asks: an execution, or the owner of a service key. Its models are its own."""

    name: str
    weight: int = 10
    is_execution: bool = True
    cap_nanos: int | None = None
    cap_tokens: int | None = None
    key: dict[str, object] = field(default_factory=dict)  # of a service key
    is_strict: bool = False


def build_scenario(
    letter: str, prices: dict[str, str], chance: Random, *, counted: bool
) -> dict[str, object]:
    """A scenario of one account at one provider.

    A strict key relies on tokens that the request's bytes can hold: these are `counted`.
    """
    words = (*GOOD, *FREE, *REJECTED, *BROKEN, *SHOWING_STILLS, *SILENT_STILLS)
    turns = []
    for word in words:
        turn: dict[str, object] = {
            "name": word,
            "when": {"said": rf"\b{letter}={word}(?![-\w])"},
            "steps": steps_of(word),
        }
        if not counted:
            turn["usage"] = _usage(word, chance)
        if (fault := fault_of(word)) is not None:
            turn["fault"] = fault
        turns.append(turn)
    return {"description": "Of the proof.", "prices": prices, "turns": turns}


def write_script(folder: Path, accounts: list[Account], chance: Random) -> None:
    """`scenarios/` and `routes.yaml`: for each account models, chains and prices of its own."""
    (folder / "scenarios").mkdir()
    prices: dict[str, dict[str, str]] = {"dead/none": {"input": "1", "output": "1"}}
    models: dict[str, object] = {}
    for account in accounts:
        for letter, provider in PROVIDERS.items():
            target = f"{account.name}-{letter}"
            price = _prices(chance)
            routed = dict(price)
            routed["webSearch"] = routed.pop("webSearches")
            prices[f"{provider}/{target}"] = routed
            scenario = build_scenario(letter, price, chance, counted=account.is_strict)
            text = json.dumps(scenario, ensure_ascii=False)
            (folder / "scenarios" / f"{target}.yaml").write_text(text)
        models |= dict(_models(account))
    routes = {
        "providers": {"dead": {"baseUrl": "http://127.0.0.1:1/v1"}},
        "prices": prices,
        "models": models,
    }
    (folder / "routes.yaml").write_text(json.dumps(routes, indent=1))


def _models(account: Account) -> Iterator[tuple[str, object]]:
    for chain in CHAINS:
        hops = [
            {"provider": PROVIDERS.get(letter, "dead"), "model": _target(account, letter)}
            for letter in chain
        ]
        yield f"{account.name}.{chain}", {"chain": hops}
        if chain == "mc":
            short = {"firstTokenSeconds": 2, "idleSeconds": 2}
            yield f"{account.name}.short", {"chain": hops, "timeouts": short}


def _target(account: Account, letter: str) -> str:
    return "none" if letter == "d" else f"{account.name}-{letter}"


def _prices(chance: Random) -> dict[str, str]:
    """Odd decimals, so that almost every cost is rounded."""
    most = {
        "input": 5,
        "output": 30,
        "cacheRead": 1,
        "cacheWrite5m": 6,
        "cacheWrite1h": 9,
        "webSearches": 12,
    }
    return {
        kind: f"{chance.randrange(top * 10**5, top * 10**6) / 10**6:.6f}"
        for kind, top in most.items()
    }


def _usage(word: str, chance: Random) -> dict[str, int]:
    """Never below what the rule for estimates would count, so that an early end costs less."""
    found = {"input": chance.randrange(1200, 6000), "output": chance.randrange(150, 900)}
    if word == "kinds":
        found |= {
            "cacheRead": chance.randrange(9000),
            "cacheWrite5m": chance.randrange(3000),
            "cacheWrite1h": chance.randrange(3000),
            "thinking": chance.randrange(100),
            "webSearches": chance.randrange(4),
        }
    elif chance.random() < 0.5:
        found |= {"cacheRead": chance.randrange(9000), "cacheWrite5m": chance.randrange(900)}
    return found
