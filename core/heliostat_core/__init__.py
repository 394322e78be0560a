"""The shared language of Heliostat: resources, conditions, money and keys. No I/O."""
