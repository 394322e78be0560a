"""The chat: a person says what they want, Claude designs the agent with tools."""
