"""Signatures: those of the standards' own examples, and nothing else."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_api.webhooks.signatures import (
    TOLERANCE,
    is_signed,
    is_signed_for_github,
    key_of,
    new_secret,
    sign,
)

# From the documentation of GitHub and of Standard Webhooks.
HUB = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_examples_of_the_standards() -> None:
    assert is_signed_for_github("It's a Secret to Everybody", HUB, b"Hello, World!")
    assert sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY) == SIGNED
    assert is_signed(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", SIGNED, BODY, AT)


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=60), st.binary(max_size=40))
def test_whatever_else_comes_is_refused(
    message: str, stamp: str, signature: str, body: bytes
) -> None:
    assert not is_signed(SECRET, message, stamp, signature, body, AT)
    assert not is_signed_for_github(SECRET, signature, body)


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_timestamp_is_believed_for_its_tolerance_in_the_past_and_in_the_future(
    direction: int,
) -> None:
    edge = int(TOLERANCE.total_seconds())
    for seconds, taken in ((edge, True), (edge + 1, False)):
        stamp = 1614265330 + direction * seconds
        signed = sign(SECRET, "m", stamp, BODY)
        assert is_signed(SECRET, "m", str(stamp), signed, BODY, AT) is taken


def test_one_of_several_signatures_is_enough() -> None:
    secret = new_secret()
    signed = sign(secret, "m", 1614265330, BODY)
    assert is_signed(
        secret, "m", "1614265330", f"v1a,x {sign(SECRET, 'm', 1, BODY)} {signed}", BODY, AT
    )
    assert not is_signed(secret, "m", "1614265330", signed.replace("v1,", "v2,"), BODY, AT)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "whsec_" + "YWJj" * 7,
        "whsec_äöü",
        "whsec_?",
    ],
)
def test_a_secret_that_could_be_guessed_or_read_otherwise_is_none(secret: str) -> None:
    with pytest.raises(ValueError, match="random bytes"):
        key_of(secret)


def test_new_secrets_differ_and_hold_32_bytes() -> None:
    secrets = {new_secret() for _ in range(50)}
    assert len(secrets) == 50
    assert {len(base64.b64decode(each.removeprefix("whsec_"))) for each in secrets} == {32}
