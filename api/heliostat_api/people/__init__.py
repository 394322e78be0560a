"""Who is asking: persons, sessions, roles."""
