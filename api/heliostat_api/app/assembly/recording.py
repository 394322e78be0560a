"""What watches the world, and who may deliver to it."""

from heliostat_api.app.dependencies import Surroundings
from heliostat_api.documents.transcripts import Transcripts
from heliostat_api.ingest.pod_tokens import PodTokens
from heliostat_api.people.repository import Register
from heliostat_api.recording.recorder import Follower, Recorder
from heliostat_api.recording.transcript_finaliser import Closing
from heliostat_api.records import managers
from heliostat_api.records.owners import Owners
from heliostat_core.worlds import World


def open_recorder(
    around: Surroundings,
    world: World,
    transcripts: Transcripts,
    register: Register,
    followers: tuple[Follower, ...],
) -> Recorder:
    """What watches the world, and closes the records of runs that ended."""
    marker = around.world(managers.MARKER)
    closing = Closing(marker, around.logs, around.documents, transcripts, around.clock)
    owners = Owners(around.owner)
    return Recorder(
        world,
        around.documents,
        around.log,
        owners,
        closing,
        around.clock,
        register.is_erasing,
        followers,
    )


def open_pod_tokens(around: Surroundings, world: World) -> PodTokens | None:
    """None without an audience, and where no cluster vouches for anybody."""
    settings = around.settings
    if settings is None or not settings.token_audience:
        return None
    return PodTokens(world, settings.token_audience, lambda: around.clock().timestamp())
