"""Field managers of the api: under which name it sets what, so that it takes back nothing else."""

from typing import Final

APPLIER: Final = "heliostat-api"
"""Agents of the dashboard are applied."""
SUSPENDER: Final = "heliostat-api-suspend"
"""They are suspended: that changes one field, whatever others changed."""
CANCELLER: Final = "heliostat-cancel"
"""Executions are cancelled, as by the command."""
MARKER: Final = "heliostat-recorder"
"""Executions are marked as recorded."""
MOVER: Final = "heliostat-api-owner"
"""What was a guest's becomes a user's."""
