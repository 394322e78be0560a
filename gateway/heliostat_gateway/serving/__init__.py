"""What is served: every path, how errors leave it, OpenAPI."""
