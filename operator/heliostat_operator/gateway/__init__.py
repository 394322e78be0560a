"""What the operator asks of the gateway, and the key that it signs with."""
