"""Google's Secret Manager, for the gateway and the operator."""
