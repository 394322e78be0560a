"""Signing in: away to the provider and back, with what the guest had."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from heliostat_api.account.guest_migration import GuestMigration
from heliostat_api.base.roles import Claims
from heliostat_api.people.identities import Identity, is_guest_id
from heliostat_api.people.openid import Flow, OpenIdProvider, SignInError
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.sessions import Session, Sessions
from heliostat_api.people.signed_tokens import SignedTokens

FLOW_LIFETIME: Final = timedelta(minutes=10)
_PURPOSE = "sign-in"
_MOST_PATH = 1024


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and the cookie that it comes back with."""

    url: str
    cookie: str


@dataclass(frozen=True)
class Arrival:
    """The path that the person wanted, and the cookie of their session."""

    path: str
    cookie: str


@dataclass(frozen=True)
class SignIn:
    """Signs people in at one provider."""

    provider: OpenIdProvider
    signed_tokens: SignedTokens
    sessions: Sessions
    register: PersonRepository
    moves: GuestMigration
    lets_in: Callable[[Claims], bool]
    tell: Callable[[str], Awaitable[None]]
    """Tells all connections of a person that their rights may be others now."""

    async def begin(self, path: str) -> Departure:
        """Raises ProviderAwayError."""
        url, flow = await self.provider.begin()
        kept = {
            "state": flow.state,
            "nonce": flow.nonce,
            "verifier": flow.verifier,
            "path": own_path(path),
        }
        return Departure(url, self.signed_tokens.seal(_PURPOSE, kept, FLOW_LIFETIME))

    async def finish(
        self, flow_cookie: str | None, answer: Mapping[str, str], before: Session | None
    ) -> Arrival:
        """`before` is the session that the browser had: what a guest has moves.

        Raises SignInError, ProviderAwayError, StoreError.
        """
        opened = self.signed_tokens.open(_PURPOSE, flow_cookie)
        if opened is None:
            raise SignInError("This sign-in took too long, or began in another browser.")
        kept = opened.claims
        flow = Flow(kept["state"], kept["nonce"], kept["verifier"])
        identity = await self.provider.finish(flow, answer)
        if not self.lets_in(identity.claims):
            raise SignInError("You do not have access yet. Ask the administrator of this server.")
        await self._welcome(identity, before)
        return Arrival(kept["path"], self.sessions.issue(identity.person_id))

    async def _welcome(self, identity: Identity, before: Session | None) -> None:
        if await self.register.is_erasing(identity.person_id):
            raise SignInError(
                "All that you had here is being deleted, as you asked: sign in again in some "
                "minutes."
            )
        known = await self.register.find(identity.person_id)
        await self.register.see_user(identity)
        if known is not None and known.claims != identity.claims:
            await self.tell(identity.person_id)
        if before is not None and is_guest_id(before.person_id):
            await self.moves.move(before.person_id, identity.person_id)
            await self.tell(before.person_id)


def own_path(path: str) -> str:
    """A path of ours; `/` for whatever could lead a browser elsewhere."""
    is_ours = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_ours and path.isprintable() and len(path) <= _MOST_PATH else "/"
