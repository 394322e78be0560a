"""The only holder of provider keys: every model call of an agent goes through here."""
