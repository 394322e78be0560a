"""Roles: every row that fits counts, and an address counts only when it was verified."""

from pydantic import JsonValue

from heliostat_api.base.roles import Claims, Rights, RoleRow, rights_of
from heliostat_api.people.identities import claims_of

TABLE = (
    RoleRow.model_validate({"group": "team-a", "role": "operator", "namespaces": ["a"]}),
    RoleRow.model_validate({"group": "team-b", "role": "operator", "namespaces": ["b", "shared"]}),
    RoleRow.model_validate({"email": "Ann@Example.com", "role": "admin"}),
    RoleRow.model_validate({"group": "staff", "role": "user"}),
)


def test_who_fits_no_row_is_not_listed() -> None:
    assert rights_of(Claims("bob@example.com", frozenset({"guests"})), TABLE) == Rights()


def test_an_operator_has_the_namespaces_of_all_their_groups() -> None:
    rights = rights_of(Claims(None, frozenset({"team-a", "team-b"})), TABLE)
    assert rights == Rights(True, False, frozenset({"a", "b", "shared"}))


def test_an_address_counts_in_upper_and_lower_case() -> None:
    assert rights_of(Claims("ann@example.COM"), TABLE) == Rights(True, is_admin=True)


def test_a_row_for_users_lists_and_gives_nothing_more() -> None:
    assert rights_of(Claims(groups=frozenset({"staff"})), TABLE) == Rights(is_listed=True)


def test_an_address_is_believed_when_the_provider_verified_it() -> None:
    for verified in (True, "true"):
        given = {"email": "ann@example.com", "email_verified": verified}
        assert claims_of(given, "groups").email == "ann@example.com"
    for unverified in (False, "false", None, 1):
        claims: dict[str, JsonValue] = {"email": "ann@example.com", "email_verified": unverified}
        assert claims_of(claims, "groups").email is None
    assert claims_of({"email": "ann@example.com"}, "groups").email is None


def test_groups_come_from_the_claim_that_is_named() -> None:
    assert claims_of({"roles": ["a", "b", 3]}, "roles").groups == {"a", "b"}
    assert claims_of({"roles": "a"}, "roles").groups == {"a"}
    assert claims_of({"groups": ["a"]}, "roles").groups == frozenset()
