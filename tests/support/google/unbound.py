"""Credentials of a pod that gets no token, as google.auth fails with the metadata server."""

from google.auth.credentials import Credentials
from google.auth.exceptions import RefreshError, TransportError


class Unbound(Credentials):
    """Its service account is bound to none of Google's, or the metadata server is away."""

    def __init__(self, *, is_answered: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        answer = ("Status: 403", object()) if is_answered else ("unavailable",)
        self._cause = TransportError(*answer)  # type: ignore[no-untyped-call]

    def refresh(self, _request: object) -> None:
        """Raises RefreshError."""
        raise RefreshError(self._cause) from self._cause  # type: ignore[no-untyped-call]
