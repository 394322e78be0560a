"""Requests to Gemini's REST API, read by Google's own types: what they do not know is a mistake."""

from google.genai import types
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from support.recording_proxy import Recorded


class _Body(BaseModel):
    """The parts of a body: types of the SDK, which refuse fields that they do not know."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class GenerateBody(_Body):
    """`generateContent` and `streamGenerateContent`."""

    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None
    generation_config: types.GenerationConfig | None = None
    cached_content: str | None = None


class CountedBody(GenerateBody):
    """A whole request, to be counted."""

    model: str


class CountBody(_Body):
    """`countTokens`."""

    generate_content_request: CountedBody


def read_gemini_request(recorded: Recorded) -> GenerateBody | CountBody:
    """The request in Google's types. Raises ValidationError."""
    assert recorded.headers["content-type"] == "application/json"
    assert recorded.headers["x-goog-api-key"]
    assert "authorization" not in recorded.headers
    path, _, query = recorded.path.partition("?")
    method = path.rpartition(":")[2]
    if method == "countTokens":
        return CountBody.model_validate_json(recorded.body)
    assert (method, query) in {("generateContent", ""), ("streamGenerateContent", "alt=sse")}
    return GenerateBody.model_validate_json(recorded.body)
