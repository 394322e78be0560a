"""The heliostat command and the embedded world."""
