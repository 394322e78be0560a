"""What the gateway's OpenAPI says of model calls. The dialects are their owners': loose on purpose.

Fields that are not named here pass too (docs/gateway.md, Pass-through).
"""

from fastapi import FastAPI
from pydantic import JsonValue

from heliostat_json.objects import JsonObject

_TEXT: JsonObject = {"type": "string"}
_ANY_OBJECT: JsonObject = {"type": "object", "additionalProperties": True}
_EVENT: JsonObject = {
    "type": "object",
    "description": "One server-sent event; `data` is JSON of the dialect, or [DONE].",
    "properties": {"event": _TEXT, "data": _TEXT},
}
_COUNT: JsonObject = {"type": "integer", "minimum": 0}

_MESSAGE_TURN: JsonObject = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {
        "role": {"type": "string"},
        "content": {"anyOf": [_TEXT, {"type": "array", "items": _ANY_OBJECT}]},
    },
}
_COUNT_FIELDS: JsonObject = {
    "model": {"type": "string", "minLength": 1, "maxLength": 250},
    "messages": {"type": "array", "items": _MESSAGE_TURN},
    "system": {"anyOf": [_TEXT, {"type": "array", "items": _ANY_OBJECT}]},
    "tools": {"type": "array", "items": _ANY_OBJECT},
    "tool_choice": _ANY_OBJECT,
    "thinking": _ANY_OBJECT,
}
COUNT_REQUEST: JsonObject = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": _COUNT_FIELDS,
    "additionalProperties": True,
}
MESSAGES_REQUEST: JsonObject = {
    "type": "object",
    "required": ["model", "max_tokens", "messages"],
    "properties": {
        **_COUNT_FIELDS,
        "max_tokens": {"type": "integer", "minimum": 1},
        "stream": {"type": "boolean"},
        "stop_sequences": {"type": "array", "items": _TEXT},
        "output_config": _ANY_OBJECT,
        "metadata": _ANY_OBJECT,
    },
    "additionalProperties": True,
}
CHAT_REQUEST: JsonObject = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "minLength": 1, "maxLength": 250},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["role"],
                "properties": {"role": {"type": "string"}},
                "additionalProperties": True,
            },
        },
        "stream": {"type": "boolean"},
        "stream_options": _ANY_OBJECT,
        "max_completion_tokens": {"type": "integer", "minimum": 1},
        "max_tokens": {"type": "integer", "minimum": 1},
        "tools": {"type": "array", "items": _ANY_OBJECT},
        "response_format": _ANY_OBJECT,
    },
    "additionalProperties": True,
}
MESSAGES_ANSWER: JsonObject = {
    "type": "object",
    "required": ["type", "role", "content", "usage"],
    "properties": {
        "id": _TEXT,
        "type": {"const": "message"},
        "role": {"const": "assistant"},
        "model": _TEXT,
        "content": {"type": "array", "items": _ANY_OBJECT},
        "stop_reason": {"type": ["string", "null"]},
        "usage": _ANY_OBJECT,
    },
    "additionalProperties": True,
}
CHAT_ANSWER: JsonObject = {
    "type": "object",
    "required": ["object", "choices"],
    "properties": {
        "id": _TEXT,
        "object": {"const": "chat.completion"},
        "model": _TEXT,
        "choices": {"type": "array", "items": _ANY_OBJECT},
        "usage": _ANY_OBJECT,
    },
    "additionalProperties": True,
}
COUNT_ANSWER: JsonObject = {
    "type": "object",
    "required": ["input_tokens"],
    "properties": {"input_tokens": _COUNT},
    "additionalProperties": True,
}
MESSAGES_ERROR: JsonObject = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": _TEXT, "message": _TEXT},
            "additionalProperties": True,
        },
        "request_id": {"type": ["string", "null"]},
    },
    "additionalProperties": True,
}
CHAT_ERROR: JsonObject = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "message": _TEXT,
                "type": {"type": ["string", "null"]},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "integer", "null"]},
            },
            "additionalProperties": True,
        }
    },
    "additionalProperties": True,
}
MODEL_LIST: JsonObject = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
        "object": {"const": "list"},
        "has_more": {"type": "boolean"},
        "first_id": {"type": ["string", "null"]},
        "last_id": {"type": ["string", "null"]},
    },
}
MODEL: JsonObject = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": _TEXT,
        "type": {"const": "model"},
        "display_name": _TEXT,
        "created_at": {"type": "string", "format": "date-time"},
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": _TEXT,
    },
}
_SCHEMAS: dict[str, JsonValue] = {
    "ChatAnswer": CHAT_ANSWER,
    "ChatError": CHAT_ERROR,
    "ChatRequest": CHAT_REQUEST,
    "CountAnswer": COUNT_ANSWER,
    "CountRequest": COUNT_REQUEST,
    "MessagesAnswer": MESSAGES_ANSWER,
    "MessagesError": MESSAGES_ERROR,
    "MessagesRequest": MESSAGES_REQUEST,
    "Model": MODEL,
    "ModelList": MODEL_LIST,
}
_SECURITY: JsonObject = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key as a bearer token."},
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same key, as Anthropic's SDKs send it.",
    },
}


def describe_call(request: str, answer: str, error: str, *, streams: bool) -> JsonObject:
    """What one model endpoint takes and gives, by names of schemas."""
    content = _json(answer)
    if streams:
        content["text/event-stream"] = {"schema": _EVENT}
    return {
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {
            "200": {"description": "The answer.", "content": content},
            **{str(status): each for status, each in _failures(_json(error)).items()},
        },
    }


def describe_listing(answer: str) -> dict[int | str, JsonObject]:
    """What a listing gives; both its answer and its errors are in the asker's dialect."""
    either: JsonObject = {
        "application/json": {"schema": {"anyOf": [_ref("MessagesError"), _ref("ChatError")]}}
    }
    found: JsonObject = {"description": "In the asker's dialect.", "content": _json(answer)}
    return {"200": found, **_failures(either)}


class DescribedApp(FastAPI):
    """An app whose OpenAPI also says what FastAPI can't know: the dialects' schemas, the keys."""

    def openapi(self) -> dict[str, JsonValue]:
        """The document; written when it is first asked for."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        written = super().openapi()
        components = written.setdefault("components", {})
        components.setdefault("schemas", {}).update(_SCHEMAS)
        components["securitySchemes"] = _SECURITY
        for path, operations in written["paths"].items():
            if path.startswith(("/v1/", "/admin/")):
                for operation in operations.values():
                    operation["security"] = [{"bearer": []}, {"apiKey": []}]
        return written


def _failures(content: JsonObject) -> dict[int | str, JsonObject]:
    return {
        "4XX": {"description": "Refused, here or by the provider.", "content": content},
        "5XX": {"description": "No provider gave an answer.", "content": content},
    }


def _json(schema: str) -> JsonObject:
    return {"application/json": {"schema": _ref(schema)}}


def _ref(schema: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{schema}"}
