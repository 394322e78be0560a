"""The one process that turns the records of all gateways into rows."""
