"""Errors of providers: their kind, and how each caller reads them."""

from pathlib import Path

import pytest

from heliostat_gateway.dialects import Dialect
from heliostat_gateway.dialects.faults import error_document, error_event, translate_error
from heliostat_json.objects import JsonObject, count_at, object_at
from support.golden import CALLERS, PROVIDERS, compare_object, find_cases, read_object

CASES = [
    pytest.param(case, source, id=f"{source}-{case.stem}")
    for source in PROVIDERS
    for case in find_cases("faults", source)
]


@pytest.mark.parametrize(("case", "source"), CASES)
def test_an_error_is_told_to_every_caller(case: Path, source: Dialect) -> None:
    given = read_object(case)
    status = count_at(given, "status")
    document = object_at(given, "document") or None
    fault = translate_error(status, document, source)
    told: JsonObject = {"kind": fault.kind, "message": fault.message}
    for caller in CALLERS:
        told[caller] = error_document(caller, status, fault.kind, fault.message, "req_9")
    compare_object(case, "fault", told)


def test_a_refused_field_is_the_param_of_a_chat_caller() -> None:
    document = error_document(Dialect.CHAT, 400, "invalid_request_error", "n: no", "req_9", "n")
    assert object_at(document, "error")["param"] == "n"


def test_an_error_ends_a_stream_of_either_caller() -> None:
    assert error_event(Dialect.MESSAGES, "api_error", "Oops", "req_9") == (
        b"event: error\n"
        b'data: {"type":"error","error":{"type":"api_error","message":"Oops"},'
        b'"request_id":"req_9"}\n\n'
    )
    assert error_event(Dialect.CHAT, "overloaded_error", "Oops", "req_9") == (
        b'data: {"error":{"message":"Oops","type":"server_error","param":null,'
        b'"code":"overloaded"},"request_id":"req_9"}\n\n'
    )


def test_gemini_is_nobodys_language_to_the_gateway() -> None:
    with pytest.raises(ValueError, match="never a caller"):
        error_document(Dialect.GEMINI, 400, "api_error", "x", "r")


@pytest.mark.parametrize(
    ("source", "status", "error"),
    [
        (
            Dialect.MESSAGES,
            400,
            {
                "type": "invalid_request_error",
                "message": "prompt is too long: 9 > 8",
            },
        ),
        (Dialect.CHAT, 400, {"code": "context_length_exceeded", "message": "Too many tokens."}),
        (
            Dialect.CHAT,  # of a server that gives no code
            400,
            {
                "type": "invalid_request_error",
                "message": "The maximum context length is 8.",
            },
        ),
        (
            Dialect.GEMINI,
            400,
            {
                "status": "INVALID_ARGUMENT",
                "message": "The input token count (9) exceeds the maximum number of tokens (8).",
            },
        ),
    ],
)
def test_a_prompt_that_is_too_long_is_known_by_the_clients_of_each_dialect(
    source: Dialect, status: int, error: JsonObject
) -> None:
    """OpenAI's clients read the code; Claude Code reads the words, and then compacts."""
    fault = translate_error(status, {"error": error}, source)
    chat = object_at(error_document(Dialect.CHAT, status, fault.kind, fault.message, "r"), "error")
    assert (chat["type"], chat["code"]) == ("invalid_request_error", "context_length_exceeded")
    assert fault.message.count("prompt is too long") == 1


def test_other_mistakes_are_no_matter_of_length() -> None:
    document = error_document(Dialect.CHAT, 400, "invalid_request_error", "tools: bad", "r")
    assert object_at(document, "error")["code"] is None
