"""What goes with a person who leaves."""

from datetime import timedelta

from heliostat_api.account.erased_answers import ErasingAnswers
from heliostat_api.account.erased_documents import (
    COLLECTIONS,
    ErasingConversations,
    ErasingDocuments,
    ErasingGuests,
    ErasingReports,
    ErasingSecrets,
    WaitingForMoves,
)
from heliostat_api.account.erased_resources import ErasingResources
from heliostat_api.account.erasing import Erasing
from heliostat_api.app.assembly.money import Money
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.events.revocations import SessionRevocations
from heliostat_api.people.repository import REST, PersonRepository
from heliostat_api.records import managers
from heliostat_api.secrets.service import Secrets


def build_erasing(
    dependencies: Dependencies,
    register: PersonRepository,
    secrets: Secrets,
    revocations: SessionRevocations,
    money: Money,
) -> Erasing:
    """What a person has, in the order in which it goes. Whoever keeps more of people adds to it."""
    documents, log = dependencies.documents, dependencies.log
    resources = ErasingResources(
        dependencies.world(managers.APPLIER),
        dependencies.world(managers.SUSPENDER),
        dependencies.documents,
        dependencies.namespace,
        dependencies.owner,
    )
    answers = ErasingAnswers(ConversationRepository(documents, log, dependencies.clock))
    return Erasing(
        register,
        stopping=(WaitingForMoves(register), resources, answers, *money.stopping),
        removing=(
            ErasingSecrets(secrets),
            *(ErasingDocuments(documents, each) for each in COLLECTIONS),
            ErasingConversations(documents, log),
            ErasingReports(log, register),
            *money.removing,
            ErasingGuests(register),
        ),
        revocations=revocations,
        rest=REST
        if dependencies.settings
        else timedelta(seconds=1),  # `heliostat dev` is one process
    )
