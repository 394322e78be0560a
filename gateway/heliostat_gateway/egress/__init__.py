"""The egress proxy: the way outside for runs whose Agent names domains. It has no provider key."""
