"""The Kubernetes world: the one connection to a cluster that operator, api and command share."""
