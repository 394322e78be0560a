"""Log lines are JSON whatever is in them, say what they are about, and hold no secret."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.keys import new_private_key
from heliostat_telemetry.lines import (
    JsonLines,
    TextLines,
    add_to_lines,
    begin_lines,
    mask,
    subject_of_lines,
)
from support.log_lines import read_lines

SECRETS = {
    "provider": "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "ours": "hsk_0123456789abcdef_ABCDEFGHIJKLMNOPQRSTUV",
    "google": "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "token": "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0aaaaaaa.c2lnbmF0dXJl",
    "password": "correct-horse",
    "bearer": "abcdefgh12345678",
}
MESSAGES = {
    "provider": "401 from anthropic for {}",
    "ours": "key {} is revoked",
    "google": "x-goog-api-key: {}",
    "token": "refused {}",
    "password": "redis://:{}@redis:6379/0 does not answer",
    "bearer": "Authorization: Bearer {}",
}


@pytest.fixture(autouse=True)
def _no_subject() -> Iterator[None]:
    begin_lines()
    yield
    begin_lines()


def record(message: str, *arguments: object, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("a.b", logging.WARNING, "f", 1, message, arguments, info)
    return JsonLines().format(made)


@given(st.text())
def test_any_text_is_one_line_of_json(text: str) -> None:
    line = record("%s", text)
    assert "\n" not in line
    (found,) = read_lines(line + "\n")
    assert found["level"] == "warning"
    assert found["message"] == mask(text)


def test_an_error_is_in_the_same_line() -> None:
    try:
        raise ValueError("first\nsecond \udc80")
    except ValueError as error:
        line = record("it failed", error=error)
    assert "\n" not in line
    assert "second" in json.loads(line)["error"]


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_is_not_written(kind: str) -> None:
    secret = SECRETS[kind]
    words = MESSAGES[kind].format(secret)
    error = RuntimeError(words)
    written = record(words, error=error)
    people = TextLines().format(
        logging.LogRecord("a", logging.ERROR, "f", 1, "%s", (words,), (type(error), error, None))
    )
    assert secret not in written
    assert secret not in people
    assert "***" in json.loads(written)["message"]


def test_a_private_key_is_not_written() -> None:
    pem = new_private_key()
    assert pem.splitlines()[1] not in record("%s", pem)


@pytest.mark.parametrize(
    "words",
    [
        "Execution default/sales-1 failed 3 times",
        "http://heliostat-gateway.heliostat-system:8081/v1/messages",
        "task-with-a-long-name-and-more-words",
        "key-rotation",
        sys.version,
    ],
)
def test_ordinary_words_stay(words: str) -> None:
    assert mask(words) == words


async def test_each_task_has_a_subject_of_its_own() -> None:
    async def work(name: str) -> dict[str, str]:
        begin_lines(execution=name)
        await asyncio.sleep(0)
        add_to_lines(correlationId=f"c-{name}", empty="")
        return subject_of_lines()

    first, second = await asyncio.gather(work("a"), work("b"))
    assert first == {"execution": "a", "correlationId": "c-a"}
    assert second == {"execution": "b", "correlationId": "c-b"}
    assert "execution" not in json.loads(record("nobody's"))
