"""A Cloud Scheduler that speaks Google's own gRPC API, and calls what its jobs name."""

import time
from dataclasses import dataclass
from datetime import datetime

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.scheduler_v1 import types
from google.protobuf import empty_pb2
from jwt.algorithms import RSAAlgorithm
from pydantic import JsonValue

from heliostat_core.schedules import Schedule
from support.fire_oracle import oracle_fires
from support.google.servers import GoogleServer, Method, Refused
from support.oidc import rsa_key

HOST = "cloudscheduler.googleapis.com"
_KEY_ID = "google-1"
_State = types.Job.State


@dataclass(frozen=True)
class CloudRequest:
    """What a job sends."""

    url: str
    headers: dict[str, str]
    body: bytes


class FakeCloudScheduler(GoogleServer):
    """Jobs by their name; `admins` are the accounts that may change them."""

    def __init__(self, admins: set[str]) -> None:
        self.jobs: dict[str, types.Job] = {}
        self.calls: list[tuple[str, str]] = []  # method and name, in order
        self.admins = admins
        super().__init__("google.cloud.scheduler.v1.CloudScheduler", HOST)
        job = types.Job.serialize
        create, update = types.CreateJobRequest, types.UpdateJobRequest
        self.add("CreateJob", Method(create.deserialize, job, self._create))
        self.add("UpdateJob", Method(update.deserialize, job, self._update))
        self.add("GetJob", Method(types.GetJobRequest.deserialize, job, self._get))
        self.add("PauseJob", Method(types.PauseJobRequest.deserialize, job, self._pause))
        self.add("ResumeJob", Method(types.ResumeJobRequest.deserialize, job, self._resume))
        self.add(
            "DeleteJob",
            Method(
                types.DeleteJobRequest.deserialize, empty_pb2.Empty.SerializeToString, self._delete
            ),
        )

    # ---- firing ---------------------------------------------------------------------------------

    def fired(self, after: datetime, until: datetime) -> list[CloudRequest]:
        """What its jobs that are not paused send for the times in between."""
        return [
            build_request(job, each)
            for job in self.jobs.values()
            if job.state == _State.ENABLED
            for each in oracle_fires(_schedule_of(job), after, until)
        ]

    # ---- the API --------------------------------------------------------------------------------

    def _create(self, caller: str, request: types.CreateJobRequest) -> types.Job:
        job = request.job
        self._note(caller, "CreateJob", job.name)
        if job.name in self.jobs:
            raise Refused(grpc.StatusCode.ALREADY_EXISTS, f"Job {job.name} exists.")
        if not job.name.startswith(f"{request.parent}/jobs/"):
            raise Refused(grpc.StatusCode.INVALID_ARGUMENT, "Job name must be of the parent.")
        job.state = _State(_State.ENABLED)
        self.jobs[job.name] = job
        return job

    def _update(self, caller: str, request: types.UpdateJobRequest) -> types.Job:
        self._note(caller, "UpdateJob", request.job.name)
        job = self._find(request.job.name)
        for path in request.update_mask.paths:
            setattr(job, path, getattr(request.job, path))
        return job

    def _get(self, caller: str, request: types.GetJobRequest) -> types.Job:
        self._note(caller, "GetJob", request.name)
        return self._find(request.name)

    def _pause(self, caller: str, request: types.PauseJobRequest) -> types.Job:
        self._note(caller, "PauseJob", request.name)
        job = self._find(request.name)
        job.state = _State(_State.PAUSED)
        return job

    def _resume(self, caller: str, request: types.ResumeJobRequest) -> types.Job:
        self._note(caller, "ResumeJob", request.name)
        job = self._find(request.name)
        job.state = _State(_State.ENABLED)
        return job

    def _delete(self, caller: str, request: types.DeleteJobRequest) -> empty_pb2.Empty:
        self._note(caller, "DeleteJob", request.name)
        self._find(request.name)
        del self.jobs[request.name]
        return empty_pb2.Empty()

    def _note(self, caller: str, method: str, name: str) -> None:
        self.calls.append((method, name))
        if caller not in self.admins:
            raise Refused(grpc.StatusCode.PERMISSION_DENIED, "The caller lacks the permission.")

    def _find(self, name: str) -> types.Job:
        found = self.jobs.get(name)
        if found is None:
            raise Refused(grpc.StatusCode.NOT_FOUND, f"Job {name} not found.")
        return found


def _schedule_of(job: types.Job) -> Schedule:
    return Schedule(cron=job.schedule, time_zone=job.time_zone, daylight_saving="Wall")


def build_request(job: types.Job, moment: datetime) -> CloudRequest:
    """A call for that time, or of that press of "run now"."""
    target = job.http_target
    token = target.oidc_token
    headers = {
        **target.headers,
        "Authorization": f"Bearer {sign(token.service_account_email, token.audience)}",
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job.name.rpartition("/")[2],
        "X-CloudScheduler-ScheduleTime": moment.isoformat(),
    }
    return CloudRequest(target.uri, headers, target.body)


def sign(
    account: str, audience: str, signer: rsa.RSAPrivateKey | None = None, **claims: object
) -> str:
    """A token as Google signs it for an account; `claims` take the place of its own."""
    now = int(time.time())
    usual: dict[str, object] = {
        "iss": "https://accounts.google.com",
        "aud": audience,
        "sub": "1",
        "email": account,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    given = {name: each for name, each in {**usual, **claims}.items() if each is not None}
    return jwt.encode(given, signer or rsa_key("google"), "RS256", {"kid": _KEY_ID})


def google_keys() -> dict[str, JsonValue]:
    """The document behind the address of Google's keys."""
    public = RSAAlgorithm.to_jwk(rsa_key("google").public_key(), as_dict=True)
    return {"keys": [{**public, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]}
