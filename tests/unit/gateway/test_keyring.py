"""Execution keys and admin tokens: which are refused, and with what words."""

import time
from pathlib import Path

import pytest

from heliostat_core.keys import (
    execution_claims,
    new_private_key,
    public_pem,
    sign_admin_token,
    sign_execution_key,
)
from heliostat_gateway.access.keyring import KeyRing
from heliostat_gateway.errors import RefusalError

NOW = 1_800_000_000


def key(private: str, *, expires: int = NOW + 60) -> str:
    return sign_execution_key(
        private,
        execution_claims(
            namespace="default",
            execution="sales-1",
            execution_uid="uid-1",
            attempt=2,
            agent="sales",
            cap_nanos=5,
            cap_tokens=None,
            correlation_id="c",
            issued=NOW,
            expires=expires,
        ),
    )


@pytest.fixture
def private(tmp_path: Path) -> str:
    pem = new_private_key()
    (tmp_path / "one.pem").write_text(public_pem(pem))
    return pem


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path, clock=lambda: float(NOW))


def refusal(ring: KeyRing, headers: dict[str, str]) -> str:
    with pytest.raises(RefusalError) as caught:
        ring.caller(headers)
    assert (caught.value.status, caught.value.kind) == (401, "authentication_error")
    assert caught.value.headers == {"x-should-retry": "false"}
    return caught.value.message


def test_both_headers_are_accepted(ring: KeyRing, private: str) -> None:
    token = key(private)
    assert ring.caller({"x-api-key": token}).key == "uid-1/2"
    assert ring.caller({"authorization": f"Bearer {token}"}).caps.cost_nanos == 5


def test_no_key(ring: KeyRing) -> None:
    assert "No API key" in refusal(ring, {})
    assert "No API key" in refusal(ring, {"authorization": "Basic x"})


def test_expired(ring: KeyRing, private: str) -> None:
    assert "expired" in refusal(ring, {"x-api-key": key(private, expires=NOW)})


def test_tampered(ring: KeyRing, private: str) -> None:
    head, body, signature = key(private).split(".")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert "not valid" in refusal(ring, {"x-api-key": f"{head}.{body}.{flipped}"})


def test_of_another_operator(ring: KeyRing, private: str) -> None:
    assert private
    assert "does not know" in refusal(ring, {"x-api-key": key(new_private_key())})


def test_no_heliostat_key_at_all(ring: KeyRing, private: str) -> None:
    assert private
    assert "not a Heliostat key" in refusal(ring, {"x-api-key": "sk-ant-something"})


def test_an_admin_token_makes_no_model_call(ring: KeyRing, private: str) -> None:
    assert "not valid" in refusal(ring, {"x-api-key": sign_admin_token(private, NOW)})


def test_an_execution_key_opens_no_admin_page(ring: KeyRing, private: str) -> None:
    ring.admin({"authorization": f"Bearer {sign_admin_token(private, NOW)}"})
    with pytest.raises(RefusalError, match="operator's own token"):
        ring.admin({"authorization": f"Bearer {key(private)}"})


def test_before_any_key_exists_the_words_say_so(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "later", clock=lambda: float(NOW))
    assert "no public key yet" in refusal(ring, {"x-api-key": key(new_private_key())})


def test_a_key_that_appears_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "later"
    ring = KeyRing(folder, clock=lambda: float(NOW))
    pem = new_private_key()
    refusal(ring, {"x-api-key": key(pem)})
    folder.mkdir()
    (folder / "new.pem").write_text(public_pem(pem))
    assert "no public key yet" in refusal(ring, {"x-api-key": key(pem)})  # read once a second
    later = time.monotonic() + 2
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert ring.caller({"x-api-key": key(pem)}).attempt == 2


def test_a_file_that_is_no_key_is_passed_over(tmp_path: Path, private: str) -> None:
    (tmp_path / "aaa.pem").write_text("nonsense")
    (tmp_path / "bbb.pem").write_text(new_private_key())
    ring = KeyRing(tmp_path, clock=lambda: float(NOW))
    assert ring.caller({"x-api-key": key(private)}).attempt == 2


def test_a_good_key_beside_a_foreign_authorization_counts(ring: KeyRing, private: str) -> None:
    token = key(private)
    for foreign in ("sk-ant-oat01-own-login", "hsk_x_y", "a.b.c"):
        headers = {"authorization": f"Bearer {foreign}", "x-api-key": token}
        assert ring.caller(headers).execution == "uid-1"
    assert ring.caller({"authorization": f"Bearer {token}", "x-api-key": "x"}).execution == "uid-1"
    both = {"authorization": "Bearer wrong", "x-api-key": "wrong too"}
    assert refusal(ring, both) == refusal(ring, {"authorization": "Bearer wrong"})
