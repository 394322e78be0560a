"""What is read of agents, runs and their files."""

from dataclasses import dataclass

from heliostat_api.account.archive import Archive
from heliostat_api.agents.reading import Agents
from heliostat_api.app.dependencies import Surroundings
from heliostat_api.app.settings import TRANSCRIPT_BYTES
from heliostat_api.app.snapshots import Snapshots
from heliostat_api.documents.files import Files
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.events.stream import Streams
from heliostat_api.executions.reading import Executions


@dataclass(frozen=True)
class Records:
    """Nothing here is written to the world."""

    agents: Agents
    executions: Executions
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
            self.transcripts,
            self.files,
            self.streams,
            self.archive,
        )


def open_records(around: Surroundings) -> Records:
    """Over the documents and the log."""
    documents, clock = around.documents, around.clock
    agents, executions = Agents(documents), Executions(documents)
    settings = around.settings
    most = settings.transcript_bytes if settings else TRANSCRIPT_BYTES
    transcripts = Transcripts(documents, most)
    files = Files(documents, clock, around.file_bounds)
    return Records(
        agents,
        executions,
        transcripts,
        files,
        Streams(around.log, Snapshots(around.log, agents, executions, clock).take),
        Archive(documents, transcripts, files, clock),
    )
