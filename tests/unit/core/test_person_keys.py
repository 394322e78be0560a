"""Keys of persons and tokens of the api: who signs what, and what is refused."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from heliostat_core.keys import (
    KeyRefusedError,
    PersonClaims,
    is_of_people,
    new_private_key,
    person_budget,
    person_claims,
    public_key_id,
    public_pem,
    sign_admin_token,
    sign_api_token,
    sign_person_key,
    verify_admin_token,
    verify_api_token,
    verify_execution_key,
    verify_person_key,
)

NOW = 1_800_000_000
PRIVATE = new_private_key()
PEMS = {public_key_id(public_pem(PRIVATE)): public_pem(PRIVATE)}


def claims() -> PersonClaims:
    return person_claims(
        person="guest-1",
        conversation="c-1",
        budgets=("person-guest-1", "guests"),
        correlation_id="c-1",
        issued=NOW,
        expires=NOW + 900,
    )


def test_a_person_key_says_who_pays_and_until_when() -> None:
    key = sign_person_key(PRIVATE, claims())
    assert verify_person_key(key, PEMS, NOW) == claims()
    assert claims().jti == "guest-1/c-1"
    with pytest.raises(KeyRefusedError, match="expired"):
        verify_person_key(key, PEMS, NOW + 900)


def test_neither_issuer_signs_what_is_the_others() -> None:
    """Even with the same key pair: the issuer's name is in the token."""
    key, token = sign_person_key(PRIVATE, claims()), sign_api_token(PRIVATE, NOW)
    verify_api_token(token, PEMS, NOW)
    with pytest.raises(KeyRefusedError):
        verify_execution_key(key, PEMS, NOW)
    with pytest.raises(KeyRefusedError):
        verify_admin_token(token, PEMS, NOW)
    with pytest.raises(KeyRefusedError):
        verify_person_key(token, PEMS, NOW)
    with pytest.raises(KeyRefusedError):
        verify_api_token(key, PEMS, NOW)


def test_budgets_of_people_are_known_by_their_names() -> None:
    assert is_of_people(person_budget("guest-1"))
    assert is_of_people("guests")
    assert not any(map(is_of_people, ("", "person", "team", "guests-2", "a-person-1")))


def test_a_token_that_names_no_key_is_refused() -> None:
    token = jwt.encode({"exp": NOW + 9}, "x" * 32, "HS256")
    with pytest.raises(KeyRefusedError, match="not a Heliostat key"):
        verify_api_token(token, PEMS, NOW)


def test_a_key_of_another_kind_signs_and_checks_nothing() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    private = other.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(ValueError, match="signing key must be an Ed25519 private key"):
        sign_api_token(private, NOW)
    with pytest.raises(ValueError, match="public key must be an Ed25519 key"):
        public_key_id(public.decode())


def test_a_token_for_the_gateways_administration_is_good_for_a_minute() -> None:
    token = sign_admin_token(PRIVATE, NOW)
    verify_admin_token(token, PEMS, NOW + 59)
    with pytest.raises(KeyRefusedError, match="expired"):
        verify_admin_token(token, PEMS, NOW + 60)
