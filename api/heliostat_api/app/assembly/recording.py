"""What watches the world, and who may deliver to it."""

from heliostat_api.app.dependencies import Dependencies
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.ingest.pod_tokens import PodTokens
from heliostat_api.people.repository import PersonRepository
from heliostat_api.recording.followers import Follower
from heliostat_api.recording.recorder import Recorder
from heliostat_api.recording.transcript_finaliser import TranscriptFinaliser
from heliostat_api.records import managers
from heliostat_api.records.owners import Owners
from heliostat_core.worlds import World


def build_recorder(
    dependencies: Dependencies,
    world: World,
    transcripts: Transcripts,
    register: PersonRepository,
    followers: tuple[Follower, ...],
) -> Recorder:
    """What watches the world, and closes the records of runs that ended."""
    marker = dependencies.world(managers.MARKER)
    closing = TranscriptFinaliser(
        marker, dependencies.logs, dependencies.documents, transcripts, dependencies.clock
    )
    owners = Owners(dependencies.owner)
    return Recorder(
        world,
        dependencies.documents,
        dependencies.log,
        owners,
        closing,
        dependencies.clock,
        register.is_erasing,
        followers,
    )


def build_pod_tokens(dependencies: Dependencies, world: World) -> PodTokens | None:
    """None without an audience, and where no cluster vouches for anybody."""
    settings = dependencies.settings
    if settings is None or not settings.token_audience:
        return None
    return PodTokens(world, settings.token_audience, lambda: dependencies.clock().timestamp())
