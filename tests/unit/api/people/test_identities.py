"""Whom a provider vouches for, and who hears of what."""

import hashlib

import pytest

from heliostat_api.base.person import Person, PersonKind
from heliostat_api.base.roles import Claims
from heliostat_api.documents.port import Document, Query
from heliostat_api.people.identities import Identity, claims_of, is_guest_id, new_guest_id
from heliostat_api.people.topics import topics_of_person, topics_of_thing
from heliostat_api.people.visibility import is_own, is_owned, queries_of, sees

ANN = Person("ann", PersonKind.USER)
ADMIN = Person("root", PersonKind.USER, is_admin=True)
OPERATOR = Person("bob", PersonKind.USER, namespaces=frozenset({"sales", "ads"}))


def test_the_id_of_an_identity_stays() -> None:
    """What people own is found by it."""
    one = Identity("https://id.test", "ann", Claims())
    named = hashlib.sha256(b'["https://id.test", "ann"]').hexdigest()
    assert one.person_id == f"user-{named[:40]}"
    assert one.person_id == Identity("https://id.test", "ann", Claims("a@b.c")).person_id
    assert one.person_id != Identity("https://id.tes", "tann", Claims()).person_id


def test_a_guests_id_is_128_random_bits() -> None:
    one, other = new_guest_id(), new_guest_id()
    assert one != other
    assert len(one) == len("guest-") + 32
    assert (is_guest_id(one), is_guest_id("user-guest-1")) == (True, False)


@pytest.mark.parametrize(
    ("token", "claims"),
    [
        ({}, Claims()),
        ({"email": "a@b.c"}, Claims()),
        ({"email": "a@b.c", "email_verified": False}, Claims()),
        ({"email": "a@b.c", "email_verified": "false"}, Claims()),
        ({"email": "a@b.c", "email_verified": True}, Claims("a@b.c")),
        ({"email": "a@b.c", "email_verified": "true"}, Claims("a@b.c")),
        ({"email": 7, "email_verified": True}, Claims()),
        ({"teams": ["x", 7, "y"]}, Claims(None, frozenset({"x", "y"}))),
        ({"teams": "x"}, Claims(None, frozenset({"x"}))),
        ({"teams": {"x": 1}}, Claims()),
        ({"groups": ["x"]}, Claims()),
    ],
)
def test_roles_are_given_by_verified_claims(token: dict[str, object], claims: Claims) -> None:
    assert claims_of(token, "teams") == claims  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("owner", "person", "is_heard"),
    [
        ("ann", ANN, True),
        ("ann", ADMIN, False),
        ("ann", OPERATOR, False),
        (None, ANN, False),
        (None, ADMIN, True),
        (None, OPERATOR, True),
        (None, Person("eve", PersonKind.USER, namespaces=frozenset({"other"})), False),
    ],
)
def test_a_thing_is_told_to_its_owner_or_to_who_operates_its_namespace(
    owner: str | None, person: Person, is_heard: bool
) -> None:
    told = set(topics_of_thing(owner, "sales"))
    assert bool(told & topics_of_person(person)) is is_heard
    document = Document("agents/a", {"userId": owner or "namespace:sales"}, "1")
    assert sees(person, document) is is_heard
    assert is_owned(document) is (owner is not None)
    assert is_own(person, document) is (owner == person.id)


def test_lists_of_what_one_sees() -> None:
    query = Query("agents", "bob", {"kind": "x"})
    assert queries_of(ANN, query) == (query,)
    own, *operated = queries_of(OPERATOR, query)
    assert own == query
    assert [each.owner for each in operated] == ["namespace:ads", "namespace:sales"]
    assert {tuple((each.where or {}).items()) for each in operated} == {(("kind", "x"),)}
    own, unowned = queries_of(ADMIN, query)
    assert own == query
    assert (unowned.owner, unowned.where) == (None, {"kind": "x", "unowned": True})
    _, unowned = queries_of(ADMIN, Query("agents", "root"))
    assert unowned.where == {"unowned": True}
