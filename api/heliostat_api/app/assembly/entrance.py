"""Who comes in, and what moves with them."""

import time
from collections.abc import Sequence

from heliostat_api.account.guest_conversations import MovingConversations
from heliostat_api.account.guest_migration import Moves, Moving, MovingDocuments
from heliostat_api.account.guest_resources import MovingResources
from heliostat_api.account.guest_secrets import MovingSecrets
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.dependencies import Surroundings
from heliostat_api.app.entrance import Entrance, open_for_many, open_for_one
from heliostat_api.app.settings import ApiSettings
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.events.revocations import Endings
from heliostat_api.people.keysets import KeySet
from heliostat_api.people.repository import Register
from heliostat_api.people.signed_tokens import Seals
from heliostat_api.records import managers
from heliostat_api.schedules.cloud_tokens import CloudTokens


def open_entrance(
    around: Surroundings, register: Register, endings: Endings, money: Money
) -> Entrance:
    """For one person or for many."""
    seals = Seals(around.session_secrets, around.clock)
    if around.settings is None:
        return open_for_one(seals, register, money.api_keys)
    return open_for_many(
        around.settings,
        seals,
        register,
        open_moves(around, register, money),
        money.api_keys,
        endings,
        around.buckets,
    )


def open_moves(around: Surroundings, register: Register, money: Money) -> Moves:
    """What moves with somebody who signs in."""
    shelf = ConversationRepository(around.documents, around.log, around.clock)
    movings = (*open_movings(around, money), MovingDocuments(around.documents))
    return Moves(register, MovingConversations(shelf), movings)


def open_movings(around: Surroundings, money: Money) -> Sequence[Moving]:
    """What a guest has in the world, which moves before its documents."""
    world = around.world(managers.MOVER)
    return MovingResources(world, money.caps), MovingSecrets(around.documents, world)


def open_cloud_tokens(settings: ApiSettings | None) -> CloudTokens | None:
    """None where no account is named: then Cloud Scheduler starts nothing."""
    if settings is None or not settings.cloud_scheduler_account:
        return None
    keys = KeySet(settings.cloud_scheduler_keys_url, time.monotonic)
    return CloudTokens(settings.cloud_scheduler_audience, settings.cloud_scheduler_account, keys)
