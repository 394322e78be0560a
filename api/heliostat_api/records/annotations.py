"""What the dashboard writes on its resources, so that they are known again."""

from typing import Final

from heliostat_core.names import GROUP, TEST_OF_ANNOTATION

AGENT_ID: Final = f"{GROUP}/agent-id"
"""On an Agent and on its runs: the id of the agent in the dashboard."""
AGENT_REVISION: Final = f"{GROUP}/agent-revision"
"""On an Agent: the revision that was applied last."""
TEST_OF: Final = TEST_OF_ANNOTATION
"""On an Agent that is there for one test run, and on that run: the agent that is tested."""
