"""Signing in, beside the provider's protocol: who is let in, what moves, and who is told."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from heliostat_api.account.guest_migration import GuestMigration
from heliostat_api.account.sign_in import FLOW_LIFETIME, SignIn, own_path
from heliostat_api.base.roles import Claims
from heliostat_api.documents.port import Documents
from heliostat_api.documents.sqlite.store import open_sqlite
from heliostat_api.people.identities import Identity, new_guest_id
from heliostat_api.people.openid import Client, Flow, OpenIdProvider, SignInError
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.sessions import Session, Sessions
from heliostat_api.people.signed_tokens import SignedTokens

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ISSUER = "https://id.test"
ANN = Identity(ISSUER, "ann", Claims("ann@example.com", frozenset({"ops"})))
GUEST = new_guest_id()
SECRET = b"s" * 32


class VouchingProvider(OpenIdProvider):
    """Vouches for `identity`, without a network."""

    def __init__(self) -> None:
        super().__init__(Client(ISSUER, "heliostat", "", (), "groups", ""), lambda: 0)
        self.identity = ANN
        self.flow = Flow("state", "nonce", "verifier")
        self.finished: list[tuple[Flow, Mapping[str, str]]] = []

    async def begin(self) -> tuple[str, Flow]:
        return f"{ISSUER}/authorize", self.flow

    async def finish(self, flow: Flow, answer: Mapping[str, str]) -> Identity:
        self.finished.append((flow, answer))
        return self.identity


class NoAnswers:
    """Nothing is written for anybody in the background."""

    async def move(self, before: str, after: str) -> bool:
        return before != after


@dataclass
class Site:
    """One provider, the store of persons, and what happens to guests and connections."""

    documents: Documents
    provider: VouchingProvider = field(default_factory=VouchingProvider)
    lets_in: bool = True
    now: datetime = NOW
    happened: list[tuple[str, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.register = PersonRepository(self.documents, self.clock)
        self.tokens = SignedTokens((SECRET,), self.clock)
        self.sessions = Sessions(self.tokens)
        self.sign_in = SignIn(
            self.provider,
            self.tokens,
            self.sessions,
            self.register,
            GuestMigration(self.register, NoAnswers(), [self]),
            lambda _: self.lets_in,
            self.tell,
        )

    def clock(self) -> datetime:
        return self.now

    async def tell(self, person: str) -> None:
        self.happened.append(("told", person))

    async def move(self, before: str, after: str) -> None:
        """Moves what a guest has."""
        self.happened.append(("moved", before, after))

    async def arrive(self, before: Session | None = None, path: str = "/agents") -> str:
        """The path after a whole sign-in."""
        departure = await self.sign_in.begin(path)
        arrival = await self.sign_in.finish(departure.cookie, {"code": "c"}, before)
        session = self.sessions.read(arrival.cookie)
        assert session is not None
        assert session.person_id == self.provider.identity.person_id
        return arrival.path


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    documents = open_sqlite(tmp_path / "documents.db")
    yield Site(documents)
    await documents.close()


def session_of(person: str) -> Session:
    return Session(person, NOW, "s")


async def test_a_sign_in_comes_back_with_what_it_went_with(site: Site) -> None:
    assert await site.arrive(path="/agents?page=2") == "/agents?page=2"
    assert site.provider.finished == [(site.provider.flow, {"code": "c"})]
    assert site.happened == []
    found = await site.register.find(ANN.person_id)
    assert found is not None
    assert found.claims == ANN.claims


async def test_a_sign_in_of_another_browser_or_of_long_ago_is_refused(site: Site) -> None:
    departure = await site.sign_in.begin("/")
    for cookie in (None, "", departure.cookie + "x", site.sessions.issue(ANN.person_id)):
        with pytest.raises(SignInError, match="took too long"):
            await site.sign_in.finish(cookie, {"code": "c"}, None)
    site.now += FLOW_LIFETIME
    with pytest.raises(SignInError, match="took too long"):
        await site.sign_in.finish(departure.cookie, {"code": "c"}, None)
    assert site.provider.finished == []


async def test_who_is_not_let_in_leaves_no_trace_and_loses_nothing(site: Site) -> None:
    site.lets_in = False
    with pytest.raises(SignInError, match="You do not have access yet"):
        await site.arrive(session_of(GUEST))
    assert (await site.register.find(ANN.person_id), site.happened) == (None, [])


async def test_who_is_being_erased_signs_in_later(site: Site) -> None:
    """Else what is being deleted would be a person's again."""
    await site.register.see_user(ANN)
    await site.register.begin_erasing(ANN.person_id)
    with pytest.raises(SignInError, match="is being deleted"):
        await site.arrive(session_of(GUEST))
    assert site.happened == []


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        (ANN.claims, False),
        (Claims("ann@example.com", frozenset()), True),
        (Claims(None, frozenset({"ops"})), True),
    ],
)
async def test_connections_hear_when_a_person_comes_back_with_other_claims(
    site: Site, claims: Claims, told: bool
) -> None:
    await site.arrive()
    assert site.happened == [], "a first sign-in takes no rights away"
    site.now += timedelta(hours=1)
    site.provider.identity = replace(ANN, claims=claims)
    await site.arrive()
    assert site.happened == ([("told", ANN.person_id)] if told else [])


async def test_what_a_guest_has_moves_and_the_guests_connections_hear_of_it(site: Site) -> None:
    await site.register.see_guest(GUEST)
    await site.arrive(session_of(GUEST))
    assert site.happened == [("moved", GUEST, ANN.person_id), ("told", GUEST)]


async def test_nothing_moves_from_another_user(site: Site) -> None:
    await site.arrive(session_of("user-1"))
    assert site.happened == []


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/", True),
        ("/agents?page=2#runs", True),
        ("/에이전트", True),
        ("/" + "a" * 1023, True),
        ("/" + "a" * 1024, False),
        ("", False),
        ("agents", False),
        ("https://evil.example/", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/a\\b", False),
        ("/a\r\nSet-Cookie: a=b", False),
        ("/\t/evil.example", False),
    ],
)
def test_a_browser_is_led_to_a_path_of_ours_or_home(path: str, kept: bool) -> None:
    assert own_path(path) == (path if kept else "/")
