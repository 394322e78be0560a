"""Where people decide on asks."""

from heliostat_api.agents.activation import Activation
from heliostat_api.app.dependencies import Dependencies
from heliostat_api.approvals.reading import Approvals
from heliostat_api.approvals.service import Deciding
from heliostat_api.people.repository import PersonRepository
from heliostat_api.recording.recorder import Recorder
from heliostat_api.web.metrics import Metrics
from heliostat_core.worlds import World


def build_deciding(
    dependencies: Dependencies,
    world: World,
    approvals: Approvals,
    recorder: Recorder,
    register: PersonRepository,
    activation: Activation,
    counted: Metrics,
) -> Deciding:
    """Each person decides under a field manager of their own."""
    return Deciding(
        approvals,
        world,
        dependencies.world,
        recorder.see,
        dependencies.log,
        register.guests_of,
        activation.deactivate,
        counted,
        dependencies.clock,
    )
