"""Who comes in, and what moves with them."""

import time
from collections.abc import Sequence

from heliostat_api.account.guest_conversations import MovingConversations
from heliostat_api.account.guest_migration import GuestMigration, Moving, MovingDocuments
from heliostat_api.account.guest_resources import MovingResources
from heliostat_api.account.guest_secrets import MovingSecrets
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.entrance import Entrance, build_for_many, build_for_one
from heliostat_api.app.settings import ApiSettings
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.people.keysets import KeySet
from heliostat_api.people.repository import PersonRepository
from heliostat_api.people.signed_tokens import SignedTokens
from heliostat_api.records import managers
from heliostat_api.schedules.cloud_tokens import CloudTokens


def build_entrance(
    dependencies: Dependencies,
    register: PersonRepository,
    revocations: SessionRevocations,
    money: Money,
) -> Entrance:
    """For one person or for many."""
    signed_tokens = SignedTokens(dependencies.session_secrets, dependencies.clock)
    if dependencies.settings is None:
        return build_for_one(signed_tokens, register, money.api_keys)
    return build_for_many(
        dependencies.settings,
        signed_tokens,
        register,
        build_guest_migration(dependencies, register, money),
        money.api_keys,
        revocations,
        dependencies.buckets,
    )


def build_guest_migration(
    dependencies: Dependencies, register: PersonRepository, money: Money
) -> GuestMigration:
    """What moves with somebody who signs in."""
    shelf = ConversationRepository(dependencies.documents, dependencies.log, dependencies.clock)
    movings = (*build_guest_movings(dependencies, money), MovingDocuments(dependencies.documents))
    return GuestMigration(register, MovingConversations(shelf), movings)


def build_guest_movings(dependencies: Dependencies, money: Money) -> Sequence[Moving]:
    """What a guest has in the world, which moves before its documents."""
    world = dependencies.world(managers.MOVER)
    return MovingResources(world, money.caps), MovingSecrets(dependencies.documents, world)


def build_cloud_tokens(settings: ApiSettings | None) -> CloudTokens | None:
    """None where no account is named: then Cloud Scheduler starts nothing."""
    if settings is None or not settings.cloud_scheduler_account:
        return None
    keys = KeySet(settings.cloud_scheduler_keys_url, time.monotonic)
    return CloudTokens(settings.cloud_scheduler_audience, settings.cloud_scheduler_account, keys)
