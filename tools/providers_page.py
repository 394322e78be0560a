"""The table of providers in docs/gateway.md, from the classes that speak to them."""

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.providers.catalog import BUILT_IN, SCRIPTED
from heliostat_gateway.providers.http import HttpProvider
from heliostat_gateway.providers.scripted import ScriptedProvider
from tools.sections import table

_DIALECTS = {
    Dialect.MESSAGES: "Anthropic Messages",
    Dialect.CHAT: "OpenAI chat completions",
    Dialect.GEMINI: "Gemini (native)",
}
_HEADER = ("provider", "what", "dialect", "key", "streams", "counts tokens", "prices", "request id")


def build_table() -> str:
    """One row for each provider."""
    return table(_HEADER, [*(_row(each) for each in BUILT_IN), _scripted()])


def _row(kind: type[HttpProvider]) -> tuple[str, ...]:
    key = f"`{kind.key_variable}`" if kind.needs_key else f"`{kind.key_variable}`, optional"
    return (
        f"`{kind.name}`",
        kind.title,
        _DIALECTS[kind.dialect],
        key,
        "yes",
        "yes" if kind.counts_tokens else "no",
        f"genai-prices `{kind.price_id}`" if kind.price_id else "declared in routes.yaml",
        f"`{kind.request_id_header}`" if kind.request_id_header else "none",
    )


def _scripted() -> tuple[str, ...]:
    dialect = _DIALECTS[ScriptedProvider.dialect]
    counts = "yes" if ScriptedProvider.counts_tokens else "no"
    about = ("scenarios, without a network", dialect, "none", "yes", counts, "in the scenario")
    return (f"`{SCRIPTED}`", *about, "`request-id`")
