"""Webhooks: other programs start agents by a call, and are called when something went wrong."""
