"""The claim of a workspace that outlives a pod."""

from heliostat_core.executions import Execution
from heliostat_core.names import claim_name
from heliostat_core.worlds import VOLUME_CLAIM, JsonObject
from heliostat_operator.builders.metadata import owned_metadata


def build_claim(execution: Execution, size: str) -> JsonObject:
    return {
        "apiVersion": VOLUME_CLAIM.api_version,
        "kind": VOLUME_CLAIM.name,
        "metadata": owned_metadata(execution, claim_name(execution.metadata.name)),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        },
    }
