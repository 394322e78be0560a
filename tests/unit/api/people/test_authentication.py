"""Whose request it is: one credential counts, and a wrong one is nobody's."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from heliostat_api.base.person import LOCAL, Person, PersonKind
from heliostat_api.base.roles import Claims, Role, RoleRow
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.people.authentication import ManyPeople, OnePerson
from heliostat_api.people.credentials import Credentials, Visitor
from heliostat_api.people.iap import ISSUER, Iap
from heliostat_api.people.identities import Identity
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.sessions import LIFETIME, Session, Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from unit.api.people.test_keysets import AUDIENCE, Published, signed

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
ADMINS = RoleRow(group="platform", role=Role.ADMIN)
SALES = RoleRow(email="bob@a.test", role=Role.OPERATOR, namespaces=("sales",))
ANN = Identity("https://id.test", "ann", Claims(groups=frozenset({"platform"})))
EVE = Identity("https://id.test", "eve", Claims())


class Keys:
    """Keys of machine callers: `key-of-ID`."""

    async def find(self, bearer: str) -> str | None:
        return bearer.removeprefix("key-of-") if bearer.startswith("key-of-") else None


@dataclass
class Site:
    """A server's people, over a store of their own, at a time that is moved."""

    register: PersonRepository
    sessions: Sessions
    moved: list[timedelta] = field(default_factory=list)

    def many(
        self,
        roles: Sequence[RoleRow] = (ADMINS, SALES),
        *,
        takes_guests: bool = True,
        takes_unlisted: bool = False,
        iap: Iap | None = None,
    ) -> ManyPeople:
        return ManyPeople(
            self.sessions, self.register, roles, takes_guests, takes_unlisted, Keys(), iap
        )

    def one(self) -> OnePerson:
        return OnePerson(self.sessions, self.register, Keys())

    def cookie(self, person_id: str, session: str = "s") -> Credentials:
        return Credentials(cookie=self.sessions.issue(person_id, session))


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    documents = open_sqlite(tmp_path / "documents.sqlite")
    moved: list[timedelta] = []

    def clock() -> datetime:
        return START + sum(moved, timedelta())

    sessions = Sessions(SignedTokens((b"s" * 32,), clock))
    yield Site(PersonRepository(documents, clock), sessions, moved)
    await documents.close()


async def test_a_guest_is_known_by_the_cookie_alone(site: Site) -> None:
    people = site.many()
    found = await people.find(site.cookie("guest-1"))
    assert found == Person("guest-1", PersonKind.GUEST)
    assert found is not None
    assert found.expires == START + LIFETIME
    assert await people.find(Credentials()) is None
    assert await people.find(Credentials(cookie="no cookie of ours")) is None
    assert await site.many(takes_guests=False).find(site.cookie("guest-1")) is None


async def test_a_user_has_the_rights_of_what_the_provider_vouched_for(site: Site) -> None:
    await site.register.see_user(ANN)
    people = site.many()
    found = await people.find(site.cookie(ANN.person_id))
    assert found == Person(ANN.person_id, PersonKind.USER, is_admin=True)
    await site.register.see_user(Identity(ANN.issuer, "ann", Claims("bob@a.test")))
    found = await people.find(site.cookie(ANN.person_id))
    assert found == Person(ANN.person_id, PersonKind.USER, namespaces=frozenset({"sales"}))


async def test_who_is_not_listed_is_let_in_only_where_that_is_set(site: Site) -> None:
    await site.register.see_user(EVE)
    assert await site.many().find(site.cookie(EVE.person_id)) is None
    found = await site.many(takes_unlisted=True).find(site.cookie(EVE.person_id))
    assert found == Person(EVE.person_id, PersonKind.USER)
    assert (site.many().lets_in(EVE.claims), site.many().lets_in(ANN.claims)) == (False, True)


async def test_a_user_who_was_never_seen_is_nobody(site: Site) -> None:
    assert await site.many().find(site.cookie(ANN.person_id)) is None
    assert await site.many().find(Credentials(bearer=f"key-of-{ANN.person_id}")) is None
    assert await site.many().acting(ANN.person_id) is None


async def test_a_key_counts_before_a_header_and_that_before_a_cookie(site: Site) -> None:
    await site.register.see_user(ANN)
    people = site.many(iap=Iap(AUDIENCE, Published("a").keys()), takes_unlisted=True)
    cookie = site.cookie("guest-1").cookie
    of_key = await people.find(
        Credentials(cookie=cookie, bearer=f"key-of-{ANN.person_id}", assertion=signed("a"))
    )
    assert of_key == Person(ANN.person_id, PersonKind.USER, is_admin=True, by_key=True)
    of_header = await people.find(Credentials(cookie=cookie, assertion=signed("a")))
    assert of_header is not None
    assert of_header.id == Identity(ISSUER, "accounts.google.com:7", Claims()).person_id
    assert not of_header.by_key


async def test_a_wrong_key_or_header_is_nobodys_whatever_cookie_comes_with_it(site: Site) -> None:
    people = site.many(iap=Iap(AUDIENCE, Published("a").keys()), takes_unlisted=True)
    cookie = site.cookie("guest-1").cookie
    assert await people.find(Credentials(cookie=cookie, bearer="wrong")) is None
    wrong = signed("b", kid="a")
    assert await people.find(Credentials(cookie=cookie, assertion=wrong)) is None
    assert await people.welcome(Credentials(cookie=cookie, assertion=wrong)) == Visitor(
        may_enter=False
    )


async def test_a_header_says_nothing_where_no_proxy_is_set(site: Site) -> None:
    given = Credentials(cookie=site.cookie("guest-1").cookie, assertion=signed("a"))
    found = await site.many().find(given)
    assert found is not None
    assert found.id == "guest-1"
    assert await site.many().welcome(given) == Visitor("guest-1")


async def test_a_guest_has_no_key(site: Site) -> None:
    await site.register.see_guest("guest-1")
    assert await site.many().find(Credentials(bearer="key-of-guest-1")) is None


async def test_somebody_who_is_gone_is_nobody(site: Site) -> None:
    await site.register.see_user(ANN)
    await site.register.see_guest("guest-1")
    await site.register.see_guest("guest-2")
    await site.register.begin_move("guest-1", ANN.person_id)
    await site.register.begin_erasing("guest-2")
    await site.register.begin_erasing(ANN.person_id)
    people = site.many()
    for person_id in ("guest-1", "guest-2", ANN.person_id):
        assert await people.find(site.cookie(person_id)) is None
        assert await people.acting(person_id) is None
    assert await people.find(Credentials(bearer=f"key-of-{ANN.person_id}")) is None


async def test_a_session_that_ended_lets_nobody_in(site: Site) -> None:
    await site.register.see_user(ANN)
    await site.register.see_guest("guest-1")
    people = site.many()
    for person_id in ("guest-1", ANN.person_id):
        await site.register.end_session(Session(person_id, START, "s"))
        assert await people.find(site.cookie(person_id, "s")) is None
        assert await people.find(site.cookie(person_id, "other")) is not None


async def test_a_key_of_a_thing_speaks_for_its_owner(site: Site) -> None:
    await site.register.see_user(ANN)
    await site.register.see_user(EVE)
    await site.register.see_guest("guest-1")
    people = site.many()
    assert await people.acting(ANN.person_id) == Person(
        ANN.person_id, PersonKind.USER, is_admin=True, by_key=True
    )
    assert await people.acting("guest-1") == Person("guest-1", PersonKind.GUEST, by_key=True)
    assert await people.acting(EVE.person_id) is None
    assert await people.acting("guest-2") is None
    assert await site.many(takes_guests=False).acting("guest-1") is None


async def test_who_opens_a_page_gets_an_id_where_guests_are_taken(site: Site) -> None:
    welcome = await site.many().welcome(Credentials())
    assert welcome.may_enter
    assert (welcome.person_id or "").startswith("guest-")
    assert await site.many(takes_guests=False).welcome(Credentials()) == Visitor(may_enter=False)


async def test_who_was_here_goes_on(site: Site) -> None:
    await site.register.see_user(ANN)
    people = site.many()
    for person_id in (ANN.person_id, "guest-1"):
        assert await people.welcome(site.cookie(person_id)) == Visitor(person_id)
    alone = site.many(takes_guests=False)
    assert await alone.welcome(site.cookie("guest-1")) == Visitor(may_enter=False)
    assert await alone.welcome(site.cookie(ANN.person_id)) == Visitor(ANN.person_id)


async def test_a_guest_who_may_not_go_on_begins_as_another(site: Site) -> None:
    await site.register.see_guest("guest-1")
    await site.register.begin_erasing("guest-1")
    welcome = await site.many().welcome(site.cookie("guest-1"))
    assert welcome.may_enter
    assert welcome.person_id != "guest-1"


async def test_opening_a_page_is_a_visit_of_a_guest(site: Site) -> None:
    await site.register.see_guest("guest-1")
    site.moved.append(timedelta(days=2))
    await site.many().welcome(site.cookie("guest-1"))
    site.register.reread("guest-1")
    record = await site.register.find("guest-1")
    assert record is not None
    assert record.last_seen == START + timedelta(days=2)


async def test_a_request_is_a_visit_of_a_user(site: Site) -> None:
    await site.register.see_user(ANN)
    for number, given in enumerate(
        (site.cookie(ANN.person_id), Credentials(bearer=f"key-of-{ANN.person_id}")), 1
    ):
        site.moved.append(timedelta(days=2))
        await site.many().find(given)
        site.register.reread(ANN.person_id)
        record = await site.register.find(ANN.person_id)
        assert record is not None
        assert record.last_seen == START + number * timedelta(days=2)


async def test_the_proxy_lets_in_whom_the_table_lists(site: Site) -> None:
    iap = Iap(AUDIENCE, Published("a").keys())
    given = Credentials(assertion=signed("a", change={"email": "bob@a.test"}))
    people = site.many(iap=iap)
    found = await people.find(given)
    assert found is not None
    assert found.namespaces == {"sales"}
    assert await people.welcome(given) == Visitor()
    stranger = Credentials(assertion=signed("a", change={"sub": "accounts.google.com:8"}))
    assert await people.find(stranger) is None
    assert await people.welcome(stranger) == Visitor(may_enter=False)


async def test_the_one_person_of_a_machine_needs_a_cookie_or_a_key(site: Site) -> None:
    people = site.one()
    assert await people.find(site.cookie("local")) == LOCAL
    assert await people.find(Credentials(bearer="key-of-local")) == Person(
        "local", PersonKind.LOCAL, is_admin=True, by_key=True
    )
    assert await people.find(Credentials()) is None
    assert await people.find(site.cookie("guest-1")) is None
    assert await people.find(Credentials(bearer="key-of-ann")) is None
    wrong = Credentials(bearer="wrong", cookie=site.cookie("local").cookie)
    assert await people.find(wrong) is None
    assert await people.welcome(Credentials()) == Visitor("local")


async def test_the_one_person_is_nobody_while_all_of_theirs_is_erased(site: Site) -> None:
    people = site.one()
    await site.register.end_session(Session("local", START, "s"))
    assert await people.find(site.cookie("local", "s")) is None
    assert await people.find(site.cookie("local", "t")) == LOCAL
    assert await people.acting("local") is not None
    await site.register.begin_erasing("local")
    assert await people.find(site.cookie("local", "t")) is None
    assert await people.acting("local") is None
