"""From the world into documents and reports: agents and executions."""
