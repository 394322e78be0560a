"""What the api signs: keys of persons who chat, and its own tokens for the gateway's /admin.

The api has a key pair of its own. Its public half opens nothing of the operator's: who verifies
holds the public keys of each issuer apart.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from heliostat_core.keys import (
    ADMIN_AUDIENCE,
    GATEWAY_AUDIENCE,
    KeyRefusedError,
    admin_claims,
    sign_claims,
    verified_claims,
)

ISSUER: Final = "heliostat-api"
GUESTS_BUDGET: Final = "guests"
"""The budget of all guests together."""
_PERSON_BUDGET: Final = "person-"


class PersonClaims(BaseModel):
    """What a person key says. Instants are seconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    iss: Literal["heliostat-api"] = ISSUER
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
            verified_claims(token, public_pems, ISSUER, GATEWAY_AUDIENCE, now)
        )
    except ValidationError as error:
        raise KeyRefusedError("The key lacks a claim that person keys have.") from error


def sign_api_token(private_pem: str, now: int) -> str:
    """A token of the api for the gateway's /admin endpoints, good for a minute."""
    return sign_claims(private_pem, admin_claims(ISSUER, now))


def verify_api_token(token: str, public_pems: Mapping[str, str], now: int) -> None:
    """Raises KeyRefusedError unless the token is the api's and still good."""
    verified_claims(token, public_pems, ISSUER, ADMIN_AUDIENCE, now)
