"""`heliostat dev`: the whole product in one process on this machine."""
