"""The cluster that other e2e tests stand on."""

from support.cluster import Cluster


def test_a_node_is_ready(cluster: Cluster) -> None:
    cluster.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s")


def test_claims_get_a_volume_by_default(cluster: Cluster) -> None:
    classes = cluster.kubectl("get", "storageclasses")
    assert "(default)" in classes
