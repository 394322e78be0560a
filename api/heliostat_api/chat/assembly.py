"""Puts the chat together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.trials import Trying
from heliostat_api.chat.answering import Means
from heliostat_api.chat.choosing import Choosing
from heliostat_api.chat.costs import Costs
from heliostat_api.chat.crafting import Crafting
from heliostat_api.chat.desk import Desk
from heliostat_api.chat.keeping import Keeping
from heliostat_api.chat.keys import PersonKeys
from heliostat_api.chat.late import LateClaude
from heliostat_api.chat.mending import Mending
from heliostat_api.chat.reading import Reading
from heliostat_api.chat.runs import Runs
from heliostat_api.chat.saying import Saying
from heliostat_api.chat.shelf import Shelf
from heliostat_api.chat.sockets import Chat
from heliostat_api.chat.toolbox import Toolbox
from heliostat_api.documents.files import Files
from heliostat_api.events.log import EventLog
from heliostat_api.executions.reading import Executions
from heliostat_api.schedules.previews import SchedulePreviews


@dataclass(frozen=True)
class Line:
    """The way to a model. `model`: its name; empty: the usual one, or a script where the gateway
    has no way to it. `test_seconds`: how long an answer waits for the end of a test run."""

    gateway_url: str
    keys: PersonKeys
    model: str = ""
    test_seconds: int = 120


def open_chat(
    line: Line,
    log: EventLog,
    clock: Callable[[], datetime],
    drafts: Drafts,
    previews: Previews,
    trying: Trying,
    executions: Executions,
    files: Files,
) -> Chat:
    """Over the parts of the api that its tools use."""
    shelf = Shelf(drafts.documents, log, clock)
    model = LateClaude(line.gateway_url)
    runs = Runs(trying, executions, files, log, line.test_seconds)
    toolbox = Toolbox(
        Crafting(drafts, shelf, SchedulePreviews(clock)), runs, Costs(previews), model
    )
    desk = Desk(Means(shelf, model, Choosing(model, line.model), line.keys, toolbox))
    mending = Mending(shelf, desk.writes)
    return Chat(
        reading=Reading(shelf, mending),
        saying=Saying(shelf, mending, drafts.idempotency, drafts),
        keeping=Keeping(shelf, mending),
        desk=desk,
        log=log,
    )
