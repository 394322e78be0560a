"""The exact cache: what may be kept, and where."""
