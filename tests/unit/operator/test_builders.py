"""Every object of a run, whole."""

import base64
import json
from collections.abc import Mapping

import pytest
from pydantic import SecretStr

from heliostat_core.traces import runner_context
from heliostat_core.worlds import JsonObject, JsonValue
from heliostat_operator.builders.guards import build_guard, guard_document
from heliostat_operator.builders.run_objects import (
    build_claim,
    build_job,
    build_snapshot,
    read_charge,
    read_snapshot,
)
from heliostat_operator.builders.run_secrets import (
    ROOM_OF_ANSWERS,
    build_run_document,
    build_secret,
    encode_run_document,
)
from heliostat_operator.model.effects import Answers, Charge, Decided
from heliostat_operator.settings import OperatorSettings
from heliostat_policy.rules import Mode, Policy, version_of
from support.builders.resources import (
    make_attempt,
    make_execution,
    make_settings,
    make_spec,
    make_start,
    make_uid,
)

UID = make_uid("execution/default/sales-1")
EXECUTION = make_execution(
    input="EU only.", parameters=[{"name": "region", "value": "EU"}], correlationId="req-7"
)
SPEC = make_spec(
    prompt="Count ${parameters.region}.",
    workspace={
        "resources": {"cpu": "1", "memory": "2Gi"},
        "env": [{"name": "LANGUAGE", "value": "en"}],
        "secretRefs": [
            {"name": "crm", "key": "token", "envName": "CRM_TOKEN"},
            {"envName": "ERP_TOKEN", "secretManager": {"secret": "projects/acme/secrets/erp"}},
        ],
        "storage": {"type": "Volume", "size": "1Gi"},
    },
    verify={"files": ["report.md"]},
)


def metadata(name: str, **labels: str) -> JsonObject:
    return {
        "name": name,
        "namespace": "default",
        "labels": {
            "app.kubernetes.io/managed-by": "heliostat",
            "heliostat.dev/agent": "sales",
            "heliostat.dev/execution": "sales-1",
            **labels,
        },
        "annotations": {"heliostat.dev/execution": "sales-1"},
        "ownerReferences": [
            {
                "apiVersion": "heliostat.dev/v1alpha1",
                "kind": "Execution",
                "name": "sales-1",
                "uid": UID,
                "controller": True,
                "blockOwnerDeletion": False,
            }
        ],
    }


ATTEMPT = {"heliostat.dev/attempt": "1"}


def test_the_job_makes_one_restricted_pod_and_keeps_its_cause() -> None:
    meta = metadata("sales-1-1", **ATTEMPT)
    pod_annotations = {
        "kubectl.kubernetes.io/default-container": "agent",
        "heliostat.dev/execution": "sales-1",
        "heliostat.dev/execution-uid": UID,
    }
    assert build_job(EXECUTION, make_attempt(), SPEC, "workspace:1") == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta,
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {
                "rules": [
                    {
                        "action": "FailJob",
                        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                    },
                    {
                        "action": "FailJob",
                        "onExitCodes": {
                            "containerName": "agent",
                            "operator": "NotIn",
                            "values": [0],
                        },
                    },
                ]
            },
            "template": {
                "metadata": {"labels": meta["labels"], "annotations": pod_annotations},
                "spec": POD,
            },
        },
    }


POD: JsonObject = {
    "restartPolicy": "Never",
    "terminationGracePeriodSeconds": 30,
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "runAsGroup": 1000,
        "fsGroup": 1000,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [
        {
            "name": "agent",
            "image": "workspace:1",
            "imagePullPolicy": "IfNotPresent",
            "command": ["heliostat-runner"],
            "workingDir": "/workspace",
            "env": [
                {"name": "HELIOSTAT_RUN_DIR", "value": "/run/heliostat"},
                {"name": "HELIOSTAT_WORKSPACE", "value": "/workspace"},
                {"name": "HELIOSTAT_CORRELATION_ID", "value": "req-7"},
                {"name": "HELIOSTAT_TRIGGER_KIND", "value": "Manual"},
                {"name": "HELIOSTAT_TRIGGER_ID", "value": ""},
                {"name": "LANGUAGE", "value": "en"},
                {
                    "name": "CRM_TOKEN",
                    "valueFrom": {"secretKeyRef": {"name": "crm", "key": "token"}},
                },
                {
                    "name": "ERP_TOKEN",
                    "valueFrom": {
                        "secretKeyRef": {"name": "sales-1-1", "key": "variable.ERP_TOKEN"}
                    },
                },
            ],
            "resources": {
                "requests": {"cpu": "1", "memory": "2Gi"},
                "limits": {"memory": "2Gi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "volumeMounts": [
                {"name": "run", "mountPath": "/run/heliostat", "readOnly": True},
                {"name": "workspace", "mountPath": "/workspace"},
                {"name": "tmp", "mountPath": "/tmp"},
            ],
        }
    ],
    "volumes": [
        {
            "name": "run",
            "secret": {
                "secretName": "sales-1-1",
                "defaultMode": 0o440,
                "items": [{"key": "run.json", "path": "run.json"}, {"key": "key", "path": "key"}],
            },
        },
        {"name": "workspace", "persistentVolumeClaim": {"claimName": "sales-1-workspace"}},
        {"name": "tmp", "emptyDir": {}},
    ],
}


def test_the_run_document_says_all_that_the_runner_is_told() -> None:
    start = make_start(spec=SPEC, timeout_seconds=840, resume_session="first")
    document = build_run_document(
        EXECUTION, start, make_settings(gateway_url="http://gateway:8081")
    )
    assert json.loads(json.dumps(document)) == {
        "version": 1,
        "execution": {"namespace": "default", "name": "sales-1", "uid": UID},
        "agent": {"name": "sales"},
        "attempt": 1,
        "correlationId": "req-7",
        "trigger": {"kind": "Manual", "id": ""},
        "runtime": {"type": "ClaudeCode", "stallSeconds": 600},
        "prompt": "Count EU.\n\nEU only.",
        "input": "EU only.",
        "parameters": [{"name": "region", "value": "EU"}],
        "model": "claude-sonnet-5-5",
        "tools": {"allow": ["Bash", "Edit", "Glob", "Grep", "Read", "Write"], "deny": []},
        "limits": {
            "timeoutSeconds": 840,
            "maxTurns": 200,
            "maxTokens": None,
            "maxCostMicros": 5000000,
        },
        "verify": {"command": [], "files": ["report.md"]},
        "gateway": {"url": "http://gateway:8081"},
        "storage": "Volume",
        "session": {"id": "first", "resume": True},
        "graceSeconds": 20,
        "guard": {
            "mode": "Observe",
            "policy": {
                "rules": [],
                "egress": False,
                "secretRefs": True,
                "hosts": [],
                "quorum": 1,
                "mode": "Observe",
            },
            "policyVersion": version_of(Policy(secret_refs=True, mode=Mode.OBSERVE)),
            "workspace": "sales-1-workspace",
            "egress": [],
            "unattended": None,
            "canAsk": True,
            "asksLeft": 0,
            "decided": [],
        },
    }


def test_a_guard_is_in_the_run_document_only_where_rules_apply() -> None:
    def guard_of(settings: OperatorSettings, **spec: object) -> JsonValue:
        start = make_start(spec=make_spec(**spec), timeout_seconds=840, resume_session=None)
        return build_run_document(EXECUTION, start, settings).get("guard")

    observing, enforcing = make_settings(), make_settings(approvals_mode="Enforce")
    own, command = {"image": "mine:1"}, {"command": ["make"]}
    modes: list[tuple[OperatorSettings, Mapping[str, object], str | None]] = [
        (observing, {}, "Observe"),
        (observing, {"workspace": own}, None),  # its runner may be of an earlier release
        (observing, {"approvals": {}}, "Enforce"),
        (observing, {"approvals": {}, "workspace": own}, "Enforce"),
        (enforcing, {}, "Enforce"),
        (enforcing, {"workspace": own}, "Enforce"),
        (enforcing, {"approvals": {}, "runtime": command}, None),
    ]
    for settings, spec, mode in modes:
        guard = guard_of(settings, **spec)
        assert (guard["mode"] if isinstance(guard, dict) else None) == mode, spec


@pytest.mark.parametrize(
    ("kind", "approvals", "unattended"),
    [
        ("Dashboard", {}, None),
        ("Schedule", {}, "Refuse"),
        ("Schedule", {"unattended": "Ask"}, "Ask"),
        ("Webhook", {"unattended": "Refuse"}, "Refuse"),
    ],
)
def test_a_run_that_no_person_started_asks_only_where_its_agent_says_so(
    kind: str, approvals: JsonObject, unattended: str | None
) -> None:
    execution = make_execution(trigger={"kind": kind, "id": ""})
    guard = build_guard(execution, make_spec(approvals=approvals), make_settings())
    assert guard is not None
    assert (guard.unattended, guard.can_ask) == (unattended, False)


def test_the_secret_holds_run_document_and_key_and_never_changes() -> None:
    document: JsonObject = {"prompt": "Zähle."}
    values = {"ERP_TOKEN": SecretStr("42")}
    assert build_secret(EXECUTION, make_attempt(), document, "key", values) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata("sales-1-1", **ATTEMPT),
        "type": "heliostat.dev/attempt",
        "immutable": True,
        "data": {
            "run.json": base64.b64encode('{"prompt": "Zähle."}'.encode()).decode(),
            "key": base64.b64encode(b"key").decode(),
            "variable.ERP_TOKEN": base64.b64encode(b"42").decode(),
        },
    }


def test_the_claim_outlives_the_pod_and_goes_with_the_execution() -> None:
    assert build_claim(EXECUTION, "1Gi") == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata("sales-1-workspace"),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def test_the_frozen_spec_reads_back_as_it_was() -> None:
    snapshot = build_snapshot(EXECUTION, SPEC, "agent-uid")
    assert snapshot["metadata"] == metadata("sales-1-spec")
    assert read_snapshot(json.loads(json.dumps(snapshot))) == SPEC


def test_the_run_document_names_the_api_only_where_there_is_one() -> None:
    settings = make_settings(api_url="http://api:8080")
    document = build_run_document(EXECUTION, make_start(spec=SPEC), settings)
    assert document["api"] == {"url": "http://api:8080", "deliverySeconds": 60}
    assert "api" not in build_run_document(EXECUTION, make_start(spec=SPEC), make_settings())


def test_the_run_document_names_bounds_that_are_not_the_runners_own() -> None:
    bounds = {"file_bytes": 30 << 20, "files_bytes": 300 << 20}
    settings = make_settings(api_url="http://api:8080").model_copy(update=bounds)
    document = build_run_document(EXECUTION, make_start(spec=SPEC), settings)
    assert document["api"] == {
        "url": "http://api:8080",
        "deliverySeconds": 60,
        "fileBytes": 30 << 20,
        "filesBytes": 300 << 20,
    }


def test_a_traced_run_tells_its_programs_what_they_stand_below() -> None:
    job = build_job(EXECUTION, make_attempt(), SPEC, "workspace:1", traced=True)
    context = runner_context(EXECUTION.correlation_id, EXECUTION.metadata.uid, 1)
    said = {"name": "TRACEPARENT", "value": context.to_header()}
    assert json.dumps(said) in json.dumps(job)
    assert "TRACEPARENT" not in json.dumps(build_job(EXECUTION, make_attempt(), SPEC, "w:1"))


def test_a_run_of_a_schedule_tells_the_runner_what_it_knows_of_triggers() -> None:
    trigger = {"kind": "Schedule", "id": "CronJob", "scheduledTime": "2026-11-23T08:00:00Z"}
    document = build_run_document(make_execution(trigger=trigger), make_start(), make_settings())
    assert document["trigger"] == {"kind": "Schedule", "id": "CronJob"}


def test_a_frozen_spec_says_who_is_charged() -> None:
    charge = Charge("ada", ("team-1",))
    snapshot = build_snapshot(EXECUTION, SPEC, "agent-uid", charge)
    assert read_charge(json.loads(json.dumps(snapshot))) == charge


def test_a_frozen_spec_of_an_earlier_release_charges_nobody() -> None:
    assert read_charge({"data": {"spec": SPEC.to_json()}}) == Charge()


def test_a_frozen_spec_that_is_no_object_is_refused() -> None:
    with pytest.raises(ValueError, match="frozen spec of this Execution is not an object"):
        read_snapshot({"data": "spec"})


def test_the_words_of_twenty_answers_fit_the_room_that_admission_keeps() -> None:
    guard = build_guard(EXECUTION, make_spec(approvals={}), make_settings())
    assert guard is not None
    digest = f"sha256:{'0' * 64}"
    longest = Decided(UID, "x" * 63, digest, "t" * 256, "Deny", "\N{SLIGHTLY SMILING FACE}" * 1024)
    sizes = [
        len(encode_run_document(guard_document(guard, Answers(decided))))
        for decided in ((), (longest,) * 20)
    ]
    assert sizes[1] - sizes[0] <= ROOM_OF_ANSWERS
