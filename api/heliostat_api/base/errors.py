"""Errors that several features and the problem responses know."""


class GatewayAwayError(Exception):
    """The gateway gave no answer that helps; the same call may succeed later."""


class ProviderAwayError(Exception):
    """Who vouches for persons can't be asked now; the text says who."""
