"""Each module builds the services of one concern from the dependencies."""
