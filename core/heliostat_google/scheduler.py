"""The one module that talks to Google's Cloud Scheduler."""

import asyncio
from typing import Final

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.scheduler_v1 import types
from google.cloud.scheduler_v1.services.cloud_scheduler import CloudSchedulerAsyncClient
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import (
    CloudSchedulerGrpcAsyncIOTransport,
)
from google.protobuf import duration_pb2, field_mask_pb2

from heliostat_google.identity import NOBODY, Identity
from heliostat_google.timer_jobs import TimerJob, TimerJobError

_SECONDS: Final = 10.0
_ATTEMPTS: Final = 5
_ATTEMPT_SECONDS: Final = 30
_OURS: Final = (
    "description",
    "http_target",
    "schedule",
    "time_zone",
    "attempt_deadline",
    "retry_config",
)
_PASSING = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.TooManyRequests,
)


class CloudScheduler:
    """See TimerJobs. Connects when it is first asked; `endpoint` is a host, with a port where it is
    not 443."""

    def __init__(self, endpoint: str, identity: Identity | None = None) -> None:
        self._endpoint = endpoint
        self._identity = identity or Identity()
        self._connecting = asyncio.Lock()
        self._client: CloudSchedulerAsyncClient | None = None

    async def keep(self, job: TimerJob) -> None:
        """See TimerJobs."""
        try:
            client = await self._connected()
            await _set_state(client, job, await _keep(client, job))
        except (exceptions.GoogleAPICallError, GoogleAuthError) as error:
            raise await self._problem(job.name, error) from None

    async def remove(self, name: str) -> None:
        """See TimerJobs."""
        try:
            client = await self._connected()
            await client.delete_job(name=name, retry=None, timeout=_SECONDS)
        except exceptions.NotFound:
            return
        except (exceptions.GoogleAPICallError, GoogleAuthError) as error:
            raise await self._problem(name, error) from None

    async def close(self) -> None:
        """Ends the connection."""
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]

    async def _problem(
        self, name: str, error: exceptions.GoogleAPICallError | GoogleAuthError
    ) -> TimerJobError:
        if isinstance(error, GoogleAuthError):
            return _nobody(name)
        if isinstance(error, exceptions.ServiceUnavailable) and await self._identity.is_refused():
            return _nobody(name)
        return judge(name, error)

    async def _connected(self) -> CloudSchedulerAsyncClient:
        async with self._connecting:  # the first two callers share one channel
            if self._client is None:
                transport = CloudSchedulerGrpcAsyncIOTransport(
                    host=self._endpoint,
                    credentials=await self._identity.found(),
                    ssl_channel_credentials=self._identity.trust,
                    always_use_jwt_access=True,
                )
                self._client = CloudSchedulerAsyncClient(transport=transport)
            return self._client


async def _keep(client: CloudSchedulerAsyncClient, job: TimerJob) -> types.Job:
    """The job as it is, its state apart."""
    wanted = build_job(job)
    try:
        found = await client.get_job(name=job.name, retry=None, timeout=_SECONDS)
    except exceptions.NotFound:
        parent = job.name.rpartition("/jobs/")[0]
        return await client.create_job(parent=parent, job=wanted, retry=None, timeout=_SECONDS)
    if all(getattr(found, each) == getattr(wanted, each) for each in _OURS):
        return found
    mask = field_mask_pb2.FieldMask(paths=_OURS)
    return await client.update_job(job=wanted, update_mask=mask, retry=None, timeout=_SECONDS)


async def _set_state(client: CloudSchedulerAsyncClient, job: TimerJob, found: types.Job) -> None:
    is_paused = found.state == types.Job.State.PAUSED
    if job.is_paused and not is_paused:
        await client.pause_job(name=job.name, retry=None, timeout=_SECONDS)
    if is_paused and not job.is_paused:
        await client.resume_job(name=job.name, retry=None, timeout=_SECONDS)


def build_job(job: TimerJob) -> types.Job:
    """As Google takes it."""
    return types.Job(
        name=job.name,
        description=job.description,
        schedule=job.timer.cron,
        time_zone=job.timer.time_zone,
        attempt_deadline=duration_pb2.Duration(seconds=_ATTEMPT_SECONDS),
        retry_config=types.RetryConfig(retry_count=_ATTEMPTS),
        http_target=types.HttpTarget(
            uri=job.url,
            http_method=types.HttpMethod.POST,
            headers={"Content-Type": "application/json"},
            body=job.body,
            oidc_token=types.OidcToken(service_account_email=job.account, audience=job.audience),
        ),
    )


def _nobody(name: str) -> TimerJobError:
    return TimerJobError(f"Job {name}: {NOBODY}", may_pass=False)


def judge(name: str, error: exceptions.GoogleAPICallError) -> TimerJobError:
    """Google's own words are not ours to vouch for: its code is told."""
    code = error.grpc_status_code.name if error.grpc_status_code else type(error).__name__
    if isinstance(error, _PASSING):
        words = f"Cloud Scheduler does not answer for job {name} ({code}). It is asked again."
        return TimerJobError(words, may_pass=True)
    words = (
        f"Cloud Scheduler refuses job {name} ({code}). The operator's service account needs "
        "roles/cloudscheduler.admin, and roles/iam.serviceAccountUser on the account that calls."
    )
    return TimerJobError(words, may_pass=False)
