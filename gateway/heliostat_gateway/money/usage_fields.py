"""The fields of providers' usage objects: what each means for the price.

The table in docs/finops.md is made from these rows. What is in none of them and is not zero marks
the answer: it may have cost more than the price book knows.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class UsageField:
    """One field; in `path`, `[]` stands for each entry of a list and a last `*` for all below."""

    path: str
    price: str  # in words, for people


_MODALITIES: Final = (
    "their own price where the model has one (audio, image, video), else that of the count that "
    "they are a part of. Audio without a price of its own is marked, but for Gemini, whose table "
    "names it only where it differs"
)

MESSAGES: Final = (
    UsageField("input_tokens", "input, at the tier of the whole input"),
    UsageField("output_tokens", "output"),
    UsageField("output_tokens_details.thinking_tokens", "a part of the output"),
    UsageField("cache_read_input_tokens", "cache read"),
    UsageField("cache_creation_input_tokens", "cache write, 5 minutes, for what is not split"),
    UsageField("cache_creation.ephemeral_5m_input_tokens", "cache write, 5 minutes"),
    UsageField("cache_creation.ephemeral_1h_input_tokens", "cache write, 1 hour"),
    UsageField("server_tool_use.web_search_requests", "web searches, by the thousand"),
    UsageField("server_tool_use.web_fetch_requests", "nothing; what was fetched is input"),
    UsageField("service_tier", "`batch` at its price; `priority` is sold by contract: marked"),
    UsageField("speed", "`fast` at the price of fast mode; marked where the model has none"),
    UsageField("inference_geo", "`us`: 1.1 times the price of every token; others are marked"),
    UsageField("iterations[].type", "each iteration at its own size; an unknown type is marked"),
    UsageField("iterations[].model", "the price of that model; one without a price is marked"),
    UsageField("iterations[].input_tokens", "input"),
    UsageField("iterations[].output_tokens", "output"),
    UsageField("iterations[].cache_read_input_tokens", "cache read"),
    UsageField("iterations[].cache_creation_input_tokens", "cache write, 5 minutes"),
    UsageField("iterations[].cache_creation.ephemeral_5m_input_tokens", "cache write, 5 minutes"),
    UsageField("iterations[].cache_creation.ephemeral_1h_input_tokens", "cache write, 1 hour"),
    UsageField("fallback_credit.*", "`redeemed` changes the price, but not by how much: marked"),
)
CHAT: Final = (
    UsageField("prompt_tokens", "input, at the tier of the whole prompt"),
    UsageField("completion_tokens", "output"),
    UsageField("total_tokens", "nothing; more than prompt and completion is marked"),
    UsageField("prompt_tokens_details.cached_tokens", "cache read"),
    UsageField("prompt_tokens_details.cache_write_tokens", "cache write"),
    UsageField("prompt_tokens_details.text_tokens", "input"),
    UsageField("prompt_tokens_details.audio_tokens", _MODALITIES),
    UsageField("prompt_tokens_details.image_tokens", "as audio; without a price as input"),
    UsageField("prompt_tokens_details.video_tokens", "as image"),
    UsageField("prompt_tokens_details.cached_tokens_details.text_tokens", "cache read"),
    UsageField("prompt_tokens_details.cached_tokens_details.audio_tokens", "cache read of audio"),
    UsageField("prompt_tokens_details.cached_tokens_details.image_tokens", "cache read of images"),
    UsageField("completion_tokens_details.reasoning_tokens", "a part of the output"),
    UsageField("completion_tokens_details.text_tokens", "output"),
    UsageField("completion_tokens_details.audio_tokens", "output of audio"),
    UsageField("completion_tokens_details.image_tokens", "output of images"),
    UsageField("completion_tokens_details.accepted_prediction_tokens", "a part of the output"),
    UsageField("completion_tokens_details.rejected_prediction_tokens", "a part of the output"),
    UsageField("cached_tokens", "cache read (Moonshot)"),
    UsageField("prompt_cache_hit_tokens", "cache read (DeepSeek)"),
    UsageField("prompt_cache_miss_tokens", "input (DeepSeek)"),
    UsageField("cost", "OpenRouter: what it charged, booked as it is"),
    UsageField("cost_details.*", "with `is_byok`: what the upstream charges beside `cost`"),
    UsageField("is_byok", "the upstream's charge comes on top of `cost`"),
    UsageField("server_tool_use.web_search_requests", "web searches, by the thousand"),
    UsageField("queue_time", "nothing: seconds (Groq)"),
    UsageField("prompt_time", "nothing: seconds (Groq)"),
    UsageField("completion_time", "nothing: seconds (Groq)"),
    UsageField("total_time", "nothing: seconds (Groq)"),
)
GEMINI: Final = (
    UsageField("promptTokenCount", "input, at the tier of the whole prompt"),
    UsageField("cachedContentTokenCount", "cache read"),
    UsageField("toolUsePromptTokenCount", "input"),
    UsageField("candidatesTokenCount", "output"),
    UsageField("thoughtsTokenCount", "output"),
    UsageField("totalTokenCount", "nothing; more than the counts is marked"),
    UsageField("promptTokensDetails[].modality", _MODALITIES),
    UsageField("promptTokensDetails[].tokenCount", "input of that modality"),
    UsageField("cacheTokensDetails[].modality", "as of the prompt"),
    UsageField("cacheTokensDetails[].tokenCount", "cache read of that modality"),
    UsageField("toolUsePromptTokensDetails[].modality", "as of the prompt"),
    UsageField("toolUsePromptTokensDetails[].tokenCount", "input of that modality"),
    UsageField("candidatesTokensDetails[].modality", "as of the prompt"),
    UsageField("candidatesTokensDetails[].tokenCount", "output of that modality"),
    UsageField("trafficType", "flex and priority at their price; marked where there is none"),
    UsageField("serviceTier", "as `trafficType`"),
)
# What stands beside the usage object and changes the price all the same.
BESIDE_CHAT: Final = (
    UsageField("service_tier", "`flex`, `priority`, `fast` at their price; marked without one"),
    UsageField("choices[].message.annotations", "a web search, which usage does not count: marked"),
)
BESIDE_GEMINI: Final = (
    UsageField("groundingMetadata.webSearchQueries", "web searches, by the thousand"),
    UsageField("groundingMetadata.groundingChunks[].maps", "Google Maps has no price here: marked"),
)


def known_paths(fields: tuple[UsageField, ...]) -> frozenset[str]:
    """The paths of a table, for `unknown_fields`."""
    return frozenset(each.path for each in fields)
