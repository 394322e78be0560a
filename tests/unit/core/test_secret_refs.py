"""Secrets that an Agent names."""

from heliostat_core.secret_refs import (
    ClusterRef,
    ManagedRef,
    ManagedSecret,
    SecretRef,
    cluster_refs,
    managed_refs,
)

OF_GOOGLE = ManagedSecret(secret="projects/p-1/secrets/crm-token", version="7")
REFS = (
    SecretRef(name="crm", key="token", env_name="A"),
    SecretRef(secret_manager=OF_GOOGLE, env_name="B"),
    SecretRef(name="crm", env_name="C"),  # what no API server takes is neither
    SecretRef(key="token", env_name="D"),
)


def test_each_is_of_the_namespace_or_of_secret_manager() -> None:
    assert cluster_refs(REFS) == (ClusterRef("crm", "token", "A"),)
    assert managed_refs(REFS) == (ManagedRef(OF_GOOGLE, "B"),)


def test_a_version_is_pinned_unless_it_is_the_latest() -> None:
    latest = ManagedSecret(secret=OF_GOOGLE.secret)
    assert (OF_GOOGLE.is_pinned, latest.is_pinned) == (True, False)
    assert str(OF_GOOGLE) == "projects/p-1/secrets/crm-token/versions/7"
    assert str(latest) == "projects/p-1/secrets/crm-token/versions/latest"
    assert OF_GOOGLE.id == "crm-token"
