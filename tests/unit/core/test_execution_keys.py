"""What an execution key says, and whose keys are taken."""

import hashlib

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from heliostat_core.keys import (
    ExecutionClaims,
    KeyRefusedError,
    execution_claims,
    new_private_key,
    public_key_id,
    public_pem,
    sign_admin_token,
    sign_claims,
    sign_execution_key,
    verify_admin_token,
    verify_execution_key,
)

PRIVATE = new_private_key()
PUBLIC = public_pem(PRIVATE)
KNOWN = {public_key_id(PUBLIC): PUBLIC}
NOW = 1_800_000_000


def claims() -> ExecutionClaims:
    return execution_claims(
        namespace="sales",
        execution="report-1",
        execution_uid="uid-1",
        attempt=2,
        agent="report",
        cap_nanos=5,
        cap_tokens=None,
        correlation_id="c-1",
        issued=NOW,
        expires=NOW + 60,
        user="u-1",
        budgets=("a", "b"),
        egress=(("api.example.com", (443, 8443)),),
        refused=("10.0.0.0/8",),
    )


def test_the_names_in_a_key_are_those_that_every_release_reads() -> None:
    """Gateways and operators of two releases work side by side in an upgrade."""
    token = sign_execution_key(PRIVATE, claims())
    assert jwt.decode(token, options={"verify_signature": False}) == {
        "iss": "heliostat-operator",
        "aud": "heliostat-gateway",
        "sub": "sales/report-1",
        "jti": "uid-1/2",
        "exec": "uid-1",
        "att": 2,
        "agt": "sales/report",
        "cap": 5,
        "cid": "c-1",
        "usr": "u-1",
        "bud": ["a", "b"],
        "egr": [["api.example.com", [443, 8443]]],
        "ref": ["10.0.0.0/8"],
        "iat": NOW,
        "exp": NOW + 60,
    }
    assert jwt.get_unverified_header(token) == {
        "alg": "EdDSA",
        "typ": "JWT",
        "kid": public_key_id(PUBLIC),
    }


def test_a_key_reads_back_as_it_was_signed() -> None:
    token = sign_execution_key(PRIVATE, claims())
    assert verify_execution_key(token, KNOWN, NOW) == claims()


def test_a_key_ends_at_its_second() -> None:
    token = sign_execution_key(PRIVATE, claims())
    verify_execution_key(token, KNOWN, NOW + 59)
    with pytest.raises(KeyRefusedError, match="expired"):
        verify_execution_key(token, KNOWN, NOW + 60)


def test_what_a_key_leaves_out_is_nothing() -> None:
    """A key of an earlier release has no budgets, no user and no way outside."""
    token = sign_claims(
        PRIVATE,
        {
            "iss": "heliostat-operator",
            "aud": "heliostat-gateway",
            "sub": "sales/report-1",
            "jti": "uid-1/1",
            "exec": "uid-1",
            "att": 1,
            "agt": "sales/report",
            "iat": NOW,
            "exp": NOW + 60,
        },
    )
    found = verify_execution_key(token, KNOWN, NOW)
    assert (found.cap_nanos, found.cap_tokens) == (None, None)
    assert (found.correlation_id, found.user) == ("", "")
    assert (found.budgets, found.egress, found.refused) == ((), (), ())


@pytest.mark.parametrize(
    "change", [{"att": 0}, {"cap": -1}, {"tok": -1}, {"exec": None}, {"agt": 7}]
)
def test_a_claim_out_of_bounds_is_refused(change: dict[str, object]) -> None:
    said = claims().model_dump(by_alias=True, exclude_none=True) | change
    with pytest.raises(KeyRefusedError, match="lacks a claim"):
        verify_execution_key(sign_claims(PRIVATE, said), KNOWN, NOW)


def test_a_cap_of_nothing_is_a_cap() -> None:
    said = claims().model_dump(by_alias=True, exclude_none=True) | {"cap": 0, "tok": 0}
    found = verify_execution_key(sign_claims(PRIVATE, said), KNOWN, NOW)
    assert (found.cap_nanos, found.cap_tokens) == (0, 0)


@pytest.mark.parametrize("left_out", ["exp", "jti"])
def test_a_key_without_end_or_name_is_refused(left_out: str) -> None:
    said = claims().model_dump(by_alias=True, exclude_none=True)
    del said[left_out]
    with pytest.raises(KeyRefusedError, match="not valid here"):
        verify_execution_key(sign_claims(PRIVATE, said), KNOWN, NOW)


def test_an_end_that_is_no_number_of_seconds_is_refused() -> None:
    said = claims().model_dump(by_alias=True, exclude_none=True) | {"exp": "never"}
    with pytest.raises(KeyRefusedError):
        verify_execution_key(sign_claims(PRIVATE, said), KNOWN, NOW)


def test_a_key_that_was_signed_by_a_stranger_is_refused() -> None:
    stranger = new_private_key()
    with pytest.raises(KeyRefusedError, match="does not know"):
        verify_execution_key(sign_execution_key(stranger, claims()), KNOWN, NOW)
    pretended = jwt.encode(
        claims().model_dump(by_alias=True, exclude_none=True),
        stranger,
        "EdDSA",
        headers={"kid": public_key_id(PUBLIC)},
    )
    with pytest.raises(KeyRefusedError, match="not valid here"):
        verify_execution_key(pretended, KNOWN, NOW)


@pytest.mark.parametrize("token", ["", "sk-ant-1", "a.b.c"])
def test_what_is_no_token_is_no_key_of_ours(token: str) -> None:
    with pytest.raises(KeyRefusedError, match="not a Heliostat key"):
        verify_execution_key(token, KNOWN, NOW)


def test_a_token_without_a_name_of_its_key_is_no_key_of_ours() -> None:
    said = claims().model_dump(by_alias=True, exclude_none=True)
    with pytest.raises(KeyRefusedError, match="not a Heliostat key"):
        verify_execution_key(jwt.encode(said, PRIVATE, "EdDSA"), KNOWN, NOW)


def test_an_admin_token_is_good_for_a_minute_and_for_admin_alone() -> None:
    token = sign_admin_token(PRIVATE, NOW)
    verify_admin_token(token, KNOWN, NOW + 59)
    with pytest.raises(KeyRefusedError, match="expired"):
        verify_admin_token(token, KNOWN, NOW + 60)
    with pytest.raises(KeyRefusedError, match="not valid here"):
        verify_execution_key(token, KNOWN, NOW)
    with pytest.raises(KeyRefusedError, match="not valid here"):
        verify_admin_token(sign_execution_key(PRIVATE, claims()), KNOWN, NOW)


def test_two_admin_tokens_of_a_second_can_be_told_apart() -> None:
    one, other = (
        jwt.decode(sign_admin_token(PRIVATE, NOW), options={"verify_signature": False})
        for _ in range(2)
    )
    assert one["jti"] != other["jti"]
    assert (one["iat"], one["aud"]) == (NOW, "heliostat-gateway-admin")


def test_a_public_key_is_named_by_its_bytes() -> None:
    raw = serialization.load_pem_public_key(PUBLIC.encode()).public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    assert public_key_id(PUBLIC) == hashlib.sha256(raw).hexdigest()[:16]


RSA = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALKqHJiRCTRTkZ1pOJNlpVJTCd0wq5k6
wQ/k7cTVmI/nmLb7lmYVxYVxrqGZxQbRbVZTQx2Y0kUYvVbm9P1cCNkCAwEAAQ==
-----END PUBLIC KEY-----
"""


def test_a_public_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="must be an Ed25519 key"):
        public_key_id(RSA)
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ValueError, match="must be an Ed25519 private key"):
        public_pem(other.decode())
