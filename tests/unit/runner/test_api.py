"""What an answer of the api means, and how long a pause is."""

from __future__ import annotations

import pytest

from heliostat_runner.api import Answer, Later, Meaning, Never, Position, pause_after, read_answer


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Answer(200, b'{"next":7}'), Position(7)),
        (Answer(409, b'{"next":0}'), Position(0, is_refused=True)),
        (Answer(0), Later()),
        (Answer(500, b"oh"), Later()),
        (Answer(408), Later()),
        (Answer(503, b"", "2"), Later(2.0)),
        (Answer(429, b"", "86400"), Later(60.0)),
        (Answer(429, b"", "Sat, 21 Nov 2026 12:00:00 GMT"), Later()),
        (Answer(401, b"no such key"), Never("the api answered 401: no such key", 401)),
        (Answer(403, b""), Never("the api answered 403: nothing more", 403)),
        (Answer(404, b"x"), Never("the api answered 404: x", 404)),
        (Answer(413, b"x"), Never("the api answered 413: x", 413)),
        (Answer(301, b"moved"), Never("the api answered 301: moved", 301)),
    ],
)
def test_what_an_answer_means(answer: Answer, meaning: Meaning) -> None:
    assert read_answer(answer) == meaning


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"next":true}', b'{"next":-1}', b'{"next":"1"}', b'{"n":1}']
)
def test_a_proxy_that_answers_in_the_apis_place_is_asked_again(body: bytes) -> None:
    assert read_answer(Answer(200, body)) == Later()


def test_pauses_grow_up_to_five_seconds() -> None:
    assert 0.05 <= pause_after(1) <= 0.1
    assert 0.4 <= pause_after(4) <= 0.8
    assert all(2.5 <= pause_after(failures) <= 5 for failures in (7, 50, 10_000))
