"""Who delivers: the key of this very attempt, signed by the operator."""

import time
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from heliostat_api.ingest.keyring import Keyring
from heliostat_api.web.problems import ProblemError
from support.deliveries import NOW, Signer, make_claims

CLAIMS = make_claims("u-1")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "keys")


def make_keyring(signer: Signer) -> Keyring:
    return Keyring(signer.folder, NOW.timestamp)


def refusal(keyring: Keyring, authorization: str | None) -> tuple[HTTPStatus, str]:
    with pytest.raises(ProblemError) as refused:
        keyring.claims(authorization, "u-1", 1)
    return refused.value.status, str(refused.value)


def test_the_operators_key_opens_its_own_attempt_only(signer: Signer) -> None:
    signer.publish()
    keyring = make_keyring(signer)
    key = f"Bearer {signer.sign(CLAIMS)}"
    assert keyring.claims(key, "u-1", 1) == CLAIMS
    for uid, attempt in (("u-1", 2), ("u-2", 1)):
        with pytest.raises(ProblemError) as refused:
            keyring.claims(key, uid, attempt)
        assert refused.value.status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer  ", "Basic eDp5", "Bearer x"]
)
def test_what_is_no_key_is_refused(signer: Signer, authorization: str | None) -> None:
    signer.publish()
    status, words = refusal(make_keyring(signer), authorization)
    assert status == HTTPStatus.UNAUTHORIZED
    assert "Use the key that the operator gave to this attempt." in words


def test_a_strangers_and_an_expired_key_are_refused(signer: Signer, tmp_path: Path) -> None:
    signer.publish()
    keyring = make_keyring(signer)
    stranger = Signer(tmp_path / "stranger").sign(CLAIMS)
    expired = signer.sign(make_claims("u-1", issued=NOW - timedelta(hours=1), seconds=3600))
    assert refusal(keyring, f"Bearer {stranger}")[0] == HTTPStatus.UNAUTHORIZED
    assert refusal(keyring, f"Bearer {expired}")[0] == HTTPStatus.UNAUTHORIZED


def test_a_public_key_may_come_later(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = make_keyring(signer)
    key = f"Bearer {signer.sign(CLAIMS)}"
    status, words = refusal(keyring, key)
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "holds no public key" in words
    signer.publish()
    later = time.monotonic() + 2  # the folder is read once a second
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert keyring.claims(key, "u-1", 1) == CLAIMS


def test_a_file_that_is_no_public_key_does_no_harm(
    signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    signer.publish()
    (signer.folder / "broken.pem").write_text("-----BEGIN NOTHING-----")
    key = f"Bearer {signer.sign(CLAIMS)}"
    assert make_keyring(signer).claims(key, "u-1", 1) == CLAIMS
    assert "broken.pem is not used" in caplog.text
