"""What the pod of a CronJob does: it makes the Execution for its time, and nothing else.

It imports only the standard library and names, for the pod of each time starts anew:
`python -m heliostat_operator.schedules.cron_pod`.
"""

import json
import os
import re
import ssl
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from heliostat_core.names import AGENT_LABEL, OFFERED_ANNOTATION, scheduled_name
from heliostat_operator.model.cron_pod_variables import (
    AGENT,
    AGENT_LABEL_VALUE,
    CRON_JOB,
    DEADLINE,
    JOB,
    NAMESPACE,
)

CREDENTIALS = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PATH = "/apis/heliostat.dev/v1alpha1/namespaces/{}/executions?fieldManager=heliostat-cron"
_SECONDS = 10
_CREATED, _CONFLICT = 201, 409


def build_offer(given: Mapping[str, str]) -> dict[str, object]:
    """The Execution of the CronJob's time, or a run by hand for a Job that somebody made of it."""
    agent, job = given[AGENT], given[JOB]
    labels = {AGENT_LABEL: given[AGENT_LABEL_VALUE]}
    metadata = {"namespace": given[NAMESPACE], "labels": labels}
    spec: dict[str, object] = {"agentRef": {"name": agent}}
    found = re.fullmatch(re.escape(given[CRON_JOB]) + "-([0-9]+)", job)
    if found is None:
        spec["trigger"] = {"kind": "Manual", "id": job}
        return _execution({**metadata, "name": job}, spec)
    time = datetime.fromtimestamp(int(found[1]) * 60, UTC)
    spec["trigger"] = {"kind": "Schedule", "id": "CronJob", "scheduledTime": _text(time)}
    if given.get(DEADLINE):
        spec["deadlineTime"] = _text(time + timedelta(seconds=int(given[DEADLINE])))
    offered = {OFFERED_ANNOTATION: "CronJob"}
    return _execution(
        {**metadata, "name": scheduled_name(agent, time), "annotations": offered}, spec
    )


def _execution(metadata: Mapping[str, object], spec: Mapping[str, object]) -> dict[str, object]:
    api_version = "heliostat.dev/v1alpha1"
    return {"apiVersion": api_version, "kind": "Execution", "metadata": metadata, "spec": spec}


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def make_offer(given: Mapping[str, str], credentials: Path) -> tuple[int, str]:
    """Status and answer of the API server."""
    context = ssl.create_default_context(cafile=credentials / "ca.crt")
    # As kubectl: authorities of older kubeadm lack what Python's strict mode asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    connection = HTTPSConnection(
        given["KUBERNETES_SERVICE_HOST"],
        int(given["KUBERNETES_SERVICE_PORT"]),
        timeout=_SECONDS,
        context=context,
    )
    token = (credentials / "token").read_text().strip()
    path = _PATH.format(given[NAMESPACE])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps(build_offer(given))
    with closing(connection):
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


def main(given: Mapping[str, str] = os.environ, credentials: Path = CREDENTIALS) -> int:
    """0 when the Execution is there, whoever made it; 1 lets the Job try again."""
    try:
        status, answer = make_offer(given, credentials)
    except (OSError, HTTPException) as error:
        sys.stderr.write(f"The API server can't be reached: {error!r}\n")
        return 1
    if status not in (_CREATED, _CONFLICT):
        sys.stderr.write(f"{status} {answer[:2000]}\n")
        return 1
    sys.stdout.write("The Execution was made.\n" if status == _CREATED else "It was there.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
