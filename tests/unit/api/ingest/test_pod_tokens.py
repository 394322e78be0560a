"""Tokens of pods: who is believed to deliver which attempt, and what is refused in words."""

from collections.abc import Mapping
from http import HTTPStatus

import jwt
import pytest

from heliostat_api.ingest.pod_tokens import SLACK_SECONDS, PodTokens
from heliostat_api.web.problems import ProblemError
from heliostat_core.names import (
    ATTEMPT_LABEL,
    EXECUTION_ANNOTATION,
    EXECUTION_UID_ANNOTATION,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)
from heliostat_core.worlds import EXECUTION, POD, TOKEN_REVIEW, JsonObject, JsonValue
from support.memory_world import MemoryWorld

AUDIENCE = "heliostat-api"
NAMESPACE = "team-a"
RUN_UID, POD_UID = "run-uid", "pod-uid"
END = 2_000_000_000
POD_KEY = "authentication.kubernetes.io/pod-"
LABELS = {MANAGED_BY_LABEL: MANAGED_BY, ATTEMPT_LABEL: "2"}
ANNOTATIONS = {EXECUTION_ANNOTATION: "sales-1", EXECUTION_UID_ANNOTATION: RUN_UID}
USER: Mapping[str, JsonValue] = {
    "username": f"system:serviceaccount:{NAMESPACE}:runner",
    "extra": {f"{POD_KEY}name": ["sales-1-2-x"], f"{POD_KEY}uid": [POD_UID]},
}


class ReviewingWorld(MemoryWorld):
    """A cluster that says of every token what `review` is."""

    def __init__(self, review: JsonObject) -> None:
        super().__init__()
        self.review = review
        self.reviewed: list[JsonObject] = []

    async def create(self, obj: JsonObject) -> JsonObject:
        assert obj["kind"] == TOKEN_REVIEW.name
        self.reviewed.append(obj)
        return {**obj, "status": self.review}


def world_of(
    review: Mapping[str, JsonValue] | None = None,
    *,
    labels: Mapping[str, str] = LABELS,
    annotations: Mapping[str, str] = ANNOTATIONS,
    run_namespace: str = NAMESPACE,
    run_uid: str = RUN_UID,
) -> ReviewingWorld:
    """A pod of attempt 2 of a run, and a review that vouches for it."""
    status = {"authenticated": True, "audiences": [AUDIENCE], "user": {**USER}, **(review or {})}
    world = ReviewingWorld(status)
    meta = {"namespace": NAMESPACE, "name": "sales-1-2-x", "uid": POD_UID}
    world.put(
        {
            "apiVersion": POD.api_version,
            "kind": POD.name,
            "metadata": {**meta, "labels": {**labels}, "annotations": {**annotations}},
        }
    )
    world.put(
        {
            "apiVersion": EXECUTION.api_version,
            "kind": EXECUTION.name,
            "metadata": {"namespace": run_namespace, "name": "sales-1", "uid": run_uid},
            "spec": {"agentRef": {"name": "sales"}, "correlationId": "c-1"},
        }
    )
    return world


def token(**claims: JsonValue) -> str:
    return jwt.encode({"exp": END, **claims}, "k" * 32)


async def refusal(world: ReviewingWorld) -> tuple[int, str]:
    with pytest.raises(ProblemError) as refused:
        await PodTokens(world, AUDIENCE, lambda: END - 1000).claims(token())
    return refused.value.status, str(refused.value)


async def test_a_pod_of_an_attempt_is_believed_until_shortly_before_its_tokens_end() -> None:
    world, now = world_of(), float(END - 1000)
    tokens = PodTokens(world, AUDIENCE, lambda: now)
    claims = await tokens.claims(token())
    assert (claims.execution_uid, claims.attempt, claims.exp) == (RUN_UID, 2, END)
    assert (claims.agent, claims.correlation_id) == (f"{NAMESPACE}/sales", "c-1")
    assert [each["spec"] for each in world.reviewed] == [
        {"token": token(), "audiences": [AUDIENCE]}
    ]
    now = END - SLACK_SECONDS - 1
    assert await tokens.claims(token()) == claims
    assert len(world.reviewed) == 1
    now = END - SLACK_SECONDS
    await tokens.claims(token())
    assert len(world.reviewed) == 2


@pytest.mark.parametrize(
    ("review", "word"),
    [
        ({"authenticated": False}, "does not know this token (no reason)"),
        ({"authenticated": False, "error": "too old"}, "does not know this token (too old)"),
        ({"audiences": []}, "does not know this token"),
        ({"audiences": ["another"]}, "does not know this token"),
        ({"user": {**USER, "username": "system:node:n1"}}, "not a service account's"),
        ({"user": {**USER, "extra": {}}}, "bound to no pod"),
        (
            {"user": {**USER, "extra": {f"{POD_KEY}name": ["other"], f"{POD_KEY}uid": ["u"]}}},
            "Its pod team-a/other is gone",
        ),
        (
            {"user": {**USER, "extra": {f"{POD_KEY}name": ["sales-1-2-x"]}}},
            "Its pod team-a/sales-1-2-x is gone",
        ),
    ],
)
async def test_a_token_that_the_cluster_does_not_vouch_for_is_refused(
    review: dict[str, JsonValue], word: str
) -> None:
    status, text = await refusal(world_of(review))
    assert status == HTTPStatus.UNAUTHORIZED
    assert word in text


@pytest.mark.parametrize(
    ("labels", "annotations"),
    [
        ({ATTEMPT_LABEL: "2"}, ANNOTATIONS),
        ({**LABELS, MANAGED_BY_LABEL: "helm"}, ANNOTATIONS),
        ({MANAGED_BY_LABEL: MANAGED_BY}, ANNOTATIONS),
        *(
            ({**LABELS, ATTEMPT_LABEL: attempt}, ANNOTATIONS)
            for attempt in ("", "0", "-1", "two", "²", "٣", "10000")
        ),
        (LABELS, {EXECUTION_ANNOTATION: "sales-1"}),
        (LABELS, {EXECUTION_UID_ANNOTATION: RUN_UID}),
    ],
)
async def test_a_pod_that_is_not_an_attempts_is_refused(
    labels: dict[str, str], annotations: dict[str, str]
) -> None:
    status, text = await refusal(world_of(labels=labels, annotations=annotations))
    assert (status, text) == (
        HTTPStatus.FORBIDDEN,
        "The pod team-a/sales-1-2-x is not that of a run.",
    )


@pytest.mark.parametrize(
    "world", [world_of(run_namespace="team-b"), world_of(run_uid="another")], ids=["place", "uid"]
)
async def test_a_pod_speaks_only_for_the_run_of_its_own_namespace_that_it_was_made_for(
    world: ReviewingWorld,
) -> None:
    status, text = await refusal(world)
    assert status == HTTPStatus.FORBIDDEN
    assert text == "The Execution of the pod team-a/sales-1-2-x is not there."


@pytest.mark.parametrize(
    ("text", "may"),
    [
        (token(aud=[AUDIENCE], **{"kubernetes.io": {}}), True),
        (token(aud=AUDIENCE, **{"kubernetes.io": {}}), False),
        (token(aud=[AUDIENCE]), False),
        ("no token", False),
    ],
)
def test_a_token_of_a_pod_is_known_by_its_shape(text: str, may: bool) -> None:
    assert PodTokens(MemoryWorld(), AUDIENCE, lambda: 0).may_be(text) is may
