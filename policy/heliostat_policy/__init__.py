"""The policy says what an action of an agent does, and whether it happens, waits or is refused."""
