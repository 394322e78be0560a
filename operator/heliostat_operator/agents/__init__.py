"""What an Agent is now, and which of its finished runs may go."""
