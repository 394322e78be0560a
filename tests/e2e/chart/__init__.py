"""A package: what its modules installed goes before the other tests install the manifests."""
