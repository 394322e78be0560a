"""Puts the chat together."""

from collections.abc import Callable
from datetime import datetime

from heliostat_api.agents.drafts import Drafts
from heliostat_api.agents.previews import Previews
from heliostat_api.agents.trials import Trying
from heliostat_api.chat.agent_tools import AgentTools
from heliostat_api.chat.answer_attempt import AnswerDependencies
from heliostat_api.chat.answer_recovery import AnswerRecovery
from heliostat_api.chat.answer_runner import AnswerRunner
from heliostat_api.chat.conversation_repository import ConversationRepository
from heliostat_api.chat.model_connection import LazyClaude, ModelChoice, ModelConnection
from heliostat_api.chat.run_tools import RunTools
from heliostat_api.chat.service import ConversationCommands, ConversationReader
from heliostat_api.chat.sockets import Chat
from heliostat_api.chat.start_answer import StartAnswer
from heliostat_api.chat.toolbox import Toolbox, handler
from heliostat_api.chat.tools import (
    EstimateCost,
    ListModels,
    PreviewSchedule,
    ReadResult,
    RunTest,
    SaveAgent,
    SetSchedule,
)
from heliostat_api.documents.files import Files
from heliostat_api.events.log import EventLog
from heliostat_api.executions.reading import Executions
from heliostat_api.schedules.previews import SchedulePreviews


def build_chat(
    connection: ModelConnection,
    log: EventLog,
    clock: Callable[[], datetime],
    drafts: Drafts,
    previews: Previews,
    trying: Trying,
    executions: Executions,
    files: Files,
) -> Chat:
    """Builds the chat over the services of the api that its tools use."""
    repository = ConversationRepository(drafts.documents, log, clock)
    model = LazyClaude(connection.gateway_url)
    agents = AgentTools(drafts, repository, SchedulePreviews(clock), model)
    runs = RunTools(trying, previews, executions, files, log, connection.test_seconds)
    runner = AnswerRunner(
        AnswerDependencies(
            repository=repository,
            model=model,
            choice=ModelChoice(model, connection.model),
            keys=connection.keys,
            toolbox=build_toolbox(drafts, agents, runs),
        )
    )
    recovery = AnswerRecovery(repository, runner.is_writing)
    return Chat(
        reader=ConversationReader(repository, recovery),
        commands=ConversationCommands(repository, recovery),
        start_answer=StartAnswer(repository, recovery, drafts.idempotency, drafts.read),
        recovery=recovery,
        runner=runner,
        log=log,
    )


def build_toolbox(drafts: Drafts, agents: AgentTools, runs: RunTools) -> Toolbox:
    """Builds the toolbox: one handler for each tool that the model is offered."""
    handlers = (
        handler(SaveAgent, agents.save),
        handler(SetSchedule, agents.schedule),
        handler(PreviewSchedule, agents.preview),
        handler(ListModels, agents.models),
        handler(RunTest, runs.test),
        handler(ReadResult, runs.read),
        handler(EstimateCost, runs.estimate),
    )
    return Toolbox(drafts.read, dict(handlers))
