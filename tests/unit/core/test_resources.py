"""What all resources share."""

from datetime import UTC, datetime, timedelta, timezone

from heliostat_core.resources import (
    ManagedFields,
    ObjectHead,
    ObjectMeta,
    OwnerReference,
    Part,
    keyed_by,
    ref_of,
    rules,
)
from heliostat_core.worlds import JOB, Ref


def test_what_an_object_leaves_out_is_empty() -> None:
    """API servers leave out what is empty, and tables of metadata leave out more."""
    meta = ObjectMeta.model_validate({})
    assert (meta.name, meta.namespace, meta.uid, meta.resource_version) == ("", "default", "", "")
    assert (meta.generation, meta.creation_timestamp, meta.deletion_timestamp) == (1, None, None)
    assert (meta.labels, meta.annotations, meta.finalizers) == ({}, {}, ())
    assert (meta.owner_references, meta.managed_fields) == ((), ())
    owner = OwnerReference.model_validate({})
    assert (owner.kind, owner.name, owner.uid, owner.controller) == ("", "", "", False)
    fields = ManagedFields.model_validate({})
    assert (fields.manager, fields.operation, fields.time, fields.fields_v1) == ("", "", None, {})
    assert ObjectHead.model_validate({}) == ObjectHead(kind="", metadata=meta)


def test_metadata_is_read_in_kubernetes_own_letters() -> None:
    meta = ObjectMeta.model_validate(
        {
            "name": "a",
            "resourceVersion": "7",
            "creationTimestamp": "2026-03-01T08:00:00Z",
            "ownerReferences": [{"kind": "Job", "uid": "u-1", "controller": True}],
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
            "selfLink": "ignored",
        }
    )
    assert (meta.resource_version, meta.owner_references[0].controller) == ("7", True)
    assert meta.creation_timestamp == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert meta.managed_fields[0].fields_v1 == {"f:spec": {}}
    assert (meta.is_owned_by("u-1"), meta.is_owned_by("u-2")) == (True, False)
    assert ref_of(JOB, meta) == Ref(JOB, "default", "a")


def test_an_instant_has_whole_seconds_as_kubernetes_has() -> None:
    seoul = timezone(timedelta(hours=9))
    fields = ManagedFields(time=datetime(2026, 3, 1, 8, 0, 0, 999_999, tzinfo=seoul))
    assert fields.time == datetime(2026, 3, 1, 8, tzinfo=seoul)


class Sized(Part):
    """A part with a field that may be left out."""

    most_size: int | None = None


def test_a_part_is_written_in_kubernetes_letters_without_what_is_left_out() -> None:
    assert Sized(most_size=3).to_json() == {"mostSize": 3}
    assert Sized().to_json() == {}
    assert Sized.model_validate({"mostSize": 3, "unknown": 1}) == Sized(most_size=3)


def test_rules_and_keys_stand_in_the_schema() -> None:
    assert keyed_by("name") == {
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }
    one = {"rule": "self > 0", "message": "must be more"}
    assert rules(("self > 0", "must be more")) == {"x-kubernetes-validations": [one]}
    assert rules(("self > 0", "must be more"), field_path=".size") == {
        "x-kubernetes-validations": [{**one, "fieldPath": ".size"}]
    }
