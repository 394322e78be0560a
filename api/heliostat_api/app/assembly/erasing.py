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
from heliostat_api.app.dependencies import Surroundings
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.events.revocations import Endings
from heliostat_api.people.repository import REST, Register
from heliostat_api.records import managers
from heliostat_api.secrets.service import Secrets


def open_erasing(
    around: Surroundings,
    register: Register,
    secrets: Secrets,
    endings: Endings,
    money: Money,
) -> Erasing:
    """What a person has, in the order in which it goes. Whoever keeps more of people adds to it."""
    documents, log = around.documents, around.log
    resources = ErasingResources(
        around.world(managers.APPLIER),
        around.world(managers.SUSPENDER),
        around.documents,
        around.namespace,
        around.owner,
    )
    answers = ErasingAnswers(ConversationRepository(documents, log, around.clock))
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
        endings=endings,
        rest=REST if around.settings else timedelta(seconds=1),  # `heliostat dev` is one process
    )
