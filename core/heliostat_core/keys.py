"""Execution keys, person keys and admin tokens: JSON Web Tokens signed with Ed25519 (RFC 8037).

An execution key is the API key of one attempt. The operator signs, the gateway verifies and holds
only the public key. `jti` is the unit of revocation: execution uid and attempt number.

The api signs keys of persons who chat, and its own tokens for the gateway's /admin, with a key pair
of its own. Its public half opens nothing of the operator's: who verifies holds the public keys of
each issuer apart.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

ISSUER: Final = "heliostat-operator"
API_ISSUER: Final = "heliostat-api"
GATEWAY_AUDIENCE: Final = "heliostat-gateway"
ADMIN_AUDIENCE: Final = "heliostat-gateway-admin"
ADMIN_TOKEN_SECONDS = 60
GUESTS_BUDGET: Final = "guests"
"""The budget of all guests together."""
_PERSON_BUDGET: Final = "person-"
_ALGORITHM = "EdDSA"


class KeyRefusedError(Exception):
    """A key that can't be accepted; the text says why and is safe to show to its bearer."""


class ExecutionClaims(BaseModel):
    """What an execution key says. Instants are seconds since the epoch, money is nano-dollars."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    iss: Literal["heliostat-operator"] = ISSUER
    aud: Literal["heliostat-gateway"] = GATEWAY_AUDIENCE
    sub: str
    jti: str
    execution_uid: Annotated[str, Field(alias="exec")]
    attempt: Annotated[int, Field(alias="att", ge=1)]
    agent: Annotated[str, Field(alias="agt")]
    cap_nanos: Annotated[int | None, Field(alias="cap", ge=0)] = None
    cap_tokens: Annotated[int | None, Field(alias="tok", ge=0)] = None
    correlation_id: Annotated[str, Field(alias="cid")] = ""
    user: Annotated[str, Field(alias="usr")] = ""
    budgets: Annotated[tuple[str, ...], Field(alias="bud")] = ()
    egress: Annotated[tuple[tuple[str, tuple[int, ...]], ...], Field(alias="egr")] = ()
    """Hosts outside that the egress proxy opens to its bearer, with their ports."""
    refused: Annotated[tuple[str, ...], Field(alias="ref")] = ()
    """Networks that it opens to no run, under whatever name: the Kubernetes API among them."""
    iat: int
    exp: int


def execution_claims(
    *,
    namespace: str,
    execution: str,
    execution_uid: str,
    attempt: int,
    agent: str,
    cap_nanos: int | None,
    cap_tokens: int | None,
    correlation_id: str,
    issued: int,
    expires: int,
    user: str = "",
    budgets: Sequence[str] = (),
    egress: Sequence[tuple[str, tuple[int, ...]]] = (),
    refused: Sequence[str] = (),
) -> ExecutionClaims:
    """The claims of one attempt's key; `agent` is the Agent's name in the same namespace.

    Its calls are booked on `user` too, and count on the named budgets. `egress`: hosts and ports;
    `refused`: networks that none of them may lead to.
    """
    return ExecutionClaims(
        sub=f"{namespace}/{execution}",
        jti=key_id(execution_uid, attempt),
        execution_uid=execution_uid,
        attempt=attempt,
        agent=f"{namespace}/{agent}",
        cap_nanos=cap_nanos,
        cap_tokens=cap_tokens,
        correlation_id=correlation_id,
        user=user,
        budgets=tuple(budgets),
        egress=tuple(egress),
        refused=tuple(refused),
        iat=issued,
        exp=expires,
    )


def key_id(execution_uid: str, attempt: int) -> str:
    """The `jti` of an attempt's key."""
    return f"{execution_uid}/{attempt}"


def new_private_key() -> str:
    """A fresh Ed25519 private key as PKCS#8 PEM."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def public_pem(private_pem: str) -> str:
    """The public half of a private key, as PEM."""
    return (
        _private(private_pem)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def public_key_id(pem: str) -> str:
    """`kid` of a public key: the first 16 hex digits of SHA-256 over its 32 raw bytes."""
    raw = _public(pem).public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def sign_execution_key(private_pem: str, claims: ExecutionClaims) -> str:
    """The key that an attempt presents to the gateway."""
    return sign_claims(private_pem, claims.model_dump(by_alias=True, exclude_none=True))


def sign_admin_token(private_pem: str, now: int) -> str:
    """A token for the gateway's /admin endpoints, good for a minute."""
    return sign_claims(private_pem, admin_claims(ISSUER, now))


def admin_claims(issuer: str, now: int) -> dict[str, str | int]:
    """What an admin token says."""
    return {
        "iss": issuer,
        "aud": ADMIN_AUDIENCE,
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + ADMIN_TOKEN_SECONDS,
    }


def verify_execution_key(token: str, public_pems: Mapping[str, str], now: int) -> ExecutionClaims:
    """The claims of a valid execution key. `public_pems` maps kid to PEM.

    Raises KeyRefusedError for any other token.
    """
    try:
        return ExecutionClaims.model_validate(
            verified_claims(token, public_pems, ISSUER, GATEWAY_AUDIENCE, now)
        )
    except ValidationError as error:
        raise KeyRefusedError("The key lacks a claim that execution keys have.") from error


def verify_admin_token(token: str, public_pems: Mapping[str, str], now: int) -> None:
    """Raises KeyRefusedError unless the token is the operator's and still good."""
    verified_claims(token, public_pems, ISSUER, ADMIN_AUDIENCE, now)


class PersonClaims(BaseModel):
    """What a person key says. Instants are seconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    iss: Literal["heliostat-api"] = API_ISSUER
    aud: Literal["heliostat-gateway"] = GATEWAY_AUDIENCE
    person: Annotated[str, Field(alias="sub", min_length=1, max_length=200)]
    jti: str
    conversation: Annotated[str, Field(alias="cnv")]
    budgets: Annotated[tuple[str, ...], Field(alias="bud")] = ()
    correlation_id: Annotated[str, Field(alias="cid")] = ""
    iat: int
    exp: int


def person_budget(person: str) -> str:
    """The name of a person's own budget."""
    return f"{_PERSON_BUDGET}{person}"


def is_of_people(budget: str) -> bool:
    """Whether the api keeps this budget: a person's, or that of all guests."""
    return budget == GUESTS_BUDGET or budget.startswith(_PERSON_BUDGET)


def person_claims(
    *,
    person: str,
    conversation: str,
    budgets: tuple[str, ...],
    correlation_id: str,
    issued: int,
    expires: int,
) -> PersonClaims:
    """The claims of a person's key for one conversation."""
    return PersonClaims(
        person=person,
        jti=f"{person}/{conversation}",
        conversation=conversation,
        budgets=budgets,
        correlation_id=correlation_id,
        iat=issued,
        exp=expires,
    )


def sign_person_key(private_pem: str, claims: PersonClaims) -> str:
    """The key that a person's chat presents to the gateway."""
    return sign_claims(private_pem, claims.model_dump(by_alias=True))


def verify_person_key(token: str, public_pems: Mapping[str, str], now: int) -> PersonClaims:
    """The claims of a valid person key. `public_pems` maps kid to PEM, the api's only.

    Raises KeyRefusedError for any other token.
    """
    try:
        return PersonClaims.model_validate(
            verified_claims(token, public_pems, API_ISSUER, GATEWAY_AUDIENCE, now)
        )
    except ValidationError as error:
        raise KeyRefusedError("The key lacks a claim that person keys have.") from error


def sign_api_token(private_pem: str, now: int) -> str:
    """A token of the api for the gateway's /admin endpoints, good for a minute."""
    return sign_claims(private_pem, admin_claims(API_ISSUER, now))


def verify_api_token(token: str, public_pems: Mapping[str, str], now: int) -> None:
    """Raises KeyRefusedError unless the token is the api's and still good."""
    verified_claims(token, public_pems, API_ISSUER, ADMIN_AUDIENCE, now)


def unverified_kid(token: str) -> str:
    """The `kid` that a token names. Raises KeyRefusedError for what is no token at all."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise KeyRefusedError("The API key is not a Heliostat key.") from error
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise KeyRefusedError("The API key is not a Heliostat key.")
    return kid


def sign_claims(private_pem: str, claims: Mapping[str, object]) -> str:
    """A token that says this, with the `kid` of its key."""
    kid = public_key_id(public_pem(private_pem))
    return jwt.encode(dict(claims), _private(private_pem), _ALGORITHM, headers={"kid": kid})


def verified_claims(
    token: str, public_pems: Mapping[str, str], issuer: str, audience: str, now: int
) -> Mapping[str, object]:
    """What a good token of that issuer says. Raises KeyRefusedError for any other."""
    pem = public_pems.get(unverified_kid(token))
    if pem is None:
        raise KeyRefusedError("The API key was signed by a key that this server does not know.")
    try:
        # Time is checked below against the given clock, so that tests and replicas agree on it.
        claims: dict[str, object] = jwt.decode(
            token,
            _public(pem),
            algorithms=[_ALGORITHM],
            audience=audience,
            issuer=issuer,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "jti"]},
        )
    except jwt.InvalidTokenError as error:
        raise KeyRefusedError(f"The API key is not valid here: {error}.") from error
    expires = claims["exp"]
    if not isinstance(expires, int) or expires <= now:
        raise KeyRefusedError("The API key has expired.")
    return claims


def _private(pem: str) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("The signing key must be an Ed25519 private key in PEM form.")
    return key


def _public(pem: str) -> Ed25519PublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("The public key must be an Ed25519 key in PEM form.")
    return key
