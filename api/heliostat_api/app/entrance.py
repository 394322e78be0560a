"""Puts together who may come in, from the settings."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from heliostat_api.account.guest_migration import GuestMigration
from heliostat_api.account.sign_in import SignIn
from heliostat_api.app.settings import ApiSettings
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.people.api_keys import ApiKeys
from heliostat_api.people.authentication import ManyPeople, OnePerson
from heliostat_api.people.credentials import People
from heliostat_api.people.iap import Iap
from heliostat_api.people.keysets import KeySet
from heliostat_api.people.openid import Client, OpenIdProvider
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.web.dependencies import Access
from heliostat_api.web.guards import Guard
from heliostat_api.web.limits import AddressLimit, Buckets, Limits, LocalBuckets
from heliostat_api.web.session_middleware import SessionMiddleware
from heliostat_api.web.stream_leases import StreamLeases

_CALLBACK = "/auth/callback"


@dataclass(frozen=True)
class Entrance:
    """Who may come in, and how often."""

    register: PersonRepository
    people: People
    sessions: Sessions
    limits: Limits
    sign_in: SignIn | None = None
    moves: GuestMigration | None = None

    @property
    def access(self) -> Access:
        """What endpoints ask who calls."""
        return Access(self.people, self.limits.check_person)

    @property
    def leases(self) -> StreamLeases:
        """What endpoints take a stream's lease from."""
        return StreamLeases(self.people, self.sessions, self.register.reread)


def build_for_one(
    signed_tokens: SignedTokens, register: PersonRepository, api_keys: ApiKeys
) -> Entrance:
    """Of `heliostat dev`: one person, who asks as often as they like."""
    sessions = Sessions(signed_tokens)
    people = OnePerson(sessions, register, api_keys)
    limits = Limits(LocalBuckets(time.monotonic))
    return Entrance(register, people, sessions, limits)


def build_for_many(
    settings: ApiSettings,
    signed_tokens: SignedTokens,
    register: PersonRepository,
    moves: GuestMigration,
    api_keys: ApiKeys,
    revocations: SessionRevocations,
    buckets: Buckets,
) -> Entrance:
    """Of a server."""
    sessions = Sessions(signed_tokens)
    people = ManyPeople(
        sessions,
        register,
        settings.roles,
        takes_guests=settings.guests,
        takes_unlisted=settings.unlisted == "user",
        api_keys=api_keys,
        iap=build_iap(settings),
    )
    sign_in = None
    if (provider := build_provider(settings)) is not None:
        sign_in = SignIn(
            provider, signed_tokens, sessions, register, moves, people.lets_in, revocations.tell
        )
    limits = Limits(
        buckets,
        guest=settings.limit_guest,
        person=settings.limit_person,
        address=settings.limit_address,
    )
    return Entrance(register, people, sessions, limits, sign_in, moves)


def build_iap(settings: ApiSettings) -> Iap | None:
    """None without an audience: then its header is ignored."""
    if not settings.iap_audience:
        return None
    return Iap(settings.iap_audience, KeySet(settings.iap_keys_url, time.monotonic))


def build_provider(settings: ApiSettings) -> OpenIdProvider | None:
    """None without an issuer."""
    if not settings.oidc_issuer:
        return None
    client = Client(
        issuer=settings.oidc_issuer,
        id=settings.oidc_client_id,
        secret=settings.oidc_client_secret.get_secret_value(),
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        redirect_uri=f"{settings.public_url}{_CALLBACK}",
    )
    return OpenIdProvider(client, time.monotonic)


def add_entrance(
    app: FastAPI,
    entrance: Entrance,
    hosts: frozenset[str],
    public_url: str = "",
    trusted_proxies: Sequence[str] = (),
) -> None:
    """What every request passes, the last one here first."""
    app.add_middleware(
        SessionMiddleware,
        people=entrance.people,
        sessions=entrance.sessions,
        has_sign_in=entrance.sign_in is not None,
    )
    app.add_middleware(AddressLimit, check=entrance.limits.check_address)
    app.add_middleware(Guard, hosts=hosts, public_url=public_url)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted_proxies))
