"""Puts together who may come in, from the settings."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from heliostat_api.account.guest_migration import Moves
from heliostat_api.account.sign_in import SignIn
from heliostat_api.app.settings import ApiSettings
from heliostat_api.events.revocations import Endings
from heliostat_api.people.api_keys import ApiKeys
from heliostat_api.people.authentication import ManyPeople, OnePerson
from heliostat_api.people.iap import Iap
from heliostat_api.people.keysets import KeySet
from heliostat_api.people.limits import Buckets, LocalBuckets
from heliostat_api.people.openid import Client, OpenIdProvider
from heliostat_api.people.repository import Register
from heliostat_api.people.sessions import Sessions
from heliostat_api.people.signed_tokens import Seals
from heliostat_api.web.access import Access
from heliostat_api.web.guards import Guard
from heliostat_api.web.limits import AddressLimit, Limits
from heliostat_api.web.session_middleware import Visits

_CALLBACK = "/auth/callback"


@dataclass(frozen=True)
class Entrance:
    """Who may come in, and how often."""

    register: Register
    access: Access
    sign_in: SignIn | None = None
    moves: Moves | None = None


def open_for_one(seals: Seals, register: Register, api_keys: ApiKeys) -> Entrance:
    """Of `heliostat dev`: one person, who asks as often as they like."""
    sessions = Sessions(seals)
    people = OnePerson(sessions, register, api_keys)
    limits = Limits(LocalBuckets(time.monotonic))
    return Entrance(register, Access(people, sessions, limits, register.reread))


def open_for_many(
    settings: ApiSettings,
    seals: Seals,
    register: Register,
    moves: Moves,
    api_keys: ApiKeys,
    endings: Endings,
    buckets: Buckets,
) -> Entrance:
    """Of a server."""
    sessions = Sessions(seals)
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
        sign_in = SignIn(provider, seals, sessions, register, moves, people.lets_in, endings.tell)
    limits = Limits(
        buckets,
        guest=settings.limit_guest,
        person=settings.limit_person,
        address=settings.limit_address,
    )
    return Entrance(register, Access(people, sessions, limits, register.reread), sign_in, moves)


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
        Visits,
        people=entrance.access.people,
        sessions=entrance.access.sessions,
        has_sign_in=entrance.sign_in is not None,
    )
    app.add_middleware(AddressLimit, check=entrance.access.limits.check_address)
    app.add_middleware(Guard, hosts=hosts, public_url=public_url)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted_proxies))
