"""What is read of agents, runs and their files."""

from dataclasses import dataclass

from heliostat_api.account.archive import Archive
from heliostat_api.agents.reading import Agents
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.app.settings import TRANSCRIPT_BYTES
from heliostat_api.app.snapshots import Snapshots
from heliostat_api.approvals.reading import Approvals
from heliostat_api.documents.files import Files
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.stream import Streams
from heliostat_api.executions.reading import Executions


@dataclass(frozen=True)
class RecordServices:
    """Nothing here is written to the world."""

    agents: Agents
    executions: Executions
    approvals: Approvals
    transcripts: Transcripts
    files: Files
    streams: Streams
    archive: Archive

    @property
    def services(self) -> tuple[object, ...]:
        """What endpoints may ask for: all of it."""
        return (
            self.agents,
            self.executions,
            self.approvals,
            self.transcripts,
            self.files,
            self.streams,
            self.archive,
        )


def build_records(dependencies: Dependencies) -> RecordServices:
    """Over the documents and the log."""
    documents, clock = dependencies.documents, dependencies.clock
    agents, executions, approvals = (
        Agents(documents),
        Executions(documents),
        Approvals(documents),
    )
    settings = dependencies.settings
    most = settings.transcript_bytes if settings else TRANSCRIPT_BYTES
    transcripts = Transcripts(documents, most)
    files = Files(documents, clock, dependencies.file_bounds)
    return RecordServices(
        agents,
        executions,
        approvals,
        transcripts,
        files,
        Streams(
            dependencies.log,
            Snapshots(dependencies.log, agents, executions, approvals, clock).take,
        ),
        Archive(documents, transcripts, files, clock),
    )
