"""What operator and api agree on about jobs of Google's Cloud Scheduler."""

import re

from heliostat_core.resources import ObjectName, Part

CLOUD_PATH = "/api/triggers/cloud-scheduler"
"""Where the api is called."""


class CloudCall(Part):
    """The body of a job's calls: whose they are."""

    namespace: ObjectName
    agent: ObjectName
    uid: str


def cloud_job_id(call: CloudCall) -> str:
    """Of the Agent's job: letters, digits, hyphens and underscores, at most 500 of them. Another
    Agent of the name, or of another cluster, has another uid."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", f"heliostat-{call.namespace}-{call.agent}-{call.uid}")
