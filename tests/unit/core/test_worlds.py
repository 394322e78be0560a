"""Where kinds are served, and how objects are selected."""

import inspect

import pytest
from kubernetes import client

from heliostat_core.worlds import (
    AGENT,
    APPROVAL,
    CILIUM_POLICY,
    EVERYTHING,
    EXECUTION,
    FQDN_POLICY,
    KINDS,
    Change,
    Kind,
    Selection,
)

OF_OTHERS = (CILIUM_POLICY, FQDN_POLICY)
OURS = (AGENT, APPROVAL, EXECUTION)
OF_KUBERNETES = [kind for kind in KINDS.values() if kind not in (*OURS, *OF_OTHERS)]


def paths_of_kubernetes() -> str:
    """The text of the official client, generated from the API's own description."""
    apis = (
        client.AppsV1Api,
        client.AuthenticationV1Api,
        client.BatchV1Api,
        client.CoordinationV1Api,
        client.CoreV1Api,
        client.DiscoveryV1Api,
        client.NetworkingV1Api,
        client.RbacAuthorizationV1Api,
    )
    return "".join(inspect.getsource(api) for api in apis)


def path_of(kind: Kind) -> str:
    group = f"/apis/{kind.group}" if kind.group else "/api"
    namespace = "/namespaces/{namespace}" if kind.namespaced else ""
    return f"'{group}/{kind.version}{namespace}/{kind.plural}'"


def test_kinds_are_served_where_kubernetes_serves_them() -> None:
    paths = paths_of_kubernetes()
    assert [kind for kind in OF_KUBERNETES if path_of(kind) not in paths] == []
    names = dir(client)
    unknown = [kind.name for kind in OF_KUBERNETES if f"V1{kind.name}" not in names]
    assert unknown == ["Event"]  # that of core is CoreV1Event there


@pytest.mark.parametrize(
    ("kind", "api_version", "plural"),
    [
        (AGENT, "heliostat.dev/v1alpha1", "agents"),
        (APPROVAL, "heliostat.dev/v1alpha1", "approvals"),
        (EXECUTION, "heliostat.dev/v1alpha1", "executions"),
        (CILIUM_POLICY, "cilium.io/v2", "ciliumnetworkpolicies"),
        (FQDN_POLICY, "networking.gke.io/v1alpha1", "fqdnnetworkpolicies"),
    ],
)
def test_kinds_of_definitions(kind: Kind, api_version: str, plural: str) -> None:
    assert (kind.api_version, kind.plural, kind.namespaced) == (api_version, plural, True)
    assert KINDS[kind.name] is kind


def test_a_kind_of_core_has_no_group_in_its_version() -> None:
    assert KINDS["Pod"].api_version == "v1"


def test_a_selection_is_written_as_kubernetes_reads_it() -> None:
    selection = Selection(
        labels={"b": "2", "a": "1"},
        label_terms=("c!=3", "!d"),
        fields={"status.phase": "Running", "metadata.name": "x"},
    )
    assert selection.label_selector == "a=1,b=2,c!=3,!d"
    assert selection.field_selector == "metadata.name=x,status.phase=Running"
    assert (EVERYTHING.label_selector, EVERYTHING.field_selector) == ("", "")


def test_a_change_knows_its_object_by_namespace_and_name() -> None:
    named = Change("ADDED", {"metadata": {"namespace": "n", "name": "a"}})
    assert named.key == ("n", "a")
    assert Change("ADDED", {}).key == ("", "")
